//! The smallest possible supervisor: it lets every call go on.

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use std::io::{IoSlice, IoSliceMut};
use std::mem::{MaybeUninit, zeroed};
use std::os::fd::{AsFd as _, AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::Command;

/// Runs this program's `floor-workload DIR` and answers its calls until it ends.
pub(super) fn supervise(dir: &str) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["floor-workload", dir])
        .stdin(OwnedFd::from(theirs))
        .spawn()
        .unwrap();
    let listener = receive_listener(&ours);
    let fd = listener.as_raw_fd();
    // SAFETY: this request takes its flags as the argument itself and reads no memory.
    let _older_kernel = unsafe { libc::ioctl(fd, libc::SECCOMP_IOCTL_NOTIF_SET_FLAGS, 1) };
    let mut last = false;
    while !last {
        // SAFETY: the kernel demands an all-zero structure; zero is valid for every field.
        let mut notification: libc::seccomp_notif = unsafe { zeroed() };
        let received = &raw mut notification;
        // SAFETY: the structure has the size that the request's number encodes.
        if unsafe { libc::ioctl(fd, libc::SECCOMP_IOCTL_NOTIF_RECV, received) } != 0 {
            continue;
        }
        let mut response = libc::seccomp_notif_resp {
            id: notification.id,
            val: 0,
            error: 0,
            flags: u32::try_from(libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE).unwrap(),
        };
        let sent = &raw mut response;
        // SAFETY: the structure has the size that the request's number encodes.
        let _gone = unsafe { libc::ioctl(fd, libc::SECCOMP_IOCTL_NOTIF_SEND, sent) };
        last = libc::c_long::from(notification.data.nr) == libc::SYS_exit_group;
    }
    assert!(child.wait().unwrap().success());
}

/// Installs the filter on this process, and sends its listener to the parent over standard input.
pub(super) fn supervised() {
    rustix::thread::set_no_new_privs(true).unwrap();
    let program = unlinks_notify();
    let filter = libc::sock_fprog {
        len: u16::try_from(program.len()).unwrap(),
        filter: program.as_ptr().cast_mut(),
    };
    // SAFETY: `filter` describes `program`, which the kernel only reads during the call.
    let fd = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            libc::SECCOMP_FILTER_FLAG_NEW_LISTENER | libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
            &raw const filter,
        )
    };
    assert!(fd >= 0, "{}", std::io::Error::last_os_error());
    // SAFETY: the kernel just gave us this descriptor, and nobody else knows it.
    let listener = unsafe { OwnedFd::from_raw_fd(i32::try_from(fd).unwrap()) };
    let fds = [listener.as_fd()];
    let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut room);
    assert!(control.push(SendAncillaryMessage::ScmRights(&fds)));
    let byte = [IoSlice::new(&[0])];
    sendmsg(std::io::stdin(), &byte, &mut control, SendFlags::empty()).unwrap();
}

fn receive_listener(socket: &UnixStream) -> OwnedFd {
    let mut byte = [0u8; 1];
    let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut room);
    let parts = &mut [IoSliceMut::new(&mut byte)];
    recvmsg(socket, parts, &mut control, RecvFlags::CMSG_CLOEXEC).unwrap();
    let mut fds = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
        _ => None,
    });
    fds.next().unwrap()
}

fn unlinks_notify() -> [libc::sock_filter; 6] {
    let number = |call| u32::try_from(call).unwrap();
    let step = |code: u32, jt, jf, k| libc::sock_filter {
        code: u16::try_from(code).unwrap(),
        jt,
        jf,
        k,
    };
    let equal = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    let answer = libc::BPF_RET | libc::BPF_K;
    [
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
        step(equal, 2, 0, number(libc::SYS_unlink)),
        step(equal, 1, 0, number(libc::SYS_unlinkat)),
        // The end is notified as well, so that the supervisor ends.
        step(equal, 0, 1, number(libc::SYS_exit_group)),
        step(answer, 0, 0, libc::SECCOMP_RET_USER_NOTIF),
        step(answer, 0, 0, libc::SECCOMP_RET_ALLOW),
    ]
}
