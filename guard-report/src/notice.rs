//! What a denied process is shown on its standard error: one line, as facts.
//!
//! ```
//! use guard_core::{OperationKind, Reason};
//! use guard_report::notice::{Kept, first};
//!
//! let kept = Kept {
//!     operation: Some(OperationKind::Unlink),
//!     reason: Some(Reason::AgentInZone),
//!     path: b"/home/me/work/thesis.tex",
//!     cause: None,
//!     zone: Some(("work", b"/home/me/work")),
//! };
//! assert_eq!(
//!     first(&kept),
//!     "codex-es-guard: kept /home/me/work/thesis.tex: only a person may remove it (zone \"work\"); \
//!      to ask: codex-es-guard request /home/me/work/thesis.tex\n"
//! );
//! ```
//!
//! A name cannot change how the line is shown, and cannot begin another. It is never longer than
//! [`MAX_BYTES`], so that a pipe takes it as one piece.

use crate::record::DecisionRecord;
use crate::sentence::visible;
use crate::shell::word;
use guard_core::event::UnpreservedCause;
use guard_core::{OperationKind, Reason};

/// What a pipe takes as one piece on Linux (`PIPE_BUF`).
pub const MAX_BYTES: usize = 4096;

/// What a denial kept.
#[derive(Clone, Copy, Debug)]
pub struct Kept<'a> {
    /// The operation that was denied; `None` for one of a later version.
    pub operation: Option<OperationKind>,
    /// Why; `None` for a reason of a later version.
    pub reason: Option<Reason>,
    /// The canonical path.
    pub path: &'a [u8],
    /// Why it could not be preserved, if it was denied for that.
    pub cause: Option<UnpreservedCause>,
    /// The name and the path of the zone.
    pub zone: Option<(&'a str, &'a [u8])>,
}

/// The notice of a first denial, with its newline.
#[must_use]
pub fn first(kept: &Kept<'_>) -> String {
    let path = String::from_utf8_lossy(kept.path);
    let path = visible(&path);
    let why = kept.why();
    let asking = kept.may_be_requested().then(|| {
        let word = word(kept.path);
        format!("; to ask: codex-es-guard request {word}")
    });
    let line = format!(
        "codex-es-guard: kept {path}: {why}{}\n",
        asking.unwrap_or_default()
    );
    if line.len() <= MAX_BYTES {
        return line;
    }
    let shown: String = path.chars().take(SHOWN_CHARACTERS).collect();
    format!("codex-es-guard: kept {shown}...: {why}; to see all of it: codex-es-guard why last\n")
}

/// The notice of how many more there were, with its newline.
#[must_use]
pub fn more(count: u64, zone: Option<&str>) -> String {
    let zone = zone.map(|zone| format!(" in zone \"{}\"", visible(zone)));
    let zone = zone.unwrap_or_default();
    format!("codex-es-guard: kept {count} more{zone}; trying again changes nothing\n")
}

// === impl Kept ===

impl<'a> Kept<'a> {
    /// What the denial of a record kept.
    #[must_use]
    pub fn of(record: &'a DecisionRecord<'_>) -> Self {
        let zone = record.zone_name.as_deref().zip(record.zone.as_deref());
        Self {
            operation: record.operation(),
            reason: record.reason(),
            path: record.path.as_bytes(),
            cause: record.cause(),
            zone: zone.map(|(name, path)| (name, path.as_bytes())),
        }
    }

    /// Why it was kept, in half a sentence.
    #[must_use]
    pub fn why(&self) -> String {
        let verb = verb(self.operation);
        let zone = self
            .zone
            .map(|(name, _)| format!(" (zone \"{}\")", visible(name)));
        let zone = zone.unwrap_or_default();
        match self.reason {
            Some(Reason::AgentInZone | Reason::UnknownLineage) | None => {
                format!("only a person may {verb} it{zone}")
            }
            Some(Reason::GuardFiles) => "it is the guard's own, which no agent changes".to_owned(),
            Some(reason) => {
                let cause = self.cause.filter(|_| reason == Reason::Unpreservable);
                let cause = cause.map(|cause| format!(": {}", cause.explain()));
                format!("{}{}{zone}", reason.explain(), cause.unwrap_or_default())
            }
        }
    }

    /// Whether an agent may ask for it: it is in a zone, and less than the zone.
    #[must_use]
    pub fn may_be_requested(&self) -> bool {
        let is_of_zone = matches!(
            self.reason,
            Some(Reason::AgentInZone | Reason::UnknownLineage)
        );
        let is_less = |(_, zone): (&str, &[u8])| {
            let below = self.path.strip_prefix(zone);
            zone != b"/" && below.is_some_and(|below| below.starts_with(b"/"))
        };
        is_of_zone && str::from_utf8(self.path).is_ok() && self.zone.is_some_and(is_less)
    }
}

/// What only a person may do.
const fn verb(operation: Option<OperationKind>) -> &'static str {
    match operation {
        Some(OperationKind::Unlink) => "remove",
        Some(OperationKind::Rename) => "move",
        Some(OperationKind::Exchange) => "swap",
        Some(OperationKind::Truncate) => "empty",
        Some(OperationKind::Clone) => "overwrite",
        Some(OperationKind::Link) => "link",
        Some(OperationKind::Write) => "write to",
        Some(OperationKind::Control) => "reach into",
        // Of a later version.
        None => "change",
    }
}

/// What is shown of a path that is too long.
const SHOWN_CHARACTERS: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(path: &[u8]) -> Kept<'_> {
        Kept {
            operation: Some(OperationKind::Rename),
            reason: Some(Reason::AgentInZone),
            path,
            cause: None,
            zone: Some(("work", b"/home/me/work")),
        }
    }

    #[test]
    fn a_name_cannot_begin_another_line_or_command() {
        let line = first(&kept(b"/home/me/work/a\n\x1b[2Jb; rm -rf '~'"));
        assert_eq!(
            line,
            "codex-es-guard: kept /home/me/work/a\\u{a}\\u{1b}[2Jb; rm -rf '~': only a person may \
             move it (zone \"work\"); to ask: codex-es-guard request \
             $'/home/me/work/a\\x0a\\x1b[2Jb; rm -rf \\'~\\''\n"
        );
    }

    #[test]
    fn what_cannot_be_requested_is_not_suggested() {
        let asks = |kept: &Kept<'_>| first(kept).contains("request");
        assert!(asks(&kept(b"/home/me/work/a")));
        assert!(!asks(&kept(b"/home/me/work")), "the zone itself");
        assert!(!asks(&kept(b"/home/me")), "its parent");
        assert!(
            !asks(&kept(b"/home/me/work/\xff")),
            "no policy can name this"
        );
        let own = Kept {
            reason: Some(Reason::GuardFiles),
            zone: None,
            ..kept(b"/home/me/.codex/es_policy.json")
        };
        assert_eq!(
            first(&own),
            "codex-es-guard: kept /home/me/.codex/es_policy.json: it is the guard's own, which no \
             agent changes\n"
        );
    }

    #[test]
    fn a_full_store_is_named_with_what_makes_room() {
        let full = Kept {
            reason: Some(Reason::Unpreservable),
            cause: Some(UnpreservedCause::Full),
            ..kept(b"/home/me/work/a")
        };
        assert_eq!(
            first(&full),
            "codex-es-guard: kept /home/me/work/a: what would be lost could not be preserved \
             first: the undo store is full; `codex-es-guard undo prune` or `undo forget` makes room \
             (zone \"work\")\n"
        );
    }

    #[test]
    fn the_longest_path_fits_into_a_pipe() {
        for byte in [b'a', b'\n', 0xff] {
            let mut path = b"/home/me/work/".to_vec();
            path.resize(4095, byte);
            let line = first(&kept(&path));
            assert!(line.len() <= MAX_BYTES, "{}", line.len());
            assert!(line.ends_with("codex-es-guard why last\n"), "{line}");
        }
    }

    #[test]
    fn more_are_counted() {
        assert_eq!(
            more(3, Some("work")),
            "codex-es-guard: kept 3 more in zone \"work\"; trying again changes nothing\n"
        );
    }
}
