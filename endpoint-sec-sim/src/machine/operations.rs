//! Operations of processes: one method for each system call.
//!
//! Each method describes the operation as the kernel does and [performs](Machine::perform) it.

use std::sync::Arc;

use endpoint_sec_sys::es_event_type_t;

use crate::action::{Action, Effect};
use crate::attempt::Attempt;
use crate::file::File;
use crate::machine::Machine;
use crate::memory::message::Image;
use crate::payload;
use crate::process::{Facts, Process, owned, word};

type E = es_event_type_t;

/// Describes an exec; see [`Machine::exec`].
#[derive(Debug)]
#[must_use = "nothing is executed until `run` is called"]
pub struct Exec<'machine> {
    machine: &'machine Machine,
    actor: Process,
    facts: Facts,
    script: Option<File>,
    fds: Vec<(i32, u32)>,
    last_fd: i32,
    entitlements: Vec<Vec<u8>>,
}

// === impl Machine ===

impl Machine {
    /// `unlink(2)`.
    pub fn unlink(&self, actor: &Process, path: impl AsRef<[u8]>) -> Attempt {
        let target = self.file(path);
        let path = target.path.clone();
        let (auth, notify) = (E::ES_EVENT_TYPE_AUTH_UNLINK, E::ES_EVENT_TYPE_NOTIFY_UNLINK);
        let parent = target.parent();
        let action = Action::new(
            actor,
            Some(auth),
            Some(notify),
            payload::unlink(target, parent),
        );
        self.perform(action.aimed_at([&path]).doing(Effect::Remove(path)))
    }

    /// `rename(2)`. The destination is an existing file if the machine knows one there, and a new
    /// path otherwise.
    pub fn rename(&self, actor: &Process, from: impl AsRef<[u8]>, to: impl AsRef<[u8]>) -> Attempt {
        let source = self.file(from);
        let (from, to): (_, Arc<[u8]>) = (source.path.clone(), to.as_ref().into());
        let existing = self.exists(&to).then(|| self.file(&to));
        let (auth, notify) = (E::ES_EVENT_TYPE_AUTH_RENAME, E::ES_EVENT_TYPE_NOTIFY_RENAME);
        let says = payload::rename(source, existing, to.clone());
        let action = Action::new(actor, Some(auth), Some(notify), says);
        let action = action.aimed_at([&from, &to]);
        self.perform(action.doing(Effect::Move { from, to }))
    }

    /// `open(2)`, with kernel flags: `FREAD` is 1, `FWRITE` is 2, others as in `fcntl.h`.
    pub fn open(&self, actor: &Process, path: impl AsRef<[u8]>, fflag: u32) -> Attempt {
        let file = self.file(path);
        let path = file.path.clone();
        let (auth, notify) = (E::ES_EVENT_TYPE_AUTH_OPEN, E::ES_EVENT_TYPE_NOTIFY_OPEN);
        let says = payload::open(file, fflag.cast_signed());
        let mut action = Action::new(actor, Some(auth), Some(notify), says);
        action.flags = Some(fflag);
        self.perform(action.aimed_at([&path]).cached_by(&path))
    }

    /// `truncate(2)`.
    pub fn truncate(&self, actor: &Process, path: impl AsRef<[u8]>) -> Attempt {
        let target = self.file(path);
        let path = target.path.clone();
        let (auth, notify) = (
            E::ES_EVENT_TYPE_AUTH_TRUNCATE,
            E::ES_EVENT_TYPE_NOTIFY_TRUNCATE,
        );
        let action = Action::new(actor, Some(auth), Some(notify), payload::truncate(target));
        self.perform(action.aimed_at([&path]).doing(Effect::Modify(vec![path])))
    }

    /// `write(2)`: reported only.
    pub fn write(&self, actor: &Process, path: impl AsRef<[u8]>) -> Attempt {
        let target = self.file(path);
        let path = target.path.clone();
        let notify = Some(E::ES_EVENT_TYPE_NOTIFY_WRITE);
        let action = Action::new(actor, None, notify, payload::write(target));
        self.perform(action.aimed_at([&path]).doing(Effect::Modify(vec![path])))
    }

    /// `close(2)`: reported only.
    pub fn close(&self, actor: &Process, path: impl AsRef<[u8]>, modified: bool) -> Attempt {
        let target = self.file(path);
        let path = target.path.clone();
        let notify = Some(E::ES_EVENT_TYPE_NOTIFY_CLOSE);
        let action = Action::new(actor, None, notify, payload::close(target, modified));
        self.perform(action.aimed_at([&path]))
    }

    /// `exchangedata(2)`: two files swap what they hold.
    pub fn exchangedata(
        &self,
        actor: &Process,
        one: impl AsRef<[u8]>,
        other: impl AsRef<[u8]>,
    ) -> Attempt {
        let (one, other) = (self.file(one), self.file(other));
        let (first, second) = (one.path.clone(), other.path.clone());
        let (auth, notify) = (
            E::ES_EVENT_TYPE_AUTH_EXCHANGEDATA,
            E::ES_EVENT_TYPE_NOTIFY_EXCHANGEDATA,
        );
        let says = payload::exchangedata(one, other);
        let action = Action::new(actor, Some(auth), Some(notify), says);
        let action = action.aimed_at([&first, &second]);
        self.perform(action.doing(Effect::Swap(first, second)))
    }

    /// `fork(2)`: reported only. Returns the child.
    #[must_use]
    pub fn fork(&self, actor: &Process) -> Process {
        self.fork_as(actor, None)
    }

    /// `fork(2)` of a child whose properties are all given.
    pub(crate) fn fork_as(&self, actor: &Process, facts: Option<Facts>) -> Process {
        let facts = facts.unwrap_or_else(|| {
            let mut facts = (*actor.0).clone();
            facts.inherit(&actor.0);
            let execution = self.shared.lock().next_execution();
            (
                facts.token.val[word::PID],
                facts.token.val[word::PIDVERSION],
            ) = execution;
            facts.started = self.shared.micros();
            facts
        });
        let child = Process(Arc::new(facts));
        let notify = Some(E::ES_EVENT_TYPE_NOTIFY_FORK);
        let action = Action::new(actor, None, notify, payload::fork(child.clone()));
        let _attempt = self.perform(action.doing(Effect::Fork(child.clone())));
        child
    }

    /// `execve(2)` of the file at `path`. The arguments are the name of the file, and the
    /// environment is that of the caller, until said otherwise.
    pub fn exec(&self, actor: &Process, path: impl AsRef<[u8]>) -> Exec<'_> {
        let mut facts = Facts::of(self.file(path));
        let version = self.shared.lock().next_pidversion();
        let old = &actor.0;
        facts.inherit(old);
        facts.token = old.token;
        facts.token.val[word::PIDVERSION] = version;
        facts.parent = old.parent;
        (facts.ppid, facts.original_ppid) = (old.ppid, old.original_ppid);
        facts.started = old.started;
        Exec {
            machine: self,
            actor: actor.clone(),
            facts,
            script: None,
            fds: vec![(0, VNODE), (1, VNODE), (2, VNODE)],
            entitlements: Vec::new(),
            last_fd: 2,
        }
    }

    /// `exit(2)`: reported only. `status` is as in `wait(2)`.
    pub fn exit(&self, actor: &Process, status: i32) -> Attempt {
        let notify = Some(E::ES_EVENT_TYPE_NOTIFY_EXIT);
        let action = Action::new(actor, None, notify, payload::exit(status));
        self.perform(action.doing(Effect::Exit))
    }
}

// === impl Exec ===

impl Exec<'_> {
    /// The argument vector.
    pub fn args<A: AsRef<[u8]>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.facts.args = owned(args);
        self
    }

    /// The environment, as `NAME=value`.
    pub fn env<A: AsRef<[u8]>>(mut self, env: impl IntoIterator<Item = A>) -> Self {
        self.facts.env = owned(env);
        self
    }

    /// The script that the executed interpreter was found by: the file that was named in the call.
    pub fn script(mut self, path: impl AsRef<[u8]>) -> Self {
        self.script = Some(self.machine.file(path));
        self
    }

    /// The descriptors that stay open, by number and `PROX_FDTYPE_`, and the highest number that
    /// was examined.
    pub fn fds(mut self, fds: impl IntoIterator<Item = (i32, u32)>, last: i32) -> Self {
        self.fds = fds.into_iter().collect();
        self.last_fd = last;
        self
    }

    /// The entitlements that the new image has.
    pub fn entitlements<E: AsRef<[u8]>>(mut self, names: impl IntoIterator<Item = E>) -> Self {
        self.entitlements = owned(names);
        self
    }

    /// The new image is signed with this signing identifier and team.
    pub fn signed(mut self, signing_id: impl AsRef<[u8]>, team_id: impl AsRef<[u8]>) -> Self {
        self.facts.signing_id = Some(signing_id.as_ref().to_vec());
        self.facts.team_id = Some(team_id.as_ref().to_vec());
        self.facts.platform_binary = false;
        self
    }

    /// All properties of the new image but its arguments and its environment.
    pub(crate) fn recorded(mut self, facts: Facts) -> Self {
        let (args, env) = (self.facts.args, self.facts.env);
        self.facts = Facts { args, env, ..facts };
        self
    }

    /// Performs it. Returns the process as it is after an allowed exec, and the attempt.
    pub fn run(self) -> (Process, Attempt) {
        let target = Process(Arc::new(self.facts));
        let (auth, notify) = (E::ES_EVENT_TYPE_AUTH_EXEC, E::ES_EVENT_TYPE_NOTIFY_EXEC);
        let says = payload::exec(target.clone(), self.script.clone(), self.last_fd);
        let path = target.0.executable.path.clone();
        let mut action = Action::new(&self.actor, Some(auth), Some(notify), says);
        action.image = Some(Image {
            args: target.0.args.clone(),
            env: target.0.env.clone(),
            fds: self.fds,
            entitlements: self.entitlements,
        });
        // A result for an interpreter would hold for every script it runs, so it is not cached.
        if self.script.is_none() {
            action = action.cached_by(&path);
        }
        let action = action.aimed_at([&path]).doing(Effect::Exec(target.clone()));
        (target, self.machine.perform(action))
    }
}

/// `PROX_FDTYPE_VNODE` of `sys/proc_info.h`.
const VNODE: u32 = endpoint_sec_sys::constants::PROX_FDTYPE_VNODE;
