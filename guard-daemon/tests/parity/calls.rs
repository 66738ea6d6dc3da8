//! System calls by number, with arguments that may be nonsense.
//!
//! What libc would turn away or do by another call reaches the kernel as written: bad flags, bad
//! descriptors, addresses that lead nowhere. A path is the address of a leaked C string; a test
//! program is short-lived.

use std::ffi::CString;

/// What a call returned: a value, or an errno.
pub type Outcome = Result<i64, i32>;

/// A call on one path.
pub type OnOne = fn(usize) -> Outcome;

/// A call on two paths.
pub type OnTwo = fn(usize, usize) -> Outcome;

/// `AT_FDCWD` as an argument.
pub const HERE: usize = number(libc::AT_FDCWD);

/// The address of a path that lives as long as the program. Ends at the first NUL.
pub fn word(text: impl AsRef<[u8]>) -> usize {
    let bytes = text
        .as_ref()
        .split(|&byte| byte == 0)
        .next()
        .unwrap_or_default();
    let text = CString::new(bytes).expect("cut at the first NUL");
    text.into_raw().expose_provenance()
}

/// An `int` argument, sign-extended as C does.
pub const fn number(value: i32) -> usize {
    (value as isize).cast_unsigned()
}

/// A flag of libc's as an argument.
pub fn flag(value: u32) -> usize {
    usize::try_from(value).expect("usize has 64 bits")
}

/// Makes a system call.
pub fn call(name: libc::c_long, arguments: &[usize]) -> Outcome {
    let argument = |index: usize| arguments.get(index).copied().unwrap_or(0);
    // SAFETY: the calls made here (see the callers: names, opens, credentials) take paths, which
    // the kernel reads and checks, numbers, and pointers to structures that live across the call.
    let result = unsafe {
        libc::syscall(
            name,
            argument(0),
            argument(1),
            argument(2),
            argument(3),
            argument(4),
        )
    };
    outcome(result)
}

/// A libc result as an outcome.
pub fn outcome(result: impl Into<i64>) -> Outcome {
    match result.into() {
        -1 => Err(std::io::Error::last_os_error().raw_os_error().unwrap_or(0)),
        value => Ok(value),
    }
}

/// Closes the descriptor that an opening call returned: only whether it succeeded is compared.
pub fn close(opened: Outcome) -> Outcome {
    let fd = opened?;
    // SAFETY: the descriptor was just opened and nobody else knows it.
    unsafe { libc::close(i32::try_from(fd).expect("a descriptor is an int")) };
    Ok(0)
}

pub fn unlink(path: usize) -> Outcome {
    unlinkat(HERE, path, 0)
}

pub fn rmdir(path: usize) -> Outcome {
    unlinkat(HERE, path, libc::AT_REMOVEDIR)
}

pub fn unlinkat(dir: usize, path: usize, flags: i32) -> Outcome {
    call(libc::SYS_unlinkat, &[dir, path, number(flags)])
}

pub fn rename(from: usize, to: usize) -> Outcome {
    renameat2((HERE, from), (HERE, to), 0)
}

pub fn renameat2(from: (usize, usize), to: (usize, usize), flags: u32) -> Outcome {
    call(
        libc::SYS_renameat2,
        &[from.0, from.1, to.0, to.1, flag(flags)],
    )
}

pub fn linkat(from: (usize, usize), to: (usize, usize), flags: i32) -> Outcome {
    call(
        libc::SYS_linkat,
        &[from.0, from.1, to.0, to.1, number(flags)],
    )
}

/// Opens and closes.
pub fn open(path: usize, flags: i32) -> Outcome {
    openat(HERE, path, flags)
}

/// Opens and closes. New files get mode 0640 less the umask.
pub fn openat(dir: usize, path: usize, flags: i32) -> Outcome {
    close(call(
        libc::SYS_openat,
        &[dir, path, number(flags | libc::O_NOCTTY), 0o640],
    ))
}

/// Opens by `openat2` and closes; `size` is what the caller says the structure's size is.
pub fn openat2(path: usize, flags: i32, resolve: u64, size: usize) -> Outcome {
    let mode = if flags & libc::O_CREAT != 0 { 0o640 } else { 0 };
    let how: [u64; 3] = [u64::from(flags.cast_unsigned()), mode, resolve];
    close(call(
        libc::SYS_openat2,
        &[HERE, path, how.as_ptr().expose_provenance(), size],
    ))
}

/// The size of `struct open_how`.
pub const HOW_SIZE: usize = 24;

pub fn truncate(path: usize, length: i64) -> Outcome {
    call(
        libc::SYS_truncate,
        &[
            path,
            isize::try_from(length).expect("64 bits").cast_unsigned(),
        ],
    )
}

/// The calls that only x86's table has; newer tables have their `at` form alone.
pub mod legacy {
    use super::{Outcome, call, close, number};

    #[cfg(target_arch = "x86_64")]
    pub const ON_ONE: &[(&str, super::OnOne)] = &[
        ("unlink", |path| call(libc::SYS_unlink, &[path])),
        ("rmdir", |path| call(libc::SYS_rmdir, &[path])),
        ("creat", |path| close(call(libc::SYS_creat, &[path, 0o604]))),
        ("open(O_TRUNC)", |path| {
            open(path, libc::O_WRONLY | libc::O_TRUNC)
        }),
        ("open(O_CREAT)", |path| {
            open(path, libc::O_RDWR | libc::O_CREAT)
        }),
    ];

    #[cfg(target_arch = "x86_64")]
    pub const ON_TWO: &[(&str, super::OnTwo)] = &[
        ("rename", |from, to| call(libc::SYS_rename, &[from, to])),
        ("link", |from, to| call(libc::SYS_link, &[from, to])),
    ];

    #[cfg(target_arch = "x86_64")]
    fn open(path: usize, flags: i32) -> Outcome {
        close(call(libc::SYS_open, &[path, number(flags), 0o604]))
    }

    #[cfg(not(target_arch = "x86_64"))]
    pub const ON_ONE: &[(&str, super::OnOne)] = &[];
    #[cfg(not(target_arch = "x86_64"))]
    pub const ON_TWO: &[(&str, super::OnTwo)] = &[];
}
