//! The outcome of an attempt to export a batch.
//!
//! OTLP/HTTP specifies that 429, 502, 503 and 504 are retryable, after `Retry-After` where it is
//! given, and so is a request without a response. Any other failure is final. A collector may accept a
//! batch in part; the response says how many items it rejected. A response of success that is not
//! OTLP counts as a failure, so that the welcome page of a proxy does not swallow what is sent.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;
use std::time::{Duration, SystemTime};

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ExportOutcome {
    /// The collector accepted the batch, except for the rejected items.
    Success { rejected: u64, message: String },
    /// The batch may be sent again, not before `retry_after` has passed.
    Retryable {
        retry_after: Option<Duration>,
        reason: String,
    },
    /// The batch is too large; a part of it may be accepted.
    TooLarge { reason: String },
    /// The batch will never be accepted.
    Failed { reason: String },
}

// === impl ExportOutcome ===

impl ExportOutcome {
    /// Everything was accepted.
    pub(super) const SUCCESS: Self = Self::Success {
        rejected: 0,
        message: String::new(),
    };

    /// The outcome that an HTTP response means.
    pub(super) fn of_response(
        status: u16,
        content_type: &str,
        retry_after: Option<&str>,
        body: &[u8],
    ) -> Self {
        let reason = format!("the collector answers {status}");
        match status {
            200..=299 => Self::of_success(content_type, body),
            429 | 502..=504 => Self::Retryable {
                retry_after: retry_after.and_then(|text| delay(text, SystemTime::now())),
                reason,
            },
            413 => Self::TooLarge { reason },
            _ => Self::Failed { reason },
        }
    }

    fn of_success(content_type: &str, body: &[u8]) -> Self {
        // Some collectors answer in JSON whatever the request's content type was.
        let rejected = if content_type.starts_with("application/json") {
            serde_json::from_slice(body)
                .ok()
                .map(|body| rejected_in_json(&body))
        } else {
            // The responses of all signals have the same form.
            ExportTraceServiceResponse::decode(body)
                .ok()
                .map(|response| {
                    let partial = response.partial_success.unwrap_or_default();
                    (partial.rejected_spans, partial.error_message)
                })
        };
        match rejected {
            Some((rejected, message)) => Self::partial(rejected, message),
            None => Self::Failed {
                reason: "the response is not OTLP".to_owned(),
            },
        }
    }

    /// Success, except for so many items.
    pub(super) fn partial(rejected: i64, message: String) -> Self {
        Self::Success {
            rejected: u64::try_from(rejected).unwrap_or(0),
            message,
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
    let message = partial["errorMessage"].as_str().unwrap_or_default();
    (rejected.unwrap_or(0), message.to_owned())
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

/// A collector that asks for a longer delay is tried again all the same.
const LONGEST_DELAY: Duration = Duration::from_secs(5 * 60);

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTracePartialSuccess;

    const PROTOBUF: &str = "application/x-protobuf";

    #[test]
    fn some_statuses_are_retryable_and_all_others_are_final() {
        for status in [429, 502, 503, 504] {
            let outcome = ExportOutcome::of_response(status, "", Some("7"), b"");
            let ExportOutcome::Retryable { retry_after, .. } = outcome else {
                panic!("{status}: {outcome:?}");
            };
            assert_eq!(retry_after, Some(Duration::from_secs(7)));
        }
        for status in [301, 400, 401, 404, 500, 501] {
            let outcome = ExportOutcome::of_response(status, "", Some("7"), b"");
            assert!(
                matches!(outcome, ExportOutcome::Failed { .. }),
                "{outcome:?}"
            );
        }
    }

    #[test]
    fn a_batch_may_be_too_large() {
        let outcome = ExportOutcome::of_response(413, "", None, b"");
        assert!(
            matches!(outcome, ExportOutcome::TooLarge { .. }),
            "{outcome:?}"
        );
    }

    #[test]
    fn a_part_may_be_rejected() {
        let outcome =
            |content_type, body: &[u8]| ExportOutcome::of_response(200, content_type, None, body);
        assert_eq!(outcome("", b""), ExportOutcome::SUCCESS);
        let body = ExportTraceServiceResponse {
            partial_success: Some(ExportTracePartialSuccess {
                rejected_spans: 3,
                error_message: "too old".into(),
            }),
        };
        let partial = ExportOutcome::partial(3, "too old".into());
        assert_eq!(outcome(PROTOBUF, &body.encode_to_vec()), partial);
        let json = br#"{"partialSuccess":{"rejectedLogRecords":"3","errorMessage":"too old"}}"#;
        assert_eq!(outcome("application/json; charset=utf-8", json), partial);
        assert_eq!(outcome("application/json", b"{}"), ExportOutcome::SUCCESS);
    }

    #[test]
    fn a_welcome_page_is_a_failure() {
        let page = b"<html><body>Welcome</body></html>";
        for content_type in ["text/html", PROTOBUF, "application/json"] {
            let outcome = ExportOutcome::of_response(200, content_type, None, page);
            assert!(
                matches!(outcome, ExportOutcome::Failed { .. }),
                "{outcome:?}"
            );
        }
    }

    #[test]
    fn retry_after_may_be_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(946_684_795);
        let text = "Fri, 31 Dec 1999 23:59:59 GMT";
        assert_eq!(delay(text, now), Some(Duration::from_secs(4)));
        let later = now + Duration::from_secs(60);
        assert_eq!(delay(text, later), Some(Duration::ZERO));
        assert_eq!(delay("99999", now), Some(LONGEST_DELAY));
        assert_eq!(delay("soon", now), None);
    }
}
