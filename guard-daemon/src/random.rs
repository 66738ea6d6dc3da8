//! Random bytes from the kernel, for names that nobody else has.

use std::io;

/// Fills an array.
///
/// # Errors
///
/// When the kernel gives none.
#[cfg(target_os = "linux")]
pub(crate) fn bytes<const N: usize>() -> io::Result<[u8; N]> {
    use rustix::rand::{GetRandomFlags, getrandom};

    let mut bytes = [0; N];
    // Fewer than 256 are given whole once the kernel has its entropy (`getrandom(2)`).
    match getrandom(&mut bytes, GetRandomFlags::empty())? {
        length if length == N => Ok(bytes),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// Fills an array.
///
/// # Errors
///
/// When the kernel gives none.
#[cfg(not(target_os = "linux"))]
pub(crate) fn bytes<const N: usize>() -> io::Result<[u8; N]> {
    use std::io::Read as _;

    let mut bytes = [0; N];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_names_are_alike() {
        assert_ne!(bytes::<16>().unwrap(), bytes::<16>().unwrap());
    }
}
