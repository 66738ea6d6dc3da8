//! Events about what files hold: opening, writing, mapping, closing.

use crate::file::File;
use crate::open_flags::OpenFlags;
use crate::raw::view;

view! {
    /// A file is opened.
    pub struct Open<'a>(es_event_open_t) {
        /// What it is opened for, in the kernel's flags: `FREAD` and `FWRITE` instead of
        /// `O_RDONLY`, `O_WRONLY` and `O_RDWR`, the others as `open` has them.
        fflag: i32,
        /// The file.
        file: File<'a>,
    }
}

impl Open<'_> {
    /// What it is opened for.
    #[must_use]
    pub fn flags(&self) -> OpenFlags {
        OpenFlags::from_bits(self.fflag().cast_unsigned())
    }
}

view! {
    /// A descriptor of a file is closed.
    pub struct Close<'a>(es_event_close_t) {
        /// Whether the file was changed through the descriptor by system calls. Writing through a
        /// mapping does not show here.
        modified: bool,
        /// The file.
        target: File<'a>,
        /// Whether the file was ever mapped writable while the system knew it. Message version 6.
        [since 6] was_mapped_writable: bool = anonymous.fields.was_mapped_writable,
    }
}

view! {
    /// A file is written to.
    pub struct Write<'a>(es_event_write_t) {
        /// The file.
        target: File<'a>,
    }
}

view! {
    /// A file is cut to a length by `truncate` or `ftruncate`. Opening with `O_TRUNC` does not show
    /// here.
    pub struct Truncate<'a>(es_event_truncate_t) {
        /// The file.
        target: File<'a>,
    }
}

view! {
    /// A descriptor is duplicated.
    pub struct Dup<'a>(es_event_dup_t) {
        /// The file behind it.
        target: File<'a>,
    }
}

view! {
    /// A call of `fcntl`.
    pub struct Fcntl<'a>(es_event_fcntl_t) {
        /// The file.
        target: File<'a>,
        /// The command.
        cmd: i32,
    }
}

view! {
    /// A file is mapped into memory.
    pub struct Mmap<'a>(es_event_mmap_t) {
        /// The protection of the mapping (`PROT_READ`, `PROT_WRITE`, `PROT_EXEC`).
        protection: i32,
        /// The most protection it may get later.
        max_protection: i32,
        /// The flags of the call (`MAP_SHARED`, …).
        flags: i32,
        /// The offset in the file, in bytes.
        file_pos: u64,
        /// The file.
        source: File<'a>,
    }
}

view! {
    /// A directory is read.
    pub struct ReadDir<'a>(es_event_readdir_t) {
        /// The directory.
        target: File<'a>,
    }
}

view! {
    /// The working directory of a process changes.
    pub struct Chdir<'a>(es_event_chdir_t) {
        /// The directory that becomes the working directory.
        target: File<'a>,
    }
}

view! {
    /// The root directory of a process changes.
    pub struct Chroot<'a>(es_event_chroot_t) {
        /// The directory that becomes the root.
        target: File<'a>,
    }
}

view! {
    /// A file provider is about to bring a file's contents.
    pub struct FileProviderMaterialize<'a>(es_event_file_provider_materialize_t) {
        /// The instigating process, if it is known.
        instigator: Option<crate::Process<'a>>,
        /// The staged file.
        source: File<'a>,
        /// Where its contents go.
        target: File<'a>,
        /// The instigating process. Message version 8.
        [since 8] instigator_token: crate::AuditToken,
    }
}

view! {
    /// A file provider changes a file.
    pub struct FileProviderUpdate<'a>(es_event_file_provider_update_t) {
        /// The staged file.
        source: File<'a>,
        /// The path that it goes to.
        target_path: &'a [u8],
    }
}
