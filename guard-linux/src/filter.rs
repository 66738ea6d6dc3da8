//! The seccomp filter of a session: which system calls wait for the guard.
//!
//! ```text
//! architecture ─┬─ native ─┬─ x32 (bit 30) ───────────▶ ENOSYS
//!               │          └─ number ─┬─ io_uring_setup, clone3 ▶ ENOSYS
//!               ├─ 32-bit x86 ────────┤  open, openat … ▶ notify on write intent, else allow
//!               │                     │  ptrace         ▶ notify on attach, else allow
//!               │                     │  ioctl          ▶ notify on a subvolume's end, else allow
//!               │                     │  clone          ▶ notify on CLONE_PARENT, else allow
//!               │                     │  prctl          ▶ notify of a subreaper; PR_SET_DUMPABLE 0
//!               │                     │                   maybe answered 0; else allow
//!               │                     │  fallocate      ▶ notify if contents go, else allow
//!               │                     │  other rows     ▶ notify
//!               │                     └─ the rest       ▶ allow
//!               └─ any other ─────────────────────────▶ ENOSYS
//! ```
//!
//! The path of a call that is always allowed reads only the architecture and the number, so the
//! kernel (5.11 and later) precomputes its answer in a bitmap: `read`, `write` and the like do not
//! run the filter at all.
//!
//! Write intent is an access mode other than `O_RDONLY`, `O_TRUNC` or `O_CREAT`; but not `O_PATH` and
//! not `O_TMPFILE`.

use super::calls::{
    CLONE3, Call, CallNumbers, DESTROY_SUBVOLUME, I386_ARCH, IO_URING_SETUP, NATIVE_ARCH, ROWS,
};
use libc::sock_filter;

/// Builds the filter. With `keep_dumpable`, a call that would make its process non-dumpable returns
/// success and does nothing: without `CAP_SYS_PTRACE` the guard could not read the process.
pub(crate) fn build(keep_dumpable: bool) -> Vec<sock_filter> {
    let mut program = Vec::new();
    let native = table(
        |row| row.native.and_then(|n| u32::try_from(n).ok()),
        keep_dumpable,
    );
    program.push(load(ARCH));
    program.push(jump_unless_equal(NATIVE_ARCH, 1));
    program.push(skip(1));
    program.push(skip(native.len() + 3));
    program.push(load(NUMBER));
    program.push(jump_unless_bits(X32_BIT, 1));
    program.push(finish(no_such_call()));
    program.extend(native);
    if cfg!(target_arch = "x86_64") {
        let i386 = table(|row| row.i386, keep_dumpable);
        program.push(jump_unless_equal(I386_ARCH, 1));
        program.push(skip(1));
        program.push(skip(i386.len() + 1));
        program.push(load(NUMBER));
        program.extend(i386);
    }
    program.push(finish(no_such_call()));
    program
}

/// The filter's part for one call table; the number is in the accumulator.
fn table(number: impl Fn(&CallNumbers) -> Option<u32>, keep_dumpable: bool) -> Vec<sock_filter> {
    let mut program = Vec::new();
    for row in ROWS {
        let Some(number) = number(row) else { continue };
        let body = match row.call {
            Call::Open => on_write_intent(1),
            Call::Openat | Call::OpenByHandle => on_write_intent(2),
            Call::Ptrace => on_value(0, &[PTRACE_ATTACH, PTRACE_SEIZE]),
            Call::DestroySubvolume => on_value(1, &DESTROY_SUBVOLUME),
            Call::CloneParent => on_bits(0, bits(libc::CLONE_PARENT)),
            Call::Fallocate => on_bits(1, DISCARDING),
            Call::Subreaper => on_subreaper(keep_dumpable),
            _ => vec![finish(libc::SECCOMP_RET_USER_NOTIF)],
        };
        program.push(jump_unless_equal(number, body.len()));
        program.extend(body);
    }
    for refused in [IO_URING_SETUP, CLONE3] {
        program.push(jump_unless_equal(refused, 1));
        program.push(finish(no_such_call()));
    }
    program.push(finish(libc::SECCOMP_RET_ALLOW));
    program
}

fn on_write_intent(flags: usize) -> Vec<sock_filter> {
    vec![
        load(argument(flags)),
        jump_if_bits(
            bits(libc::O_PATH | (libc::O_TMPFILE & !libc::O_DIRECTORY)),
            2,
        ),
        jump_unless_bits(bits(libc::O_ACCMODE | libc::O_TRUNC | libc::O_CREAT), 1),
        finish(libc::SECCOMP_RET_USER_NOTIF),
        finish(libc::SECCOMP_RET_ALLOW),
    ]
}

/// Notifies if an argument is one of these values.
fn on_value(index: usize, values: &[u32]) -> Vec<sock_filter> {
    let mut body = vec![load(argument(index))];
    for &value in values {
        body.push(jump_unless_equal(value, 1));
        body.push(finish(libc::SECCOMP_RET_USER_NOTIF));
    }
    body.push(finish(libc::SECCOMP_RET_ALLOW));
    body
}

/// Notifies if an argument has one of these bits.
fn on_bits(index: usize, mask: u32) -> Vec<sock_filter> {
    vec![
        load(argument(index)),
        jump_unless_bits(mask, 1),
        finish(libc::SECCOMP_RET_USER_NOTIF),
        finish(libc::SECCOMP_RET_ALLOW),
    ]
}

/// `prctl`: who becomes a subreaper is known, and who would become unreadable stays as it is.
fn on_subreaper(keep_dumpable: bool) -> Vec<sock_filter> {
    let mut body = vec![
        load(argument(0)),
        jump_unless_equal(libc::PR_SET_CHILD_SUBREAPER.cast_unsigned(), 1),
        finish(libc::SECCOMP_RET_USER_NOTIF),
    ];
    if keep_dumpable {
        body.extend([
            jump_unless_equal(libc::PR_SET_DUMPABLE.cast_unsigned(), 3),
            load(argument(1)),
            jump_unless_equal(0, 1),
            finish(libc::SECCOMP_RET_ERRNO),
        ]);
    }
    body.push(finish(libc::SECCOMP_RET_ALLOW));
    body
}

/// `ENOSYS`, as if the kernel were built without the call: programs fall back to another one.
fn no_such_call() -> u32 {
    libc::SECCOMP_RET_ERRNO | libc::ENOSYS.cast_unsigned()
}

const fn bits(flags: i32) -> u32 {
    flags.cast_unsigned()
}

/// Offset of the low half of argument `index` (both architectures are little-endian).
fn argument(index: usize) -> u32 {
    let offset = std::mem::offset_of!(libc::seccomp_data, args) + index * size_of::<u64>();
    u32::try_from(offset).expect("seccomp_data has 64 bytes")
}

fn load(offset: u32) -> sock_filter {
    statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, offset)
}

fn finish(action: u32) -> sock_filter {
    statement(libc::BPF_RET | libc::BPF_K, action)
}

fn statement(code: u32, k: u32) -> sock_filter {
    sock_filter {
        code: code_of(code),
        jt: 0,
        jf: 0,
        k,
    }
}

/// Skips, however far: conditional jumps reach 255 instructions only, and a table may be longer.
fn skip(count: usize) -> sock_filter {
    statement(
        libc::BPF_JMP | libc::BPF_JA,
        u32::try_from(count).expect("filters are short"),
    )
}

/// Goes on when the accumulator equals `value`, else skips.
fn jump_unless_equal(value: u32, skip: usize) -> sock_filter {
    let jf = u8::try_from(skip).expect("near jumps reach 255 instructions");
    sock_filter {
        code: code_of(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K),
        jt: 0,
        jf,
        k: value,
    }
}

fn jump_if_bits(mask: u32, skip: usize) -> sock_filter {
    let jt = u8::try_from(skip).expect("near jumps reach 255 instructions");
    sock_filter {
        code: code_of(libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K),
        jt,
        jf: 0,
        k: mask,
    }
}

fn jump_unless_bits(mask: u32, skip: usize) -> sock_filter {
    let jf = u8::try_from(skip).expect("near jumps reach 255 instructions");
    sock_filter {
        code: code_of(libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K),
        jt: 0,
        jf,
        k: mask,
    }
}

fn code_of(code: u32) -> u16 {
    u16::try_from(code).expect("classic BPF codes have 16 bits")
}

const NUMBER: u32 = 0;
const ARCH: u32 = 4;
/// `__X32_SYSCALL_BIT`: the x32 table enters with the native architecture's number.
const X32_BIT: u32 = 0x4000_0000;
const PTRACE_ATTACH: u32 = 16;
const PTRACE_SEIZE: u32 = 0x4206;
/// Modes of `fallocate` that discard contents or move them in the file.
const DISCARDING: u32 = bits(
    libc::FALLOC_FL_PUNCH_HOLE
        | libc::FALLOC_FL_COLLAPSE_RANGE
        | libc::FALLOC_FL_ZERO_RANGE
        | libc::FALLOC_FL_INSERT_RANGE,
);

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a filter as the kernel does, for the few instructions it is made of.
    fn run(program: &[sock_filter], arch: u32, number: u32, args: [u64; 6]) -> u32 {
        let (mut at, mut accumulator) = (0usize, 0u32);
        loop {
            let step = program[at];
            at += 1;
            match u32::from(step.code) {
                0x20 => {
                    accumulator = match step.k {
                        0 => number,
                        4 => arch,
                        k => u32::try_from(args[(k as usize - 16) / 8] & 0xFFFF_FFFF).unwrap(),
                    }
                }
                0x05 => at += step.k as usize,
                0x15 => {
                    at += usize::from(if accumulator == step.k {
                        step.jt
                    } else {
                        step.jf
                    })
                }
                0x45 => {
                    at += usize::from(if accumulator & step.k != 0 {
                        step.jt
                    } else {
                        step.jf
                    });
                }
                0x06 => return step.k,
                code => panic!("unexpected instruction {code:#x}"),
            }
        }
    }

    const NOTIFY: u32 = libc::SECCOMP_RET_USER_NOTIF;
    const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;

    fn native(number: i64, args: [u64; 6]) -> u32 {
        run(
            &build(true),
            NATIVE_ARCH,
            u32::try_from(number).unwrap(),
            args,
        )
    }

    fn open_with(flags: i32) -> u32 {
        native(
            libc::SYS_openat,
            [0, 0, u64::from(flags.cast_unsigned()), 0, 0, 0],
        )
    }

    #[test]
    fn every_row_notifies_and_the_rest_is_allowed() {
        for row in ROWS {
            let args = match row.call {
                Call::Open => [0, 1, 0, 0, 0, 0],
                Call::Openat | Call::OpenByHandle => [0, 0, 1, 0, 0, 0],
                Call::Ptrace => [16, 0, 0, 0, 0, 0],
                Call::DestroySubvolume => [3, 0x5000_940F, 0, 0, 0, 0],
                Call::CloneParent => [0x8011, 0, 0, 0, 0, 0],
                Call::Subreaper => [36, 1, 0, 0, 0, 0],
                Call::Fallocate => [3, 8, 0, 0, 0, 0],
                _ => [0; 6],
            };
            if let Some(number) = row.native {
                assert_eq!(native(number, args), NOTIFY, "{row:?}");
            }
            if let Some(number) = row.i386.filter(|_| cfg!(target_arch = "x86_64")) {
                assert_eq!(
                    run(&build(true), I386_ARCH, number, args),
                    NOTIFY,
                    "{row:?}"
                );
            }
        }
        for number in [
            libc::SYS_read,
            libc::SYS_write,
            libc::SYS_mmap,
            libc::SYS_clone,
        ] {
            assert_eq!(native(number, [0; 6]), ALLOW);
        }
    }

    #[test]
    fn calls_notify_of_what_concerns_the_guard_only() {
        let table = [
            (libc::SYS_ioctl, [3, 0x5000_943F], NOTIFY),
            (libc::SYS_ioctl, [3, 0x5401], ALLOW),
            (libc::SYS_clone, [0x0100_8011, 0], NOTIFY),
            (libc::SYS_clone, [0x003D_0F00, 0], ALLOW),
            (libc::SYS_prctl, [36, 1], NOTIFY),
            (libc::SYS_prctl, [15, 1], ALLOW),
            (libc::SYS_fallocate, [3, 0], ALLOW),
            (libc::SYS_fallocate, [3, 1], ALLOW),
            // Punch a hole, and keep the size.
            (libc::SYS_fallocate, [3, 3], NOTIFY),
            (libc::SYS_fallocate, [3, 0x10], NOTIFY),
        ];
        for (number, [first, second], expected) in table {
            let args = [first, second, 0, 0, 0, 0];
            assert_eq!(
                native(number, args),
                expected,
                "{number} {first:#x} {second:#x}"
            );
        }
    }

    #[test]
    fn opens_notify_on_write_intent_only() {
        for flags in [
            libc::O_WRONLY,
            libc::O_RDWR,
            libc::O_RDONLY | libc::O_TRUNC,
            libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC,
            libc::O_WRONLY | libc::O_EXCL,
            libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL,
            libc::O_RDONLY | libc::O_CREAT | libc::O_EXCL,
        ] {
            assert_eq!(open_with(flags), NOTIFY, "{flags:o}");
        }
        for flags in [
            libc::O_RDONLY,
            libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC,
            libc::O_RDWR | libc::O_TMPFILE,
            libc::O_PATH | libc::O_RDWR,
        ] {
            assert_eq!(open_with(flags), ALLOW, "{flags:o}");
        }
    }

    #[test]
    fn other_doors_are_shut() {
        let shut = no_such_call();
        assert_eq!(native(i64::from(IO_URING_SETUP), [0; 6]), shut);
        assert_eq!(native(i64::from(CLONE3), [0; 6]), shut);
        let x32 = X32_BIT | u32::try_from(libc::SYS_unlinkat).unwrap();
        if cfg!(target_arch = "x86_64") {
            assert_eq!(run(&build(true), NATIVE_ARCH, x32, [0; 6]), shut);
            assert_eq!(run(&build(true), I386_ARCH, IO_URING_SETUP, [0; 6]), shut);
        }
        // 32-bit Arm, MIPS.
        for arch in [0x4000_0028, 0x0000_0008] {
            assert_eq!(run(&build(true), arch, 10, [0; 6]), shut);
        }
    }

    #[test]
    fn becoming_unreadable_is_answered_where_the_guard_could_not_follow() {
        let hide = [4, 0, 0, 0, 0, 0];
        let prctl = u32::try_from(libc::SYS_prctl).unwrap();
        assert_eq!(native(libc::SYS_prctl, hide), libc::SECCOMP_RET_ERRNO);
        assert_eq!(native(libc::SYS_prctl, [4, 1, 0, 0, 0, 0]), ALLOW);
        assert_eq!(native(libc::SYS_prctl, [15, 0, 0, 0, 0, 0]), ALLOW);
        assert_eq!(run(&build(false), NATIVE_ARCH, prctl, hide), ALLOW);
    }
}
