//! The resource that all spans, metrics and log records belong to.
//!
//! `service.instance.id` stays the same over restarts, so that series continue, and differs between
//! state directories and machines. `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` override the
//! attributes detected here.

use super::names;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Attributes by name.
pub(super) type Attributes = BTreeMap<String, String>;

/// The resource of the exporter with this state directory; `configured` overrides it.
pub(super) fn attributes(state: &Path, configured: &Attributes) -> Attributes {
    let system = rustix::system::uname();
    let word = |text: &std::ffi::CStr| text.to_string_lossy().into_owned();
    let host = word(system.nodename());
    let mut attributes: Attributes = [
        (names::SERVICE_NAME, SERVICE.to_owned()),
        (names::SERVICE_VERSION, env!("CARGO_PKG_VERSION").to_owned()),
        (names::SERVICE_INSTANCE_ID, instance(&host, state)),
        (names::OS_TYPE, OS.to_owned()),
        (names::OS_VERSION, word(system.release())),
        (names::HOST_ARCH, ARCHITECTURE.to_owned()),
        (names::HOST_NAME, host),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    attributes.extend(configured.clone());
    attributes
}

/// A UUID of version 8, derived from the machine and the directory.
fn instance(host: &str, state: &Path) -> String {
    let machine = fs::read_to_string("/etc/machine-id").unwrap_or_default();
    let state = state.as_os_str().as_encoded_bytes();
    // FNV-1a twice with different offset bases, since one has 64 bits only.
    let half = |basis: u64| {
        [
            machine.trim().as_bytes(),
            b"\n",
            host.as_bytes(),
            b"\n",
            state,
        ]
        .concat()
        .iter()
        .fold(basis, |hash, &byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
    };
    let high = half(0xcbf2_9ce4_8422_2325) & !0xf000 | 0x8000;
    let low = half(0x9e37_79b9_7f4a_7c15) & !(3 << 62) | 2 << 62;
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}

const SERVICE: &str = "codex-es-guard";

/// The value that the conventions list.
const OS: &str = if cfg!(target_os = "macos") {
    "darwin"
} else {
    std::env::consts::OS
};

/// The value that the conventions list.
const ARCHITECTURE: &str = if cfg!(target_arch = "x86_64") {
    "amd64"
} else if cfg!(target_arch = "aarch64") {
    "arm64"
} else {
    std::env::consts::ARCH
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_id_is_stable_and_differs_between_places() {
        let id = |state: &str| instance("host", Path::new(state));
        assert_eq!(id("/a"), id("/a"));
        assert_ne!(id("/a"), id("/b"));
        assert_ne!(id("/a"), instance("other", Path::new("/a")));
        let parts: Vec<usize> = id("/a").split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert_eq!(id("/a").as_bytes()[14], b'8');
    }

    #[test]
    fn configured_attributes_override_detected_ones() {
        let configured = [("service.name".to_owned(), "mine".to_owned())].into();
        let attributes = attributes(Path::new("/s"), &configured);
        assert_eq!(attributes["service.name"], "mine");
        assert_eq!(attributes["service.version"], env!("CARGO_PKG_VERSION"));
        assert!(attributes.contains_key("host.name"));
        assert!(["linux", "darwin"].contains(&attributes["os.type"].as_str()));
    }
}
