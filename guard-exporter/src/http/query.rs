//! The query parameters of requests.
//!
//! Parsing is strict: a misspelt parameter is an error, since an answer to another question is worse
//! than none. Only the page ignores names that it does not know, and says so: links to it may come with
//! some that others have added.

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
    /// Of the group with this record only.
    pub(super) group: Option<DecisionId>,
    pub(super) before: Option<DecisionId>,
    pub(super) limit: usize,
}

/// The parameters of the page.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PageQuery {
    pub(super) denials: DenialsQuery,
    /// Whether each denial is a row, and not each group.
    pub(super) each: bool,
    /// Names that it does not know.
    pub(super) unknown: Vec<String>,
}

/// The parameters of `/api/v1/latency`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct LatencyQuery {
    pub(super) span: Option<Span>,
    pub(super) operation: Option<OperationKind>,
    pub(super) verdict: Option<Verdict>,
    pub(super) as_text: bool,
}

// === impl PageQuery ===

impl PageQuery {
    /// The same, with a limit of no more than this.
    pub(super) fn with_at_most(mut self, limit: usize) -> Self {
        self.denials.limit = self.denials.limit.min(limit);
        self
    }
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
    /// The parameters of the page.
    pub(super) fn page(&self) -> Result<PageQuery, BadRequest> {
        let is_view = |(name, _): &&(String, String)| name == VIEW;
        let mut view = self.0.iter().filter(is_view);
        let each = match view.next_back().map_or("", |(_, value)| value.as_str()) {
            "" | "groups" => false,
            EACH => true,
            value => return Err(BadRequest::value(VIEW, value, "groups, each")),
        };
        let rest = self.0.iter().filter(|parameter| !is_view(parameter));
        let mut unknown = Vec::new();
        let denials = Self(rest.cloned().collect()).selection(|name| {
            unknown.push(name.to_owned());
            Ok(())
        })?;
        Ok(PageQuery {
            // One group would be one row.
            each: each || denials.group.is_some(),
            denials,
            unknown,
        })
    }

    /// The parameters of groups, of which none is selected.
    pub(super) fn groups(&self) -> Result<DenialsQuery, BadRequest> {
        let query = self.denials()?;
        match query.group {
            Some(_) => Err(BadRequest::name("group")),
            None => Ok(query),
        }
    }

    /// The parameters of `/api/v1/denials` and of `/api/v1/changes`.
    pub(super) fn denials(&self) -> Result<DenialsQuery, BadRequest> {
        self.selection(|name| Err(BadRequest::name(name)))
    }

    /// The parameters that select denials, with `unknown` for each other name. An empty one, such as of
    /// an empty field of the form, counts as absent.
    fn selection(
        &self,
        mut unknown: impl FnMut(&str) -> Result<(), BadRequest>,
    ) -> Result<DenialsQuery, BadRequest> {
        let mut query = DenialsQuery {
            filter: RecordFilter::default(),
            group: None,
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
                "session" => filter.session = Some(value.clone()),
                "path" => filter.path = Some(value.clone()),
                "text" => filter.text = Some(value.clone()),
                "since" => filter.since_ns = Some(moment(name, value)?),
                "until" => filter.until_ns = Some(moment(name, value)?),
                "group" => query.group = Some(id(name, value)?),
                "before" => query.before = Some(id(name, value)?),
                "limit" => {
                    let limit = value.parse().ok();
                    let limit = limit.filter(|limit| (1..=MAX_LIMIT).contains(limit));
                    query.limit = limit.ok_or_else(|| {
                        BadRequest::value("limit", value, &format!("1 to {MAX_LIMIT}"))
                    })?;
                }
                _ => unknown(name)?,
            }
        }
        Ok(query)
    }

    /// Removes those with these names.
    pub(super) fn remove(&mut self, names: &[String]) {
        self.0.retain(|(name, _)| !names.contains(name));
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

    /// All parameters with a value, except these.
    pub(super) fn without<'p>(
        &'p self,
        excluded: &'p [&str],
    ) -> impl Iterator<Item = (&'p str, &'p str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .filter(|(name, value)| !excluded.contains(name) && !value.is_empty())
    }

    /// The value of this parameter.
    pub(super) fn value(&self, wanted: &str) -> Option<&str> {
        let all = self.without(&[]).filter(|(name, _)| *name == wanted);
        all.last().map(|(_, value)| value)
    }
}

// === impl BadRequest ===

impl BadRequest {
    /// What is wrong.
    pub(super) fn message(&self) -> &str {
        &self.0
    }

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

fn moment(name: &str, value: &str) -> Result<u64, BadRequest> {
    let moment = time::parse_since(value, time::now_ns());
    moment.map_err(|_| BadRequest::value(name, value, time::FORMS))
}

fn id(name: &str, value: &str) -> Result<DecisionId, BadRequest> {
    let id = DecisionId::parse(value);
    id.ok_or_else(|| BadRequest::value(name, value, "the id of a denial or a change"))
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

/// The parameter that says what is a row of the page.
pub(super) const VIEW: &str = "view";
/// Its value where each denial is.
pub(super) const EACH: &str = "each";

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
            "agent=codex&zone=my%20zone&operation=unlink&verdict=audit&since=2&before={id}&limit=5\
            &until=3&session=s-1&path=/p&text=rm&group={id}"
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
                    until_ns: Some(3_000_000_000),
                    session: Some("s-1".to_owned()),
                    path: Some("/p".to_owned()),
                    text: Some("rm".to_owned()),
                },
                group: DecisionId::parse(&id),
                before: DecisionId::parse(&id),
                limit: 5,
            }
        );
        assert_eq!(
            parameters("agent=&limit=").denials().unwrap().filter,
            RecordFilter::default()
        );
        for (query, each) in [
            ("", false),
            ("view=groups", false),
            ("view=each&agent=codex", true),
        ] {
            assert_eq!(parameters(query).page().unwrap().each, each, "{query}");
        }
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
            ("group=x", "the id of a denial or a change"),
            ("view=each", "there is no parameter \"view\""),
        ] {
            let BadRequest(error) = parameters(query).denials().unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        let page = parameters("agnet=codex&utm_source=x&agent=amp").page();
        let page = page.unwrap();
        assert_eq!(page.unknown, ["agnet", "utm_source"]);
        assert_eq!(page.denials.filter.agent.as_deref(), Some("amp"));
        let BadRequest(error) = parameters("view=all").page().unwrap_err();
        assert!(error.contains("groups, each"), "{error}");
        let id = format!("{}-7", "0f".repeat(16));
        parameters(&format!("group={id}")).groups().unwrap_err();
        for query in ["span=1h", "format=xml", "window=1m"] {
            parameters(query).latency().unwrap_err();
        }
    }
}
