//! What codex-es-guard and guard-exporter share about the outside world, defined once.
//!
//! | module | what it defines |
//! |---|---|
//! | [`record`] | a line of the denial log or the change log, written and read |
//! | [`request_record`] | a line of the log of requests and overrides, written and read |
//! | [`filter`] | which denials or changes are wanted |
//! | [`groups`] | which denials, and which changes, are one: those of a command or a burst |
//! | [`sentence`] | a denial as a sentence for people, and a change with the way to undo it |
//! | [`next_steps`] | what a person can do about a denial or a change, as commands |
//! | [`notice`] | what a denied process is shown on its standard error |
//! | [`story`] | the whole story of a denial, with what can be done instead |
//! | [`json`] | JSON without characters that a terminal obeys |
//! | [`shell`] | a path as a word of a shell |
//! | [`status`] | a guard as its ring describes it, and what is wrong with it |
//! | [`protection`] | what a guard protects, by name and path, beside its ring |
//! | [`activity`] | decisions of the last minutes by agent, and their latencies, from [`rolling`] slices |
//! | [`companion`] | the companion program: its name, the agents that it knows, the arguments of its set-up |
//! | [`sibling`] | the programs beside this one |
//! | [`past_denials`] | the denials of rings and log together |
//! | [`api`] | the answers of the exporter's API |
//! | [`log_files`] | numbered log files: names, rotation, reading over rotations |
//! | [`log_format`] | the format of both programs' own logs |
//! | [`paths`] | where a user's policy, state, rings and log are |
//! | [`directories`] | directories that only one user can write to |
//! | [`rings`] | where rings are looked for, and which files count |
//! | [`address`] | where the exporter listens, and the files that say so |
//! | [`time`] | points in time as text |
//!
//! It makes no decision and holds no state of either program. It deliberately depends on no runtime
//! and no server: the guard links all of it.

#![forbid(unsafe_code)]

pub mod activity;
pub mod address;
pub mod api;
pub mod companion;
pub mod directories;
pub mod filter;
pub mod groups;
mod hex;
pub mod json;
pub mod log_files;
pub mod log_format;
pub mod next_steps;
pub mod notice;
pub mod past_denials;
pub mod paths;
pub mod protection;
pub mod record;
pub mod request_record;
pub mod rings;
pub mod rolling;
pub mod sentence;
pub mod shell;
pub mod sibling;
mod size;
pub mod status;
pub mod story;
pub mod time;
mod visible;

pub use hex::hex;
pub use size::size;
