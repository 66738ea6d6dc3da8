//! Owner, mode, extended attributes and times of a copy.

use crate::journal::Facts;
use rustix::fs::{Gid, Mode, Timespec, Timestamps, Uid};
use std::ffi::CString;
use std::fs::File;
use std::io;

/// Gives `to` the attributes of `from`, as far as this process may: owner and group need
/// privileges, some extended attributes too. ACLs are extended attributes.
pub(crate) fn copy_attributes(from: &File, to: &File, facts: &Facts) -> io::Result<()> {
    copy_extended(from, to);
    set_attributes(to, facts)
}

/// Sets owner, mode and modification time.
pub(crate) fn set_attributes(to: &File, facts: &Facts) -> io::Result<()> {
    let found = rustix::fs::fstat(to)?;
    if (found.st_uid, found.st_gid) != (facts.uid, facts.gid) {
        set_owner(to, facts);
    }
    // After the owner: a change of owner takes set-user-ID bits away.
    rustix::fs::fchmod(to, mode(facts.mode))?;
    let modified = timespec(facts.mtime_ns);
    rustix::fs::futimens(
        to,
        &Timestamps {
            last_access: Timespec {
                tv_sec: 0,
                tv_nsec: rustix::fs::UTIME_OMIT,
            },
            last_modification: modified,
        },
    )?;
    Ok(())
}

/// Sets owner and group, as far as this process may: an ordinary user's copy stays theirs, and of a
/// group that they are in, it can be the group's.
pub(crate) fn set_owner(to: &File, facts: &Facts) {
    let owner = Some(Uid::from_raw(facts.uid));
    let group = Some(Gid::from_raw(facts.gid));
    if rustix::fs::fchown(to, owner, group).is_err() {
        let _not_a_member = rustix::fs::fchown(to, None, group);
    }
}

/// Copies the extended attributes, and with them ACLs, as far as this process may.
pub(crate) fn copy_extended(from: &File, to: &File) {
    let Ok(length) = rustix::fs::flistxattr_query(from) else {
        return;
    };
    if length == 0 {
        return;
    }
    let mut names = vec![0; length];
    let Ok(length) = rustix::fs::flistxattr(from, &mut names[..]) else {
        return;
    };
    names.truncate(length);
    let mut value = vec![0; MAX_VALUE_BYTES];
    for name in names
        .split(|&byte| byte == 0)
        .filter(|name| !name.is_empty())
    {
        let Ok(name) = CString::new(name) else {
            continue;
        };
        let read = rustix::fs::fgetxattr(from, &name, &mut value[..]);
        if let Some(value) = read.ok().and_then(|length| value.get(..length)) {
            let flags = rustix::fs::XattrFlags::empty();
            // `security.*` and `trusted.*` are the privileged's.
            let _not_ours = rustix::fs::fsetxattr(to, &name, value, flags);
        }
    }
}

#[allow(clippy::useless_conversion, reason = "a mode has 16 bits on macOS")]
pub(crate) fn mode(bits: u32) -> Mode {
    Mode::from_raw_mode((bits & 0o7777).try_into().unwrap_or_default())
}

pub(crate) fn timespec(nanoseconds: u64) -> Timespec {
    Timespec {
        tv_sec: (nanoseconds / 1_000_000_000).try_into().unwrap_or_default(),
        tv_nsec: (nanoseconds % 1_000_000_000).try_into().unwrap_or_default(),
    }
}

/// `XATTR_SIZE_MAX` of Linux.
const MAX_VALUE_BYTES: usize = 65_536;
