//! `codex-es-guard status`: whether a guard is running, and is well.

use super::arguments::PolicyArguments;
use super::prepare::policy_source;
use super::terminal::{self, CYAN, DIM, GREEN, RED, YELLOW, paint};
use crate::observed::{Exporter, Observed};
use crate::policy_file::LoadPolicyError;
use anyhow::Result;
use guard_report::api::OtlpStatus;
use guard_report::paths::StatePaths;
use guard_report::sentence::visible;
use guard_report::status::GuardStatus;
use guard_report::time::{local, now_ns, parse};
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;

/// Show each guard and its health, the policy, the exporter and the denial log.
///
/// Exit status: 0 if all is well, 1 if something is wrong (each problem is printed, with what to do),
/// 125 if the state cannot be determined.
#[derive(Debug, clap::Args)]
pub(super) struct StatusArguments {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// The policy file, as the next session would find it.
enum PolicyFile {
    Good { zones: usize, warnings: Vec<String> },
    Missing,
    Bad(LoadPolicyError),
}

pub(super) fn status(arguments: &StatusArguments) -> Result<ExitCode> {
    let paths = StatePaths::of_user(None)?;
    let policy = read_policy()?;
    let observed = Observed::now(&paths);
    let now_ns = now_ns();
    let mut problems = observed.problems(now_ns);
    if let PolicyFile::Bad(error) = &policy {
        problems.insert(0, format!("the policy is bad: {}", error.describe()));
    }
    if arguments.json {
        let json = as_json(&paths, &policy, &observed, now_ns, &problems);
        terminal::try_data(&guard_report::json::line(&json));
    } else {
        print(&paths, &policy, &observed, now_ns, &problems);
    }
    Ok(if problems.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn read_policy() -> Result<PolicyFile> {
    let source = policy_source(&PolicyArguments {
        protect: Vec::new(),
        policy: None,
    })?;
    Ok(match source.load() {
        Ok(snapshot) => PolicyFile::Good {
            zones: snapshot.zones().count(),
            warnings: snapshot
                .warnings()
                .iter()
                .map(ToString::to_string)
                .collect(),
        },
        Err(LoadPolicyError::Missing(_)) => PolicyFile::Missing,
        Err(error) => PolicyFile::Bad(error),
    })
}

fn as_json(
    paths: &StatePaths,
    policy: &PolicyFile,
    observed: &Observed,
    now_ns: u64,
    problems: &[String],
) -> Value {
    let policy = match policy {
        PolicyFile::Good { zones, warnings } => {
            json!({ "file": paths.policy, "state": "good", "zones": zones, "warnings": warnings })
        }
        PolicyFile::Missing => json!({ "file": paths.policy, "state": "missing" }),
        PolicyFile::Bad(error) => json!({
            "file": paths.policy, "state": "bad", "line": error.position().map(|(line, _)| line),
            "column": error.position().map(|(_, column)| column), "problem": error.problem(),
        }),
    };
    let exporter = match &observed.exporter {
        Exporter::Absent => json!({ "state": "absent" }),
        Exporter::Unserving { pid } => json!({ "state": "unserving", "pid": pid }),
        Exporter::Silent { address, why } => {
            json!({ "state": "silent", "address": address, "problem": why })
        }
        Exporter::Serving { address, status } => {
            let mut status = json!(status);
            // The guards are listed beside it.
            if let Some(status) = status.as_object_mut() {
                status.remove("agents");
                status.remove("guards");
            }
            json!({ "state": "serving", "address": address, "status": status })
        }
    };
    let guard = |guard: &GuardStatus| {
        let mut json = json!(guard);
        json["heartbeat_age_seconds"] =
            json!(guard.heartbeat_age(now_ns).map(|age| age.as_secs_f64()));
        json["problems"] = json!(guard.problems(now_ns));
        json
    };
    json!({
        "ok": problems.is_empty(),
        "problems": problems,
        "guards": observed.guards.iter().map(guard).collect::<Vec<_>>(),
        "policy": policy,
        "exporter": exporter,
        "log": observed.log,
    })
}

fn print(
    paths: &StatePaths,
    policy: &PolicyFile,
    observed: &Observed,
    now_ns: u64,
    problems: &[String],
) {
    let alive = observed.guards.iter().filter(|guard| guard.alive).count();
    let heading = match alive {
        0 => "no guard is running (codex-es-guard run -- COMMAND starts one)".to_owned(),
        1 => "one guard is running".to_owned(),
        many => format!("{many} guards are running"),
    };
    head("Guards", &heading);
    for guard in &observed.guards {
        print_guard(guard, now_ns);
    }
    let file = paths.policy.display();
    let text = match policy {
        PolicyFile::Good { zones, .. } => format!("{file}: good, {}", count(*zones as u64, "zone")),
        PolicyFile::Missing => format!("{file}: none (codex-es-guard policy init DIR writes one)"),
        PolicyFile::Bad(error) => paint(&visible(&error.describe()), RED),
    };
    head("Policy", &text);
    if let PolicyFile::Good { warnings, .. } = policy {
        for warning in warnings {
            detail(&paint(warning, YELLOW));
        }
    }
    match &observed.exporter {
        Exporter::Absent => head("Exporter", "none is running"),
        Exporter::Unserving { pid } => {
            let text = format!("pid {pid}, serves nowhere");
            head("Exporter", &paint(&text, YELLOW));
        }
        Exporter::Silent { address, .. } => {
            head(
                "Exporter",
                &paint(&format!("{address} does not answer"), RED),
            );
        }
        Exporter::Serving { address, status } => {
            let ready = if status.ready { "ready" } else { "not ready" };
            let (version, pid) = (visible(&status.version), status.pid);
            head(
                "Exporter",
                &format!("http://{address}/, {ready}, version {version}, pid {pid}"),
            );
            for sent in &status.otlp {
                detail(&otlp(sent));
            }
        }
    }
    head("Log", &log_size(&observed.log));
    if let Exporter::Serving { status, .. } = &observed.exporter
        && let Some(head) = &status.denial_log.head
    {
        detail(&format!("chained, head {}", visible(head)));
    }
    for problem in problems {
        terminal::line(&format!("{} {}", paint("wrong:", RED), visible(problem)));
    }
    if problems.is_empty() && alive > 0 {
        terminal::line(&paint("all is well", GREEN));
    }
}

/// Where a signal goes over OTLP.
fn otlp(sent: &OtlpStatus) -> String {
    let signal = visible(&sent.signal);
    match &sent.endpoint {
        Some(endpoint) => format!(
            "OTLP {signal} to {}: {} sent, {} queued, {} dropped",
            visible(endpoint),
            sent.exported,
            sent.queued,
            sent.dropped
        ),
        None => paint(
            &format!("OTLP {signal} cannot be sent: the endpoint is no good; see the log"),
            YELLOW,
        ),
    }
}

fn print_guard(guard: &GuardStatus, now_ns: u64) {
    let state = match (guard.alive, guard.enforcing, guard.policy.mode.as_str()) {
        (false, ..) => paint("ended", DIM),
        (_, false, _) => paint("not enforcing", RED),
        (_, _, "audit") => paint("auditing only", YELLOW),
        _ => paint("enforcing", GREEN),
    };
    let beat = guard.heartbeat_age(now_ns).map_or_else(
        || "none".to_owned(),
        |age| format!("{} s ago", age.as_secs()),
    );
    detail(&format!(
        "session {}, pid {}: {state}, {}, heartbeat {beat}",
        paint(&visible(&guard.session), CYAN),
        guard.pid,
        count(guard.policy.zones, "zone"),
    ));
    let file = if guard.policy.ok {
        "the file's"
    } else {
        "an older one"
    };
    detail(&format!(
        "  {} denied, {} allowed, {}; policy {} ({file}), {}",
        guard.deny.committed,
        guard.allow.committed + guard.change.committed,
        count(guard.active_agents, "agent"),
        visible(&guard.policy.revision),
        count(guard.policy.overrides, "override"),
    ));
    let lost = guard.deny.lost + guard.allow.lost + guard.change.lost;
    detail(&format!(
        "  since {}, version {}, {lost} records lost",
        local_time(&guard.started),
        visible(&guard.version),
    ));
}

fn log_size(log: &Path) -> String {
    let size = std::fs::metadata(log).map(|found| found.len());
    match size {
        Ok(bytes) => format!("{}, {bytes} bytes", log.display()),
        Err(_) => format!("{}: does not exist yet", log.display()),
    }
}

/// RFC 3339 in this machine's time zone.
fn local_time(time: &str) -> String {
    match parse(time) {
        Ok(wall_ns) => local(wall_ns),
        Err(_) => visible(time).into_owned(),
    }
}

fn head(name: &str, text: &str) {
    terminal::line(&format!("{name:<10}{text}"));
}

fn detail(text: &str) {
    terminal::line(&format!("{:<10}{text}", ""));
}

fn count(number: u64, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}
