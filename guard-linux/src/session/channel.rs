//! Messages from the supervisor to the other two processes: the command is to test the guard, it may
//! start, and what became of it.

use super::child::Change;
use std::io::{Read as _, Result, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

/// Lets the root command start, once; before that, has its process make a call for the guard's test
/// of itself.
#[derive(Debug)]
pub(crate) struct StartGate(UnixStream);

/// What the supervisor wants of the root command's process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Run the command.
    Start,
    /// Make the call of the guard's test, and report its errno.
    TestCall,
}

/// The supervisor's end of the line to the outer process.
#[derive(Debug)]
pub(crate) struct StatusChannel(UnixStream);

/// The outer process's end.
#[derive(Debug)]
pub(super) struct StatusReader(UnixStream);

/// One message to the outer process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// The root command's process id.
    Root(i32),
    /// The root command changed.
    Changed(Change),
}

// === impl StartGate ===

impl StartGate {
    pub(super) const fn new(command: UnixStream) -> Self {
        Self(command)
    }

    /// The command runs from here on.
    pub(crate) fn open(mut self) -> Result<()> {
        self.0.write_all(&[START])
    }

    /// Has the command's process make the test's call.
    pub(crate) fn order_test_call(&self) -> Result<()> {
        (&self.0).write_all(&[TEST_CALL])
    }

    /// What the test's call returned: its errno, 0 for success.
    pub(crate) fn test_result(&self) -> Result<i32> {
        let mut errno = [0; 4];
        (&self.0).read_exact(&mut errno)?;
        Ok(i32::from_le_bytes(errno))
    }
}

impl AsFd for StartGate {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

// === impl Order ===

impl Order {
    /// Waits for the next order.
    ///
    /// # Errors
    ///
    /// When the supervisor is gone.
    pub(super) fn receive(mut supervisor: &UnixStream) -> Result<Self> {
        let mut order = [0];
        supervisor.read_exact(&mut order)?;
        match order {
            [START] => Ok(Self::Start),
            [TEST_CALL] => Ok(Self::TestCall),
            _ => Err(std::io::ErrorKind::InvalidData.into()),
        }
    }
}

// === impl StatusChannel ===

impl StatusChannel {
    pub(super) const fn new(outer: UnixStream) -> Self {
        Self(outer)
    }

    /// Reports who the root command is.
    pub(crate) fn introduce(&self, root: u32) {
        self.send(Status::Root(root.cast_signed()));
    }

    /// Reports a change of the root command.
    pub(crate) fn report(&self, change: Change) {
        self.send(Status::Changed(change));
    }

    fn send(&self, status: Status) {
        // That the outer process is gone is no error: the session goes on without it.
        let _gone = (&self.0).write_all(&status.encode());
    }
}

// === impl StatusReader ===

impl StatusReader {
    pub(super) const fn new(supervisor: UnixStream) -> Self {
        Self(supervisor)
    }

    /// Waits for the next message.
    ///
    /// # Errors
    ///
    /// When the supervisor is gone.
    pub(super) fn receive(&self) -> Result<Status> {
        let mut message = [0; MESSAGE_BYTES];
        (&self.0).read_exact(&mut message)?;
        Status::decode(message).ok_or_else(|| std::io::ErrorKind::InvalidData.into())
    }
}

impl AsFd for StatusReader {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

// === impl Status ===

impl Status {
    fn encode(self) -> [u8; MESSAGE_BYTES] {
        let (kind, value) = match self {
            Self::Root(pid) => (ROOT, pid),
            Self::Changed(Change::Exited(status)) => (EXITED, status),
            Self::Changed(Change::Killed(signal)) => (KILLED, signal),
            Self::Changed(Change::Stopped(signal)) => (STOPPED, signal),
            Self::Changed(Change::Continued) => (CONTINUED, 0),
        };
        let [a, b, c, d] = value.to_le_bytes();
        [kind, a, b, c, d]
    }

    fn decode([kind, value @ ..]: [u8; MESSAGE_BYTES]) -> Option<Self> {
        let value = i32::from_le_bytes(value);
        Some(match kind {
            ROOT => Self::Root(value),
            EXITED => Self::Changed(Change::Exited(value)),
            KILLED => Self::Changed(Change::Killed(value)),
            STOPPED => Self::Changed(Change::Stopped(value)),
            CONTINUED => Self::Changed(Change::Continued),
            _ => return None,
        })
    }
}

const START: u8 = 1;
const TEST_CALL: u8 = 2;

const MESSAGE_BYTES: usize = 5;
const ROOT: u8 = 0;
const EXITED: u8 = 1;
const KILLED: u8 = 2;
const STOPPED: u8 = 3;
const CONTINUED: u8 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outer_process_receives_what_was_reported() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (channel, reader) = (StatusChannel::new(ours), StatusReader::new(theirs));
        channel.introduce(4242);
        assert_eq!(reader.receive().unwrap(), Status::Root(4242));
        for change in [
            Change::Exited(3),
            Change::Killed(9),
            Change::Stopped(19),
            Change::Continued,
        ] {
            channel.report(change);
            assert_eq!(reader.receive().unwrap(), Status::Changed(change));
        }
        drop(channel);
        assert!(reader.receive().is_err());
    }
}
