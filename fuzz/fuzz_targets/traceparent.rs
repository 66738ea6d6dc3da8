//! Any bytes as a `TRACEPARENT`: what parses has ids that are not zero, and written out again it
//! parses to the same.

#![no_main]

use guard_core::event::TraceContext;
use libfuzzer_sys::fuzz_target;
use std::fmt::Write;

fuzz_target!(|text: &[u8]| {
    let Some(context) = TraceContext::parse(text) else {
        return;
    };
    assert!(context.trace_id != [0; 16] && context.span_id != [0; 8]);
    let mut written = String::from("00-");
    for byte in context.trace_id {
        write!(written, "{byte:02x}").expect("a string takes it");
    }
    written.push('-');
    for byte in context.span_id {
        write!(written, "{byte:02x}").expect("a string takes it");
    }
    write!(written, "-{:02x}", context.flags).expect("a string takes it");
    assert_eq!(TraceContext::parse(written.as_bytes()), Some(context));
});
