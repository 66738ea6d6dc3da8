//! What the simulated guards protect.

use guard_report::hex;
use guard_report::protection::{ProtectedZone, Protection, TemporaryOverride, path_beside};
use guard_report::time::{now_ns, rfc3339};
use std::path::Path;

/// Writes it beside the ring at `path` with this id.
pub(crate) fn write(path: &Path, id: &[u8; 16]) {
    let protection = serde_json::to_vec(&protection()).unwrap();
    std::fs::write(path_beside(path, &hex(id)), protection).unwrap();
}

const HOUR_NS: u64 = 3_600_000_000_000;

/// What all guards protect.
fn protection() -> Protection {
    let zone = |name: &str| ProtectedZone {
        name: name.to_owned(),
        path: format!("/home/ada/{name}"),
    };
    Protection {
        policy: "/home/ada/.codex/es_policy.json".to_owned(),
        origin: "file".to_owned(),
        zones: ["thesis", "photos", "ledger"].map(zone).into(),
        overrides: vec![TemporaryOverride {
            id: "out-1".to_owned(),
            path: "/home/ada/thesis/out".to_owned(),
            operations: vec!["unlink".to_owned()],
            agent: Some("codex".to_owned()),
            session: None,
            // The same for all guards.
            expires: Some(rfc3339((now_ns() / HOUR_NS + 2) * HOUR_NS)),
            granted_by: Some("ada".to_owned()),
        }],
    }
}
