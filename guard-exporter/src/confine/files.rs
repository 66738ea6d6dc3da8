//! Restricts paths and ports by Landlock (`landlock(7)`).
//!
//! Kernels differ in what they can restrict; each restricts what it can. TCP ports are refused from
//! Linux 6.7 on, signals and abstract sockets to others from 6.12 on.

use super::Needs;
use super::error::ConfineError;
use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, NetPort, PathBeneath, PathFd, Ruleset,
    RulesetAttr as _, RulesetCreatedAttr as _, RulesetError, RulesetStatus, Scope,
};
use std::path::Path;

/// Confines this thread and those it will start.
pub(super) fn confine(needs: &Needs) -> Result<(), ConfineError> {
    match restrict(needs)? {
        RulesetStatus::NotEnforced => Err(ConfineError::NoLandlock),
        RulesetStatus::PartiallyEnforced | RulesetStatus::FullyEnforced => Ok(()),
    }
}

fn restrict(needs: &Needs) -> Result<RulesetStatus, RulesetError> {
    let mut rules = Ruleset::default()
        .handle_access(AccessFs::from_all(KNOWN))?
        .handle_access(AccessNet::from_all(KNOWN))?
        .scope(Scope::from_all(KNOWN))?
        .create()?;
    let reading = AccessFs::ReadFile | AccessFs::ReadDir;
    let own = reading
        | AccessFs::WriteFile
        | AccessFs::Truncate
        | AccessFs::MakeReg
        | AccessFs::RemoveFile;
    let granted = [
        (&needs.own, own),
        (&needs.rings, reading | AccessFs::RemoveFile),
        (&needs.read, reading),
    ];
    for (paths, access) in granted {
        for path in paths {
            if let Some(rule) = beneath(path, access) {
                rules = rules.add_rule(rule)?;
            }
        }
    }
    rules = rules.add_rule(NetPort::new(needs.listen, AccessNet::BindTcp))?;
    for &port in &needs.connect {
        rules = rules.add_rule(NetPort::new(port, AccessNet::ConnectTcp))?;
    }
    Ok(rules.restrict_self()?.ruleset)
}

/// The rule for a path; `None` when it does not exist.
fn beneath(path: &Path, access: BitFlags<AccessFs>) -> Option<PathBeneath<PathFd>> {
    let fd = PathFd::new(path).ok()?;
    // A rule of a file cannot have the rights of directories.
    let access = if path.is_dir() {
        access
    } else {
        access & AccessFs::from_file(KNOWN)
    };
    Some(PathBeneath::new(fd, access))
}

/// The newest Landlock that this program knows.
const KNOWN: ABI = ABI::V6;
