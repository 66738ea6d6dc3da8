//! The page without scripts, and what it allows the browser to do.
#![allow(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "a test binary"
)]

mod support;

use guard_core::ring::{Counter, MIN_LANE_WORDS};
use guard_core::verdict::{Reason, Verdict};
use guard_core::{DecisionEvent, OperationKind};
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
    // Parts of one page are not of one instant: all was there before this one is asked for.
    html = exporter.get("/").1;
    check_markup(&html);
    for text in [
        "<dt>Denied in the last minute</dt><dd class=\"bad\">1</dd><dd class=\"more\">1 since",
        "Denials of the last 5 minutes: 1 in all",
        "<tr class=\"deny\" ",
        "<tr class=\"audit\" ",
        "claude_code was stopped from moving <code>/home/u/project/main.rs</code> to \
         <code>/tmp/main.rs</code> with mv</span><span class=\"why\">an AI agent's process would \
         destroy something in a zone</span></summary>",
        "<td role=\"cell\" data-label=\"Zone\"><a href=\"/?zone=project\">project</a></td>",
        "codex would have been stopped from moving",
        "<th scope=\"row\" role=\"rowheader\"><a href=\"/?agent=claude_code\">claude_code</a></th>",
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
    let (status, mistaken) = exporter.get("/?verdict=none");
    check_markup(&mistaken);
    assert_eq!(status, 400);
    assert!(
        mistaken.contains("verdict is &quot;none&quot;, expected allow, deny, audit"),
        "{mistaken}"
    );
    // What others add to an address is no mistake, and is not handed on.
    let (status, html) = exporter.get("/?agent=codex&utm_source=%3Cb%3E");
    check_markup(&html);
    assert_eq!(status, 200);
    assert!(
        html.contains("Ignored in this address: <code>utm_source</code>"),
        "{html}"
    );
    assert!(!html.contains("utm_source=") && !html.contains("<tr class=\"deny\" "));
    drop(producer);
    eventually("the guard's end shows", || {
        exporter
            .get("/")
            .1
            .contains("No guard is at work. Start one:")
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
        exporter.get("/?view=each").1.contains("100 of 350 kept.")
    });
    let mut path = "/?view=each&agent=claude_code".to_owned();
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
fn a_command_is_one_row_that_leads_to_all_of_it() {
    let home = Home::new();
    let producer = home.ring(1, 1 << 20);
    let exporter = home.start();
    let paths: Vec<String> = (0..400)
        .map(|file| format!("/home/u/project/{file}"))
        .collect();
    for path in &paths {
        producer.publish(&DecisionEvent {
            path: path.as_bytes(),
            destination: None,
            ..denial()
        });
    }
    producer.publish(&DecisionEvent {
        agent: Some("custom:mytool"),
        ..denial()
    });
    let mut html = String::new();
    eventually("all are shown", || {
        html = exporter.get("/").1;
        html.contains("2 commands and bursts of 401 denials kept.")
    });
    check_markup(&html);
    assert_eq!(html.matches("<tr class=\"deny\" ").count(), 2);
    assert!(html.contains("<strong>400 paths</strong> in <code>/home/u/project</code>"));
    // An agent of one's own can be selected.
    assert!(html.contains("<optgroup label=\"seen\">"), "{html}");
    assert!(html.contains("<option>custom:mytool</option>"), "{html}");
    let id = format!("{}-0", "01".repeat(16));
    let of_group = exporter
        .get(&format!("/?view=each&group={id}&limit=1000"))
        .1;
    assert_eq!(of_group.matches("<tr class=\"deny\" ").count(), 250);
    assert!(
        of_group.contains("<a id=\"older\""),
        "the others are on the next page"
    );
    for (query, expected) in [
        ("path=/home/u/project/7", 1),
        ("text=NOTHING+like+it", 0),
        ("session=s-1", 2),
        ("since=1h", 0),
        ("agent=mytool", 1),
    ] {
        let html = exporter.get(&format!("/?{query}")).1;
        check_markup(&html);
        let found = html.matches("<tr class=\"deny\" ").count();
        assert_eq!(found, expected, "{query}");
    }
}

#[test]
fn an_rm_of_400_files_ends_as_one_row_that_says_400() {
    let home = Home::new();
    let producer = home.ring(1, 1 << 20);
    let exporter = home.start();
    let first = denial();
    for number in 0..400 {
        producer.publish(&DecisionEvent {
            operation: OperationKind::Unlink,
            path: format!("/home/u/project/src/{number}").as_bytes(),
            destination: None,
            monotonic_ns: first.monotonic_ns + number * 1_000_000,
            wall_ns: first.wall_ns + number * 1_000_000,
            ..first
        });
    }
    let mut html = String::new();
    eventually("the mass deletion has its last count", || {
        html = exporter.get("/").1;
        html.contains("asked to remove 400 names within 10 s, 400 of them denied")
            && html.contains("<strong>400 paths</strong>")
    });
    check_markup(&html);
    assert_eq!(html.matches("<tr class=\"deny\" ").count(), 1, "{html}");
    assert_eq!(html.matches("mass deletion: ").count(), 1, "{html}");
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
