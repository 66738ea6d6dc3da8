//! Any text as a point in time, as policies, `--since` and the API take it: what is read is read again
//! from what is written for it, and a span never leads into the future.

#![no_main]

use guard_report::time::{parse, parse_since, rfc3339};
use libfuzzer_sys::fuzz_target;

const NOW_NS: u64 = 1_800_000_000_000_000_000;

fuzz_target!(|text: &str| {
    match parse(text) {
        Ok(time) => {
            let written = rfc3339(time);
            assert_eq!(parse(&written).as_ref(), Ok(&time), "{text}: {written}");
        }
        Err(_) => {
            let since = parse_since(text, NOW_NS);
            assert!(
                since.is_err() || since.is_ok_and(|since| since <= NOW_NS),
                "{text}"
            );
        }
    }
});
