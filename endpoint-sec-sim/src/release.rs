//! Releases of macOS with something new in them, and the message version of each.
//!
//! A release decides which functions and event types exist, which version messages carry, and how
//! much memory the objects of a message take. Sources: availability annotations of the macOS 27.0
//! SDK and of the older SDKs; the releases of message versions 5 and 9 are as production clients
//! gate them (12.3 and 15.4).

use endpoint_sec_sys::OsVersion;

/// The first release with Endpoint Security: message version 1.
pub const MACOS_10_15: OsVersion = OsVersion::new(10, 15, 0);
/// Message version 2: sequence numbers.
pub const MACOS_10_15_4: OsVersion = OsVersion::new(10, 15, 4);
/// Message version 4, and reference-counted messages.
pub const MACOS_11: OsVersion = OsVersion::new(11, 0, 0);
/// Muting by event type.
pub const MACOS_12: OsVersion = OsVersion::new(12, 0, 0);
/// Message version 5.
pub const MACOS_12_3: OsVersion = OsVersion::new(12, 3, 0);
/// Message version 6, target paths and inversion.
pub const MACOS_13: OsVersion = OsVersion::new(13, 0, 0);
/// Message version 7.
pub const MACOS_13_3: OsVersion = OsVersion::new(13, 3, 0);
/// Directory service, profile and authorization events.
pub const MACOS_14: OsVersion = OsVersion::new(14, 0, 0);
/// Message version 8: audit tokens of instigators.
pub const MACOS_15: OsVersion = OsVersion::new(15, 0, 0);
/// Message version 9.
pub const MACOS_15_4: OsVersion = OsVersion::new(15, 4, 0);
/// Message version 10.
pub const MACOS_26: OsVersion = OsVersion::new(26, 0, 0);
/// Subscribing past the last event type no longer panics the kernel.
pub const MACOS_26_4: OsVersion = OsVersion::new(26, 4, 0);
/// Message version 11, descendants clients, deadline settings.
pub const MACOS_27: OsVersion = OsVersion::new(27, 0, 0);

/// The version that messages of a release carry, 1 to 11. Version 3 was in betas only.
#[must_use]
pub fn message_version(release: OsVersion) -> u32 {
    const VERSIONS: [(OsVersion, u32); 9] = [
        (MACOS_27, 11),
        (MACOS_26, 10),
        (MACOS_15_4, 9),
        (MACOS_15, 8),
        (MACOS_13_3, 7),
        (MACOS_13, 6),
        (MACOS_12_3, 5),
        (MACOS_11, 4),
        (MACOS_10_15_4, 2),
    ];
    let found = VERSIONS.iter().find(|(first, _)| release >= *first);
    found.map_or(1, |(_, version)| *version)
}

#[cfg(test)]
mod tests {
    use super::message_version;
    use endpoint_sec_sys::OsVersion;

    #[test]
    fn message_versions_grow_with_the_release() {
        let expected = [
            ("10.15", 1),
            ("10.15.3", 1),
            ("10.15.4", 2),
            ("11.0", 4),
            ("12.2", 4),
            ("12.3", 5),
            ("13", 6),
            ("13.3", 7),
            ("14.5", 7),
            ("15.0", 8),
            ("15.4", 9),
            ("26.0", 10),
            ("26.5", 10),
            ("27.0", 11),
        ];
        for (text, version) in expected {
            let release = OsVersion::parse(text).unwrap();
            assert_eq!(message_version(release), version, "{text}");
        }
    }
}
