//! A policy compiled for decisions, and the cell from which every thread loads the current one.
//!
//! Compiling expands `~`, asks the caller for the canonical locations of every configured path (a
//! symbolic link is protected itself, and so is its target), and builds a [`ZoneTree`]. A snapshot
//! never changes: a reload compiles another one and stores it, and decisions in flight finish on the
//! one that they began with.
//!
//! It deliberately does no I/O: [`Surroundings::locate`] is the caller's.

use super::model::{
    DenialNotice, DisposableEntry, MAX_PATH_BYTES, Mode, OnDeadline, OnUnknown, OperationSet,
    OverrideApproval, OverrideEntry, Policy, Removals, UndoPolicy,
};
use crate::actor::FactSource;
use crate::event::ZoneRef;
use crate::glob::Glob;
use crate::operation::OperationKind;
use crate::process::basename;
use crate::tools::ToolTable;
use crate::zones::{Entry, Folding, OverrideId, ZoneId, ZoneMatch, ZoneTree, ZoneTreeBuilder};
use arc_swap::ArcSwap;
use fnv::FnvHasher;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// What a policy is compiled with besides its text.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// The protected user's home directory, for `~`.
    pub home: &'a [u8],
    /// The system whose temporary paths count.
    pub platform: Platform,
    /// Zones from the command line, absolute.
    pub extra_zones: &'a [Vec<u8>],
    /// The guard's own files, which no agent may change whatever the zones are.
    pub own_files: &'a [OwnFile<'a>],
    /// The canonical locations of a configured path: the object itself with its parents resolved
    /// and, if it is a symbolic link, its target. Empty if they are not known; the path is then used
    /// as configured.
    pub locate: &'a dyn Fn(&[u8]) -> Vec<Vec<u8>>,
    /// The guard session's id: an override for this session applies to every agent in it.
    pub session: &'a str,
    /// When the guard started, wall clock nanoseconds. No agent of a session is older.
    pub started_ns: u64,
}

/// A system, by its temporary paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Platform {
    /// `/tmp`, `/var/tmp`, `/dev/shm`.
    Linux,
    /// `/private/tmp`, `/private/var/tmp`, `/private/var/folders`.
    MacOs,
}

/// One of the guard's own files; a directory includes all below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OwnFile<'a> {
    /// Absolute path.
    pub path: &'a [u8],
}

/// A policy compiled for decisions.
#[derive(Debug)]
pub struct Snapshot {
    pub(crate) tree: ZoneTree,
    pub(crate) zones: Vec<Zone>,
    own: Vec<Box<[u8]>>,
    pub(crate) overrides: Vec<OverrideEntry>,
    pub(crate) disposable: Vec<Glob>,
    pub(crate) tools: ToolTable,
    pub(crate) session: Box<str>,
    pub(crate) started_ns: u64,
    operations: OperationSet,
    mode: Mode,
    on_unknown: OnUnknown,
    on_deadline: OnDeadline,
    override_approval: OverrideApproval,
    undo: UndoPolicy,
    notice: DenialNotice,
    notify_command: Vec<String>,
    agent_patterns: Vec<String>,
    revision: u64,
    warnings: Vec<PolicyWarning>,
}

/// One location of a protected zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    name: Box<str>,
    path: Box<[u8]>,
    preserves_removals: bool,
}

/// Why a policy cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CompilePolicyError {
    /// A path begins with `~` and there is no home.
    #[error("`{0}` needs a home directory, and none is known")]
    NoHome(String),
    /// A zone of the command line, or an own file, is not absolute.
    #[error("`{0}` is not an absolute path")]
    Relative(String),
    /// A path became longer than [`MAX_PATH_BYTES`].
    #[error("a path of {0} bytes is longer than {MAX_PATH_BYTES}")]
    PathTooLong(usize),
}

/// What the author of a policy may not have meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyWarning {
    /// Nothing is protected.
    #[error("no zone is protected")]
    NoZones,
    /// `/` is a zone.
    #[error("`/` is a protected zone: agents can remove nothing but temporary files")]
    RootZone,
    /// An override of a path in no zone.
    #[error("the override of `{0}` is in no zone and has no effect")]
    IdleOverride(String),
    /// An override of a whole zone.
    #[error("the override of `{0}` exempts a whole zone (the zone's root itself stays protected)")]
    OverrideOfZone(String),
    /// An interpreter or a program that removes is trusted everywhere.
    #[error("`{0}` is trusted everywhere: an agent can remove anything with it")]
    TrustedEverywhere(String),
}

/// The current snapshot, loaded without a lock.
#[derive(Debug)]
pub struct PolicyCell {
    current: ArcSwap<Snapshot>,
}

// === impl Snapshot ===

impl Snapshot {
    /// Compiles a policy.
    ///
    /// # Errors
    ///
    /// [`CompilePolicyError`] if a path is not valid in these surroundings.
    pub fn compile(
        policy: &Policy,
        surroundings: &Surroundings<'_>,
    ) -> Result<Self, CompilePolicyError> {
        Self::compile_folding(policy, surroundings, &|_| Folding::Exact)
    }

    /// Compiles a policy where volumes may fold names: `folding` returns, for a directory's canonical
    /// path, how the names in it are compared.
    ///
    /// # Errors
    ///
    /// As [`compile`](Self::compile).
    pub fn compile_folding(
        policy: &Policy,
        surroundings: &Surroundings<'_>,
        folding: &dyn Fn(&[u8]) -> Folding,
    ) -> Result<Self, CompilePolicyError> {
        let mut builder = ZoneTreeBuilder::folding(folding);
        let zones = insert_zones(policy, surroundings, &mut builder)?;
        for (number, entry) in (0u32..).zip(&policy.temporary_overrides) {
            for location in surroundings.locations(&entry.path)? {
                builder.insert(&location, Entry::Override(OverrideId(number)));
            }
        }
        let mut disposable = Vec::new();
        for entry in &policy.disposable_paths {
            match entry {
                DisposableEntry::Pattern(glob) => disposable.push(glob.clone()),
                DisposableEntry::Path(path) => {
                    for location in surroundings.locations(path)? {
                        builder.insert(&location, Entry::Disposable);
                    }
                }
            }
        }
        for path in surroundings.platform.temporary_paths() {
            builder.insert(path, Entry::SystemTemp);
        }
        if !surroundings.home.is_empty() {
            for trash in TRASHES {
                for location in surroundings.locations(trash)? {
                    builder.insert(&location, Entry::SystemTemp);
                }
            }
        }
        let mut own = Vec::new();
        for file in surroundings.own_files {
            for location in surroundings.absolute(file.path)? {
                builder.insert_own(&location);
                own.push(location.into());
            }
        }
        let tree = builder.build();
        let warnings = warnings(policy, surroundings, &tree, &zones);
        Ok(Self {
            revision: revision(policy, surroundings, &zones),
            tree,
            zones,
            own,
            overrides: policy.temporary_overrides.clone(),
            disposable,
            tools: policy
                .trusted_tools
                .as_deref()
                .map_or_else(ToolTable::built_in, |entries| {
                    ToolTable::from_entries(entries, &|path| {
                        surroundings.locations(path).unwrap_or_default()
                    })
                }),
            session: surroundings.session.into(),
            started_ns: surroundings.started_ns,
            operations: policy.operations,
            mode: policy.mode,
            on_unknown: policy.on_unknown,
            on_deadline: policy.on_deadline,
            override_approval: policy.override_approval,
            undo: policy.undo,
            notice: policy.notice,
            notify_command: policy.notify_command.clone(),
            agent_patterns: policy.ai_agent_patterns.clone(),
            warnings,
        })
    }

    /// The guard's own files, at their canonical paths.
    pub fn own_files(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.own.iter().map(AsRef::as_ref)
    }

    /// Every location of every zone.
    pub fn zones(&self) -> impl ExactSizeIterator<Item = ZoneRef<'_>> {
        self.zones.iter().map(Zone::as_ref)
    }

    /// The zone with this number.
    #[must_use]
    pub fn zone(&self, id: ZoneId) -> Option<ZoneRef<'_>> {
        self.zones.get(id.0 as usize).map(Zone::as_ref)
    }

    /// The overrides, including expired ones.
    #[must_use]
    pub fn overrides(&self) -> &[OverrideEntry] {
        &self.overrides
    }

    /// Whether the policy judges this kind. Operations on the guard itself are always judged; a swap
    /// is two renames, and is judged where renames are.
    #[must_use]
    pub fn judges(&self, kind: OperationKind) -> bool {
        let swaps = kind == OperationKind::Exchange;
        self.operations.contains(kind) || (swaps && self.operations.contains(OperationKind::Rename))
    }

    /// Whether denials are enforced.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The verdict for processes of unknown ancestry.
    #[must_use]
    pub fn on_unknown(&self) -> OnUnknown {
        self.on_unknown
    }

    /// The answer at the kernel's deadline.
    #[must_use]
    pub fn on_deadline(&self) -> OnDeadline {
        self.on_deadline
    }

    /// Who may grant requested overrides.
    #[must_use]
    pub fn override_approval(&self) -> OverrideApproval {
        self.override_approval
    }

    /// What is preserved, and within which bounds.
    #[must_use]
    pub fn undo(&self) -> UndoPolicy {
        self.undo
    }

    /// Whether a process that was denied is shown why.
    #[must_use]
    pub fn notice(&self) -> DenialNotice {
        self.notice
    }

    /// The program, with its arguments, that shows a person what is requested; empty for none.
    #[must_use]
    pub fn notify_command(&self) -> &[String] {
        &self.notify_command
    }

    /// The policy's own agent patterns.
    #[must_use]
    pub fn agent_patterns(&self) -> &[String] {
        &self.agent_patterns
    }

    /// Whether this executable may be restoring a document: it has the name of version control, or of
    /// a tool that the policy trusts everywhere.
    #[must_use]
    pub fn may_restore<F: FactSource + ?Sized>(&self, executable: &[u8], facts: &F) -> bool {
        self.tools.may_restore(executable, facts)
    }

    /// Whether this executable, with these arguments (NUL-separated), is version control that fills a
    /// new directory.
    #[must_use]
    pub fn begins_tree(&self, executable: &[u8], arguments: &[u8]) -> bool {
        self.tools.begins_tree(executable, arguments)
    }

    /// Whether a tool of this executable basename is trusted within a scope, so that its descendants
    /// are trusted like it.
    #[must_use]
    pub fn is_scoped_tool(&self, name: &[u8]) -> bool {
        self.tools.is_scoped(name)
    }

    /// Identifies the policy: a policy with the same zones has the same revision in every session.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// What the policy's author may not have meant.
    #[must_use]
    pub fn warnings(&self) -> &[PolicyWarning] {
        &self.warnings
    }

    /// The most specific zone above a path.
    pub(crate) fn zone_over(&self, found: ZoneMatch<'_>) -> Option<&Zone> {
        found.entries().find_map(|entry| match entry {
            Entry::Zone(id) => self.zones.get(id.0 as usize),
            _ => None,
        })
    }
}

fn insert_zones(
    policy: &Policy,
    surroundings: &Surroundings<'_>,
    builder: &mut ZoneTreeBuilder<'_>,
) -> Result<Vec<Zone>, CompilePolicyError> {
    let mut zones: Vec<Zone> = Vec::new();
    let preserves = |removals: Option<Removals>| {
        policy.undo.enabled && removals.unwrap_or(policy.removals) == Removals::Preserve
    };
    let mut add = |name: Option<&str>, configured: &[u8], removals, locations: Vec<Vec<u8>>| {
        for path in locations {
            let number = u32::try_from(zones.len()).unwrap_or(u32::MAX);
            builder.insert(&path, Entry::Zone(ZoneId(number)));
            let name = name.map_or_else(|| last_component(configured), str::to_owned);
            zones.push(Zone {
                name: name.into(),
                path: path.into(),
                preserves_removals: preserves(removals),
            });
        }
    };
    for zone in &policy.protected_zones {
        let expanded = surroundings.expand(&zone.path)?;
        add(
            zone.name.as_deref(),
            &expanded,
            zone.removals,
            surroundings.absolute(&expanded)?,
        );
    }
    for path in surroundings.extra_zones {
        add(None, path, None, surroundings.absolute(path)?);
    }
    Ok(zones)
}

fn last_component(path: &[u8]) -> String {
    let name = basename(path.strip_suffix(b"/").unwrap_or(path));
    if name.is_empty() {
        "/".to_owned()
    } else {
        String::from_utf8_lossy(name).into_owned()
    }
}

fn warnings(
    policy: &Policy,
    surroundings: &Surroundings<'_>,
    tree: &ZoneTree,
    zones: &[Zone],
) -> Vec<PolicyWarning> {
    let mut warnings = Vec::new();
    if zones.is_empty() {
        warnings.push(PolicyWarning::NoZones);
    }
    if zones.iter().any(|zone| zone.path.as_ref() == b"/") {
        warnings.push(PolicyWarning::RootZone);
    }
    for entry in &policy.temporary_overrides {
        let path = surroundings.locations(&entry.path).unwrap_or_default();
        let matches = || path.iter().map(|path| tree.lookup(path));
        let is_zone = |entry| matches!(entry, Entry::Zone(_));
        if matches().any(|found| found.contains_zone_root().is_some()) {
            warnings.push(PolicyWarning::OverrideOfZone(entry.path.clone()));
        } else if !matches().any(|found| found.entries().any(is_zone)) {
            warnings.push(PolicyWarning::IdleOverride(entry.path.clone()));
        }
    }
    for tool in policy.trusted_tools.iter().flatten() {
        if tool.within.is_none() && ToolTable::removes_anything(&tool.name) {
            warnings.push(PolicyWarning::TrustedEverywhere(tool.name.clone()));
        }
    }
    warnings
}

/// The same for the same policy and zones, in every process and build: it identifies the policy, so
/// nothing of the session is part of it.
fn revision(policy: &Policy, surroundings: &Surroundings<'_>, zones: &[Zone]) -> u64 {
    let mut hasher = FnvHasher::default();
    policy.hash(&mut hasher);
    for zone in zones {
        zone.path.hash(&mut hasher);
    }
    surroundings.platform.hash(&mut hasher);
    hasher.finish()
}

// === impl Surroundings ===

impl Surroundings<'_> {
    /// The canonical locations of a configured path.
    fn locations(&self, path: &str) -> Result<Vec<Vec<u8>>, CompilePolicyError> {
        self.absolute(&self.expand(path)?)
    }

    fn expand(&self, path: &str) -> Result<Vec<u8>, CompilePolicyError> {
        match path.strip_prefix('~') {
            Some(_) if !self.home.starts_with(b"/") => {
                Err(CompilePolicyError::NoHome(path.to_owned()))
            }
            Some(rest) => {
                let home = self.home.strip_suffix(b"/").unwrap_or(self.home);
                Ok([home, rest.as_bytes()].concat())
            }
            None => Ok(path.as_bytes().to_vec()),
        }
    }

    fn absolute(&self, path: &[u8]) -> Result<Vec<Vec<u8>>, CompilePolicyError> {
        if path.len() > MAX_PATH_BYTES {
            return Err(CompilePolicyError::PathTooLong(path.len()));
        }
        if !path.starts_with(b"/") {
            return Err(CompilePolicyError::Relative(
                String::from_utf8_lossy(path).into_owned(),
            ));
        }
        let mut locations = (self.locate)(path);
        locations.retain(|location| location.starts_with(b"/"));
        if locations.is_empty() {
            locations.push(path.to_vec());
        }
        for location in &mut locations {
            while location.len() > 1 && location.last() == Some(&b'/') {
                location.pop();
            }
        }
        locations.dedup();
        Ok(locations)
    }
}

impl fmt::Debug for Surroundings<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Surroundings")
            .field("home", &self.home)
            .field("platform", &self.platform)
            .field("extra_zones", &self.extra_zones)
            .field("own_files", &self.own_files)
            .field("session", &self.session)
            .field("started_ns", &self.started_ns)
            .finish_non_exhaustive()
    }
}

// === impl Platform ===

impl Platform {
    /// `TMPDIR` is not used: it could be set to any directory.
    const fn temporary_paths(self) -> &'static [&'static [u8]] {
        match self {
            Self::Linux => &[b"/tmp", b"/var/tmp", b"/dev/shm"],
            Self::MacOs => &[
                b"/private/tmp",
                b"/private/var/tmp",
                b"/private/var/folders",
            ],
        }
    }
}

// === impl Zone ===

impl Zone {
    /// For events: the name and the canonical path.
    #[must_use]
    pub fn as_ref(&self) -> ZoneRef<'_> {
        ZoneRef {
            name: &self.name,
            path: &self.path,
        }
    }

    /// Whether removals in it are preserved instead of denied.
    pub(crate) const fn preserves_removals(&self) -> bool {
        self.preserves_removals
    }
}

// === impl PolicyCell ===

impl PolicyCell {
    /// A cell with its first snapshot.
    #[must_use]
    pub fn new(snapshot: Snapshot) -> Self {
        Self {
            current: ArcSwap::from_pointee(snapshot),
        }
    }

    /// The current snapshot; it stays alive while the guard is held.
    #[must_use]
    pub fn load(&self) -> arc_swap::Guard<Arc<Snapshot>> {
        self.current.load()
    }

    /// Replaces the snapshot for all decisions that begin from now on.
    pub fn store(&self, snapshot: Snapshot) {
        self.current.store(Arc::new(snapshot));
    }
}

/// The directories to which desktops move what a person deletes.
const TRASHES: [&str; 2] = ["~/.Trash", "~/.local/share/Trash"];
