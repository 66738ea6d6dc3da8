//! Copies of programs.

use std::path::Path;
use std::process::Command;

/// Copies a program, by another process: a descriptor open for writing in this one would be
/// inherited by whatever another test starts in the meantime, and the kernel does not run a file
/// that somebody has open for writing (`ETXTBSY`).
#[track_caller]
pub(crate) fn copy(from: impl AsRef<Path>, to: impl AsRef<Path>) {
    let copied = Command::new("cp")
        .arg(from.as_ref())
        .arg(to.as_ref())
        .status();
    assert!(
        copied.is_ok_and(|status| status.success()),
        "{} is copied",
        from.as_ref().display()
    );
}
