//! The page at `/`: whether guards are at work, whom they stop from what, what agents changed and how
//! to have it back, and how fast decisions are.
//!
//! It is complete without scripts: tables, a form that filters, links to older denials. A small script
//! adds new denials as they happen and updates the rest. Nothing is loaded from anywhere else, and the
//! content security policy allows nothing else.
//!
//! It guarantees that names chosen by agents (paths, programs, sessions) are texts and never markup.

mod requests;
mod summary;
mod tables;
mod text;

use super::query::{BadRequest, DenialsQuery, Parameters};
use super::state::HttpState;
use crate::recent::Selection;
use axum::extract::State;
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use guard_core::OperationKind;
use guard_core::agents;
use guard_report::filter::RecordFilter;
use guard_report::record::DecisionRecord;
use maud::{DOCTYPE, Markup, html};
use std::time::Instant;
use text::{grouped, text};
use url::form_urlencoded;

/// `GET /`
pub(super) async fn page(State(state): State<HttpState>, parameters: Parameters) -> Response {
    let query = match parameters.denials() {
        Ok(query) => query,
        Err(error) => return BadRequest::into_response(error),
    };
    let app = &state.app;
    let selection = app
        .recent
        .select(&query.filter, query.before.as_ref(), query.limit);
    let now = Instant::now();
    let guards = app.guards();
    let agents = app.activity().agents(now);
    let obstacle = app.health.obstacle();
    let main = html! {
        (summary::summary(&guards, &agents, &app.activity(), obstacle.as_deref(), now))
        (requests::requests(&app.requests.open()))
        (tables::detections(&app.detections()))
        section #denials.card aria-labelledby="h-denials" {
            h2 #h-denials { "Denials" }
            (filter_form(&query))
            (tables::denials(&selection.denials))
            (more(&parameters, &query, &selection, app.recent.len()))
        }
        (tables::changes(&app.changes.select(&RecordFilter::default(), None, SHOWN_CHANGES).denials))
        (tables::agents(&agents))
        (tables::latency(&app.activity(), now))
        (tables::guards(&guards))
    };
    let head = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    ];
    let document = document(&main, &state.telemetry_path);
    (head, document.into_string()).into_response()
}

/// `GET /page.css`
pub(super) async fn style() -> impl IntoResponse {
    asset("text/css; charset=utf-8", include_str!("page.css"))
}

/// `GET /page.js`
pub(super) async fn script() -> impl IntoResponse {
    asset("text/javascript; charset=utf-8", include_str!("page.js"))
}

fn asset(
    kind: &'static str,
    text: &'static str,
) -> ([(HeaderName, &'static str); 1], &'static str) {
    ([(header::CONTENT_TYPE, kind)], text)
}

/// The whole document around its main part.
fn document(main: &Markup, telemetry_path: &str) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "codex-es-guard: what agents were stopped from" }
                link rel="icon" href="data:,";
                link rel="stylesheet" href="/page.css";
                script src="/page.js" defer {}
            }
            body {
                a.skip href="#denials" { "Skip to the denials" }
                header {
                    svg viewBox="0 0 24 24" aria-hidden="true" {
                        path d="M12 1 3 4.5v7c0 5.2 3.8 9.4 9 11.5 5.2-2.1 9-6.3 9-11.5v-7z" {}
                        path.mark d="m7.5 12 3.2 3.2 5.8-6.4" {}
                    }
                    h1 { "codex-es-guard" }
                    p { "What coding agents were stopped from and what they changed, as it happens" }
                }
                main { (main) }
                footer {
                    p {
                        a href=(telemetry_path) { "Metrics" } " · "
                        a href="/api/v1/denials" { "Denials" } ", "
                        a href="/api/v1/changes" { "changes" } ", "
                        a href="/api/v1/detections" { "detections" } ", "
                        a href="/api/v1/latency" { "latency" } " and "
                        a href="/api/v1/status" { "status" } " as JSON · "
                        a href="/api/v1/openapi.json" { "API" } " · "
                        a href="/-/ready" { "Ready?" }
                    }
                }
            }
        }
    }
}

/// The form that selects which denials are shown.
fn filter_form(query: &DenialsQuery) -> Markup {
    let filter = &query.filter;
    let operations = OperationKind::ALL.map(OperationKind::as_str).to_vec();
    let operation = filter.operation.map(OperationKind::as_str);
    let verdict = filter.verdict.map(|verdict| verdict.as_str());
    html! {
        form #filter method="get" action="/" role="search" {
            (choice("agent", "Agent", agents::labels().collect(), filter.agent.as_deref()))
            (choice("operation", "Operation", operations, operation))
            (choice("verdict", "Verdict", vec!["deny", "audit"], verdict))
            label {
                "Zone "
                input name="zone" autocomplete="off" spellcheck="false"
                    value=(text(filter.zone.as_deref().unwrap_or_default()));
            }
            " "
            button { "Show" }
        }
    }
}

/// A list to select one option of, or none. The selected one is in it even when it is not one of
/// `options`.
fn choice<'a>(
    name: &str,
    label: &str,
    mut options: Vec<&'a str>,
    selected: Option<&'a str>,
) -> Markup {
    options.extend(selected.filter(|selected| !options.contains(selected)));
    html! {
        label {
            (label) " "
            select name=(name) {
                option value="" { "any" }
                @for option in options {
                    option selected[selected == Some(option)] { (text(option)) }
                }
            }
        }
        " "
    }
}

/// How many denials are shown, and links to others.
fn more(
    parameters: &Parameters,
    query: &DenialsQuery,
    selection: &Selection,
    kept: usize,
) -> Markup {
    let shown = selection.denials.len();
    let last = selection.denials.last().filter(|_| selection.more);
    let last = last.and_then(|denial| DecisionRecord::parse(&denial.line));
    html! {
        nav #more aria-label="More denials" {
            p #shown { (shown) " of " (grouped(kept as u64)) " kept." }
            @if query.before.is_some() {
                a #newest href=(address(parameters, None)) { "Newest" } " "
            }
            @if let Some(last) = last {
                a #older rel="next" href=(address(parameters, Some(&last.id()))) { "Older" }
            }
        }
    }
}

/// The address of this page with denials before another.
fn address(parameters: &Parameters, before: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::for_suffix(String::from(PATH), PATH.len());
    query.extend_pairs(parameters.without("before"));
    query.extend_pairs(before.map(|id| ("before", id)));
    query.finish()
}

const PATH: &str = "/?";

/// The API has all of them.
const SHOWN_CHANGES: usize = 20;

const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    connect-src 'self'; img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_loaded_from_elsewhere() {
        let document = document(&html! {}, "/metrics").into_string();
        for text in [&document, include_str!("page.css"), include_str!("page.js")] {
            assert!(!text.contains("://") && !text.contains("url("), "{text}");
        }
        assert!(!include_str!("page.js").contains("innerHTML"));
    }
}
