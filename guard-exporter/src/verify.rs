//! `guard-exporter verify`: what a look at the denial log's chain comes to, told to people and programs.

use crate::cli::VerifyArguments;
use crate::denial_log::verify::{Noted, Report, examine, read, read_log};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Does what the arguments say. `variable` answers for the environment.
pub fn run(arguments: &VerifyArguments, variable: impl Fn(&str) -> Option<PathBuf>) -> ExitCode {
    match report(arguments, variable) {
        Ok(report) => {
            let text = if arguments.json {
                serde_json::to_string(&report).expect("numbers and strings make JSON") + "\n"
            } else {
                told(&report)
            };
            // A reader that went away is no error.
            drop(std::io::stdout().write_all(text.as_bytes()));
            ExitCode::from(match (report.chained, report.is_whole()) {
                (0, _) => UNKNOWN,
                (_, false) => BROKEN,
                (_, true) => WHOLE,
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

/// The report in words.
fn told(report: &Report) -> String {
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
            "{lines} in {files}: none is chained, so nothing can be said of them (start \
             guard-exporter with --denials.chain)"
        ));
        return text;
    };
    if let Some(fault) = &report.fault {
        let place = format!("{}:{}", shown(&fault.place.file), fault.place.line);
        add(format_args!("{place}: {}", fault.kind));
    } else {
        add(format_args!(
            "{lines} in {files}, chain whole from {from} to {to}"
        ));
    }
    let plain = report.lines - report.chained;
    if plain > 0 {
        add(format_args!(
            "{} written while the chain was off, and covered by nothing",
            count(plain, "line")
        ));
    }
    if report.unfinished {
        add(format_args!(
            "the last line is not whole: it is being written, or its writer was killed"
        ));
    }
    match &report.noted {
        None => {}
        Some(Noted::Last) => add(format_args!("the noted head is the last line's")),
        Some(Noted::Earlier { behind }) => add(format_args!(
            "the noted head is there, {} before the end",
            count(*behind, "line")
        )),
        Some(Noted::BeforeFirst) => {
            add(format_args!(
                "the noted head's line is the one before the first that is kept"
            ));
        }
        Some(Noted::Missing) => add(format_args!(
            "no line has the noted head: lines were cut off the end, the chain was made anew, or so \
             many lines came since that its own has left the kept files"
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
const WHOLE: u8 = 0;
const BROKEN: u8 = 1;
const UNKNOWN: u8 = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::denial_log::chain::Digest;
    use crate::denial_log::verify::{Fault, FaultKind, Place};

    #[test]
    fn a_report_is_told_in_words() {
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
            told(&whole),
            format!(
                "3 lines in 2 files, log.1 to log, chain whole from {zeros} to {digest}\n\
                 1 line written while the chain was off, and covered by nothing\n\
                 the last line is not whole: it is being written, or its writer was killed\n\
                 the noted head is there, 1 line before the end\n"
            )
        );
        let broken = Report {
            fault: Some(Fault {
                kind: FaultKind::Changed,
                place: Place {
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
            told(&broken),
            "log.1:7: this line was changed: it does not have the hash it says\n"
        );
        let none = Report {
            from: None,
            to: None,
            chained: 0,
            ..whole
        };
        assert!(told(&none).contains("none is chained"));
    }
}
