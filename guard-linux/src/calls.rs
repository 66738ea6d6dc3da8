//! The system calls that notify the guard, by number, for every call table of the kernel.
//!
//! On x86-64 a process may also enter through the 32-bit table (`int 0x80`), so each call has both
//! numbers here. Numbers of the native table come from libc; those of the 32-bit table
//! from `arch/x86/entry/syscalls/syscall_32.tbl`.

/// What a notified system call is to the guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Call {
    /// `unlink(path)`
    Unlink,
    /// `unlinkat(dirfd, path, flags)`
    Unlinkat,
    /// `rmdir(path)`
    Rmdir,
    /// `rename(old, new)`
    Rename,
    /// `renameat(olddirfd, old, newdirfd, new)`
    Renameat,
    /// `renameat2(olddirfd, old, newdirfd, new, flags)`
    Renameat2,
    /// `truncate(path, length)`
    Truncate,
    /// `ftruncate(fd, length)`
    Ftruncate,
    /// `link(old, new)`
    Link,
    /// `linkat(olddirfd, old, newdirfd, new, flags)`
    Linkat,
    /// `symlink(target, path)`
    Symlink,
    /// `symlinkat(target, dirfd, path)`
    Symlinkat,
    /// `mkdir(path, mode)`
    Mkdir,
    /// `mkdirat(dirfd, path, mode)`
    Mkdirat,
    /// `mknod(path, mode, device)`
    Mknod,
    /// `mknodat(dirfd, path, mode, device)`
    Mknodat,
    /// `open(path, flags, mode)` with write intent
    Open,
    /// `creat(path, mode)`
    Creat,
    /// `openat(dirfd, path, flags, mode)` with write intent
    Openat,
    /// `fallocate(fd, mode, offset, length)` that discards contents
    Fallocate,
    /// `openat2(dirfd, path, how, size)`
    Openat2,
    /// `open_by_handle_at(mountfd, handle, flags)` with write intent
    OpenByHandle,
    /// `chmod(path, mode)`, `setxattr(path, …)`
    Chmod,
    /// `lsetxattr(path, …)`
    Lsetxattr,
    /// `fchmodat(dirfd, path, mode)`
    Fchmodat,
    /// `fchmodat2(dirfd, path, mode, flags)`
    Fchmodat2,
    /// `setxattrat(dirfd, path, flags, …)`
    Setxattrat,
    /// `execve(path, argv, envp)` and `execveat`
    Exec,
    /// `clone(CLONE_PARENT)`
    CloneParent,
    /// `prctl(PR_SET_CHILD_SUBREAPER)`
    Subreaper,
    /// `ioctl(fd, BTRFS_IOC_SNAP_DESTROY or its second version, arguments)`
    DestroySubvolume,
    /// Calls after which the caller may be somebody else: `set*id`, `capset`, `setns`, `unshare`
    ContextChange,
    /// `landlock_restrict_self(ruleset, flags)`
    Landlock,
    /// `chroot(path)`, `pivot_root(new, old)`
    RootChange,
    /// `mount(source, target, type, flags, data)`
    Mount,
    /// `umount2(target, flags)`, `umount(target)`
    Unmount,
    /// `move_mount(fromdirfd, from, todirfd, to, flags)`
    MoveMount,
    /// `mount_setattr`
    MountChange,
    /// `ptrace(PTRACE_ATTACH or PTRACE_SEIZE, pid)`
    Ptrace,
    /// `process_vm_writev(pid, …)`
    ProcessWrite,
    /// `pidfd_getfd(pidfd, fd, flags)`
    PidfdGetfd,
}

/// One call with its numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallNumbers {
    /// What it is.
    pub(crate) call: Call,
    /// Its number in the native table.
    pub(crate) native: Option<i64>,
    /// Its number in the 32-bit x86 table.
    pub(crate) i386: Option<u32>,
}

/// The audit number of the native table (`seccomp_data.arch`).
#[cfg(target_arch = "x86_64")]
pub(crate) const NATIVE_ARCH: u32 = 0xC000_003E;
/// The audit number of the native table (`seccomp_data.arch`).
#[cfg(target_arch = "aarch64")]
pub(crate) const NATIVE_ARCH: u32 = 0xC000_00B7;
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
compile_error!("guarded sessions know the system call tables of x86-64 and AArch64 only");

/// The audit number of the 32-bit x86 table.
pub(crate) const I386_ARCH: u32 = 0x4000_0003;

/// `io_uring_setup`: the same number in every table. Rings perform unlinks and renames that no
/// filter sees, so they are refused as if the kernel had none.
pub(crate) const IO_URING_SETUP: u32 = 425;

/// `clone3`: the same number in every table. Its flags are in memory, where a filter cannot read
/// them, so it is refused as container runtimes do, and C libraries fall back to `clone`.
pub(crate) const CLONE3: u32 = 435;

/// `BTRFS_IOC_SNAP_DESTROY` and `BTRFS_IOC_SNAP_DESTROY_V2` (`include/uapi/linux/btrfs.h`).
pub(crate) const DESTROY_SUBVOLUME: [u32; 2] = [0x5000_940F, 0x5000_943F];

/// The call behind a notification's architecture and number.
pub(crate) fn identify(arch: u32, number: i32) -> Option<Call> {
    let row = if arch == NATIVE_ARCH {
        ROWS.iter()
            .find(|row| row.native == Some(i64::from(number)))
    } else {
        let number = u32::try_from(number).ok()?;
        ROWS.iter().find(|row| row.i386 == Some(number))
    };
    row.map(|row| row.call)
}

const fn both(call: Call, native: i64, i386: u32) -> CallNumbers {
    CallNumbers {
        call,
        native: Some(native),
        i386: Some(i386),
    }
}

const fn old(call: Call, i386: u32) -> CallNumbers {
    CallNumbers {
        call,
        native: None,
        i386: Some(i386),
    }
}

/// Calls of x86's tables that newer architectures never had.
#[cfg(target_arch = "x86_64")]
const fn legacy(call: Call, native: i64, i386: u32) -> CallNumbers {
    both(call, native, i386)
}

/// Every notified call. Those whose arguments the filter reads come first: the kernel answers
/// all other allowed calls from a bitmap, and only these run the filter each time.
pub(crate) const ROWS: &[CallNumbers] = &[
    both(Call::Openat, libc::SYS_openat, 295),
    #[cfg(target_arch = "x86_64")]
    legacy(Call::Open, libc::SYS_open, 5),
    both(Call::OpenByHandle, libc::SYS_open_by_handle_at, 342),
    both(Call::Ptrace, libc::SYS_ptrace, 26),
    both(Call::DestroySubvolume, libc::SYS_ioctl, 54),
    both(Call::CloneParent, libc::SYS_clone, 120),
    both(Call::Subreaper, libc::SYS_prctl, 172),
    both(Call::Fallocate, libc::SYS_fallocate, 324),
    #[cfg(target_arch = "x86_64")]
    legacy(Call::Unlink, libc::SYS_unlink, 10),
    both(Call::Unlinkat, libc::SYS_unlinkat, 301),
    #[cfg(target_arch = "x86_64")]
    legacy(Call::Rmdir, libc::SYS_rmdir, 40),
    #[cfg(target_arch = "x86_64")]
    legacy(Call::Rename, libc::SYS_rename, 38),
    both(Call::Renameat, libc::SYS_renameat, 302),
    both(Call::Renameat2, libc::SYS_renameat2, 353),
    both(Call::Truncate, libc::SYS_truncate, 92),
    old(Call::Truncate, 193),
    both(Call::Ftruncate, libc::SYS_ftruncate, 93),
    old(Call::Ftruncate, 194),
    #[cfg(target_arch = "x86_64")]
    legacy(Call::Link, libc::SYS_link, 9),
    both(Call::Linkat, libc::SYS_linkat, 303),
    #[cfg(target_arch = "x86_64")]
    legacy(Call::Symlink, libc::SYS_symlink, 83),
    both(Call::Symlinkat, libc::SYS_symlinkat, 304),
    #[cfg(target_arch = "x86_64")]
    legacy(Call::Mkdir, libc::SYS_mkdir, 39),
    both(Call::Mkdirat, libc::SYS_mkdirat, 296),
    #[cfg(target_arch = "x86_64")]
    legacy(Call::Mknod, libc::SYS_mknod, 14),
    both(Call::Mknodat, libc::SYS_mknodat, 297),
    #[cfg(target_arch = "x86_64")]
    legacy(Call::Creat, libc::SYS_creat, 8),
    both(Call::Openat2, libc::SYS_openat2, 437),
    #[cfg(target_arch = "x86_64")]
    legacy(Call::Chmod, libc::SYS_chmod, 15),
    both(Call::Chmod, libc::SYS_setxattr, 226),
    both(Call::Lsetxattr, libc::SYS_lsetxattr, 227),
    both(Call::Fchmodat, libc::SYS_fchmodat, 306),
    // The newest calls have one number in every table.
    both(Call::Fchmodat2, 452, 452),
    both(Call::Setxattrat, 463, 463),
    both(Call::Exec, libc::SYS_execve, 11),
    both(Call::Exec, libc::SYS_execveat, 358),
    both(Call::ContextChange, libc::SYS_setuid, 23),
    old(Call::ContextChange, 213),
    both(Call::ContextChange, libc::SYS_setgid, 46),
    old(Call::ContextChange, 214),
    both(Call::ContextChange, libc::SYS_setreuid, 70),
    old(Call::ContextChange, 203),
    both(Call::ContextChange, libc::SYS_setregid, 71),
    old(Call::ContextChange, 204),
    both(Call::ContextChange, libc::SYS_setresuid, 164),
    old(Call::ContextChange, 208),
    both(Call::ContextChange, libc::SYS_setresgid, 170),
    old(Call::ContextChange, 210),
    both(Call::ContextChange, libc::SYS_setgroups, 81),
    old(Call::ContextChange, 206),
    both(Call::ContextChange, libc::SYS_setfsuid, 138),
    old(Call::ContextChange, 215),
    both(Call::ContextChange, libc::SYS_setfsgid, 139),
    old(Call::ContextChange, 216),
    both(Call::ContextChange, libc::SYS_capset, 185),
    both(Call::ContextChange, libc::SYS_unshare, 310),
    both(Call::ContextChange, libc::SYS_setns, 346),
    both(Call::Landlock, libc::SYS_landlock_restrict_self, 446),
    both(Call::RootChange, libc::SYS_chroot, 61),
    both(Call::RootChange, libc::SYS_pivot_root, 217),
    both(Call::Mount, libc::SYS_mount, 21),
    old(Call::Unmount, 22),
    both(Call::Unmount, libc::SYS_umount2, 52),
    both(Call::MoveMount, libc::SYS_move_mount, 429),
    both(Call::MountChange, libc::SYS_mount_setattr, 442),
    both(Call::ProcessWrite, libc::SYS_process_vm_writev, 348),
    both(Call::PidfdGetfd, libc::SYS_pidfd_getfd, 438),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_number_means_two_calls() {
        let mut native = HashSet::new();
        let mut i386 = HashSet::new();
        for row in ROWS {
            assert!(
                row.native.is_none_or(|number| native.insert(number)),
                "{row:?}"
            );
            assert!(row.i386.is_none_or(|number| i386.insert(number)), "{row:?}");
        }
    }

    #[test]
    fn both_tables_lead_to_the_call() {
        let number = i32::try_from(libc::SYS_renameat2).unwrap();
        assert_eq!(identify(NATIVE_ARCH, number), Some(Call::Renameat2));
        assert_eq!(identify(I386_ARCH, 10), Some(Call::Unlink));
        assert_eq!(identify(I386_ARCH, 4), None);
    }
}
