//! `guard-companion notify`: shows a person on the desktop that an agent requests something.
//!
//! The guard runs it with a line of JSON on standard input, as it runs the policy's `notify_command`. On
//! Linux the notice goes over D-Bus to the desktop's notification server, on macOS to `osascript`.
//!
//! It guarantees that nothing waits for a desktop: where there is none, or none that answers in
//! [`PATIENCE`], it ends and says nothing, since the request is in the guard's log anyway. What an agent
//! chose is shown as text, never as markup. It deliberately offers no button: whatever speaks on the
//! person's bus could press it, and agents speak on it, too.

#[cfg(not(target_os = "macos"))]
mod dbus;
mod text;

use serde_json::Value;
use std::io::Read as _;
use std::time::Duration;
use text::Notice;

/// Shows what standard input has, if it is a request and there is a desktop.
pub(crate) fn run() {
    let mut input = Vec::new();
    let read = std::io::stdin().take(MAX_INPUT).read_to_end(&mut input);
    let input = read.ok().and_then(|_| serde_json::from_slice(&input).ok());
    if let Some(notice) = input.as_ref().and_then(|input: &Value| Notice::of(input)) {
        show(&notice);
    }
}

#[cfg(not(target_os = "macos"))]
fn show(notice: &Notice) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    if let Ok(runtime) = runtime {
        runtime.block_on(async {
            let shown = tokio::time::timeout(PATIENCE, dbus::show(notice)).await;
            // No bus, no server, or one that is busy: the guard's log has the request.
            drop(shown);
        });
    }
}

#[cfg(target_os = "macos")]
fn show(notice: &Notice) {
    use std::process::{Command, Stdio};

    // The texts are arguments, not parts of the script.
    let script = [
        "on run argv",
        "display notification (item 2 of argv) with title (item 1 of argv)",
        "end run",
    ];
    let shown = Command::new("/usr/bin/osascript")
        .args(script.iter().flat_map(|line| ["-e", line]))
        .args(["--", &notice.title, &notice.body])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    if let Ok(mut shown) = shown {
        let start = std::time::Instant::now();
        while matches!(shown.try_wait(), Ok(None)) {
            if start.elapsed() >= PATIENCE {
                let _ended_meanwhile = shown.kill();
                let _reaped = shown.wait();
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// More than a request can be.
const MAX_INPUT: u64 = 64 << 10;

/// How long a desktop may take. The guard ends a longer run.
const PATIENCE: Duration = Duration::from_secs(5);
