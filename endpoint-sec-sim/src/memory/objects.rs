//! Files and processes as the C structs of a message.

use std::mem::offset_of;

use endpoint_sec_sys::{es_file_t, es_process_t, stat, timespec, timeval};

use crate::file::File;
use crate::memory::Arena;
use crate::process::Process;

// === impl Arena ===

impl Arena {
    /// A file.
    pub fn file(&mut self, file: &File) -> *mut es_file_t {
        let path = self.string(&file.path);
        self.place(es_file_t {
            path,
            path_truncated: file.path_truncated,
            stat: status(file),
        })
    }

    /// A file that may be absent.
    pub fn optional_file(&mut self, file: Option<&File>) -> *mut es_file_t {
        file.map_or(std::ptr::null_mut(), |file| self.file(file))
    }

    /// A process, as long as this message version makes it.
    pub fn process(&mut self, process: &Process) -> *mut es_process_t {
        let facts = &process.0;
        let signing_id = self.optional_string(facts.signing_id.as_deref());
        let team_id = self.optional_string(facts.team_id.as_deref());
        let executable = self.file(&facts.executable);
        let has = |version| self.version() >= version;
        let (has_tty, has_hash) = (has(2), has(11));
        let tty = self.optional_file(facts.tty.as_ref().filter(|_| has_tty));
        let hash = facts.cdhash_full.as_slice();
        let cdhash_full = self.token(if has_hash { hash } else { &[] });
        let object = es_process_t {
            audit_token: facts.token,
            ppid: facts.ppid,
            original_ppid: facts.original_ppid,
            group_id: facts.group,
            session_id: facts.session,
            codesigning_flags: facts.codesigning_flags,
            is_platform_binary: facts.platform_binary,
            is_es_client: facts.es_client,
            cdhash: facts.cdhash,
            signing_id,
            team_id,
            executable,
            tty,
            start_time: timeval {
                tv_sec: facts.started.div_euclid(1_000_000),
                tv_usec: facts.started.rem_euclid(1_000_000).try_into().unwrap_or(0),
            },
            responsible_audit_token: facts.responsible,
            parent_audit_token: facts.parent,
            cs_validation_category: facts.category,
            reserved: [0; 16],
            cdhash_full,
        };
        self.place_short(object, process_size(self.version()))
    }

    /// A process that may be absent.
    pub fn optional_process(&mut self, process: Option<&Process>) -> *mut es_process_t {
        process.map_or(std::ptr::null_mut(), |process| self.process(process))
    }
}

/// How many bytes a process takes in a message of this version (ESMessage.h of each SDK): the first
/// field that is not yet there ends it, rounded up to the alignment.
pub(crate) fn process_size(version: u32) -> usize {
    match version {
        0..=1 => offset_of!(es_process_t, tty),
        2 => offset_of!(es_process_t, start_time),
        3 => offset_of!(es_process_t, responsible_audit_token),
        4..=9 => offset_of!(es_process_t, cs_validation_category),
        10 => offset_of!(es_process_t, cs_validation_category) + 8,
        _ => size_of::<es_process_t>(),
    }
}

fn status(file: &File) -> stat {
    let time = timespec {
        tv_sec: file.born.as_secs().try_into().unwrap_or(i64::MAX),
        tv_nsec: file.born.subsec_nanos().into(),
    };
    stat {
        st_dev: file.device,
        st_mode: file.mode,
        st_nlink: file.links,
        st_ino: file.inode,
        st_uid: file.uid,
        st_gid: file.gid,
        st_size: file.size,
        st_atimespec: time,
        st_mtimespec: time,
        st_ctimespec: time,
        st_birthtimespec: time,
        ..stat::default()
    }
}

#[cfg(test)]
mod tests {
    use super::process_size;

    #[test]
    fn processes_are_as_long_as_their_age_makes_them() {
        let sizes: Vec<usize> = (1..=11).map(process_size).collect();
        assert_eq!(
            sizes,
            [120, 128, 144, 208, 208, 208, 208, 208, 208, 216, 248]
        );
    }
}
