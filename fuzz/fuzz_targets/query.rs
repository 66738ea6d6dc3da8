//! Any text as the query of a request: it is answered or refused, nothing panics, and a limit stays
//! within what the API allows.

#![no_main]

use guard_exporter::http::{MAX_LIMIT, limit_of};
use http::Uri;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|query: &str| {
    let address = Uri::builder()
        .path_and_query(format!("/api/v1/denials?{query}"))
        .build();
    if let Ok(address) = address
        && let Some(limit) = limit_of(&address)
    {
        assert!((1..=MAX_LIMIT).contains(&limit), "{query}");
    }
});
