//! The workload in a session of this crate, with one zone.

use guard_core::actor::AgentMatch;
use guard_core::agents::IgnoredMarkers;
use guard_core::guard::Guard;
use guard_core::lineage::Root;
use guard_core::policy::{Platform, Policy, Snapshot, Surroundings};
use guard_core::ring::{Producer, RingOptions};
use guard_linux::procfs::{self, ProcFs};
use guard_linux::session::{self, SessionConfig, SignalDispositions, SupervisorArgs};
use guard_linux::supervisor::Supervisor;
use guard_undo::Preservation;
use std::error::Error;
use std::ffi::CString;
use std::os::unix::ffi::OsStringExt as _;
use std::sync::Arc;

/// Runs this program with `arguments` in a session that protects `zone`, and ends as it does. With
/// an `agent`, the program is its.
pub(super) fn run(zone: &str, agent: Option<&str>, arguments: &[&str]) {
    let me = std::env::current_exe().unwrap().into_os_string().into_vec();
    let arguments = arguments.iter().map(|word| word.as_bytes().to_vec());
    let words = std::iter::once(me).chain(arguments);
    let config = SessionConfig {
        command: words.map(|word| CString::new(word).unwrap()).collect(),
        dispositions: SignalDispositions::take(),
        report_error: |error| panic!("{error}"),
    };
    let outcome = session::run(config, |args| supervise(zone, agent, args)).unwrap();
    session::end_as(outcome)
}

fn supervise(
    zone: &str,
    agent: Option<&str>,
    args: SupervisorArgs,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let root = args.describe_root()?;
    let root = Root {
        key: root.key,
        started_ns: root.started_ns,
        declared_agent: agent.map(|label| AgentMatch {
            label: label.to_owned(),
            ancestor: label.as_bytes().to_vec(),
            session: Vec::new(),
            by_environment: false,
        }),
    };
    let guard = Guard::new(
        protecting(zone),
        Some(root),
        Producer::anonymous(&RingOptions::default())?,
        Vec::new(),
        Box::new(ProcFs::new()),
        procfs::parent_of,
        IgnoredMarkers::default(),
    );
    Supervisor::start(args, Arc::new(guard), Preservation::Off, None)?.run_command(|| {})?;
    Ok(())
}

fn protecting(zone: &str) -> Snapshot {
    let surroundings = Surroundings {
        home: b"/nonexistent",
        platform: Platform::Linux,
        extra_zones: &[zone.as_bytes().to_vec()],
        own_files: &[],
        locate: &|path| vec![path.to_vec()],
        session: "",
        started_ns: 0,
    };
    Snapshot::compile(&Policy::default(), &surroundings).unwrap()
}
