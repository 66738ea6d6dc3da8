//! Who is at the other end of a control socket, by the kernel's word.

/// A process at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Peer {
    /// Its id; 0 when the kernel named none.
    pub(super) pid: u32,
    /// Its user.
    pub(super) uid: u32,
}
