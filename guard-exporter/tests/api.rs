//! `/api/v1`, asked through HTTP of a real exporter that reads a real ring.
#![allow(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "a test binary"
)]

mod support;

use guard_core::ring::{Counter, MIN_LANE_WORDS};
use guard_core::verdict::{Reason, Verdict};
use guard_core::{DecisionEvent, OperationKind};
use guard_exporter::detect::{MASS, STORM};
use guard_exporter::recent::MAX_KEPT;
use guard_exporter::stream::MAX_SUBSCRIBERS;
use guard_testing::events::CHANGE;
use serde_json::Value;
use support::events::Events;
use support::{
    Exporter, Home, allowed, denial, eventually, publish, publish_at_once, request, schema, status,
};

/// Room for some 20,000 events.
const ROOMY: usize = 1 << 20;

fn json(exporter: &Exporter, path: &str) -> Value {
    let (status, body) = exporter.get(path);
    assert_eq!(status, 200, "{path}: {body}");
    serde_json::from_str(&body).unwrap_or_else(|error| panic!("{path}: {error}: {body}"))
}

fn sequences(page: &Value) -> Vec<u64> {
    let denials = page["denials"].as_array().unwrap().iter();
    denials
        .map(|denial| denial["seq"].as_u64().unwrap())
        .collect()
}

/// A denial on a path that no other has.
fn denial_of<'a>(path: &'a str, agent: &'a str) -> DecisionEvent<'a> {
    DecisionEvent {
        path: path.as_bytes(),
        agent: Some(agent),
        ..denial()
    }
}

#[test]
fn denials_come_newest_first_and_by_pages() {
    let home = Home::new();
    let producer = home.ring(0xaa, ROOMY);
    for number in 0..10 {
        let agent = ["claude_code", "codex"][usize::from(number % 2 == 1)];
        producer.publish(&denial_of(&format!("/home/u/project/{number}"), agent));
    }
    let exporter = home.start();
    eventually("all are kept", || {
        json(&exporter, "/api/v1/denials")["kept"] == 10
    });

    let page = json(&exporter, "/api/v1/denials?limit=4");
    assert_eq!(sequences(&page), [9, 8, 7, 6]);
    let next = page["next"].as_str().unwrap();
    assert_eq!(next, format!("{}-6", "aa".repeat(16)));
    let page = json(&exporter, &format!("/api/v1/denials?limit=6&before={next}"));
    assert_eq!(sequences(&page), [5, 4, 3, 2, 1, 0]);
    assert!(page["next"].is_null());
    let page = json(
        &exporter,
        "/api/v1/denials?agent=codex&operation=rename&zone=project",
    );
    assert_eq!(sequences(&page), [9, 7, 5, 3, 1]);
    let first = &page["denials"][0];
    assert_eq!(
        first["summary"],
        "codex was stopped from moving /home/u/project/9 to /tmp/main.rs with mv: an AI agent's \
         process would destroy something in a zone (zone project)"
    );
    assert_eq!(
        (&first["path"], &first["agent_pid"]),
        (&"/home/u/project/9".into(), &41.into())
    );
    for nothing in [
        "verdict=audit",
        "agent=goose",
        "since=2024-06-10T06:13:21Z",
        "zone=other",
    ] {
        let page = json(&exporter, &format!("/api/v1/denials?{nothing}"));
        assert_eq!(sequences(&page), [0; 0], "{nothing}");
    }
    for wrong in [
        "limit=0",
        "limit=1001",
        "agnet=codex",
        "since=now",
        "before=1",
        "verdict=%ff",
    ] {
        let (status, body) = exporter.get(&format!("/api/v1/denials?{wrong}"));
        assert_eq!(status, 400, "{wrong}: {body}");
        let error: Value = serde_json::from_str(&body).unwrap();
        assert!(error["error"].is_string(), "{body}");
    }

    // They are there again after a restart, and what was asked for before can be asked for again.
    exporter.terminate();
    let exporter = home.start();
    let page = json(&exporter, &format!("/api/v1/denials?limit=2&before={next}"));
    assert_eq!(sequences(&page), [5, 4]);
}

#[test]
fn commands_come_as_groups_and_by_pages() {
    let home = Home::new();
    let producer = home.ring(0xaa, ROOMY);
    for number in 0..10 {
        let agent = ["claude_code", "codex", "amp"][number % 3];
        producer.publish(&denial_of(&format!("/home/u/project/{number}"), agent));
    }
    producer.publish(&CHANGE);
    let exporter = home.start();
    eventually("all are kept", || {
        json(&exporter, "/api/v1/denials")["kept"] == 10
            && json(&exporter, "/api/v1/changes")["kept"] == 1
    });
    let page = json(&exporter, "/api/v1/denials/groups?limit=2");
    let found: Vec<_> = page["groups"].as_array().unwrap().iter().collect();
    assert_eq!(found.len(), 2);
    assert_eq!(
        (&found[0]["count"], &found[0]["paths"]),
        (&4.into(), &4.into())
    );
    assert_eq!(
        found[0]["summary"],
        "claude_code was stopped from moving 4 paths in /home/u/project with mv: an AI agent's \
         process would destroy something in a zone (zone project)"
    );
    assert_eq!(found[0]["newest"]["path"], "/home/u/project/9");
    assert_eq!(found[1]["newest"]["agent"], "amp");
    let next = page["next"].as_str().unwrap();
    let page = json(&exporter, &format!("/api/v1/denials/groups?before={next}"));
    assert_eq!(page["groups"].as_array().unwrap().len(), 1);
    assert!(page["next"].is_null());
    let id = found[0]["id"].as_str().unwrap();
    let members = json(&exporter, &format!("/api/v1/denials?group={id}&limit=3"));
    assert_eq!(sequences(&members), [9, 6, 3]);
    let changes = json(&exporter, "/api/v1/changes/groups");
    assert_eq!(changes["groups"][0]["count"], 1);
    assert_eq!(
        exporter
            .get(&format!("/api/v1/denials/groups?group={id}"))
            .0,
        400
    );
}

#[test]
fn the_newest_ten_thousand_are_kept() {
    let home = Home::new();
    let producer = home.ring(1, ROOMY);
    let exporter = home.start();
    exporter.address();
    let more = 500;
    publish(&producer, &denial(), MAX_KEPT as u64 + more);
    eventually("all are read", || {
        exporter.metric("guard_ring_records_total{lane=\"deny\"}") == Some(MAX_KEPT as f64 + 500.0)
    });
    let page = json(&exporter, "/api/v1/denials?limit=1000");
    assert_eq!(
        (page["kept"].as_u64(), sequences(&page).len()),
        (Some(MAX_KEPT as u64), 1000)
    );
    let oldest = format!("{}-{more}", "01".repeat(16));
    let page = json(&exporter, &format!("/api/v1/denials?before={oldest}"));
    assert_eq!(sequences(&page), [0; 0]);
    let (_, html) = exporter.get("/?view=each&limit=1000");
    assert_eq!(html.matches("<tr class=\"deny\"").count(), 250);
    let (_, html) = exporter.get("/");
    assert_eq!(html.matches("<tr class=\"deny\"").count(), 1, "one command");
    let memory = exporter.metric("process_resident_memory_bytes").unwrap();
    assert!(
        memory < 75e6,
        "{memory} bytes, in a build that is not optimised"
    );
}

#[test]
fn the_status_lists_guards_and_agents() {
    let home = Home::new();
    let producer = home.ring(1, MIN_LANE_WORDS);
    producer.set(Counter::EnforcementActive, 1);
    producer.set(Counter::PolicyOk, 1);
    producer.set(Counter::PolicyAudit, 1);
    producer.set(Counter::PolicyRevision, 0xfeed);
    producer.set(Counter::Zones, 3);
    producer.beat(1_718_000_000_500_000_000);
    publish(&producer, &denial(), 2);
    publish(&producer, &allowed(), 5);
    let exporter = home.start();
    let mut status = Value::Null;
    eventually("all is read", || {
        status = json(&exporter, "/api/v1/status");
        status["agents"][1]["start"]["allow"] == 5 && status["guards"][0]["deny"]["unread"] == 0
    });
    let agent = &status["agents"][0];
    assert_eq!(
        (&agent["agent"], &agent["1m"]["deny"]),
        (&"claude_code".into(), &2.into())
    );
    assert_eq!(status["agents"][1]["agent"], "none");
    let guard = &status["guards"][0];
    assert_eq!(guard["ring"], "01".repeat(16));
    assert_eq!(
        (&guard["alive"], &guard["enforcing"]),
        (&true.into(), &true.into())
    );
    assert_eq!(guard["policy"]["mode"], "audit");
    assert_eq!(guard["policy"]["revision"], "000000000000feed");
    assert_eq!(guard["heartbeat"], "2024-06-10T06:13:20.500000000Z");
    assert_eq!(guard["allow"]["committed"], 5);
    let info = "guard_policy_info{mode=\"audit\",revision=\"000000000000feed\"}";
    exporter.await_metric(info, 1.0);

    producer.set(Counter::PolicyRevision, 0xbeef);
    let next = info.replace("feed", "beef");
    exporter.await_metric(&next, 1.0);
    eventually("the old one is gone", || exporter.metric(info).is_none());
    drop(producer);
    eventually("the guard is gone", || {
        json(&exporter, "/api/v1/status")["guards"] == Value::Array(Vec::new())
    });
}

#[test]
fn latency_is_served_as_json_and_as_a_distribution() {
    let home = Home::new();
    let producer = home.ring(1, ROOMY);
    for number in 1..=1000 {
        producer.publish(&DecisionEvent {
            latency_ns: number * 1000,
            operation: OperationKind::Unlink,
            ..allowed()
        });
    }
    producer.publish(&denial());
    let exporter = home.start();
    let mut latency = Value::Null;
    eventually("all are timed", || {
        latency = json(&exporter, "/api/v1/latency?span=1m");
        latency["spans"][0]["series"][0]["count"] == 1000
    });
    let unlinks = &latency["spans"][0]["series"][0];
    assert_eq!(
        (&unlinks["operation"], &unlinks["verdict"]),
        (&"unlink".into(), &"allow".into())
    );
    for (name, exact) in [
        ("p50_ns", 500e3),
        ("p90_ns", 900e3),
        ("p99_ns", 990e3),
        ("max_ns", 1e6),
    ] {
        let found = unlinks[name].as_f64().unwrap();
        assert!((found / exact - 1.0).abs() < 0.01, "{name} is {found}");
    }
    let all = json(&exporter, "/api/v1/latency");
    let spans = all["spans"].as_array().unwrap().iter();
    let names: Vec<&str> = spans.map(|span| span["span"].as_str().unwrap()).collect();
    assert_eq!(names, ["1m", "5m", "start"]);

    let (status, text) = exporter.get("/api/v1/latency?format=hgrm&operation=unlink");
    assert_eq!(status, 200);
    let rows: Vec<Vec<f64>> = text
        .lines()
        .skip(2)
        .take_while(|line| !line.starts_with('#'))
        .map(|line| {
            line.split_whitespace()
                .map(|cell| cell.parse().unwrap())
                .collect()
        })
        .collect();
    let last = rows.last().unwrap();
    assert!(
        (last[0] / 1000.0 - 1.0).abs() < 0.01 && last[1..] == [1.0, 1000.0],
        "{last:?}"
    );
    assert!(text.contains("#[Max     = ") && text.contains("Total count    =         1000]"));
    let (status, _) = exporter.get("/api/v1/latency?span=1h");
    assert_eq!(status, 400);
}

#[test]
fn events_carry_each_denial_once_also_to_who_comes_back() {
    let home = Home::new();
    let producer = home.ring(1, ROOMY);
    let exporter = home.start();
    let mut events = Events::listen(exporter.address(), "");
    let id = |number: u64| format!("{}-{number}", "01".repeat(16));
    for number in 0..3 {
        producer.publish(&denial_of(&format!("/home/u/{number}\n"), "codex"));
        let event = events.next();
        assert_eq!((event.kind.as_str(), &event.id), ("denial", &id(number)));
        let object: Value = serde_json::from_str(&event.data).unwrap();
        assert_eq!(object["path"], format!("/home/u/{number}\n"));
        assert_eq!(object["id"], event.id);
    }
    drop(events);
    publish(&producer, &denial(), 2);
    eventually("all are read", || {
        json(&exporter, "/api/v1/denials")["kept"] == 5
    });
    let mut events = Events::listen(exporter.address(), &format!("Last-Event-ID: {}\r\n", id(1)));
    producer.publish(&denial());
    let ids: Vec<String> = (2..6).map(|_| events.next().id).collect();
    assert_eq!(ids, (2..6).map(id).collect::<Vec<_>>());

    // Another exporter goes on where this one ended.
    exporter.terminate();
    let exporter = home.start();
    let mut events = Events::listen(exporter.address(), &format!("Last-Event-ID: {}\r\n", id(4)));
    assert_eq!(events.next().id, id(5));
    let mut events = Events::listen(
        exporter.address(),
        &format!("Last-Event-ID: {}\r\n", id(99)),
    );
    let event = events.next();
    assert_eq!(
        (event.kind.as_str(), event.data.as_str()),
        ("missed", "{\"count\":null}")
    );
}

#[test]
fn who_does_not_read_events_delays_nobody_and_hears_what_was_missed() {
    let home = Home::new();
    let producer = home.ring(1, 1 << 22);
    let exporter = home.start();
    let address = exporter.address();
    let mut quick = Events::listen(address, "");
    let mut slow = Events::listen(address, "");
    // More than what systems buffer for a connection: some 16 MB.
    let long = "x".repeat(10_000);
    let paths = 800_u64;
    let mut heard = 0;
    let mut quick_missed = 0;
    for number in 0..paths {
        producer.publish(&denial_of(&format!("/{long}{number}"), "codex"));
        if number % 20 == 19 {
            while heard + quick_missed <= number {
                let event = quick.next();
                match event.kind.as_str() {
                    "denial" => heard += 1,
                    _ => quick_missed += missed(&event.data),
                }
            }
        }
    }
    assert_eq!((heard, quick_missed), (paths, 0), "the quick one gets all");
    eventually("the log has had all", || {
        exporter.metric("guard_denial_log_records_total") == Some(paths as f64)
    });
    exporter.await_metric("guard_exporter_event_clients", 2.0);
    let drops = exporter.metric("guard_exporter_event_drops_total").unwrap();
    assert!(drops > 0.0, "the slow one's queue is bounded");

    let mut heard = 0;
    let mut reported_missed = 0;
    while heard + reported_missed < paths {
        let event = slow.next();
        match event.kind.as_str() {
            "denial" => heard += 1,
            _ => reported_missed += missed(&event.data),
        }
    }
    assert_eq!(
        (heard + reported_missed, reported_missed as f64),
        (paths, drops)
    );
}

fn missed(data: &str) -> u64 {
    let data: Value = serde_json::from_str(data).unwrap();
    data["count"].as_u64().unwrap()
}

#[test]
fn no_more_listen_than_may() {
    let home = Home::new();
    let exporter = home.start();
    let address = exporter.address();
    let mut all: Vec<Events> = (0..MAX_SUBSCRIBERS)
        .map(|_| Events::listen(address, ""))
        .collect();
    let asked = "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let (head, _) = request(address, asked);
    assert_eq!(status(&head), 503);
    assert!(head.contains("retry-after: 10"), "{head}");
    all.pop();
    eventually("there is room again", || {
        exporter.metric("guard_exporter_event_clients") == Some(MAX_SUBSCRIBERS as f64 - 1.0)
    });
    all.push(Events::listen(address, ""));
}

#[test]
fn storms_and_mass_deletions_are_detected() {
    let home = Home::new();
    let producer = home.ring(1, ROOMY);
    let mut exporter = home.start();
    let mut events = Events::listen(exporter.address(), "");
    publish_at_once(&producer, &denial(), STORM + 3);
    let found = detection(&mut events);
    assert_eq!(found["kind"], "retry_storm");
    // It grows while it goes on.
    assert!(found["count"].as_u64() >= Some(STORM), "{found}");
    let at_once = denial();
    for number in 0..MASS + 3 {
        producer.publish(&DecisionEvent {
            operation: OperationKind::Unlink,
            path: format!("/home/u/elsewhere/{number}").as_bytes(),
            destination: None,
            zone: None,
            verdict: Verdict::Allow,
            reason: Reason::OutsideZones,
            errno: 0,
            trace: None,
            ..at_once
        });
    }
    let found = detection(&mut events);
    assert_eq!(
        (&found["kind"], &found["denied"]),
        (&"mass_deletion".into(), &0.into())
    );
    assert_eq!(
        (&found["session"], &found["agent"]),
        (&"s-1".into(), &"claude_code".into())
    );
    eventually("each is kept once, with all its operations", || {
        let kept = json(&exporter, "/api/v1/detections");
        let found: Vec<(&str, u64)> = kept["detections"]
            .as_array()
            .unwrap()
            .iter()
            .map(|found| (found["kind"].as_str().unwrap(), &found["count"]))
            .map(|(kind, count)| (kind, count.as_u64().unwrap()))
            .collect();
        found == [("mass_deletion", MASS + 3), ("retry_storm", STORM + 3)]
    });
    for (series, value) in [
        ("guard_retry_storms_total{agent=\"claude_code\"}", 1.0),
        (
            "guard_mass_deletions_total{agent=\"claude_code\",place=\"outside\",verdict=\"allow\"}",
            1.0,
        ),
        (
            "guard_mass_deletions_total{agent=\"claude_code\",place=\"outside\",verdict=\"deny\"}",
            0.0,
        ),
    ] {
        exporter.await_metric(series, value);
    }
    let messages: Vec<String> = (0..3).map(|_| exporter.next_message()).collect();
    for text in [
        "Retry storm: claude_code (session s-1)",
        "Mass deletion: claude_code",
    ] {
        assert!(
            messages.iter().any(|line| line.contains(text)),
            "{messages:?}"
        );
    }
}

/// The next detection; denials are passed over.
fn detection(events: &mut Events) -> Value {
    loop {
        let event = events.next();
        if event.kind == "detection" {
            return serde_json::from_str(&event.data).unwrap();
        }
    }
}

#[test]
fn the_description_describes_what_is_answered() {
    let home = Home::new();
    let producer = home.ring(1, ROOMY);
    publish_at_once(&producer, &denial(), STORM);
    producer.publish(&DecisionEvent {
        path: b"/home/u/\xff",
        destination: None,
        agent: None,
        zone: None,
        trace: None,
        ..denial()
    });
    publish(&producer, &allowed(), 3);
    publish(&producer, &CHANGE, 1);
    let exporter = home.start();
    eventually("all are read", || {
        json(&exporter, "/api/v1/denials")["kept"] == STORM + 1
            && json(&exporter, "/api/v1/changes")["kept"] == 1
    });
    eventually("guards are shown", || {
        json(&exporter, "/api/v1/status")["guards"][0]["pid"].is_u64()
    });

    let document = json(&exporter, "/api/v1/openapi.json");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    let mut schemas = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let answers = &item["get"]["responses"];
        assert!(item["get"]["summary"].is_string(), "{path}");
        if path == "/api/v1/events" {
            continue;
        }
        let asked = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let (head, body) = request(exporter.address(), &asked);
        let answer = &answers[status(&head).to_string()];
        let kinds = answer["content"]
            .as_object()
            .unwrap_or_else(|| panic!("{path}: {head}"));
        let kind = head
            .lines()
            .find_map(|line| line.strip_prefix("content-type: "))
            .map(|kind| kind.split(';').next().unwrap_or(kind))
            .unwrap();
        assert!(kinds.contains_key(kind), "{path}: {kind}");
        if let Some(schema) = kinds[kind].get("schema") {
            let body: Value = serde_json::from_str(&body).unwrap();
            schema::check(&document, schema, &body, path);
            schemas += 1;
        }
    }
    assert_eq!(schemas, 9);
    // What a described parameter may be is what is understood.
    for path in [
        "/api/v1/denials",
        "/api/v1/changes",
        "/api/v1/denials/groups",
        "/api/v1/changes/groups",
        "/api/v1/latency",
    ] {
        for parameter in document["paths"][path]["get"]["parameters"]
            .as_array()
            .unwrap()
        {
            let parameter = schema::resolve(&document, parameter);
            let name = parameter["name"].as_str().unwrap();
            let values = &schema::resolve(&document, &parameter["schema"])["enum"];
            for value in values.as_array().into_iter().flatten() {
                let value = value.as_str().unwrap();
                assert_eq!(
                    exporter.get(&format!("{path}?{name}={value}")).0,
                    200,
                    "{name}={value}"
                );
            }
            let (status, body) = exporter.get(&format!("{path}?{name}=%2B"));
            let described = body.contains("no parameter");
            assert!(!described, "{path} does not know {name} ({status})");
        }
        let (status, body) = exporter.get(&format!("{path}?limit=nonsense"));
        schema::check(
            &document,
            &document["components"]["responses"]["BadRequest"]["content"]["application/json"]["schema"],
            &serde_json::from_str(&body).unwrap(),
            path,
        );
        assert_eq!(status, 400);
    }
    // And no path is served that is not described.
    let source = include_str!("../src/http/mod.rs");
    for route in source.split(".route(\"").skip(1) {
        let path = route.split('"').next().unwrap();
        assert!(
            document["paths"].get(path).is_some(),
            "{path} is not described"
        );
    }
}
