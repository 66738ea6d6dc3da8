//! Operations that make files: one method for each system call.
//!
//! The requests and reports differ by call. `open(2)`, `mkdir(2)`, `symlink(2)` and `mkfifo(2)`
//! cause an `AUTH_CREATE` with the new path; `bind(2)` causes an `AUTH_UIPC_BIND`, and
//! `clonefile(2)` an `AUTH_CLONE`. For all of them the new file is reported with `NOTIFY_CREATE`,
//! as xnu's `vnode_label` does for each new vnode; that of a clone comes before the vnode has a
//! path. `link(2)` makes a name only.

use std::sync::Arc;

use endpoint_sec_sys::es_event_type_t;

use crate::action::{Action, Effect};
use crate::attempt::Attempt;
use crate::file::{File, FileType};
use crate::machine::Machine;
use crate::payload;
use crate::process::{Process, word};

type E = es_event_type_t;

// === impl Machine ===

impl Machine {
    /// `open(2)` with `O_CREAT` of a path where nothing is. The AUTH message has the new path, the
    /// NOTIFY message the file that was made, or again the path if it was denied.
    pub fn create_file(&self, actor: &Process, path: impl AsRef<[u8]>, mode: u16) -> Attempt {
        self.make(actor, FileType::Regular, path.as_ref(), mode)
    }

    /// `mkdir(2)`.
    pub fn make_directory(&self, actor: &Process, path: impl AsRef<[u8]>) -> Attempt {
        self.make(actor, FileType::Directory, path.as_ref(), 0o755)
    }

    /// `symlink(2)`. No message has the target of the link.
    pub fn symlink(&self, actor: &Process, path: impl AsRef<[u8]>) -> Attempt {
        self.make(actor, FileType::SymbolicLink, path.as_ref(), 0o755)
    }

    /// `mkfifo(2)`.
    pub fn mkfifo(&self, actor: &Process, path: impl AsRef<[u8]>) -> Attempt {
        self.make(actor, FileType::Fifo, path.as_ref(), 0o644)
    }

    /// `bind(2)` of a UNIX-domain socket.
    pub fn bind(&self, actor: &Process, path: impl AsRef<[u8]>) -> Attempt {
        let file = self.new_file(actor, FileType::Socket, path.as_ref(), 0o755);
        let (auth, notify) = (
            E::ES_EVENT_TYPE_AUTH_UIPC_BIND,
            E::ES_EVENT_TYPE_NOTIFY_UIPC_BIND,
        );
        let says = payload::bind(file.path.clone(), 0o755);
        let mut action = Action::new(actor, Some(auth), Some(notify), says);
        action.reports = Some(created(actor, &file));
        let action = action.aimed_at([&file.path]);
        self.perform(action.doing(Effect::Create(file)))
    }

    /// `link(2)`: another name for a file.
    pub fn link(&self, actor: &Process, from: impl AsRef<[u8]>, to: impl AsRef<[u8]>) -> Attempt {
        let source = self.file(from);
        let linked = source.at(to.as_ref());
        let paths = [source.path.clone(), linked.path.clone()];
        let (auth, notify) = (E::ES_EVENT_TYPE_AUTH_LINK, E::ES_EVENT_TYPE_NOTIFY_LINK);
        let says = payload::link(source, linked.path.clone());
        let action = Action::new(actor, Some(auth), Some(notify), says);
        self.perform(action.aimed_at(paths).doing(Effect::Create(linked)))
    }

    /// `clonefile(2)`: a copy that shares its blocks.
    pub fn clone_file(
        &self,
        actor: &Process,
        from: impl AsRef<[u8]>,
        to: impl AsRef<[u8]>,
    ) -> Attempt {
        let source = self.file(from);
        let copy = source.copied_to(to.as_ref(), self.shared.clock.wall());
        let paths = [source.path.clone(), copy.path.clone()];
        let (auth, notify) = (E::ES_EVENT_TYPE_AUTH_CLONE, E::ES_EVENT_TYPE_NOTIFY_CLONE);
        let says = payload::clone(source, copy.path.clone());
        let mut action = Action::new(actor, Some(auth), Some(notify), says);
        // The new object is reported before it has a path.
        let nameless = copy.at(b"");
        action.reports = Some(created(actor, &nameless));
        self.perform(action.aimed_at(paths).doing(Effect::Copy(copy)))
    }

    /// `copyfile(2)`, the system call: a copy, over a file that may be there already.
    pub fn copyfile(
        &self,
        actor: &Process,
        from: impl AsRef<[u8]>,
        to: impl AsRef<[u8]>,
    ) -> Attempt {
        let source = self.file(from);
        let copy = source.copied_to(to.as_ref(), self.shared.clock.wall());
        let existing = self.exists(&to).then(|| self.file(&to));
        let paths = [source.path.clone(), copy.path.clone()];
        let (auth, notify) = (
            E::ES_EVENT_TYPE_AUTH_COPYFILE,
            E::ES_EVENT_TYPE_NOTIFY_COPYFILE,
        );
        let says = payload::copyfile(source, existing, copy.path.clone());
        let action = Action::new(actor, Some(auth), Some(notify), says);
        self.perform(action.aimed_at(paths).doing(Effect::Copy(copy)))
    }

    /// Makes a file whose creation is requested with `AUTH_CREATE`.
    pub(crate) fn make(
        &self,
        actor: &Process,
        file_type: FileType,
        path: &[u8],
        mode: u16,
    ) -> Attempt {
        let file = self.new_file(actor, file_type, path, mode);
        let path = file.path.clone();
        let (auth, notify) = (E::ES_EVENT_TYPE_AUTH_CREATE, E::ES_EVENT_TYPE_NOTIFY_CREATE);
        let says = payload::create_path(path.clone(), mode);
        let mut action = Action::new(actor, Some(auth), Some(notify), says);
        action.done = Some(Arc::new(payload::create_file(file.clone())));
        self.perform(action.aimed_at([&path]).doing(Effect::Create(file)))
    }

    /// A file that a process makes now.
    fn new_file(&self, actor: &Process, file_type: FileType, path: &[u8], mode: u16) -> File {
        let owner = actor.0.token.val;
        File::of_type(file_type, path)
            .permissions(mode)
            .owned_by(owner[word::EUID], owner[word::EGID])
            .born(self.shared.clock.wall())
    }
}

/// The report of a new file, for calls with another request than `AUTH_CREATE`.
fn created(actor: &Process, file: &File) -> Arc<Action> {
    let notify = Some(E::ES_EVENT_TYPE_NOTIFY_CREATE);
    let action = Action::new(actor, None, notify, payload::create_file(file.clone()));
    Arc::new(action.aimed_at([&file.path]))
}
