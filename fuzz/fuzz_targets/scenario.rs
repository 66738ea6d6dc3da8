//! Any text as a scenario in JSON or as a recording of `eslogger`: an error names a line or says what is
//! wrong, and nothing panics.

#![no_main]

use endpoint_sec_sim::Scenario;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for read in [Scenario::from_json(text), Scenario::from_eslogger(text)] {
        if let Err(error) = read {
            assert!(!error.to_string().is_empty());
        }
    }
});
