//! Why the process is not confined.

/// The process could not be confined.
#[derive(Debug, thiserror::Error)]
pub enum ConfineError {
    #[error("this system is not Linux")]
    NotLinux,
    #[cfg(target_os = "linux")]
    #[error("the kernel has no Landlock, or it is disabled")]
    NoLandlock,
    #[cfg(target_os = "linux")]
    #[error(transparent)]
    Landlock(#[from] landlock::RulesetError),
    #[cfg(target_os = "linux")]
    #[error("the seccomp filter cannot be compiled")]
    Compile(#[from] seccompiler::BackendError),
    #[cfg(target_os = "linux")]
    #[error("the seccomp filter cannot be installed")]
    Install(#[from] seccompiler::Error),
}
