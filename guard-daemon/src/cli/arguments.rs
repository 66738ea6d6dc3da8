//! Arguments that several commands take.

use crate::policy_file;
use anyhow::{Result, anyhow};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use guard_core::OperationKind;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// Where the policy comes from.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct PolicyArguments {
    /// Also protect this directory or file; may be given more than once.
    #[arg(long, value_name = "DIR")]
    pub(super) protect: Vec<PathBuf>,
    /// Use this policy file instead of ~/.codex/es_policy.json.
    #[arg(long, value_name = "FILE")]
    pub(super) policy: Option<PathBuf>,
}

/// The canonical path that the kernel would evaluate: links resolved in all but the last component.
pub(super) fn canonical(path: &Path) -> io::Result<Vec<u8>> {
    let path = std::path::absolute(path)?;
    let mut located = policy_file::locate(path.as_os_str().as_bytes());
    Ok(located.swap_remove(0))
}

/// [`canonical`], for what only takes text.
pub(super) fn canonical_text(path: &Path) -> Result<String> {
    String::from_utf8(canonical(path)?)
        .map_err(|error| anyhow!("{} is not UTF-8", error.into_bytes().escape_ascii()))
}

/// Reads the name of an operation; a misspelt one is answered with the nearest.
pub(super) fn operations() -> impl TypedValueParser<Value = OperationKind> {
    PossibleValuesParser::new(OperationKind::ALL.map(OperationKind::as_str)).map(|name| {
        OperationKind::from_name(&name).expect("the parser lets only names of operations pass")
    })
}

/// The names of operations, as a guard is asked by them.
pub(super) fn names_of(operations: &[OperationKind]) -> Vec<String> {
    let names = operations.iter().map(|operation| operation.as_str());
    names.map(str::to_owned).collect()
}
