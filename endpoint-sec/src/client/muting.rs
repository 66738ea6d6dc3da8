//! Muting: which messages are not sent.
//!
//! There are three independent dimensions: processes, executables and target paths. An inverted
//! dimension lets through only what it lists: that is how a client selects messages. A new client
//! starts with a set of muted executables on which the machine depends. Inverting would select just
//! those, so it is refused while the client could block them ([`Handle::set_inverted`]);
//! [`Handle::select_executables`] and [`Handle::select_targets`] do it in the right order.

use super::Handle;
use crate::audit_token::AuditToken;
use crate::error::{CallError, InvertError};
use crate::event_type::EventType;
use crate::mute::{ExecutablePath, MuteDimension, MutedPath, MutedProcess, TargetPath};
use endpoint_sec_sys::es_mute_path_type_t;
use std::ffi::{CStr, CString};

/// The paths that were muted in a dimension, and whether it was inverted.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use = "without it the system's default mutes cannot be restored"]
pub struct SavedMutes {
    dimension: MuteDimension,
    is_inverted: bool,
    paths: Vec<MutedPath>,
}

// === Processes ===

impl Handle {
    /// Mutes a process: messages about it are not sent. It must be running; the mute ends with it,
    /// and should be taken to end with an exec.
    ///
    /// # Errors
    ///
    /// If the client is closed, the process has ended, or too many are muted.
    pub fn mute_process(&self, process: AuditToken) -> Result<(), CallError> {
        self.core.connection.mute_process(process)
    }

    /// Mutes a process for some event types. macOS 12.0.
    ///
    /// # Errors
    ///
    /// As for [`mute_process`](Self::mute_process), or if the system lacks the function.
    pub fn mute_process_events(
        &self,
        process: AuditToken,
        events: &[EventType],
    ) -> Result<(), CallError> {
        self.core.connection.mute_process_events(process, events)
    }

    /// Unmutes a process, however often it was muted.
    ///
    /// # Errors
    ///
    /// If the client is closed or the system refuses.
    pub fn unmute_process(&self, process: AuditToken) -> Result<(), CallError> {
        self.core.connection.unmute_process(process)
    }

    /// Unmutes a process for some event types. macOS 12.0.
    ///
    /// # Errors
    ///
    /// If the client is closed, the system refuses or lacks the function.
    pub fn unmute_process_events(
        &self,
        process: AuditToken,
        events: &[EventType],
    ) -> Result<(), CallError> {
        self.core.connection.unmute_process_events(process, events)
    }

    /// Mutes this process, which would otherwise receive requests about its own operations, and
    /// could wait for itself for ever.
    ///
    /// # Errors
    ///
    /// As for [`mute_process`](Self::mute_process), or if the kernel does not return this process's
    /// token.
    pub fn mute_self(&self) -> Result<(), CallError> {
        let call = "task_info";
        let this = AuditToken::of_this_process().ok_or(CallError::Failed { call })?;
        self.mute_process(this)
    }

    /// The muted processes.
    ///
    /// # Errors
    ///
    /// If the client is closed or the system refuses.
    pub fn muted_processes(&self) -> Result<Vec<MutedProcess>, CallError> {
        self.core.connection.muted_processes()
    }
}

// === Paths ===

impl Handle {
    /// Mutes programs. Before macOS 12.0 by the functions that came first.
    ///
    /// # Errors
    ///
    /// If the client is closed or the system refuses.
    pub fn mute_executable(&self, path: &ExecutablePath) -> Result<(), CallError> {
        let (path, kind) = path.as_c();
        self.core.connection.mute_path(path, kind)
    }

    /// Mutes programs for some event types. macOS 12.0.
    ///
    /// # Errors
    ///
    /// If the client is closed, the system refuses or lacks the function.
    pub fn mute_executable_events(
        &self,
        path: &ExecutablePath,
        events: &[EventType],
    ) -> Result<(), CallError> {
        let (path, kind) = path.as_c();
        self.core.connection.mute_path_events(path, kind, events)
    }

    /// Unmutes programs that were muted by this very path. macOS 12.0.
    ///
    /// # Errors
    ///
    /// If the client is closed, the system refuses or lacks the function.
    pub fn unmute_executable(&self, path: &ExecutablePath) -> Result<(), CallError> {
        let (path, kind) = path.as_c();
        self.core.connection.unmute_path(path, kind)
    }

    /// Unmutes programs that were muted by this very path, for some event types. macOS 12.0.
    ///
    /// # Errors
    ///
    /// If the client is closed, the system refuses or lacks the function.
    pub fn unmute_executable_events(
        &self,
        path: &ExecutablePath,
        events: &[EventType],
    ) -> Result<(), CallError> {
        let (path, kind) = path.as_c();
        self.core.connection.unmute_path_events(path, kind, events)
    }

    /// Unmutes all executables, including those that the system mutes by default. A client that
    /// answers requests can then block programs that the machine depends on.
    ///
    /// # Errors
    ///
    /// If the client is closed or the system refuses.
    pub fn unmute_all_executables(&self) -> Result<(), CallError> {
        self.core.connection.unmute_all_executables()
    }

    /// Mutes target paths. macOS 12.0.
    ///
    /// # Errors
    ///
    /// If the client is closed, the system refuses or lacks the function.
    pub fn mute_target(&self, path: &TargetPath) -> Result<(), CallError> {
        let (path, kind) = path.as_c();
        self.core.connection.mute_path(path, kind)
    }

    /// Mutes target paths for some event types. The system ignores types that have no target paths.
    /// macOS 12.0.
    ///
    /// # Errors
    ///
    /// If no type has targets, the client is closed, the system refuses or lacks the function.
    pub fn mute_target_events(
        &self,
        path: &TargetPath,
        events: &[EventType],
    ) -> Result<(), CallError> {
        let (path, kind) = path.as_c();
        self.core.connection.mute_path_events(path, kind, events)
    }

    /// Unmutes targets that were muted by this very path. macOS 12.0.
    ///
    /// # Errors
    ///
    /// If the client is closed, the system refuses or lacks the function.
    pub fn unmute_target(&self, path: &TargetPath) -> Result<(), CallError> {
        let (path, kind) = path.as_c();
        self.core.connection.unmute_path(path, kind)
    }

    /// Unmutes targets that were muted by this very path, for some event types. macOS 12.0.
    ///
    /// # Errors
    ///
    /// If the client is closed, the system refuses or lacks the function.
    pub fn unmute_target_events(
        &self,
        path: &TargetPath,
        events: &[EventType],
    ) -> Result<(), CallError> {
        let (path, kind) = path.as_c();
        self.core.connection.unmute_path_events(path, kind, events)
    }

    /// Unmutes all targets. macOS 13.0.
    ///
    /// # Errors
    ///
    /// If the client is closed, the system refuses or lacks the function.
    pub fn unmute_all_targets(&self) -> Result<(), CallError> {
        self.core.connection.unmute_all_targets()
    }

    /// The muted paths of programs and targets, those that the system muted too. macOS 12.0.
    ///
    /// # Errors
    ///
    /// If the client is closed, the system refuses or lacks the function.
    pub fn muted_paths(&self) -> Result<Vec<MutedPath>, CallError> {
        self.core.connection.muted_paths()
    }

    /// The paths that the system had muted when the client was started; `None` before macOS 12.0,
    /// which cannot list them.
    #[must_use]
    pub fn default_mutes(&self) -> Option<&[MutedPath]> {
        self.default_mutes.get().map(Vec::as_slice)
    }

    pub(super) fn note_default_mutes(&self) {
        if let Ok(paths) = self.muted_paths() {
            let _noted = self.default_mutes.set(paths);
        }
    }
}

// === Inversion ===

impl Handle {
    /// Whether a dimension is inverted. macOS 13.0.
    ///
    /// # Errors
    ///
    /// If the client is closed, the system refuses or lacks the function.
    pub fn is_inverted(&self, dimension: MuteDimension) -> Result<bool, CallError> {
        self.core.connection.is_inverted(dimension.to_c())
    }

    /// Inverts a dimension, or reverts that. macOS 13.0.
    ///
    /// # Errors
    ///
    /// [`InvertError::DefaultSet`] if the client is subscribed to authorizations, and inverting
    /// would select programs that the system muted by default. Others if the client is closed, the
    /// system refuses or lacks the function.
    pub fn set_inverted(
        &self,
        dimension: MuteDimension,
        inverted: bool,
    ) -> Result<(), InvertError> {
        if self.is_inverted(dimension)? == inverted {
            return Ok(());
        }
        if inverted {
            self.refuse_default_set(dimension)?;
        }
        Ok(self.core.connection.invert(dimension.to_c())?)
    }

    /// Refuses if default mutes of the dimension remain and the client may receive requests.
    fn refuse_default_set(&self, dimension: MuteDimension) -> Result<(), InvertError> {
        let Some(event) = self.possible_requests()?.first().copied() else {
            return Ok(());
        };
        let muted = self.default_mutes_left(dimension)?;
        match muted.first() {
            Some(first) => Err(InvertError::DefaultSet {
                muted: muted.len(),
                example: first.path.escape_ascii().to_string(),
                event,
            }),
            None => Ok(()),
        }
    }

    /// The system's default mutes of a dimension that are still there.
    fn default_mutes_left(&self, dimension: MuteDimension) -> Result<Vec<MutedPath>, CallError> {
        let defaults = self.default_mutes().unwrap_or_default();
        let mut paths = self.muted_paths()?;
        paths.retain(|path| {
            let same = |default: &MutedPath| default.kind == path.kind && default.path == path.path;
            path.kind.dimension() == Some(dimension) && defaults.iter().any(same)
        });
        Ok(paths)
    }

    /// Whether an inverted dimension selects default mutes. A system that cannot list them cannot
    /// invert either.
    pub(super) fn selects_defaults(&self) -> bool {
        [MuteDimension::Executable, MuteDimension::Target]
            .into_iter()
            .filter(|dimension| self.is_inverted(*dimension) == Ok(true))
            .filter_map(|dimension| self.default_mutes_left(dimension).ok())
            .any(|left| !left.is_empty())
    }

    /// The subscribed types whose messages may be requests.
    fn possible_requests(&self) -> Result<Vec<EventType>, CallError> {
        let mut events = self.subscriptions()?;
        events.retain(|event| event.may_be_auth());
        Ok(events)
    }

    /// Selects only operations of these executables, as far as the other dimensions do not mute
    /// them: the muted executables, including the default ones, are saved and unmuted, the
    /// dimension is inverted, and these paths are added. More can be added by
    /// [`mute_executable`](Self::mute_executable). macOS 13.0.
    ///
    /// Meanwhile the client is not subscribed to AUTH types, as Apple recommends, and receives no
    /// requests.
    ///
    /// # Errors
    ///
    /// If a call fails; the subscriptions are restored, and the mutes are left as they are then.
    pub fn select_executables(&self, paths: &[ExecutablePath]) -> Result<SavedMutes, CallError> {
        self.select(
            MuteDimension::Executable,
            paths.iter().map(ExecutablePath::as_c),
        )
    }

    /// Selects only operations on these target paths, like
    /// [`select_executables`](Self::select_executables) in the other dimension. Event types without
    /// target paths are not affected. macOS 13.0.
    ///
    /// # Errors
    ///
    /// As for [`select_executables`](Self::select_executables).
    pub fn select_targets(&self, paths: &[TargetPath]) -> Result<SavedMutes, CallError> {
        self.select(MuteDimension::Target, paths.iter().map(TargetPath::as_c))
    }

    fn select<'p>(
        &self,
        dimension: MuteDimension,
        paths: impl Iterator<Item = (&'p CStr, es_mute_path_type_t)>,
    ) -> Result<SavedMutes, CallError> {
        let saved = self.save_mutes(dimension)?;
        self.without_authorizations(|| {
            self.unmute_all(dimension)?;
            if !saved.is_inverted {
                self.core.connection.invert(dimension.to_c())?;
            }
            for (path, kind) in paths {
                self.core.connection.mute_path(path, kind)?;
            }
            Ok(())
        })?;
        Ok(saved)
    }

    /// What a dimension of paths mutes now, the system's default mutes too. macOS 13.0.
    ///
    /// # Errors
    ///
    /// If the dimension is that of processes (`Failed`), the client is closed, the system refuses
    /// or lacks the function.
    pub fn save_mutes(&self, dimension: MuteDimension) -> Result<SavedMutes, CallError> {
        if dimension == MuteDimension::Process {
            return Err(CallError::Failed {
                call: "saving the mutes of processes, which end with them,",
            });
        }
        let mut paths = self.muted_paths()?;
        paths.retain(|path| path.kind.dimension() == Some(dimension));
        Ok(SavedMutes {
            dimension,
            is_inverted: self.is_inverted(dimension)?,
            paths,
        })
    }

    /// Makes a dimension of paths what it was when it was saved, whatever was muted since.
    ///
    /// While it is done the client is not subscribed to authorizations.
    ///
    /// # Errors
    ///
    /// If a call fails; the subscriptions are restored, and the mutes are left as they are then.
    pub fn restore_mutes(&self, saved: &SavedMutes) -> Result<(), CallError> {
        let connection = &self.core.connection;
        self.without_authorizations(|| {
            self.unmute_all(saved.dimension)?;
            if self.is_inverted(saved.dimension)? != saved.is_inverted {
                connection.invert(saved.dimension.to_c())?;
            }
            for muted in &saved.paths {
                let call = "es_mute_path_events";
                let path = CString::new(muted.path.as_slice());
                let path = path.map_err(|_| CallError::Failed { call })?;
                connection.mute_path_events(&path, muted.kind.to_c(), &muted.events)?;
            }
            Ok(())
        })
    }

    fn unmute_all(&self, dimension: MuteDimension) -> Result<(), CallError> {
        match dimension {
            MuteDimension::Target => self.unmute_all_targets(),
            MuteDimension::Executable | MuteDimension::Process => self.unmute_all_executables(),
        }
    }

    /// Runs `body` while the client is not subscribed to possible requests, and subscribes again,
    /// whatever `body` returned.
    fn without_authorizations(
        &self,
        body: impl FnOnce() -> Result<(), CallError>,
    ) -> Result<(), CallError> {
        let events = self.possible_requests()?;
        if events.is_empty() {
            return body();
        }
        let connection = &self.core.connection;
        connection.unsubscribe(&events)?;
        let result = body();
        connection.subscribe(&events)?;
        result
    }
}

impl SavedMutes {
    /// The dimension.
    #[must_use]
    pub fn dimension(&self) -> MuteDimension {
        self.dimension
    }

    /// Whether it was inverted.
    #[must_use]
    pub fn is_inverted(&self) -> bool {
        self.is_inverted
    }

    /// The paths that were muted.
    #[must_use]
    pub fn paths(&self) -> &[MutedPath] {
        &self.paths
    }
}
