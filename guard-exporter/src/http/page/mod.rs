//! The page at `/`: whether guards are at work and what they protect, whom they stop from what, what
//! agents changed and how to have it back, and how fast decisions are.
//!
//! | file | what it has |
//! |---|---|
//! | `summary` | the state of the guards, and some numbers |
//! | `protected` | what is protected, by which policy, with which overrides |
//! | `filters` | the form that selects what is shown |
//! | `history` | what is selected, over time |
//! | `rows` | denials and changes, one row for each command or burst |
//! | `tables` | detections, agents, latencies, guards |
//!
//! It is complete without scripts: tables, rows that open, a form that filters, links to older denials.
//! A small script adds new denials as they happen, shows local times, and copies commands. Nothing is
//! loaded from anywhere else, and the content security policy allows nothing else.
//!
//! It guarantees that names chosen by agents (paths, programs, sessions) are texts and never markup.

mod filters;
mod history;
mod links;
mod protected;
mod requests;
mod rows;
mod summary;
mod tables;
mod text;

use super::api;
use super::query::{BadRequest, PageQuery, Parameters};
use super::state::HttpState;
use crate::app_state::AppState;
use crate::recent::{LoggedDecision, Recent};
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use filters::Choices;
use guard_report::filter::RecordFilter;
use guard_report::record::DecisionRecord;
use guard_report::time;
use links::{BEFORE, replacing};
use maud::{DOCTYPE, Markup, html};
use std::sync::Arc;
use std::time::Instant;
use text::{grouped, text};

/// `GET /`
pub(super) async fn page(State(state): State<HttpState>, mut parameters: Parameters) -> Response {
    let query = match parameters.page() {
        Ok(query) => query.with_at_most(MAX_ROWS),
        Err(error) => return mistake(&error, &state.telemetry_path),
    };
    parameters.remove(&query.unknown);
    let app = &state.app;
    let now = Instant::now();
    let guards = app.guards();
    let agents = app.activity().agents(now);
    let obstacle = app.health.obstacle();
    let filter = &query.denials.filter;
    let now_ns = time::now_ns();
    let picture = history::history(&app.recent, &app.changes, filter, now_ns);
    let main = html! {
        (summary::summary(&guards, &agents, app, obstacle.as_deref(), now))
        div #asked { (requests::requests(&app.requests.open())) }
        (tables::detections(&app.detections()))
        (protected::protected(&guards, now_ns))
        section #denials.card aria-labelledby="h-denials" {
            h2 #h-denials { "Denials" }
            (filters::form(&query, &parameters, &Choices::of(app, &guards)))
            @if !query.unknown.is_empty() {
                p.hint {
                    "Ignored in this address: "
                    @for name in &query.unknown { code { (text(name)) } " " }
                }
            }
            (picture)
            (denials(&parameters, &query, &app.recent))
        }
        (changes(app, filter))
        (tables::agents(&agents))
        (tables::latency(&app.activity(), now))
        (tables::guards(&guards))
    };
    respond(StatusCode::OK, &main, &state.telemetry_path)
}

/// The denials that are selected, and links to others.
fn denials(parameters: &Parameters, query: &PageQuery, recent: &Recent) -> Markup {
    let list = List::of(recent, query);
    let shown = list.groups.len();
    let last = list.groups.last().and_then(|group| group.first());
    let last = last.filter(|_| list.more);
    let last = last.and_then(|denial| DecisionRecord::parse(&denial.line));
    let kept = grouped(recent.len() as u64);
    html! {
        (rows::table("Newest first", &list.groups))
        @if list.groups.is_empty() {
            p #none {
                @if recent.is_empty() { "No agent was stopped from anything yet." }
                @else { "No denial is as selected. " a href="/" { "Show all" } }
            }
        }
        nav #more aria-label="More denials" {
            p #shown {
                @if query.each { (shown) " of " (kept) " kept." }
                @else { (shown) " commands and bursts of " (kept) " denials kept." }
            }
            @if query.denials.before.is_some() {
                a #newest href=(replacing(parameters, &[BEFORE], &[])) { "Newest" } " "
            }
            @if let Some(last) = last {
                a #older rel="next" href=(replacing(parameters, &[BEFORE], &[(BEFORE, &last.id())])) {
                    "Older"
                }
            }
        }
    }
}

/// What agents changed and removed, and how to have it back.
fn changes(app: &AppState, filter: &RecordFilter) -> Markup {
    // A verdict is one of denials.
    let filter = RecordFilter {
        verdict: None,
        ..filter.clone()
    };
    let found = app.changes.groups(&filter, None, SHOWN_CHANGES);
    let content = html! {
        p.hint {
            "What the newest session took: " code { "codex-es-guard undo show last" }
            "; all of it back: " code { "codex-es-guard undo restore last" } "."
        }
        (rows::table("Newest first; each opens to the command that has it back", &found.groups))
        @if found.groups.is_empty() {
            p {
                @if app.changes.is_empty() { "No agent changed or removed a kept file yet." }
                @else { "No change is as selected." }
            }
        }
        @if found.more {
            p { "Older ones: " code { "codex-es-guard denials --changes" } " or " a href="/api/v1/changes" { "as JSON" } "." }
        }
    };
    tables::section("changes", "Changed and removed", &content)
}

/// What a list shows.
struct List {
    groups: Vec<Vec<Arc<LoggedDecision>>>,
    more: bool,
}

// === impl List ===

impl List {
    fn of(recent: &Recent, query: &PageQuery) -> Self {
        let denials = &query.denials;
        if query.each {
            let found = api::select(recent, denials);
            return Self {
                groups: found.denials.into_iter().map(|one| vec![one]).collect(),
                more: found.more,
            };
        }
        let found = recent.groups(&denials.filter, denials.before.as_ref(), denials.limit);
        Self {
            groups: found.groups,
            more: found.more,
        }
    }
}

/// The answer to a question that has a mistake.
fn mistake(error: &BadRequest, telemetry_path: &str) -> Response {
    let main = html! {
        section #denials.card {
            h2 { "This address has a mistake" }
            p.state.bad { (text(error.message())) }
            p { a href="/" { "Show everything" } }
        }
    };
    respond(StatusCode::BAD_REQUEST, &main, telemetry_path)
}

fn respond(status: StatusCode, main: &Markup, telemetry_path: &str) -> Response {
    let head = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    ];
    let document = document(main, telemetry_path);
    (status, head, document.into_string()).into_response()
}

/// `GET /page.css`
pub(super) async fn style() -> impl IntoResponse {
    asset("text/css; charset=utf-8", include_str!("page.css"))
}

/// `GET /page.js`
pub(super) async fn script() -> impl IntoResponse {
    asset("text/javascript; charset=utf-8", include_str!("page.js"))
}

/// `GET /icon.svg`
pub(super) async fn icon() -> impl IntoResponse {
    asset("image/svg+xml", include_str!("icon.svg"))
}

/// `GET /icon-new.svg`: there are denials that nobody has seen.
pub(super) async fn icon_new() -> impl IntoResponse {
    asset("image/svg+xml", include_str!("icon-new.svg"))
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
                link rel="icon" type="image/svg+xml" href="/icon.svg";
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
                        a href="/api/v1/denials" { "Denials" } " ("
                        a href="/api/v1/denials/groups" { "grouped" } "), "
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

/// A browser shows no more at once, whatever the limit; older ones are on the next page.
const MAX_ROWS: usize = 250;
/// Groups; the API has all of them.
const SHOWN_CHANGES: usize = 20;

const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

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
        for icon in [include_str!("icon.svg"), include_str!("icon-new.svg")] {
            assert_eq!(icon.matches("://").count(), 1, "the name space");
        }
    }
}
