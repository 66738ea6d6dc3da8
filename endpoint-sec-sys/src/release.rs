//! The release of macOS that is running.
//!
//! It is read from the system at run time and never passed by a caller, since code that depends on
//! it would otherwise call functions that do not exist.

/// A release of macOS.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OsVersion {
    /// 26 in 26.4.1.
    pub major: u32,
    /// 4 in 26.4.1.
    pub minor: u32,
    /// 1 in 26.4.1.
    pub patch: u32,
}

// === impl OsVersion ===

impl OsVersion {
    /// What every Mac that runs this crate has at least.
    pub const OLDEST: Self = Self::new(11, 0, 0);

    /// A release by its numbers.
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self {
            major,
            minor,
            patch,
        }
    }

    /// Reads `26.4.1`, `26.4` or `26`; anything else is nothing.
    ///
    /// A program linked with an old SDK reads `10.16` from macOS 11 on, and `16` from macOS 26 on.
    /// These are read as macOS 11.0 and 26.0.
    pub fn parse(text: &str) -> Option<Self> {
        let mut numbers = [0; 3];
        let mut parts = text.split('.');
        for (index, number) in numbers.iter_mut().enumerate() {
            match parts.next() {
                Some(part) => *number = part.parse().ok()?,
                None if index > 0 => break,
                None => return None,
            }
        }
        if parts.next().is_some() {
            return None;
        }
        Some(match numbers {
            [10, 16, _] => Self::new(11, 0, 0),
            [16, minor, patch] => Self::new(26, minor, patch),
            [major, minor, patch] => Self::new(major, minor, patch),
        })
    }
}

impl core::fmt::Display for OsVersion {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        if self.patch > 0 {
            write!(f, ".{}", self.patch)?;
        }
        Ok(())
    }
}

/// The release that runs: `kern.osproductversion`, or what the simulator says it is.
///
/// On macOS the result is cached. If it cannot be read, it is macOS 11.0, the oldest release that
/// this crate runs on.
pub fn os_version() -> OsVersion {
    imp::os_version()
}

#[cfg(target_vendor = "apple")]
mod imp {
    use super::OsVersion;
    use core::ffi::{CStr, c_char, c_int, c_void};
    use core::ptr;
    use std::sync::OnceLock;

    unsafe extern "C" {
        fn sysctlbyname(
            name: *const c_char,
            old: *mut c_void,
            old_len: *mut usize,
            new: *mut c_void,
            new_len: usize,
        ) -> c_int;
    }

    pub(super) fn os_version() -> OsVersion {
        static VERSION: OnceLock<OsVersion> = OnceLock::new();
        *VERSION.get_or_init(|| ask().unwrap_or(OsVersion::OLDEST))
    }

    fn ask() -> Option<OsVersion> {
        let mut text = [0_u8; 32];
        let mut len = text.len();
        // SAFETY: the name is a C string; `text` may be written for `len` bytes, which is its
        // length; nothing is set, so the new value may be null and empty.
        let result = unsafe {
            sysctlbyname(
                c"kern.osproductversion".as_ptr(),
                text.as_mut_ptr().cast(),
                &raw mut len,
                ptr::null_mut(),
                0,
            )
        };
        if result != 0 {
            return None;
        }
        let text = CStr::from_bytes_until_nul(&text).ok()?;
        OsVersion::parse(text.to_str().ok()?)
    }
}

#[cfg(not(target_vendor = "apple"))]
mod imp {
    use super::OsVersion;

    unsafe extern "C" {
        /// Defined by the simulator: writes the release of the simulated machine.
        fn endpoint_sec_sim_os_version(version: *mut OsVersion);
    }

    pub(super) fn os_version() -> OsVersion {
        let mut version = OsVersion::default();
        // SAFETY: the simulator writes one `OsVersion` there, and keeps no pointer to it.
        unsafe { endpoint_sec_sim_os_version(&raw mut version) };
        version
    }
}

#[cfg(test)]
mod tests {
    use super::OsVersion;

    #[test]
    fn versions_are_read() {
        let cases = [
            ("11.0", Some((11, 0, 0))),
            ("10.15.4", Some((10, 15, 4))),
            ("26", Some((26, 0, 0))),
            ("26.4.1", Some((26, 4, 1))),
            ("10.16", Some((11, 0, 0))),
            ("16.2", Some((26, 2, 0))),
            ("", None),
            ("27.", None),
            ("27.0.0.0", None),
            ("27.0 beta", None),
        ];
        for (text, expected) in cases {
            let expected =
                expected.map(|(major, minor, patch)| OsVersion::new(major, minor, patch));
            assert_eq!(OsVersion::parse(text), expected, "{text:?}");
        }
    }

    #[test]
    fn versions_are_ordered_and_shown() {
        assert!(OsVersion::new(10, 15, 4) < OsVersion::new(11, 0, 0));
        assert!(OsVersion::new(26, 4, 0) < OsVersion::new(26, 4, 1));
        assert_eq!(OsVersion::new(26, 4, 1).to_string(), "26.4.1");
        assert_eq!(OsVersion::new(27, 0, 0).to_string(), "27.0");
    }
}
