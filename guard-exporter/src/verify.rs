//! `guard-exporter verify`: verifies the chain of the denial log and prints the result.

use crate::cli::VerifyArguments;
use crate::denial_log::verify::{Noted, Report, examine, read, read_log};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Runs the command. `variable` reads the environment.
pub fn run(arguments: &VerifyArguments, variable: impl Fn(&str) -> Option<PathBuf>) -> ExitCode {
    match report(arguments, variable) {
        Ok(report) => {
            let text = if arguments.json {
                guard_report::json::line(&report) + "\n"
            } else {
                describe(&report)
            };
            // A closed pipe is not an error.
            drop(std::io::stdout().write_all(text.as_bytes()));
            ExitCode::from(match (report.chained, report.is_whole()) {
                (0, _) => UNKNOWN,
                (_, false) => BROKEN,
                (_, true) => INTACT,
            })
        }
        Err(error) => {
            // Standard error may be closed.
            drop(writeln!(std::io::stderr(), "error: {error:#}"));
            ExitCode::from(UNKNOWN)
        }
    }
}

fn report(
    arguments: &VerifyArguments,
    variable: impl Fn(&str) -> Option<PathBuf>,
) -> anyhow::Result<Report> {
    let texts = if arguments.files.is_empty() {
        read_log(&arguments.log(variable)?)?
    } else {
        read(&arguments.files)?
    };
    Ok(examine(&texts, arguments.head))
}

/// The report as text.
fn describe(report: &Report) -> String {
    let mut text = String::new();
    let mut add = |line: std::fmt::Arguments<'_>| {
        writeln!(text, "{line}").expect("writing to a string does not fail");
    };
    let lines = count(report.lines, "line");
    let files = match report.files.as_slice() {
        [] => "no file".to_owned(),
        [file] => shown(file),
        [first, .., last] => format!(
            "{} files, {} to {}",
            report.files.len(),
            shown(first),
            shown(last)
        ),
    };
    let (Some(from), Some(to)) = (report.from, report.to) else {
        add(format_args!(
            "{lines} in {files}: none is chained, so they cannot be verified (start guard-exporter \
             with --denials.chain)"
        ));
        return text;
    };
    if let Some(fault) = &report.fault {
        let place = format!("{}:{}", shown(&fault.position.file), fault.position.line);
        add(format_args!("{place}: {}", fault.kind));
    } else {
        add(format_args!(
            "{lines} in {files}, chain intact from {from} to {to}"
        ));
    }
    let plain = report.lines - report.chained;
    if plain > 0 {
        add(format_args!(
            "{} written while the chain was off, and not protected",
            count(plain, "line")
        ));
    }
    if report.unfinished {
        add(format_args!(
            "the last line is incomplete: it is being written, or its writer was killed"
        ));
    }
    match &report.noted {
        None => {}
        Some(Noted::Last) => add(format_args!("the given head is that of the last line")),
        Some(Noted::Earlier { behind }) => add(format_args!(
            "the given head is {} before the end",
            count(*behind, "line")
        )),
        Some(Noted::BeforeFirst) => {
            add(format_args!(
                "the given head is that of the line before the first kept one"
            ));
        }
        Some(Noted::Missing) => add(format_args!(
            "no line has the given head: lines were cut off the end, the chain was recomputed, or its \
             line has left the kept files since"
        )),
    }
    text
}

fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

// Read by `--help`.
const INTACT: u8 = 0;
const BROKEN: u8 = 1;
const UNKNOWN: u8 = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::denial_log::chain::Digest;
    use crate::denial_log::verify::{Fault, FaultKind, LinePosition};

    #[test]
    fn a_report_is_described() {
        let digest = Digest::of(b"");
        let whole = Report {
            files: vec!["log.1".into(), "log".into()],
            lines: 3,
            chained: 2,
            from: Some(Digest::NONE),
            to: Some(digest),
            fault: None,
            noted: Some(Noted::Earlier { behind: 1 }),
            unfinished: true,
        };
        let zeros = "0".repeat(64);
        assert_eq!(
            describe(&whole),
            format!(
                "3 lines in 2 files, log.1 to log, chain intact from {zeros} to {digest}\n\
                 1 line written while the chain was off, and not protected\n\
                 the last line is incomplete: it is being written, or its writer was killed\n\
                 the given head is 1 line before the end\n"
            )
        );
        let broken = Report {
            fault: Some(Fault {
                kind: FaultKind::Changed,
                position: LinePosition {
                    file: "log.1".into(),
                    line: 7,
                },
            }),
            unfinished: false,
            noted: None,
            chained: 3,
            ..whole.clone()
        };
        assert_eq!(
            describe(&broken),
            "log.1:7: this line was changed: its hash is not the one written in it\n"
        );
        let none = Report {
            from: None,
            to: None,
            chained: 0,
            ..whole
        };
        assert!(describe(&none).contains("none is chained"));
    }
}
