//! The files of a machine, and how operations change them.

use std::sync::Arc;

use crate::action::{Action, Effect};
use crate::file::File;
use crate::machine::Machine;
use crate::machine::state::State;

// === impl Machine ===

impl Machine {
    /// Makes a file exist, without an operation. Operations on files that were never created treat
    /// them as regular files; create those whose owner, type or existence matters.
    pub fn create(&self, file: File) -> File {
        let mut state = self.shared.lock();
        state.files.insert(file.path.clone(), file.clone());
        file
    }

    /// Whether a file exists: it was [created](Self::create) or left behind by an operation.
    #[must_use]
    pub fn exists(&self, path: impl AsRef<[u8]>) -> bool {
        self.shared.lock().files.contains_key(path.as_ref())
    }

    /// The file at a path; a regular one if it was never created.
    #[must_use]
    pub fn file(&self, path: impl AsRef<[u8]>) -> File {
        let path = path.as_ref();
        let state = self.shared.lock();
        let known = state.files.get(path).cloned();
        known.unwrap_or_else(|| File::regular(path))
    }
}

// === impl State ===

impl State {
    /// Applies the effect of an allowed operation.
    pub(crate) fn apply(&mut self, action: &Action) {
        match &action.effect {
            Effect::Nothing => {}
            Effect::Create(file) | Effect::Copy(file) => {
                self.cache.forget(&file.path);
                self.files.insert(file.path.clone(), file.clone());
            }
            Effect::Remove(path) => {
                self.cache.forget(path);
                self.files.remove(path);
            }
            Effect::Move { from, to } => {
                let moved = self.take(from);
                self.take(to);
                self.put(moved, from, to);
            }
            Effect::Swap(one, other) => {
                let (first, second) = (self.take(one), self.take(other));
                self.put(first, one, other);
                self.put(second, other, one);
            }
            Effect::Modify(paths) => paths.iter().for_each(|path| self.cache.forget(path)),
            Effect::Fork(child) => self.admit(child),
            Effect::Exec(target) => {
                self.retire(action.actor.execution());
                self.processes.insert(target.execution(), target.clone());
            }
            Effect::Exit => self.retire(action.actor.execution()),
        }
    }

    /// Takes a file away, with everything below it.
    fn take(&mut self, path: &[u8]) -> Vec<File> {
        self.cache.forget(path);
        let within = |known: &[u8]| {
            let rest = known.strip_prefix(path);
            rest.is_some_and(|rest| rest.first().is_none_or(|byte| *byte == b'/'))
        };
        let paths: Vec<Arc<[u8]>> = self
            .files
            .keys()
            .filter(|known| within(known))
            .cloned()
            .collect();
        paths
            .iter()
            .filter_map(|path| self.files.remove(path))
            .collect()
    }

    /// Puts files from below one path below another.
    fn put(&mut self, files: Vec<File>, from: &[u8], to: &[u8]) {
        if files.is_empty() {
            let file = File::regular(from).at(to);
            self.files.insert(file.path.clone(), file);
        }
        for file in files {
            let rest = file.path.get(from.len()..).unwrap_or_default();
            let moved = file.at(&[to, rest].concat());
            self.files.insert(moved.path.clone(), moved);
        }
    }
}
