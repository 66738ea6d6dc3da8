//! The page without scripts, and what it allows the browser to do.
#![allow(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "a test binary"
)]

mod support;

use guard_core::DecisionEvent;
use guard_core::ring::{Counter, MIN_LANE_WORDS};
use guard_core::verdict::{Reason, Verdict};
use support::{Home, allowed, denial, eventually, publish, request};

/// Asserts that every element that must be closed is closed, in order.
fn check_markup(html: &str) {
    const VOID: [&str; 4] = ["input", "link", "meta", "!DOCTYPE"];
    let mut open: Vec<&str> = Vec::new();
    for tag in html.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').unwrap_or_else(|| panic!("<{tag}"));
        let name = tag.split([' ', '\n']).next().unwrap();
        if let Some(name) = name.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "</{name}> closes it");
        } else if !VOID.contains(&name) {
            open.push(name);
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "<{tag}>");
    }
    assert!(open.is_empty(), "{open:?} stay open");
}

#[test]
fn the_page_is_complete_without_a_script() {
    let home = Home::new();
    let producer = home.ring(1, MIN_LANE_WORDS);
    producer.set(Counter::EnforcementActive, 1);
    producer.set(Counter::PolicyOk, 1);
    producer.publish(&denial());
    producer.publish(&DecisionEvent {
        verdict: Verdict::Audit,
        reason: Reason::AuditOnly,
        agent: Some("codex"),
        ..denial()
    });
    publish(&producer, &allowed(), 3);
    let exporter = home.start();
    let mut html = String::new();
    eventually("all is shown", || {
        html = exporter.get("/").1;
        html.contains("A guard is at work.") && html.contains(">3</td>")
    });
    check_markup(&html);
    for text in [
        "<dt>Denied in the last minute</dt><dd class=\"bad\">1</dd><dd class=\"more\">1 since",
        "Denials of the last 5 minutes by 10 seconds: 1 in all, 1 at most",
        "<tr class=\"deny\" ",
        "<tr class=\"audit\" ",
        "claude_code was stopped from moving <code>/home/u/project/main.rs</code> to \
         <code>/tmp/main.rs</code> with mv</p><p class=\"why\">an AI agent's process would destroy \
         something in a zone</p></td><td role=\"cell\" data-label=\"Zone\">project</td>",
        "codex would have been stopped from moving",
        "<th scope=\"row\" role=\"rowheader\">claude_code</th>",
        "<th scope=\"row\" role=\"rowheader\">rename</th><td role=\"cell\" data-label=\"Verdict\">deny</td>",
        "12.5 µs",
        "<td role=\"cell\" data-label=\"State\">enforcing</td>",
        "href=\"/metrics\"",
        "lang=\"en\"",
        "name=\"viewport\"",
    ] {
        assert!(html.contains(text), "no {text} in {html}");
    }
    let only = exporter.get("/?agent=codex&verdict=audit").1;
    assert!(only.contains("<option selected>codex</option>"), "{only}");
    assert!(!only.contains("<tr class=\"deny\" ") && only.contains("<tr class=\"audit\" "));
    assert_eq!(exporter.get("/?agnet=codex").0, 400);
    drop(producer);
    eventually("the guard's end shows", || {
        exporter.get("/").1.contains("No guard is at work.")
    });
}

#[test]
fn names_cannot_become_markup() {
    let home = Home::new();
    let producer = home.ring(1, MIN_LANE_WORDS);
    let exporter = home.start();
    let script =
        "/home/u/\"><script>alert(1)</script><img src=x onerror='alert(2)'>\u{202e}gnp.exe";
    producer.publish(&DecisionEvent {
        path: script.as_bytes(),
        destination: Some(b"/x\r\n</td></tr></table>&amp;"),
        agent: Some("<b>codex</b>"),
        session: b"</script><script>",
        ..denial()
    });
    eventually("it is shown", || exporter.get("/").1.contains("onerror"));
    for path in ["/", "/?agent=%3Cb%3Ecodex%3C/b%3E&zone=%22%3E%3Cscript%3E"] {
        let (_, html) = exporter.get(path);
        check_markup(&html);
        assert_eq!(html.matches("<script").count(), 1, "{html}");
        for never in ["<img", "<b>", "\u{202e}", "\r"] {
            assert!(!html.contains(never), "{never:?} in {html}");
        }
    }
    assert!(exporter.get("/").1.contains("\\u{202e}gnp.exe"));
}

#[test]
fn older_pages_lead_through_all_denials() {
    let home = Home::new();
    let producer = home.ring(1, 1 << 20);
    publish(&producer, &denial(), 350);
    let exporter = home.start();
    eventually("all are kept", || {
        exporter.get("/").1.contains("100 of 350 kept.")
    });
    let mut path = "/?agent=claude_code".to_owned();
    let mut rows = Vec::new();
    let mut pages = 0;
    loop {
        let (_, html) = exporter.get(&path);
        check_markup(&html);
        pages += 1;
        rows.extend(html.match_indices("id=\"d-").map(|(at, _)| {
            let id = html[at + 6..].split('"').next().unwrap();
            id.rsplit('-').next().unwrap().parse::<u64>().unwrap()
        }));
        let Some((_, link)) = html.split_once("<a id=\"older\" rel=\"next\" href=\"") else {
            break;
        };
        path = link.split('"').next().unwrap().replace("&amp;", "&");
        assert!(path.contains("agent=claude_code"), "{path}");
    }
    assert_eq!(pages, 4);
    assert_eq!(rows, (0..350).rev().collect::<Vec<_>>());
}

#[test]
fn the_browser_may_load_nothing_from_elsewhere() {
    let home = Home::new();
    let exporter = home.start();
    let address = exporter.address();
    let head = |path: &str| {
        let asked = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        request(address, &asked)
    };
    let (page, html) = head("/");
    for rule in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "base-uri 'none'",
    ] {
        assert!(page.contains(rule), "{page}");
    }
    assert!(!html.contains("://") && !html.contains(" style=") && !html.contains("onclick"));
    for (path, kind) in [("/page.css", "text/css"), ("/page.js", "text/javascript")] {
        let (head, body) = head(path);
        assert!(
            head.contains(&format!("content-type: {kind}; charset=utf-8")),
            "{head}"
        );
        assert!(html.contains(path) && !body.contains("://"));
    }
    for path in [
        "/",
        "/metrics",
        "/api/v1/denials",
        "/page.js",
        "/nothing",
        "/?x=1",
    ] {
        let (head, _) = head(path);
        for shield in [
            "x-content-type-options: nosniff",
            "cross-origin-resource-policy: same-origin",
            "referrer-policy: no-referrer",
            "cache-control: no-store",
            "content-security-policy: ",
        ] {
            assert!(head.contains(shield), "{path} has no {shield}: {head}");
        }
    }
}
