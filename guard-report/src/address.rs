//! Where the exporter listens, and the files in its state directory that say so.
//!
//! `exporter.lock` is locked while an exporter runs and names its process; `exporter.json` names its
//! address, is replaced atomically, and is removed at an orderly end. Both hold one JSON object:
//!
//! ```json
//! {"pid":4711,"address":"127.0.0.1:19477","version":"0.1.0"}
//! ```
//!
//! `targets.json` has the address as Prometheus's `file_sd_configs` read it.
//!
//! `address` is `null` in the lock until the exporter listens, and there is no `exporter.json`. After
//! a crash that file may be out of date; then `exporter.lock` is not locked.

use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// Where an exporter listens unless it is given another address.
pub const DEFAULT_ADDRESS: SocketAddr =
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), DEFAULT_PORT);

/// The port of [`DEFAULT_ADDRESS`].
pub const DEFAULT_PORT: u16 = 19477;

/// The exporter of a state directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExporterIdentity {
    /// Its process.
    pub pid: u32,
    /// Where it listens.
    pub address: Option<SocketAddr>,
    /// Its version.
    pub version: String,
}

/// The file that names the exporter of `state` while it runs.
#[must_use]
pub fn lock_file(state: &Path) -> PathBuf {
    state.join("exporter.lock")
}

/// The file that names the address of the exporter of `state` while it listens.
#[must_use]
pub fn address_file(state: &Path) -> PathBuf {
    state.join("exporter.json")
}

/// The file in which Prometheus finds the exporter of `state` while it listens, for `file_sd_configs`.
#[must_use]
pub fn targets_file(state: &Path) -> PathBuf {
    state.join("targets.json")
}

/// The exporter that says it listens, in the address file of `state`.
#[must_use]
pub fn announced(state: &Path) -> Option<ExporterIdentity> {
    let file = File::open(address_file(state)).ok()?;
    ExporterIdentity::read(file).ok()
}

// === impl ExporterIdentity ===

impl ExporterIdentity {
    /// This process, listening on `address`.
    #[must_use]
    pub fn of_this_process(address: Option<SocketAddr>) -> Self {
        Self {
            pid: std::process::id(),
            address,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// Reads an identity from one of the files.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or does not hold one.
    pub fn read(from: impl Read) -> io::Result<Self> {
        let mut json = Vec::new();
        from.take(MAX_BYTES).read_to_end(&mut json)?;
        Ok(serde_json::from_slice(&json)?)
    }

    /// The content of [`targets_file`]; nothing to scrape when it does not listen.
    #[must_use]
    pub fn to_targets(&self) -> Vec<u8> {
        // A daemon is always there, a session is not: see the rule GuardDown.
        let scope = if cfg!(target_os = "macos") {
            "machine"
        } else {
            "session"
        };
        let target = self.address.map(|address| {
            serde_json::json!({
                "targets": [address.to_string()], "labels": { "scope": scope },
            })
        });
        let mut json = serde_json::Value::from_iter(target)
            .to_string()
            .into_bytes();
        json.push(b'\n');
        json
    }

    /// The content of one of the files.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut json = serde_json::to_vec(self).expect("numbers and strings make JSON");
        json.push(b'\n');
        json
    }
}

/// An identity has about 70.
const MAX_BYTES: u64 = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_read_as_it_was_written() {
        assert_eq!(DEFAULT_ADDRESS.to_string(), "127.0.0.1:19477");
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(announced(dir.path()), None);
        for address in [None, Some(DEFAULT_ADDRESS)] {
            let identity = ExporterIdentity::of_this_process(address);
            std::fs::write(address_file(dir.path()), identity.to_json()).unwrap();
            assert_eq!(announced(dir.path()), Some(identity));
        }
        let targets = ExporterIdentity::of_this_process(Some(DEFAULT_ADDRESS)).to_targets();
        let targets: serde_json::Value = serde_json::from_slice(&targets).unwrap();
        assert_eq!(targets[0]["targets"][0], "127.0.0.1:19477");
        assert!(targets[0]["labels"]["scope"].is_string());
        std::fs::write(address_file(dir.path()), "{").unwrap();
        assert_eq!(announced(dir.path()), None);
    }
}
