//! Refuses system calls by seccomp (`seccomp(2)`).
//!
//! It lists the calls that the exporter never needs rather than those it needs: the latter depend on
//! the C library and change with it. Files are restricted by [Landlock](super::files).

use super::Needs;
use super::error::ConfineError;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter,
};
use std::collections::BTreeMap;

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Confines this thread and those it will start.
pub(super) fn confine(needs: &Needs) -> Result<(), ConfineError> {
    for program in programs(needs)? {
        apply_filter(&program)?;
    }
    Ok(())
}

fn programs(needs: &Needs) -> Result<Vec<BpfProgram>, seccompiler::BackendError> {
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    let parts = [
        (always(&HOSTILE), SeccompAction::KillProcess),
        (always(&ABSENT), errno(libc::ENOSYS)),
        (refused(needs)?, errno(libc::EPERM)),
    ];
    parts
        .into_iter()
        .map(|(rules, action)| {
            SeccompFilter::new(on_every_table(rules), SeccompAction::Allow, action, arch)?
                .try_into()
        })
        .collect()
}

/// The calls refused with `EPERM`.
fn refused(needs: &Needs) -> Result<Rules, seccompiler::BackendError> {
    use SeccompCmpOp::{Eq, MaskedEq, Ne};
    let mut rules = always(REFUSED);
    if needs.connect.is_empty() {
        rules.insert(libc::SYS_connect, Vec::new());
    }
    // Only threads may be cloned, within the same namespaces.
    let mut clone = vec![rule(&[(0, MaskedEq(bits(libc::CLONE_THREAD)), 0)])?];
    for namespace in NAMESPACES {
        let flag = bits(namespace);
        clone.push(rule(&[(0, MaskedEq(flag), flag)])?);
    }
    rules.insert(libc::SYS_clone, clone);
    let (v4, v6, netlink) = (libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK);
    let socket = if needs.connect.is_empty() {
        let mut socket = vec![rule(&[(0, Ne, bits(v4)), (0, Ne, bits(v6))])?];
        // Streams only: datagrams can be sent without `connect`.
        for kind in [libc::SOCK_DGRAM, libc::SOCK_RAW, libc::SOCK_SEQPACKET] {
            socket.push(rule(&[(1, MaskedEq(SOCKET_KIND), bits(kind))])?);
        }
        socket
    } else {
        // Resolving a name asks the kernel for addresses by netlink, and name servers by datagrams.
        let raw = |family| {
            rule(&[
                (0, Eq, bits(family)),
                (1, MaskedEq(SOCKET_KIND), bits(libc::SOCK_RAW)),
            ])
        };
        vec![
            rule(&[(0, Ne, bits(v4)), (0, Ne, bits(v6)), (0, Ne, bits(netlink))])?,
            raw(v4)?,
            raw(v6)?,
        ]
    };
    rules.insert(libc::SYS_socket, socket);
    Ok(rules)
}

/// Matches these calls whatever their arguments.
fn always(calls: &[i64]) -> Rules {
    calls.iter().map(|&call| (call, Vec::new())).collect()
}

/// The rules also for x32, the second call table of x86-64, whose numbers have a further bit.
fn on_every_table(mut rules: Rules) -> Rules {
    if cfg!(target_arch = "x86_64") {
        let second: Vec<_> = rules
            .iter()
            .map(|(&call, rules)| {
                (
                    X32_OWN_NUMBERS
                        .iter()
                        .find(|(own, _)| *own == call)
                        .map_or(call, |(_, x32)| *x32)
                        | X32_BIT,
                    rules.clone(),
                )
            })
            .collect();
        rules.extend(second);
    }
    rules
}

/// A rule of conditions that must all hold: argument, comparison, value.
fn rule(conditions: &[(u8, SeccompCmpOp, u64)]) -> Result<SeccompRule, seccompiler::BackendError> {
    let conditions = conditions.iter().map(|(argument, comparison, value)| {
        SeccompCondition::new(
            *argument,
            SeccompCmpArgLen::Dword,
            comparison.clone(),
            *value,
        )
    });
    SeccompRule::new(conditions.collect::<Result<_, _>>()?)
}

const fn errno(error: i32) -> SeccompAction {
    SeccompAction::Errno(error.unsigned_abs())
}

/// A flag as an argument holds it.
fn bits(flag: i32) -> u64 {
    u64::from(flag.cast_unsigned())
}

/// Calls that only an attacker would make.
const HOSTILE: [i64; 9] = [
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_reboot,
];

/// Calls whose flags a filter cannot see. They fail as on an old kernel, where callers have a fallback.
const ABSENT: [i64; 4] = [
    libc::SYS_clone3,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
];

/// Programs, namespaces, mounts, signals, identities, owners, modes, the clock, and rarely used
/// interfaces of the kernel.
const REFUSED: &[i64] = &[
    #[cfg(target_arch = "x86_64")]
    libc::SYS_fork,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_vfork,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chmod,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lchown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_modify_ldt,
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsmount,
    libc::SYS_fsconfig,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_open_by_handle_at,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_kill,
    libc::SYS_tkill,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_pidfd_send_signal,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_setuid,
    libc::SYS_setgid,
    libc::SYS_setreuid,
    libc::SYS_setregid,
    libc::SYS_setresuid,
    libc::SYS_setresgid,
    libc::SYS_setfsuid,
    libc::SYS_setfsgid,
    libc::SYS_setgroups,
    libc::SYS_capset,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    FCHMODAT2,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_vhangup,
    libc::SYS_syslog,
    libc::SYS_personality,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
];

const NAMESPACES: [i32; 7] = [
    libc::CLONE_NEWNS,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWCGROUP,
];

/// The same number on every architecture; not every C library has its name yet.
const FCHMODAT2: i64 = 452;

/// The kind of a socket, without its flags (`SOCK_TYPE_MASK` of the kernel).
const SOCKET_KIND: u64 = 0xf;

const X32_BIT: i64 = 0x4000_0000;
/// Calls that have another number in x32 (`arch/x86/entry/syscalls/syscall_64.tbl`).
#[cfg(target_arch = "x86_64")]
const X32_OWN_NUMBERS: [(i64, i64); 7] = [
    (libc::SYS_execve, 520),
    (libc::SYS_ptrace, 521),
    (libc::SYS_rt_sigqueueinfo, 524),
    (libc::SYS_kexec_load, 528),
    (libc::SYS_process_vm_readv, 539),
    (libc::SYS_process_vm_writev, 540),
    (libc::SYS_execveat, 545),
];
#[cfg(not(target_arch = "x86_64"))]
const X32_OWN_NUMBERS: [(i64, i64); 0] = [];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_call_has_two_actions_and_programs_fit_the_kernel() {
        for connect in [Vec::new(), vec![4318]] {
            let needs = Needs {
                own: Vec::new(),
                rings: Vec::new(),
                read: Vec::new(),
                listen: 0,
                connect,
            };
            let mut seen = std::collections::BTreeSet::new();
            let all = [always(&HOSTILE), always(&ABSENT), refused(&needs).unwrap()];
            for rules in all.into_iter().map(on_every_table) {
                for call in rules.into_keys() {
                    assert!(seen.insert(call), "{call}");
                }
            }
            for program in programs(&needs).unwrap() {
                assert!(program.len() < 4096, "{}", program.len());
            }
        }
    }
}
