//! Events about names of files: what makes, moves and removes them.

use crate::enums::DestinationType;
use crate::file::File;
use crate::raw::acl::Acl;
use crate::raw::view;

view! {
    /// A name of a file is removed: `unlink`, `rmdir` and their kin. It may come more than once for
    /// one system call.
    pub struct Unlink<'a>(es_event_unlink_t) {
        /// What loses its name; a directory for `rmdir`.
        target: File<'a>,
        /// The directory it loses its name in.
        parent_dir: File<'a>,
    }
}

view! {
    /// A file is renamed or moved. It may come more than once for one system call.
    pub struct Rename<'a>(es_event_rename_t) {
        /// What is moved.
        source: File<'a>,
        /// Whether the destination exists.
        destination_type: DestinationType,
        /// The file at the destination, which is replaced.
        [if destination_type == DestinationType::ExistingFile]
        existing_file: File<'a> = destination.existing_file,
        /// The directory that the file is moved into, if no file is replaced.
        [if destination_type == DestinationType::NewPath]
        new_directory: File<'a> = destination.new_path.dir,
        /// The name it gets there, if no file is replaced.
        [if destination_type == DestinationType::NewPath]
        new_name: &'a [u8] = destination.new_path.filename,
    }
}

view! {
    /// A file is made. The authorization normally names a new path, the notification the file that
    /// was made; after a denial the notification names the path.
    pub struct Create<'a>(es_event_create_t) {
        /// Whether the destination exists.
        destination_type: DestinationType,
        /// The file that is there.
        [if destination_type == DestinationType::ExistingFile]
        existing_file: File<'a> = destination.existing_file,
        /// The directory that the file is made in, if it is not there yet.
        [if destination_type == DestinationType::NewPath]
        new_directory: File<'a> = destination.new_path.dir,
        /// The name it gets there, if it is not there yet.
        [if destination_type == DestinationType::NewPath]
        new_name: &'a [u8] = destination.new_path.filename,
        /// The mode it gets, if it is not there yet.
        [if destination_type == DestinationType::NewPath]
        new_mode: u16 = destination.new_path.mode,
        /// The access control list it gets, if any. Message version 2.
        [maybe 2] acl: Option<Acl<'a>> = anonymous.fields.acl,
    }
}

/// The destination of a created or renamed file.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Destination<'a> {
    /// A file that is there already; a rename replaces it.
    ExistingFile(File<'a>),
    /// A name that nothing has yet.
    NewPath {
        /// The directory.
        directory: File<'a>,
        /// The name in it, one component.
        name: &'a [u8],
    },
    /// A kind of destination that is newer than this crate, by its number.
    Other(u32),
}

impl<'a> Rename<'a> {
    /// The destination of the file.
    #[must_use]
    pub fn destination(&self) -> Destination<'a> {
        let new = self.new_directory().zip(self.new_name());
        destination(self.destination_type(), self.existing_file(), new)
    }
}

impl<'a> Create<'a> {
    /// The destination of the file.
    #[must_use]
    pub fn destination(&self) -> Destination<'a> {
        let new = self.new_directory().zip(self.new_name());
        destination(self.destination_type(), self.existing_file(), new)
    }
}

fn destination<'a>(
    kind: DestinationType,
    existing: Option<File<'a>>,
    new: Option<(File<'a>, &'a [u8])>,
) -> Destination<'a> {
    match (existing, new) {
        (Some(file), _) => Destination::ExistingFile(file),
        (None, Some((directory, name))) => Destination::NewPath { directory, name },
        (None, None) => Destination::Other(kind.as_raw()),
    }
}

view! {
    /// A hard link is made.
    pub struct Link<'a>(es_event_link_t) {
        /// The file that gets another name.
        source: File<'a>,
        /// The directory of the new name.
        target_dir: File<'a>,
        /// The new name, one component.
        target_filename: &'a [u8],
    }
}

view! {
    /// A file is cloned (`clonefile`).
    pub struct CloneFile<'a>(es_event_clone_t) {
        /// The file that is cloned.
        source: File<'a>,
        /// The directory of the clone.
        target_dir: File<'a>,
        /// The clone's name, one component.
        target_name: &'a [u8],
    }
}

view! {
    /// A file is copied by the system call `copyfile`, which is not the library function of that
    /// name.
    pub struct CopyFile<'a>(es_event_copyfile_t) {
        /// The file that is copied.
        source: File<'a>,
        /// The file that is replaced, if there is one.
        target_file: Option<File<'a>>,
        /// The directory of the copy.
        target_dir: File<'a>,
        /// The copy's name, one component.
        target_name: &'a [u8],
        /// The mode argument of the call.
        mode: u16,
        /// The flags argument of the call.
        flags: i32,
    }
}

view! {
    /// Two files exchange their contents (`exchangedata`).
    pub struct ExchangeData<'a>(es_event_exchangedata_t) {
        /// The one.
        file1: File<'a>,
        /// The other.
        file2: File<'a>,
    }
}

view! {
    /// A name is looked up in a directory.
    pub struct Lookup<'a>(es_event_lookup_t) {
        /// The directory that the look-up starts in.
        source_dir: File<'a>,
        /// The path that is looked up from there.
        relative_target: &'a [u8],
    }
}

view! {
    /// A symbolic link is read, by `readlink` or on the way of a path.
    pub struct ReadLink<'a>(es_event_readlink_t) {
        /// The link.
        source: File<'a>,
    }
}

view! {
    /// The path of a file is looked up by its inode number (`fsgetpath`). It may be sent more than
    /// once for one system call.
    pub struct FsGetPath<'a>(es_event_fsgetpath_t) {
        /// The file.
        target: File<'a>,
    }
}
