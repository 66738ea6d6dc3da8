//! The page at `/`: is a guard at work, whom does it stop from what, and how fast.
//!
//! It is whole as it comes from here, without scripts: tables, a form that filters, links to older
//! denials. A small script puts new denials on top as they come and brings the rest up to date.
//! Nothing is fetched from anywhere else, and the browser is told to allow nothing else.
//!
//! What an agent named (paths, programs, sessions) is shown as text only, see
//! [`Html`].

mod html;
mod standing;
mod tables;

use super::query::{BadRequest, DenialsQuery, Parameters};
use super::state::Shown;
use crate::recent::Selection;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use guard_core::OperationKind;
use guard_core::agents;
use html::Html;
use std::time::Instant;

/// `GET /`
pub(super) async fn page(State(shown): State<Shown>, parameters: Parameters) -> Response {
    let (status, query) = match parameters.denials() {
        Ok(query) => (StatusCode::OK, query),
        Err(error) => return BadRequest::into_response(error),
    };
    let board = &shown.board;
    let selection = board
        .recent
        .select(&query.filter, query.before.as_ref(), query.limit);
    let now = Instant::now();
    let guards = board.guards();
    let agents = board.activity().agents(now);

    let mut html = Html::new();
    html.raw(HEAD);
    html.raw("<main>");
    let obstacle = board.health.obstacle();
    let activity = board.activity();
    standing::standing(&mut html, &guards, &agents, &activity, obstacle, now);
    drop(activity);
    tables::detections(&mut html, &board.detections());
    html.raw(
        "<section class=card id=denials aria-labelledby=h-denials><h2 id=h-denials>Denials</h2>",
    );
    filter(&mut html, &query);
    tables::denials(&mut html, &selection.denials);
    pages(
        &mut html,
        &parameters,
        &query,
        &selection,
        board.recent.len(),
    );
    html.raw("</section>");
    tables::agents(&mut html, &agents);
    tables::latency(&mut html, &board.activity(), now);
    tables::guards(&mut html, &guards);
    html.raw("</main>");
    html.raw(&FOOT.replace("/metrics", &shown.telemetry_path));
    let head = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    (status, head, html.finish()).into_response()
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

/// The form that chooses which denials are shown.
fn filter(html: &mut Html, query: &DenialsQuery) {
    let filter = &query.filter;
    html.raw("<form id=filter method=get action=/ role=search>");
    let labels = agents::labels().collect();
    choice(html, "agent", "Agent", labels, filter.agent.as_deref());
    let operations = OperationKind::ALL.map(OperationKind::as_str).to_vec();
    let operation = filter.operation.map(OperationKind::as_str);
    choice(html, "operation", "Operation", operations, operation);
    let verdict = filter.verdict.map(|verdict| verdict.as_str());
    choice(html, "verdict", "Verdict", vec!["deny", "audit"], verdict);
    html.raw("<label>Zone <input name=zone autocomplete=off spellcheck=false value=\"");
    html.text(filter.zone.as_deref().unwrap_or_default());
    html.raw("\"></label> <button>Show</button></form>");
}

/// A list to choose one of, or none. What is chosen is in it even when it is not one of `options`.
fn choice<'a>(
    html: &mut Html,
    name: &str,
    label: &str,
    mut options: Vec<&'a str>,
    chosen: Option<&'a str>,
) {
    html.raw("<label>")
        .text(label)
        .raw(" <select name=")
        .raw(name);
    html.raw("><option value=\"\">any</option>");
    options.extend(chosen.filter(|chosen| !options.contains(chosen)));
    for option in options {
        html.raw("<option");
        html.raw(if chosen == Some(option) {
            " selected>"
        } else {
            ">"
        });
        html.text(option).raw("</option>");
    }
    html.raw("</select></label> ");
}

/// How many are shown, and where older ones are.
fn pages(
    html: &mut Html,
    parameters: &Parameters,
    query: &DenialsQuery,
    selection: &Selection,
    kept: usize,
) {
    html.raw("<nav id=more aria-label=\"More denials\"><p id=shown>");
    let kept = tables::grouped(kept as u64);
    html.text(&format!("{} of {kept} kept.", selection.denials.len()));
    html.raw("</p>");
    if query.before.is_some() {
        html.raw("<a id=newest href=\"");
        html.text(&address(parameters, None)).raw("\">Newest</a> ");
    }
    let last = selection.denials.last().filter(|_| selection.more);
    let last = last.and_then(|denial| guard_report::record::DenialRecord::parse(&denial.line));
    if let Some(last) = last {
        html.raw("<a id=older rel=next href=\"");
        html.text(&address(parameters, Some(&last.id())))
            .raw("\">Older</a>");
    }
    html.raw("</nav>");
}

/// This page's address with other denials.
fn address(parameters: &Parameters, before: Option<&str>) -> String {
    let kept = parameters.without("before");
    let all = kept.chain(before.map(|id| ("before", id)));
    let pairs = all.map(|(name, value)| format!("{name}={}", percent(value)));
    format!("/?{}", pairs.collect::<Vec<_>>().join("&"))
}

/// A value as it may stand in an address.
fn percent(value: &str) -> String {
    value.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
        text
    })
}

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    connect-src 'self'; img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const HEAD: &str = "<!doctype html>
<html lang=en>
<meta charset=utf-8>
<meta name=viewport content=\"width=device-width, initial-scale=1\">
<meta name=color-scheme content=\"light dark\">
<title>codex-es-guard: what agents were stopped from</title>
<link rel=icon href=\"data:,\">
<link rel=stylesheet href=/page.css>
<script src=/page.js defer></script>
<body>
<a class=skip href=#denials>Skip to the denials</a>
<header>
<svg viewBox=\"0 0 24 24\" aria-hidden=true>\
<path d=\"M12 1 3 4.5v7c0 5.2 3.8 9.4 9 11.5 5.2-2.1 9-6.3 9-11.5v-7z\"></path>\
<path class=mark d=\"m7.5 12 3.2 3.2 5.8-6.4\"></path></svg>
<h1>codex-es-guard</h1>
<p>What coding agents were stopped from, as it happens</p>
</header>
";

const FOOT: &str = "
<footer>
<p><a href=/metrics>Metrics</a> · <a href=/api/v1/denials>Denials</a>, \
<a href=/api/v1/detections>detections</a>, <a href=/api/v1/latency>latency</a> and \
<a href=/api/v1/status>status</a> as JSON · <a href=/api/v1/openapi.json>API</a> · \
<a href=/-/ready>Ready?</a></p>
</footer>
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_keep_what_was_chosen() {
        assert_eq!(percent("a b&c=é/"), "a%20b%26c%3D%C3%A9%2F");
    }

    #[test]
    fn everything_comes_from_here() {
        for text in [
            HEAD,
            FOOT,
            include_str!("page.css"),
            include_str!("page.js"),
        ] {
            assert!(!text.contains("://") && !text.contains("url("), "{text}");
        }
        assert!(!include_str!("page.js").contains("innerHTML"));
    }
}
