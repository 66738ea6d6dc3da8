//! What the tests share.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use endpoint_sec::{Answer, Builder, Client, Event, EventType, Message};
use endpoint_sec_sim::{Installed, Machine, OsVersion};
use std::ops::Deref;
use std::sync::{Arc, Mutex};

/// A client that records every field of every message, and allows every request.
pub(crate) struct Recorder {
    client: Client,
    texts: Arc<Mutex<Vec<String>>>,
}

impl Recorder {
    pub(crate) fn start(builder: Builder) -> Self {
        let texts = Arc::new(Mutex::new(Vec::new()));
        let written = Arc::clone(&texts);
        let client = builder.start(move |message: Message<'_>| {
            let text = shown(&message);
            written.lock().unwrap().push(text);
            message.answer(Answer::Allow).unwrap();
        });
        let client = client.unwrap();
        Self { client, texts }
    }

    /// Subscribes to one type after the other; returns those that the system refused.
    pub(crate) fn subscribe_to_each(&self, events: &[EventType]) -> Vec<EventType> {
        let refused = |event: &EventType| self.client.subscribe(&[*event]).is_err();
        events.iter().copied().filter(refused).collect()
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.texts.lock().unwrap())
    }
}

impl Deref for Recorder {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

/// A message with every field of it. Miri, for which that is a second's work, reads the message's
/// own fields and its process with events about programs only: they are the same with all.
fn shown(message: &Message<'_>) -> String {
    let view = message.view();
    let event = view.event();
    if cfg!(miri) && !matches!(event, Event::Exec(_)) {
        let event_type = view.event_type();
        return format!("event_type: {event_type}, event: {event:?}");
    }
    format!("{message:?}")
}

/// A machine whose messages have this version.
pub(crate) fn machine_of(version: u32) -> Installed {
    let release = release_of(version);
    Machine::new(release).message_version(version).install()
}

/// A release whose messages have this version, or had it in a beta.
pub(crate) fn release_of(version: u32) -> OsVersion {
    match version {
        1 => OsVersion::new(10, 15, 0),
        2 => OsVersion::new(10, 15, 4),
        3 | 4 => OsVersion::new(11, 0, 0),
        5 => OsVersion::new(12, 3, 0),
        6 => OsVersion::new(13, 0, 0),
        7 => OsVersion::new(13, 3, 0),
        8 => OsVersion::new(15, 0, 0),
        9 => OsVersion::new(15, 4, 0),
        10 => OsVersion::new(26, 5, 0),
        _ => OsVersion::new(27, 0, 0),
    }
}

/// A client with the standard settings.
pub(crate) fn started(handler: impl FnMut(Message<'_>) + Send + 'static) -> Client {
    Client::builder().start(handler).unwrap()
}

/// Waits for what another thread brings about; false if it does not within a minute.
pub(crate) fn until(is_so: impl Fn() -> bool) -> bool {
    for _ in 0..60_000 {
        if is_so() {
            return true;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    false
}

/// A handler that drops every message.
pub(crate) fn drop_message(message: Message<'_>) {
    drop(message);
}
