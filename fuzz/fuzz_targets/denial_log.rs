//! Any bytes as a denial log: cutting a partial line leaves whole lines, the numbers to continue with
//! are found, every line is parsed or skipped, and the chain is examined to the end.

#![no_main]

use guard_exporter::denial_log::{recover, verify};
use guard_report::record::DecisionRecord;
use libfuzzer_sys::fuzz_target;
use std::fs::OpenOptions;

fuzz_target!(|bytes: &[u8]| {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("denials.jsonl");
    std::fs::write(&path, bytes).expect("room");

    let texts = verify::read_log(&path).expect("it can be read");
    let report = verify::examine(&texts, None);
    let newlines = bytes.iter().filter(|&&byte| byte == b'\n').count();
    assert_eq!(report.lines, newlines);
    assert!(report.chained <= report.lines);

    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(&path)
        .expect("it is there");
    let length = recover::cut_partial_line(&mut file).expect("it can be cut");
    let whole = std::fs::read(&path).expect("it can be read");
    assert_eq!(whole.len() as u64, length);
    assert!(bytes.starts_with(&whole) && (whole.is_empty() || whole.ends_with(b"\n")));
    if let Some(last) = recover::last_line(&path).expect("it can be read") {
        assert!(whole.ends_with(&[last, b"\n".to_vec()].concat()));
    }
    recover::next_sequences(&path).expect("it can be read");

    for line in String::from_utf8_lossy(&whole).lines() {
        if let Some(record) = DecisionRecord::parse(line) {
            assert!(
                record
                    .operation()
                    .is_none_or(|operation| operation.as_str() == record.op)
            );
        }
    }
});
