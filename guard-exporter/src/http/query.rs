//! The query parameters of requests.
//!
//! Parsing is strict: a misspelt parameter is an error, since an answer to another question is worse
//! than none.

use super::json::CONTENT_TYPE;
use crate::recent::DecisionId;
use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use guard_core::OperationKind;
use guard_core::verdict::Verdict;
use guard_report::activity::Span;
use guard_report::filter::RecordFilter;
use guard_report::time;

/// Denials in one response by default.
pub const DEFAULT_LIMIT: usize = 100;
/// Denials in one response at most.
pub const MAX_LIMIT: usize = 1000;

/// The parameters of a request, unparsed.
#[derive(Debug)]
pub(super) struct Parameters(Vec<(String, String)>);

/// The limit in a query of `/api/v1/denials`, if the query is valid; for `fuzz/` only.
#[cfg(fuzzing)]
#[must_use]
pub fn limit_of(address: &http::Uri) -> Option<usize> {
    let Query(parameters) = Query::try_from_uri(address).ok()?;
    let parameters = Parameters(parameters);
    // The other parser of the same parameters.
    let _ = parameters.latency();
    parameters.denials().ok().map(|query| query.limit)
}

/// The message of a response 400.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BadRequest(String);

/// The parameters of `/api/v1/denials`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct DenialsQuery {
    pub(super) filter: RecordFilter,
    pub(super) before: Option<DecisionId>,
    pub(super) limit: usize,
}

/// The parameters of `/api/v1/latency`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct LatencyQuery {
    pub(super) span: Option<Span>,
    pub(super) operation: Option<OperationKind>,
    pub(super) verdict: Option<Verdict>,
    pub(super) as_text: bool,
}

// === impl Parameters ===

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = BadRequest;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, BadRequest> {
        let Query(parameters) = Query::try_from_uri(&parts.uri)
            .map_err(|error| BadRequest(format!("the query cannot be read: {error}")))?;
        Ok(Self(parameters))
    }
}

impl Parameters {
    /// The parameters of `/api/v1/denials`, of `/api/v1/changes` and of the page. An empty one, such as of an empty field of
    /// the form, counts as absent.
    pub(super) fn denials(&self) -> Result<DenialsQuery, BadRequest> {
        let mut query = DenialsQuery {
            filter: RecordFilter::default(),
            before: None,
            limit: DEFAULT_LIMIT,
        };
        let filter = &mut query.filter;
        for (name, value) in self.0.iter().filter(|(_, value)| !value.is_empty()) {
            match name.as_str() {
                "agent" => filter.agent = Some(value.clone()),
                "zone" => filter.zone = Some(value.clone()),
                "operation" => filter.operation = Some(operation(value)?),
                "verdict" => filter.verdict = Some(verdict(value)?),
                "since" => {
                    let since = time::parse_since(value, time::now_ns());
                    filter.since_ns =
                        Some(since.map_err(|_| BadRequest::value("since", value, time::FORMS))?);
                }
                "before" => {
                    let id = DecisionId::parse(value);
                    query.before = Some(id.ok_or_else(|| {
                        BadRequest::value("before", value, "the id of a denial or a change")
                    })?);
                }
                "limit" => {
                    let limit = value.parse().ok();
                    let limit = limit.filter(|limit| (1..=MAX_LIMIT).contains(limit));
                    query.limit = limit.ok_or_else(|| {
                        BadRequest::value("limit", value, &format!("1 to {MAX_LIMIT}"))
                    })?;
                }
                _ => return Err(BadRequest::name(name)),
            }
        }
        Ok(query)
    }

    /// The parameters of `/api/v1/latency`.
    pub(super) fn latency(&self) -> Result<LatencyQuery, BadRequest> {
        let mut query = LatencyQuery::default();
        for (name, value) in self.0.iter().filter(|(_, value)| !value.is_empty()) {
            match (name.as_str(), value.as_str()) {
                ("operation", _) => query.operation = Some(operation(value)?),
                ("verdict", _) => query.verdict = Some(verdict(value)?),
                ("span", _) => {
                    let span = Span::named(value);
                    let known = Span::ALL.map(Span::name).join(", ");
                    query.span =
                        Some(span.ok_or_else(|| BadRequest::value("span", value, &known))?);
                }
                ("format", "json") => query.as_text = false,
                ("format", "hgrm") => query.as_text = true,
                ("format", _) => return Err(BadRequest::value(name, value, "json, hgrm")),
                _ => return Err(BadRequest::name(name)),
            }
        }
        Ok(query)
    }

    /// All parameters with a value, except this one.
    pub(super) fn without(&self, excluded: &str) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .filter(move |(name, value)| name != excluded && !value.is_empty())
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

// === impl BadRequest ===

impl BadRequest {
    fn name(name: &str) -> Self {
        Self(format!("there is no parameter {name:?}"))
    }

    fn value(name: &str, value: &str, expected: &str) -> Self {
        Self(format!("{name} is {value:?}, expected {expected}"))
    }
}

impl IntoResponse for BadRequest {
    fn into_response(self) -> Response {
        let json = serde_json::json!({ "error": self.0 }).to_string();
        let head = [(header::CONTENT_TYPE, CONTENT_TYPE)];
        (StatusCode::BAD_REQUEST, head, json).into_response()
    }
}

fn operation(name: &str) -> Result<OperationKind, BadRequest> {
    OperationKind::from_name(name).ok_or_else(|| {
        let known = OperationKind::ALL.map(OperationKind::as_str).join(", ");
        BadRequest::value("operation", name, &known)
    })
}

fn verdict(name: &str) -> Result<Verdict, BadRequest> {
    let mut verdicts = Verdict::ALL.into_iter();
    let verdict = verdicts.find(|verdict| verdict.as_str() == name);
    verdict.ok_or_else(|| {
        let known = Verdict::ALL.map(Verdict::as_str).join(", ");
        BadRequest::value("verdict", name, &known)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(query: &str) -> Parameters {
        let uri = format!("/?{query}").parse().unwrap();
        Parameters(Query::try_from_uri(&uri).unwrap().0)
    }

    #[test]
    fn parameters_are_parsed() {
        let id = format!("{}-7", "0f".repeat(16));
        let query = format!(
            "agent=codex&zone=my%20zone&operation=unlink&verdict=audit&since=2&before={id}&limit=5"
        );
        let query = parameters(&query).denials().unwrap();
        assert_eq!(
            query,
            DenialsQuery {
                filter: RecordFilter {
                    agent: Some("codex".to_owned()),
                    zone: Some("my zone".to_owned()),
                    operation: Some(OperationKind::Unlink),
                    verdict: Some(Verdict::Audit),
                    since_ns: Some(2_000_000_000),
                },
                before: DecisionId::parse(&id),
                limit: 5,
            }
        );
        assert_eq!(
            parameters("agent=&limit=").denials().unwrap().filter,
            RecordFilter::default()
        );
        let latency = parameters("span=5m&format=hgrm").latency().unwrap();
        assert_eq!(latency.span, Span::named("5m"));
        assert!(latency.as_text);
    }

    #[test]
    fn invalid_parameters_are_reported() {
        for (query, expected) in [
            ("agnet=codex", "there is no parameter \"agnet\""),
            ("limit=0", "limit is \"0\", expected 1 to 1000"),
            ("limit=1001", "1 to 1000"),
            ("limit=-1", "1 to 1000"),
            ("operation=delete", "unlink, rename"),
            ("verdict=no", "allow, deny, audit"),
            ("since=yesterday", "seconds since 1970"),
            ("before=7", "the id of a denial or a change"),
        ] {
            let BadRequest(error) = parameters(query).denials().unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        for query in ["span=1h", "format=xml", "window=1m"] {
            parameters(query).latency().unwrap_err();
        }
    }
}
