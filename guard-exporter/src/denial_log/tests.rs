//! Tests of the denial log as a whole.

use super::*;
use crate::metrics::Metrics;
use guard_report::log_files::MAX_BYTES;
use guard_report::log_files::numbered;
use guard_report::record::DecisionRecord;
use guard_testing::events::denial;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;

fn open(path: &Path) -> (DecisionLog, NextSequences) {
    DecisionLog::open(path, Metrics::new().denial_log.clone()).unwrap()
}

fn append(log: &mut DecisionLog, sequences: std::ops::Range<u64>) {
    for sequence in sequences {
        log.encode(|into| DecisionRecord::new(&denial(sequence), "aa").append_to(into));
    }
}

/// The numbers in the log, oldest file first.
fn sequences(path: &Path) -> Vec<u64> {
    let files = (0..=KEPT)
        .rev()
        .filter_map(|n| fs::read_to_string(numbered(path, n)).ok());
    let text: String = files.collect();
    let number = |line| serde_json::from_str::<serde_json::Value>(line).unwrap()["seq"].as_u64();
    text.lines().map(|line| number(line).unwrap()).collect()
}

#[test]
fn lines_survive_reopening_and_rotation_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("new/denials.jsonl");
    let mut last = 0;
    for round in 1..=4 {
        let (mut log, next) = open(&path);
        assert_eq!(next.get("aa").copied().unwrap_or_default().deny, last);
        append(&mut log, last..round * 1000);
        assert!(log.sync(Instant::now()));
        last = round * 1000;
    }
    assert_eq!(sequences(&path), (0..4000).collect::<Vec<_>>());
    for number in 0..=2 {
        let metadata = fs::metadata(numbered(&path, number)).unwrap();
        assert!(metadata.len() < MAX_BYTES);
        assert_eq!(metadata.mode() & 0o777, 0o600);
    }
    assert_eq!(
        fs::metadata(path.parent().unwrap()).unwrap().mode() & 0o777,
        0o700
    );
}

#[test]
fn a_line_longer_than_a_file_is_not_cut() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    let (mut log, _) = open(&path);
    append(&mut log, 0..1);
    let long = "x".repeat(1_000_000) + "\n";
    log.append(long.as_bytes());
    append(&mut log, 1..2);
    assert!(log.flush(Instant::now()));
    assert_eq!(fs::read_to_string(numbered(&path, 1)).unwrap(), long);
}

#[test]
fn the_chain_continues_over_restarts_rotations_and_being_off() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    let mut last = 0;
    let mut heads = Vec::new();
    for chaining in [
        Chaining::Keep,
        Chaining::On,
        Chaining::Keep,
        Chaining::Off,
        Chaining::Keep,
        Chaining::On,
    ] {
        let (mut log, _) = open(&path);
        log.chain(chaining).unwrap();
        append(&mut log, last..last + 900);
        assert!(log.flush(Instant::now()));
        heads.push(log.head());
        last += 900;
        // Half a line of a killed writer, which is cut off at the next start.
        let mut file = File::options().append(true).open(&path).unwrap();
        file.write_all(b"{\"ts\":17").unwrap();
    }
    let is_on: Vec<bool> = heads.iter().map(Option::is_some).collect();
    assert_eq!(is_on, [false, true, true, false, false, true]);
    let texts = verify::read_log(&path).unwrap();
    assert!(texts.len() > 2, "it was rotated");
    let report = verify::examine(&texts, heads[1]);
    assert!(report.is_whole() && report.unfinished, "{report:?}");
    assert_eq!((report.lines, report.chained), (5400, 2700));
    assert_eq!(report.to, heads[5]);
    assert_eq!(report.noted, Some(verify::Noted::Earlier { behind: 3600 }));
}

#[test]
fn a_log_removed_while_it_is_written_breaks_the_chain() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    let (mut log, _) = open(&path);
    log.chain(Chaining::On).unwrap();
    append(&mut log, 0..3);
    assert!(log.flush(Instant::now()));
    let head = log.head();
    fs::rename(&path, numbered(&path, 1)).unwrap();
    append(&mut log, 3..4);
    assert!(log.flush(Instant::now()));
    let examine = || verify::examine(&verify::read_log(&path).unwrap(), head);
    assert!(examine().is_whole(), "moved as a rotation moves it");
    fs::remove_file(&path).unwrap();
    append(&mut log, 4..5);
    assert!(log.flush(Instant::now()));
    let fault = examine().fault.unwrap();
    assert_eq!(
        (fault.kind, fault.position.line),
        (verify::FaultKind::Removed, 1)
    );
}

#[test]
fn only_a_regular_file_is_accepted() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("target");
    fs::write(&target, "precious").unwrap();
    let link = dir.path().join("link");
    std::os::unix::fs::symlink(&target, &link).unwrap();
    for path in [link.as_path(), dir.path(), Path::new("/dev/null")] {
        let error = DecisionLog::open(path, Metrics::new().denial_log.clone()).unwrap_err();
        assert!(
            matches!(error, OpenLogError::NotRegular { .. }),
            "{error:?}"
        );
    }
    assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
}

#[test]
fn a_log_moved_away_is_created_again_and_a_link_in_its_place_is_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    let (mut log, _) = open(&path);
    append(&mut log, 0..1);
    let mut now = Instant::now();
    assert!(log.flush(now));
    fs::rename(&path, dir.path().join("moved")).unwrap();
    append(&mut log, 1..2);
    assert!(log.flush(now));
    assert_eq!(sequences(&path), [1]);

    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink(dir.path().join("moved"), &path).unwrap();
    append(&mut log, 2..3);
    assert!(!log.flush(now));
    assert!(log.trouble().unwrap().contains("not a regular file"));
    fs::remove_file(&path).unwrap();
    assert!(!log.flush(now), "it pauses after a failure");
    now += FIRST_PAUSE;
    assert!(log.flush(now));
    assert_eq!(sequences(&path), [2]);
    assert_eq!(sequences(&dir.path().join("moved")), [0]);
    assert_eq!(log.counters.write_failures.get(), 1);
}

#[test]
fn a_log_cut_by_hand_continues_at_its_new_end() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    let (mut log, _) = open(&path);
    append(&mut log, 0..1000);
    assert!(log.flush(Instant::now()));
    File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(0)
        .unwrap();
    append(&mut log, 1000..2000);
    assert!(log.flush(Instant::now()));
    assert_eq!(sequences(&path), (1000..2000).collect::<Vec<_>>());
    assert_eq!(log.counters.rotations.get(), 0);
}

#[test]
fn a_log_is_reopened_by_its_path_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    let moved = dir.path().join("moved");
    let (mut log, _) = open(&path);
    append(&mut log, 0..1);
    let now = Instant::now();
    assert!(log.flush(now));
    fs::rename(&path, &moved).unwrap();
    append(&mut log, 1..2);
    log.reopen(now);
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        "",
        "it is there at once"
    );
    assert!(log.sync(now));
    assert_eq!((sequences(&moved), sequences(&path)), (vec![0], vec![1]));

    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    log.reopen(now);
    assert!(log.trouble().unwrap().contains("not a regular file"));
    fs::remove_dir(&path).unwrap();
    assert!(!log.flush(now), "it pauses after a failure");
    assert!(log.flush(now + FIRST_PAUSE));
    assert_eq!(log.trouble(), None);
    assert!(path.exists());
}

#[test]
fn lines_do_not_outlive_their_age() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("denials.jsonl");
    let (mut log, _) = DecisionLog::open(&path, Metrics::new().denial_log).unwrap();
    let day = Duration::from_secs(24 * 60 * 60);
    let began = SystemTime::now();
    let line = |day_number: u64| {
        let at = began + day * u32::try_from(day_number).unwrap();
        let ts = at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        format!("{{\"ts\":{ts},\"ring\":\"00ff\",\"seq\":{day_number}}}\n")
    };
    let kept = || {
        let texts = log_files::read_newest(&path, usize::MAX, usize::MAX).concat();
        let numbers = texts.lines().map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            line["seq"].as_u64().unwrap()
        });
        numbers.collect::<Vec<_>>()
    };
    let mut oldest_seen = 0;
    for today in 0..30 {
        let wall = began + day * u32::try_from(today).unwrap();
        log.append(line(today).as_bytes());
        assert!(log.flush(Instant::now()));
        // As if it had been written today.
        for number in 0..=KEPT {
            if let Ok(file) = File::options().write(true).open(numbered(&path, number)) {
                let text = fs::read_to_string(numbered(&path, number)).unwrap();
                let last = text.lines().next_back().unwrap();
                let last: serde_json::Value = serde_json::from_str(last).unwrap();
                let written = Duration::from_secs(last["ts"].as_u64().unwrap());
                file.set_modified(SystemTime::UNIX_EPOCH + written).unwrap();
            }
        }
        log.expire(Instant::now(), wall);
        let lines = kept();
        assert_eq!(lines.last(), Some(&today));
        oldest_seen = today - lines[0];
        assert!(oldest_seen <= 10, "day {today}: {lines:?}");
        assert!(
            lines.len() as u64 == oldest_seen + 1,
            "none is missing: {lines:?}"
        );
        if today == 0 {
            log.keep_for(Some(day * 8));
        }
    }
    assert!(oldest_seen >= 8, "nor goes one before its time");
}
