//! The processes above this one.

use guard_core::process::ancestors_of;

/// The ids of this process's ancestors, the parent first, as they are now.
pub(crate) fn ancestors() -> Vec<u32> {
    #[cfg(target_os = "macos")]
    use guard_es::processes::parent_of;
    #[cfg(target_os = "linux")]
    use guard_linux::procfs::parent_of;

    ancestors_of(std::process::id(), parent_of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_comes_first() {
        assert_eq!(
            ancestors().first().copied(),
            Some(std::os::unix::process::parent_id())
        );
    }
}
