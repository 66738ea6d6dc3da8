//! The processes above this one.

/// The ids of this process's ancestors, the parent first, as they are now.
pub(crate) fn ancestors() -> Vec<u32> {
    #[cfg(target_os = "macos")]
    use guard_es::processes::parent_of;
    #[cfg(target_os = "linux")]
    use guard_linux::procfs::parent_of;

    let mut found = Vec::new();
    let mut pid = std::process::id();
    while found.len() < MAX_DEPTH
        && let Some(parent) = parent_of(pid).filter(|&parent| parent > 0)
    {
        found.push(parent);
        pid = parent;
    }
    found
}

/// Deeper process trees are not followed.
const MAX_DEPTH: usize = 4096;
