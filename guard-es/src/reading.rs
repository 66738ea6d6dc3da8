//! Reads the request out of a message.
//!
//! Most event types are one operation as they are. The others:
//!
//! | event | operation |
//! |-------|-----------|
//! | a rename to a free name | the destination is joined from directory and name |
//! | a swap (`RENAME_SWAP`) | a rename onto an existing file, one message for each direction |
//! | `exchangedata` | an exchange |
//! | opening for writing | a write, which matters for the guard's own files and where contents are preserved; with `O_TRUNC` also a truncation, if the policy judges those and the file is not empty |
//! | creating a file | a write, likewise |
//! | opening, cloning or copying what is not to be read, whatever for | a write: it is denied to the same processes |
//! | `clonefile`, and `copyfile` to a free name | nothing is overwritten: matters for the guard's own files only |
//!
//! Paths from the kernel are canonical, except for the firmlinks of the data volume.

use crate::paths::without_firmlink;
use crate::request::{Acting, PathBuffer, Request};
use endpoint_sec::event::{Destination, Event};
use endpoint_sec::{AuditToken, File, MessageView, OpenFlags, Process, TimeSpec};
use guard_core::file::{FileFacts, FileIdentity, FileKind};
use guard_core::ownership::Target;
use guard_core::path::is_at_or_below;
use guard_core::process::ProcessKey;
use guard_core::{Operation, OperationKind};

/// The request of an AUTH message; `None` for event types that can destroy nothing. Below the
/// directories in `unreadable` agents may not read.
pub(crate) fn request<'w>(
    message: &MessageView<'w>,
    unreadable: &[Vec<u8>],
    buffer: &'w mut PathBuffer,
) -> Option<Request<'w>> {
    let acting = acting(&message.process());
    let is_unreadable = |file: &File<'_>| {
        let path = path_of(file);
        unreadable.iter().any(|place| is_at_or_below(path, place))
    };
    let request = |kind, file: File<'w>, destination| Request {
        operation: Operation {
            kind,
            path: path_of(&file),
            destination,
        },
        object: Some(object(&file)),
        object_bytes: bytes_of(&file),
        is_truncated: file.path_truncated(),
        target: Target::Unknown,
        truncates_content: false,
        acting,
    };
    match message.event() {
        Event::Unlink(unlink) => Some(request(OperationKind::Unlink, unlink.target(), None)),
        Event::Truncate(truncate) => {
            Some(request(OperationKind::Truncate, truncate.target(), None))
        }
        Event::ExchangeData(exchange) => {
            let (left, right) = (exchange.file1(), exchange.file2());
            let other = path_of(&right);
            Some(Request {
                is_truncated: left.path_truncated() || right.path_truncated(),
                target: Target::Taken(object(&right)),
                ..request(OperationKind::Exchange, left, Some(other))
            })
        }
        Event::Rename(rename) => {
            let source = rename.source();
            let (destination, is_truncated, target) = destination(rename.destination(), buffer)?;
            Some(Request {
                is_truncated: is_truncated || source.path_truncated(),
                target,
                ..request(OperationKind::Rename, source, Some(destination))
            })
        }
        Event::Link(link) => {
            let directory = link.target_dir();
            let name = buffer.join(path_of(&directory), link.target_filename());
            Some(Request {
                is_truncated: directory.path_truncated() || link.source().path_truncated(),
                target: Target::Free,
                ..request(OperationKind::Link, link.source(), Some(name))
            })
        }
        Event::Clone(clone) if is_unreadable(&clone.source()) => {
            Some(request(OperationKind::Write, clone.source(), None))
        }
        Event::CopyFile(copy) if is_unreadable(&copy.source()) => {
            Some(request(OperationKind::Write, copy.source(), None))
        }
        Event::Clone(clone) => {
            let directory = clone.target_dir();
            let name = buffer.join(path_of(&directory), clone.target_name());
            Some(Request {
                is_truncated: directory.path_truncated(),
                target: Target::Free,
                ..request(OperationKind::Clone, clone.source(), Some(name))
            })
        }
        Event::CopyFile(copy) => {
            let (directory, there) = (copy.target_dir(), copy.target_file());
            let name = match there {
                Some(file) => path_of(&file),
                None => buffer.join(path_of(&directory), copy.target_name()),
            };
            Some(Request {
                is_truncated: there.unwrap_or(directory).path_truncated(),
                target: there.map_or(Target::Free, |file| Target::Taken(object(&file))),
                ..request(OperationKind::Clone, copy.source(), Some(name))
            })
        }
        Event::Open(open) => {
            let flags = open.flags();
            let writes = OpenFlags::WRITE | OpenFlags::TRUNCATE;
            let is_judged = flags.intersects(writes) || is_unreadable(&open.file());
            is_judged.then(|| Request {
                // An empty file has nothing to lose.
                truncates_content: flags.contains(OpenFlags::TRUNCATE)
                    && bytes_of(&open.file()) != 0,
                ..request(OperationKind::Write, open.file(), None)
            })
        }
        Event::Create(create) => {
            let (path, is_truncated, target) = destination(create.destination(), buffer)?;
            Some(Request {
                operation: Operation {
                    kind: OperationKind::Write,
                    path,
                    destination: None,
                },
                object: None,
                object_bytes: 0,
                is_truncated,
                target,
                truncates_content: false,
                acting,
            })
        }
        _ => None,
    }
}

/// The object that a message reports as created, and the request that would remove it.
pub(crate) fn created<'m>(message: &MessageView<'m>) -> Option<(Request<'m>, FileFacts)> {
    let Event::Create(create) = message.event() else {
        return None;
    };
    let Destination::ExistingFile(file) = create.destination() else {
        return None;
    };
    let object = object(&file);
    let removal = Request {
        operation: Operation {
            kind: OperationKind::Unlink,
            path: path_of(&file),
            destination: None,
        },
        object: Some(object),
        object_bytes: bytes_of(&file),
        is_truncated: file.path_truncated(),
        target: Target::Unknown,
        truncates_content: false,
        acting: acting(&message.process()),
    };
    Some((removal, object))
}

/// The destination of an operation: its path, whether that was truncated, and what is there now.
/// `None` for destination types that are not known.
fn destination<'w>(
    destination: Destination<'w>,
    buffer: &'w mut PathBuffer,
) -> Option<(&'w [u8], bool, Target)> {
    match destination {
        Destination::ExistingFile(file) => {
            let target = Target::Taken(object(&file));
            Some((path_of(&file), file.path_truncated(), target))
        }
        Destination::NewPath { directory, name } => {
            let path = buffer.join(path_of(&directory), name);
            Some((path, directory.path_truncated(), Target::Free))
        }
        _ => None,
    }
}

/// The acting process of a message.
pub(crate) fn acting<'m>(process: &Process<'m>) -> Acting<'m> {
    let token = process.audit_token();
    let program = process.executable();
    let stat = program.stat();
    let number = |pid: i32| u32::try_from(pid).unwrap_or(0);
    Acting {
        key: key_of(token),
        ppid: number(process.ppid()),
        original_ppid: number(process.original_ppid()),
        started_ns: process.start_time().map_or(0, nanoseconds),
        uid: token.ruid(),
        executable: path_of(&program),
        executable_changed_ns: nanoseconds(stat.changed()),
        executable_owner: stat.uid(),
    }
}

/// The identity in an audit token.
pub(crate) fn key_of(token: AuditToken) -> ProcessKey {
    ProcessKey {
        pid: token.pid().cast_unsigned(),
        generation: u64::from(token.pid_version().cast_unsigned()),
    }
}

pub(crate) fn path_of<'m>(file: &File<'m>) -> &'m [u8] {
    without_firmlink(file.path())
}

/// What a message says of a file.
pub(crate) fn object(file: &File<'_>) -> FileFacts {
    let stat = file.stat();
    let born_ns = nanoseconds(stat.born());
    FileFacts {
        kind: FileKind::from_mode(u32::from(stat.mode())),
        born_ns: (born_ns != 0).then_some(born_ns),
        identity: FileIdentity {
            device: u64::from(stat.dev().cast_unsigned()),
            inode: stat.ino(),
        },
        changed_ns: nanoseconds(stat.changed()),
        modified_ns: nanoseconds(stat.modified()),
        size: u64::try_from(stat.size()).unwrap_or(0),
    }
}

fn bytes_of(file: &File<'_>) -> u64 {
    u64::try_from(file.stat().size()).unwrap_or(0)
}

/// A time as nanoseconds since 1970; 0 for an earlier time or none.
pub(crate) fn nanoseconds(time: TimeSpec) -> u64 {
    let seconds = u64::try_from(time.seconds).unwrap_or(0);
    let rest = u64::try_from(time.nanoseconds).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(rest)
}
