//! A terminal with a program on it: keys go in, a screen comes out.
//!
//! Waiting is for text on the screen or for the program's end, with a deadline; never for time.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// A program as the leader of a session on a terminal of its own.
#[derive(Debug)]
pub struct Terminal {
    master: File,
    program: Child,
    output: Receiver<Vec<u8>>,
    /// What came out since the last text that was waited for.
    unread: Vec<u8>,
}

// === impl Terminal ===

impl Terminal {
    /// Starts a program on a terminal of 24 rows and 80 columns.
    pub fn start(mut command: Command) -> Self {
        let (master, slave) = open_pair();
        let share = || slave.try_clone().expect("descriptors suffice");
        command.stdin(share()).stdout(share()).stderr(share());
        // SAFETY: between fork and exec only async-signal-safe calls are made.
        unsafe { command.pre_exec(take_terminal) };
        let program = command.spawn().expect("the program exists");
        drop((slave, command));
        let (sender, output) = channel();
        let mut screen = master.try_clone().expect("descriptors suffice");
        thread::spawn(move || {
            let mut chunk = [0; 4096];
            // EIO: the last process on the terminal is gone.
            while let Ok(length @ 1..) = screen.read(&mut chunk) {
                let read = chunk.get(..length).unwrap_or_default().to_vec();
                if sender.send(read).is_err() {
                    break;
                }
            }
        });
        let terminal = Self {
            master,
            program,
            output,
            unread: Vec::new(),
        };
        terminal.resize(24, 80);
        terminal
    }

    /// Types.
    pub fn press(&mut self, keys: &str) {
        self.master
            .write_all(keys.as_bytes())
            .expect("the terminal is open");
    }

    /// Waits until `text` appears, after what was waited for before.
    pub fn expect(&mut self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let wanted = text.as_bytes();
            let found = self
                .unread
                .windows(wanted.len())
                .position(|part| part == wanted);
            if let Some(start) = found {
                self.unread.drain(..start + wanted.len());
                return;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(more) => self.unread.extend(more),
                Err(why) => panic!("no {text:?} ({why}) on: {}", self.unread.escape_ascii()),
            }
        }
    }

    /// Changes the terminal's size, which the kernel signals to its foreground processes.
    pub fn resize(&self, rows: u16, columns: u16) {
        let size = libc::winsize {
            ws_row: rows,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        // SAFETY: the request reads a `winsize`, which lives across the call.
        let set =
            unsafe { libc::ioctl(self.master.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) };
        assert_eq!(set, 0, "{}", std::io::Error::last_os_error());
    }

    /// Whether another process group than `shell` has the terminal, in the modes of a plain
    /// command: what is typed from now on is the command's.
    pub fn is_taken_from(&self, shell: i32) -> bool {
        let mut modes = MaybeUninit::<libc::termios>::zeroed();
        // SAFETY: `modes` is writable.
        let got = unsafe { libc::tcgetattr(self.master.as_raw_fd(), modes.as_mut_ptr()) };
        assert_eq!(got, 0, "{}", std::io::Error::last_os_error());
        // SAFETY: zeroed, then filled by the call.
        let flags = unsafe { modes.assume_init() }.c_lflag;
        let cooked = flags & libc::ICANON != 0 && flags & libc::ECHO != 0;
        cooked && self.foreground() != shell
    }

    /// The process group that has the terminal.
    pub fn foreground(&self) -> i32 {
        // SAFETY: no memory is involved.
        unsafe { libc::tcgetpgrp(self.master.as_raw_fd()) }
    }

    /// Waits for the program's end.
    pub fn end(mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            // The reader hears when the last process leaves the terminal; drain it until then.
            let left = deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(more) => self.unread.extend(more),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    panic!("no end after: {}", self.unread.escape_ascii())
                }
            }
        }
        self.program.wait().expect("it is a child")
    }
}

// === impl Drop for Terminal ===

impl Drop for Terminal {
    fn drop(&mut self) {
        // Closing the terminal hangs up on its processes; the leader may not listen.
        let _ended = self.program.kill();
        let _reaped = self.program.wait();
    }
}

fn open_pair() -> (File, OwnedFd) {
    let (mut master, mut slave): (RawFd, RawFd) = (-1, -1);
    let (name, modes, size) = (std::ptr::null_mut(), std::ptr::null(), std::ptr::null());
    // SAFETY: both descriptors are writable; null asks for defaults.
    let opened = unsafe { libc::openpty(&raw mut master, &raw mut slave, name, modes, size) };
    assert_eq!(opened, 0, "openpty: {}", std::io::Error::last_os_error());
    for fd in [master, slave] {
        // SAFETY: no memory is involved.
        unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
    // SAFETY: the descriptor was just opened and nobody else knows it.
    let master = unsafe { File::from_raw_fd(master) };
    // SAFETY: as above.
    (master, unsafe { OwnedFd::from_raw_fd(slave) })
}

/// Makes the caller a session leader and its standard input the session's terminal.
fn take_terminal() -> std::io::Result<()> {
    // SAFETY: no memory is involved.
    let leads = unsafe { libc::setsid() };
    // SAFETY: as above; the third argument is a number.
    let took = unsafe { libc::ioctl(0, libc::TIOCSCTTY, 0) };
    if leads == -1 || took == -1 {
        Err(std::io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// Long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
