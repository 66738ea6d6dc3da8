//! The handle of a client.

use core::marker::{PhantomData, PhantomPinned};

/// A client; opaque, belongs to the library.
#[repr(C)]
#[derive(Debug)]
pub struct es_client_t {
    contents: [u8; 0],
    marker: PhantomData<(*mut u8, PhantomPinned)>,
}
