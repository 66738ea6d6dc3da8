//! What is protected: zones by name and path, by which policy, with which overrides and until when.
//!
//! Guards that protect the same are shown as one, and each override that any of them has once.

use super::links::address;
use super::tables::{START, section};
use super::text::{text, time};
use guard_report::protection::{Protection, TemporaryOverride};
use guard_report::status::GuardStatus;
use maud::{Markup, html};

/// The section; of live guards only.
pub(super) fn protected(guards: &[GuardStatus], now_ns: u64) -> Markup {
    let live: Vec<&GuardStatus> = guards.iter().filter(|guard| guard.alive).collect();
    let unknown = live
        .iter()
        .filter(|guard| guard.protection.is_none())
        .count();
    let content = html! {
        @if live.is_empty() {
            p { "Nothing, while no guard is at work. " code.command { (START) } " starts one." }
        }
        @for group in alike(&live) { (policy(&group, now_ns)) }
        @if unknown > 0 {
            p { (unknown) " of the guards do not say: they are of another version." }
        }
    };
    section("protected", "Protected", &content)
}

/// Guards that protect the same.
struct Alike<'g> {
    /// That of the first of them.
    protection: &'g Protection,
    mode: &'g str,
    guards: Vec<&'g GuardStatus>,
    /// Those of all of them.
    overrides: Vec<&'g TemporaryOverride>,
}

fn alike<'g>(live: &[&'g GuardStatus]) -> Vec<Alike<'g>> {
    let mut found: Vec<Alike<'g>> = Vec::new();
    for &guard in live {
        let Some(protection) = guard.protection.as_deref() else {
            continue;
        };
        let mode = guard.policy.mode.as_str();
        match found.iter_mut().find(|group| group.has(protection, mode)) {
            Some(group) => {
                group.guards.push(guard);
                for entry in &protection.overrides {
                    if !group.overrides.contains(&entry) {
                        group.overrides.push(entry);
                    }
                }
            }
            None => found.push(Alike {
                protection,
                mode,
                guards: vec![guard],
                overrides: protection.overrides.iter().collect(),
            }),
        }
    }
    found
}

// === impl Alike ===

impl Alike<'_> {
    /// Whether its guards protect this, in this mode. Overrides open a part of it for some.
    fn has(&self, protection: &Protection, mode: &str) -> bool {
        let own = self.protection;
        self.mode == mode
            && own.policy == protection.policy
            && own.origin == protection.origin
            && own.zones == protection.zones
    }
}

fn policy(group: &Alike<'_>, now_ns: u64) -> Markup {
    let Alike {
        protection,
        mode,
        guards,
        ..
    } = group;
    let file = html! { code { (text(&protection.policy)) } };
    let is_live = |entry: &&&TemporaryOverride| entry.is_live(now_ns);
    let overrides: Vec<_> = group.overrides.iter().filter(is_live).collect();
    html! {
        div.policy {
            p {
                @match &*protection.origin {
                    "file" => { "By " (file) },
                    "last_good" => { "By the last good version of " (file) ", which is bad now" },
                    _ => { "By the command line: there is no " (file) },
                }
                @match *mode {
                    "audit" => { "; agents are watched and not stopped" },
                    _ => { "; agents are stopped" },
                }
                ", in "
                @if let [guard] = guards[..] { "session " (link(guard)) }
                @else {
                    (guards.len()) " sessions: "
                    @for (number, guard) in guards.iter().take(SHOWN_SESSIONS).enumerate() {
                        @if number > 0 { ", " }
                        (link(guard))
                    }
                    @if guards.len() > SHOWN_SESSIONS {
                        " and " (guards.len() - SHOWN_SESSIONS) " more"
                    }
                }
                "."
            }
            @if protection.zones.is_empty() {
                p { "No zone: nothing but the guard's own files is protected." }
            } @else {
                ul.zones {
                    @for zone in &protection.zones {
                        li {
                            a href=(address(&[("zone", &zone.name)])) { (text(&zone.name)) }
                            " " code { (text(&zone.path)) }
                        }
                    }
                }
            }
            @if !overrides.is_empty() {
                p { strong { "Open for now:" } }
                ul.overrides {
                    @for entry in overrides { (open(entry)) }
                }
            }
        }
    }
}

fn link(guard: &GuardStatus) -> Markup {
    html! { a href=(address(&[("session", &guard.session)])) { (text(&guard.session)) } }
}

fn open(entry: &TemporaryOverride) -> Markup {
    html! {
        li {
            code { (text(&entry.path)) } " to " (text(&entry.operations.join(", ")))
            " by "
            @match &entry.agent {
                Some(agent) => (text(agent)),
                None => "every agent",
            }
            @if let Some(session) = &entry.session { ", in session " (text(session)) }
            ", "
            @match &entry.expires {
                Some(end) => { "until " (time(end)) },
                None => { strong { "without an end" } },
            }
            @if let Some(granted_by) = &entry.granted_by { ", granted by " (text(granted_by)) }
            " (" (text(&entry.id)) ")"
        }
    }
}

const SHOWN_SESSIONS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use guard_core::ring::{Producer, RingOptions};
    use guard_report::protection::ProtectedZone;

    fn guard(session: &str, zone: &str) -> GuardStatus {
        let options = RingOptions {
            session: session.into(),
            ..RingOptions::default()
        };
        let ring = Producer::anonymous(&options).unwrap();
        let entry = |id: &str, expires: &str| TemporaryOverride {
            id: id.to_owned(),
            path: "/home/u/p/old".to_owned(),
            operations: vec!["unlink".to_owned()],
            agent: Some("codex".to_owned()),
            session: None,
            expires: Some(expires.to_owned()),
            granted_by: None,
        };
        GuardStatus {
            protection: Some(Box::new(Protection {
                policy: "/home/u/.codex/es_policy.json".to_owned(),
                origin: "file".to_owned(),
                zones: vec![ProtectedZone {
                    name: zone.to_owned(),
                    path: format!("/home/u/{zone}"),
                }],
                overrides: vec![
                    entry("over", "1970-01-01T00:00:01Z"),
                    entry("live", "1970-01-01T00:00:09Z"),
                ],
            })),
            ..GuardStatus::of(&ring.reader(), true)
        }
    }

    #[test]
    fn zones_and_overrides_are_shown_once_for_all_guards_that_have_them() {
        let guards = [guard("a-1", "p"), guard("b-2", "p"), guard("c-3", "<q>")];
        let html = protected(&guards, 5_000_000_000).into_string();
        assert_eq!(html.matches("es_policy.json").count(), 2);
        for expected in [
            "in 2 sessions: <a href=\"/?session=a-1\">a-1</a>, <a href=\"/?session=b-2\">b-2</a>.",
            "<a href=\"/?zone=p\">p</a> <code>/home/u/p</code>",
            "&lt;q&gt;</a>",
            "until <time datetime=\"1970-01-01T00:00:09Z\">",
            "(live)",
        ] {
            assert!(html.contains(expected), "no {expected} in {html}");
        }
        assert!(!html.contains("(over)"), "{html}");
        let mut another = guard("z-9", "p");
        let protection = another.protection.as_mut().unwrap();
        protection.overrides[1].id = "own".to_owned();
        protection.overrides[1].session = Some("z-9".to_owned());
        let html = protected(&[guard("a-1", "p"), another], 5_000_000_000).into_string();
        assert_eq!(html.matches("es_policy.json").count(), 1, "{html}");
        assert_eq!(html.matches("(live)").count(), 1, "{html}");
        assert!(html.contains("in session z-9"), "{html}");
        let many: Vec<_> = (0..50)
            .map(|number| guard(&format!("s-{number}"), "p"))
            .collect();
        let html = protected(&many, 5_000_000_000).into_string();
        assert!(
            html.contains("in 50 sessions: ") && html.contains(" and 42 more."),
            "{html}"
        );
        let unknown = GuardStatus {
            protection: None,
            ..guard("d-4", "p")
        };
        let html = protected(&[unknown], 0).into_string();
        assert!(html.contains("do not say"), "{html}");
        let html = protected(&[], 0).into_string();
        assert!(html.contains("codex-es-guard run"), "{html}");
    }
}
