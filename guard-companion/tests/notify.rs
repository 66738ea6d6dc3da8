//! Notices on the desktop: over a real bus, to a notification server of the test's own.

#![cfg(target_os = "linux")]
#![allow(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "all of an integration test is test"
)]

use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use tokio::time::timeout;
use zbus::export::futures_core::Stream;
use zbus::{Connection, MessageStream, OwnedVariant};

/// A bus of the test's own.
struct Bus {
    daemon: Child,
    address: String,
}

// === impl Bus ===

impl Bus {
    /// `None` where there is no `dbus-daemon`.
    fn start() -> Option<Self> {
        let mut daemon = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--print-address"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut address = String::new();
        let mut output = BufReader::new(daemon.stdout.take().unwrap());
        output.read_line(&mut address).unwrap();
        let address = address.trim().to_owned();
        assert!(address.starts_with("unix:"), "{address}");
        Some(Self { daemon, address })
    }
}

// === impl Drop for Bus ===

impl Drop for Bus {
    fn drop(&mut self) {
        let _ended_meanwhile = self.daemon.kill();
        let _reaped = self.daemon.wait();
    }
}

/// What a notice has: application, title, body, actions.
type Shown = (String, String, String, Vec<String>);

/// What `Notify` is called with.
type Message = (
    String,
    u32,
    String,
    String,
    String,
    Vec<String>,
    HashMap<String, OwnedVariant>,
    i32,
);

/// A server of notices: answers until it was given one.
async fn serve(bus: Connection, mut messages: MessageStream, capabilities: &[&str]) -> Shown {
    loop {
        let next =
            std::future::poll_fn(|context| std::pin::Pin::new(&mut messages).poll_next(context));
        let message = next.await.unwrap().unwrap();
        let header = message.header();
        match header.member().map(|name| name.as_str()) {
            Some("GetCapabilities") => bus.reply(&header, &capabilities).await.unwrap(),
            Some("Notify") => {
                let body = message.body();
                let (name, _replaces, _icon, title, text, actions, _hints, _stays): Message =
                    body.deserialize().unwrap();
                bus.reply(&header, &1_u32).await.unwrap();
                return (name, title, text, actions);
            }
            _ => {}
        }
    }
}

fn request(path: &str) -> Value {
    json!({
        "event": "requested",
        "approve": "codex-es-guard approve 3fa81c-1",
        "reject": "codex-es-guard reject 3fa81c-1",
        "request": {
            "id": "3fa81c-1", "state": "open", "path": path, "op": ["unlink", "rename"],
            "because": "old", "agent": "codex", "pid": 7, "session": "s",
            "asked": "2026-11-26T10:00:00Z", "answered": null, "answered_by": null,
            "answer": null, "expires_at": null, "once": false, "uses": 0, "denials": 1,
        },
    })
}

/// Runs the program with a request; `bus` is the address of the session's bus.
fn notify(bus: &str, input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_guard-companion"))
        .arg("notify")
        .env_clear()
        .env("DBUS_SESSION_BUS_ADDRESS", bus)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Who refuses a whole input closes its end.
    let _refused = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

#[track_caller]
fn ended_in_silence(output: &Output) {
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        (output.stdout.len(), output.stderr.len()),
        (0, 0),
        "{output:?}"
    );
}

/// What the server of a desktop is given for a request; `None` where there is no `dbus-daemon`.
fn shown(capabilities: &[&str], path: &str) -> Option<Shown> {
    let Some(bus) = Bus::start() else {
        // Past the harness, which shows what a test prints only when it fails.
        let mut stderr = std::io::stderr();
        writeln!(stderr, "left out: there is no dbus-daemon").unwrap();
        return None;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (address, input) = (bus.address.clone(), request(path).to_string());
    runtime.block_on(async {
        let connection = zbus::connection::Builder::address(bus.address.as_str())
            .build()
            .await
            .unwrap();
        // A call that came before the name would be an error to the caller, and one that came before
        // the stream would be lost.
        let messages = MessageStream::from(&connection);
        connection
            .request_name("org.freedesktop.Notifications")
            .await
            .unwrap();
        let asked = tokio::task::spawn_blocking(move || notify(&address, &input));
        let shown = timeout(PATIENCE, serve(connection, messages, capabilities))
            .await
            .unwrap();
        ended_in_silence(&asked.await.unwrap());
        Some(shown)
    })
}

#[test]
fn a_person_is_shown_on_the_desktop_who_asks_for_what_and_how_to_answer() {
    let Some((name, title, body, actions)) = shown(&["body"], "/home/me/work/a <b> & c") else {
        return;
    };
    assert_eq!(name, "codex-es-guard");
    assert_eq!(title, "codex asks to remove or move");
    assert_eq!(
        body,
        "/home/me/work/a <b> & c\nbecause: old\ndenied once before\n\
         codex-es-guard approve 3fa81c-1\ncodex-es-guard reject 3fa81c-1"
    );
    assert_eq!(
        actions,
        Vec::<String>::new(),
        "nobody on the bus can answer"
    );
}

#[test]
fn a_desktop_that_takes_markup_is_given_none() {
    let Some((_, _, body, _)) = shown(&["body", "body-markup"], "/home/me/work/a <b> & c") else {
        return;
    };
    assert!(
        body.starts_with("/home/me/work/a &lt;b&gt; &amp; c\n"),
        "{body}"
    );
}

#[test]
fn without_a_desktop_or_a_request_it_ends_in_silence() {
    let nowhere = "unix:path=/nonexistent/bus";
    ended_in_silence(&notify(nowhere, &request("/home/me/work/a").to_string()));
    for input in ["", "{", "[]", "{\"event\": \"requested\"}"] {
        ended_in_silence(&notify(nowhere, input));
    }
    // A bus without a server of notices.
    if let Some(bus) = Bus::start() {
        ended_in_silence(&notify(
            &bus.address,
            &request("/home/me/work/a").to_string(),
        ));
    }
}

const PATIENCE: Duration = Duration::from_secs(60);
