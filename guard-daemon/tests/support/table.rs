//! Running the rows of a table.

use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Checks every case, a few at a time, and fails with the complaints of all.
pub(crate) fn run<Case: Sync>(cases: &[Case], check: impl Fn(&Case) -> Result<(), String> + Sync) {
    let next = AtomicUsize::new(0);
    let complaints = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(complaint) = check(case) {
                        complaints.lock().unwrap().push(complaint);
                    }
                }
            });
        }
    });
    let complaints = complaints.into_inner().unwrap();
    let (failed, of) = (complaints.len(), cases.len());
    assert!(
        complaints.is_empty(),
        "{failed} of {of} cases failed\n\n{}",
        complaints.join("\n\n")
    );
}

/// A case whose program is missing is skipped, with a note. Where `CI` is set it fails, since a table
/// that checks nothing would pass there; `GUARD_MAY_SKIP=1` skips it all the same, and so does a
/// program that is installed, but only where the case's user cannot reach it.
pub(crate) fn skip(name: &str, missing: &str) -> Result<(), String> {
    let is = |variable: &str, wanted: &str| {
        std::env::var_os(variable).is_some_and(|value| value == wanted)
    };
    let in_ci = is("CI", "true") || is("CI", "1");
    if in_ci && !is("GUARD_MAY_SKIP", "1") && !is_installed(missing) {
        return Err(format!(
            "{name}: {missing} is not installed; .ci/install installs it, and GUARD_MAY_SKIP=1 skips \
             what needs it"
        ));
    }
    note(&format!("{name}: {missing} is not installed for its user"));
    Ok(())
}

/// Says what is skipped, past the harness, which shows what a test prints only when it fails.
pub(crate) fn note(what: &str) {
    let note = format!("skipped: {what}\n");
    std::io::stderr().write_all(note.as_bytes()).unwrap();
}

/// Whether this process finds a program of this name.
fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}

/// Sessions mostly wait for each other's processes to start.
const THREADS: usize = 4;
