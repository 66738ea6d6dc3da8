//! Prints what is done to files below a directory: `file_monitor [DIRECTORY]`.
//!
//! On macOS it needs root, Full Disk Access and the entitlement, and runs until Return is pressed.
//! Elsewhere a simulated Mac does a few things for it to see.

use endpoint_sec::event::Destination;
use endpoint_sec::{CallError, Client, Event, EventType, Handle, Message, MessageView, TargetPath};
use std::error::Error;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

const WATCHED: [EventType; 5] = [
    EventType::NOTIFY_CREATE,
    EventType::NOTIFY_WRITE,
    EventType::NOTIFY_RENAME,
    EventType::NOTIFY_UNLINK,
    EventType::NOTIFY_CLONE,
];

#[allow(clippy::print_stdout, reason = "this is what the example is for")]
fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::args_os().nth(1);
    let directory = directory.unwrap_or_else(|| OsString::from("/private/tmp/"));
    let directory = TargetPath::prefix(directory.into_vec())?;

    #[cfg(not(target_vendor = "apple"))]
    let machine = simulated::machine();

    let client = Client::builder().start(|message| {
        let Message::Notify(message) = message else {
            return;
        };
        if let Some(line) = line(message.view()) {
            println!("{line}");
        }
    })?;
    client.mute_self()?;
    watch_only(&client, &directory)?;
    let subscribed = client.subscribe(&WATCHED)?;
    for event in subscribed.dropped {
        println!("this macOS knows no {event}");
    }

    #[cfg(not(target_vendor = "apple"))]
    simulated::something_happens(&machine);
    #[cfg(target_vendor = "apple")]
    std::io::stdin().read_line(&mut String::new())?;

    let statistics = client.statistics();
    println!(
        "{} messages, {} dropped",
        statistics.delivered, statistics.dropped
    );
    client.close();
    Ok(())
}

/// Has the kernel leave out what is not below the directory; before macOS 13.0 everything comes.
fn watch_only(client: &Handle, directory: &TargetPath) -> Result<(), CallError> {
    match client.select_targets(std::slice::from_ref(directory)) {
        Ok(_) | Err(CallError::NotAvailable { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// One line for one event.
fn line(message: MessageView<'_>) -> Option<String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let at = |destination| match destination {
        Destination::ExistingFile(file) => text(file.path()),
        Destination::NewPath { directory, name } => {
            format!("{}/{}", text(directory.path()), text(name))
        }
        _ => "somewhere".to_owned(),
    };
    let what = match message.event() {
        Event::Create(create) => format!("makes {}", at(create.destination())),
        Event::Write(write) => format!("writes {}", text(write.target().path())),
        Event::Unlink(unlink) => format!("removes {}", text(unlink.target().path())),
        Event::Rename(rename) => {
            let source = text(rename.source().path());
            format!("moves {source} to {}", at(rename.destination()))
        }
        Event::Clone(clone) => {
            let directory = text(clone.target_dir().path());
            let name = text(clone.target_name());
            format!(
                "clones {} to {directory}/{name}",
                text(clone.source().path())
            )
        }
        _ => return None,
    };
    let process = message.process();
    let program = text(process.executable().path());
    Some(format!("{program} ({}) {what}", process.pid()))
}

#[cfg(not(target_vendor = "apple"))]
mod simulated {
    use endpoint_sec_sim::{File, Installed, Machine, OsVersion};

    pub(crate) fn machine() -> Installed {
        Machine::new(OsVersion::new(27, 0, 0)).install()
    }

    pub(crate) fn something_happens(machine: &Machine) {
        let vim = machine.process("/usr/bin/vim").start();
        machine.create(File::regular("/private/tmp/old.txt"));
        let _done = [
            machine.create_file(&vim, "/private/tmp/new.txt", 0o644),
            machine.write(&vim, "/private/tmp/old.txt"),
            machine.rename(&vim, "/private/tmp/old.txt", "/private/tmp/kept.txt"),
            machine.write(&vim, "/Users/me/elsewhere.txt"),
            machine.unlink(&vim, "/private/tmp/new.txt"),
        ];
        machine.settle();
    }
}
