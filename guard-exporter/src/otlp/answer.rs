//! What a collector answers, and what becomes of the batch then.
//!
//! OTLP/HTTP has it that 429, 502, 503 and 504 are tried again, after `Retry-After` where there is
//! one, and so is what got no answer. Anything else is final. A collector may take a part only; how
//! many it rejected it says in the answer's body. An answer of success that is none of OTLP's is no
//! collector's: it counts as a refusal, lest a proxy's welcome page swallow what is sent.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;
use std::time::{Duration, SystemTime};

/// What became of an attempt to send a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The collector has it, but for so many items.
    Taken {
        rejected: u64,
        /// What it says of that.
        why: String,
    },
    /// It may be tried again, and not before this time has passed.
    Again {
        after: Option<Duration>,
        why: String,
    },
    /// It will never be taken.
    Refused { why: String },
}

// === impl Answer ===

impl Answer {
    /// Everything was taken.
    pub(super) const TAKEN: Self = Self::Taken {
        rejected: 0,
        why: String::new(),
    };

    /// The answer in an HTTP response.
    pub(super) fn of(
        status: u16,
        content_type: &str,
        retry_after: Option<&str>,
        body: &[u8],
    ) -> Self {
        let why = format!("the collector answers {status}");
        match status {
            200..=299 => Self::taken(content_type, body),
            429 | 502..=504 => Self::Again {
                after: retry_after.and_then(|text| delay(text, SystemTime::now())),
                why,
            },
            _ => Self::Refused { why },
        }
    }

    fn taken(content_type: &str, body: &[u8]) -> Self {
        // Some answer in JSON whatever they were asked in.
        let rejected = if content_type.starts_with("application/json") {
            serde_json::from_slice(body)
                .ok()
                .map(|body| rejected_in_json(&body))
        } else {
            // The answers of all signals have the same form.
            ExportTraceServiceResponse::decode(body)
                .ok()
                .map(|response| {
                    let partial = response.partial_success.unwrap_or_default();
                    (partial.rejected_spans, partial.error_message)
                })
        };
        match rejected {
            Some((rejected, why)) => Self::Taken {
                rejected: u64::try_from(rejected).unwrap_or(0),
                why,
            },
            None => Self::Refused {
                why: "what answers is no OTLP collector".to_owned(),
            },
        }
    }
}

fn rejected_in_json(body: &serde_json::Value) -> (i64, String) {
    let partial = &body["partialSuccess"];
    let number = |value: &serde_json::Value| {
        let text = value.as_str().and_then(|text| text.parse().ok());
        value.as_i64().or(text)
    };
    let rejected = ["rejectedSpans", "rejectedDataPoints", "rejectedLogRecords"]
        .into_iter()
        .find_map(|name| number(&partial[name]));
    let why = partial["errorMessage"].as_str().unwrap_or_default();
    (rejected.unwrap_or(0), why.to_owned())
}

/// `Retry-After`: seconds, or a date.
fn delay(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    let delay = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let parser = jiff::fmt::rfc2822::DateTimeParser::new();
            let date = SystemTime::from(parser.parse_timestamp(text).ok()?);
            date.duration_since(now).unwrap_or_default()
        }
    };
    Some(delay.min(LONGEST_DELAY))
}

/// A collector that asks for more is asked again all the same.
const LONGEST_DELAY: Duration = Duration::from_secs(5 * 60);

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTracePartialSuccess;

    #[test]
    fn what_may_be_tried_again_is() {
        for status in [429, 502, 503, 504] {
            let answer = Answer::of(status, "", Some("7"), b"");
            let Answer::Again { after, .. } = answer else {
                panic!("{status}: {answer:?}");
            };
            assert_eq!(after, Some(Duration::from_secs(7)));
        }
        for status in [301, 400, 401, 404, 413, 500, 501] {
            let answer = Answer::of(status, "", Some("7"), b"");
            assert!(matches!(answer, Answer::Refused { .. }), "{answer:?}");
        }
    }

    #[test]
    fn a_part_may_be_rejected() {
        assert_eq!(Answer::of(200, "", None, b""), Answer::TAKEN);
        let body = ExportTraceServiceResponse {
            partial_success: Some(ExportTracePartialSuccess {
                rejected_spans: 3,
                error_message: "too old".into(),
            }),
        };
        let partial = Answer::Taken {
            rejected: 3,
            why: "too old".into(),
        };
        let answer = |content_type, body: &[u8]| Answer::of(200, content_type, None, body);
        assert_eq!(answer(PROTOBUF, &body.encode_to_vec()), partial);
        let json = br#"{"partialSuccess":{"rejectedLogRecords":"3","errorMessage":"too old"}}"#;
        assert_eq!(answer("application/json; charset=utf-8", json), partial);
        assert_eq!(answer("application/json", b"{}"), Answer::TAKEN);
    }

    #[test]
    fn a_welcome_page_takes_nothing() {
        let page = b"<html><body>Welcome</body></html>";
        for content_type in ["text/html", PROTOBUF, "application/json"] {
            let answer = Answer::of(200, content_type, None, page);
            assert!(matches!(answer, Answer::Refused { .. }), "{answer:?}");
        }
    }

    #[test]
    fn a_date_is_a_delay_too() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(946_684_795);
        let text = "Fri, 31 Dec 1999 23:59:59 GMT";
        assert_eq!(delay(text, now), Some(Duration::from_secs(4)));
        let later = now + Duration::from_secs(60);
        assert_eq!(delay(text, later), Some(Duration::ZERO));
        assert_eq!(delay("99999", now), Some(LONGEST_DELAY));
        assert_eq!(delay("soon", now), None);
    }

    const PROTOBUF: &str = "application/x-protobuf";
}
