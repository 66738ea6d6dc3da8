//! The configuration of a machine before it exists.

use std::time::Duration;

use endpoint_sec_sys::{OsVersion, es_event_type_t, es_mute_path_type_t};

use crate::clock::Timebase;
use crate::machine::config::Config;
use crate::machine::{Installed, Machine};
use crate::release::message_version;

/// Configures and builds a machine. Every number that Apple does not document can be chosen; the
/// defaults are plausible, not measured.
#[derive(Clone, Debug)]
#[must_use = "the machine does not exist until it is built or installed"]
pub struct MachineBuilder {
    config: Config,
    timebase: Timebase,
    clock_runs: bool,
}

// === impl Machine ===

impl Machine {
    /// A Mac with this release, on which the caller is root, entitled and has Full Disk Access.
    #[expect(
        clippy::new_ret_no_self,
        reason = "a machine is always built, and tests begin with it"
    )]
    pub fn new(release: OsVersion) -> MachineBuilder {
        MachineBuilder::new(release)
    }
}

// === impl MachineBuilder ===

impl MachineBuilder {
    pub(crate) fn new(release: OsVersion) -> Self {
        let config = Config {
            release,
            version: message_version(release),
            entitled: true,
            root: true,
            full_disk_access: true,
            subsystem: true,
            max_clients: 16,
            // Up to 10.15.5 the number was 255; it was then "raised substantially" (Apple DTS,
            // thread 652740).
            max_muted_processes: if release < OsVersion::new(10, 15, 6) {
                255
            } else {
                4096
            },
            queue: 4096,
            deadline: Duration::from_secs(60),
            clear_cache_limit: (10, Duration::from_secs(1)),
            default_mutes: default_mutes(release),
        };
        Self {
            config,
            timebase: Timebase::APPLE_SILICON,
            clock_runs: false,
        }
    }

    /// Another message version than the release has: 3 was in betas only.
    pub fn message_version(mut self, version: u32) -> Self {
        self.config.version = version;
        self
    }

    /// The caller lacks `com.apple.developer.endpoint-security.client`.
    pub fn not_entitled(mut self) -> Self {
        self.config.entitled = false;
        self
    }

    /// The caller is not root.
    pub fn not_root(mut self) -> Self {
        self.config.root = false;
        self
    }

    /// The caller has no Full Disk Access.
    pub fn no_full_disk_access(mut self) -> Self {
        self.config.full_disk_access = false;
        self
    }

    /// The subsystem cannot be reached.
    pub fn subsystem_down(mut self) -> Self {
        self.config.subsystem = false;
        self
    }

    /// How many clients may exist at a time (16).
    pub fn max_clients(mut self, number: usize) -> Self {
        self.config.max_clients = number;
        self
    }

    /// How many processes a client may mute (4096; 255 before 10.15.6).
    pub fn max_muted_processes(mut self, number: usize) -> Self {
        self.config.max_muted_processes = number;
        self
    }

    /// How many messages wait for a client before the next is lost (4096).
    pub fn queue(mut self, messages: usize) -> Self {
        self.config.queue = messages;
        self
    }

    /// The system's time to answer (60 s).
    pub fn deadline(mut self, time: Duration) -> Self {
        self.config.deadline = time;
        self
    }

    /// How often the cache may be cleared (10 times a second).
    pub fn clear_cache_limit(mut self, times: usize, within: Duration) -> Self {
        self.config.clear_cache_limit = (times, within);
        self
    }

    /// What every new client has muted, instead of the default set.
    pub fn default_mutes(
        mut self,
        mutes: impl IntoIterator<Item = (es_mute_path_type_t, Vec<u8>, Vec<es_event_type_t>)>,
    ) -> Self {
        self.config.default_mutes = mutes.into_iter().collect();
        self
    }

    /// The length of a tick (Apple silicon).
    pub fn timebase(mut self, timebase: Timebase) -> Self {
        self.timebase = timebase;
        self
    }

    /// The clock runs with the host's instead of being moved by hand.
    pub fn running_clock(mut self) -> Self {
        self.clock_runs = true;
        self
    }

    /// Builds the machine.
    #[must_use]
    pub fn build(self) -> Machine {
        Machine::assemble(self.config, self.timebase, self.clock_runs)
    }

    /// Builds the machine and [installs](Machine::install) it.
    pub fn install(self) -> Installed {
        self.build().install()
    }
}

/// The default mute set: critical executables, for AUTH events. Which they are differs by release
/// and is not documented; these are examples of the kind.
fn default_mutes(release: OsVersion) -> Vec<(es_mute_path_type_t, Vec<u8>, Vec<es_event_type_t>)> {
    use endpoint_sec_sys::{EVENTS, EventKind};
    let auth = EVENTS
        .iter()
        .filter(|info| info.kind == EventKind::Auth && info.introduced <= release);
    let auth: Vec<es_event_type_t> = auth.map(|info| info.event_type).collect();
    let literal = es_mute_path_type_t::ES_MUTE_PATH_TYPE_LITERAL;
    CRITICAL
        .iter()
        .map(|path| (literal, path.as_bytes().to_vec(), auth.clone()))
        .collect()
}

const CRITICAL: [&str; 5] = [
    "/usr/libexec/watchdogd",
    "/usr/libexec/opendirectoryd",
    "/usr/libexec/sandboxd",
    "/usr/libexec/trustd",
    "/usr/sbin/securityd",
];
