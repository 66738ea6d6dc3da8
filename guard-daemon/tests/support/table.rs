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

/// Notes that a case cannot be checked here.
pub(crate) fn left_out(name: &str, missing: &str) -> Result<(), String> {
    // Past the harness, which shows what a test prints only when it fails.
    let note = format!("left out: {name}: {missing} is not installed\n");
    std::io::stderr().write_all(note.as_bytes()).unwrap();
    Ok(())
}

/// Sessions mostly wait for each other's processes to start.
const THREADS: usize = 4;
