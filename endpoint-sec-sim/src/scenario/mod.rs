//! Operations on a machine as a text: written by hand in JSON, or recorded on a Mac by `eslogger`.
//!
//! A scenario is a list of operations. [Playing](Scenario::play) it performs one operation after
//! the other, waits for each verdict, and returns which differ from what the scenario expects.

mod eslogger;
mod json;
mod play;
mod steps;
mod value;

pub use play::{Played, UnknownProcessError};
pub use steps::Scenario;
pub use value::ReadScenarioError;

// === impl Scenario ===

impl Scenario {
    /// Reads a scenario that was written by hand.
    ///
    /// The text is one JSON object:
    ///
    /// - `files`: what exists before; a path, or an object with `path` and, if wanted, `type`,
    ///   `uid`, `gid`, `size`. The type is `file` (the default), `directory`, `symbolic_link`,
    ///   `fifo` or `socket`.
    /// - `processes`: who exists before, parents first; each has a `name` and a `path`, and may
    ///   have `parent` (a name), `user`, `pid`, `cwd`, `args` and `env` (arrays of texts),
    ///   `signing_id`, `team_id`.
    /// - `steps`: each has the operation as its first key, with the name of who does it:
    ///   `{"unlink": "rm", "path": "/a"}`. `expect` may say `"allow"` or `"deny"`.
    ///
    /// | operation | further keys |
    /// |---|---|
    /// | `unlink`, `truncate`, `write` | `path` |
    /// | `open` | `path`, `flags`: an array of `"read"` and `"write"`, or kernel flags as a number |
    /// | `create` | `path`, `mode` (420), `type` |
    /// | `close` | `path`, `modified` (false) |
    /// | `rename`, `link`, `clone`, `copyfile` | `from`, `to` |
    /// | `exchangedata` | `from`, `to`: the two files |
    /// | `fork` | `as`: the name of the child |
    /// | `exec` | `path`, `args`, `env`, `script`; the name stays with the process |
    /// | `exit` | `status` (0) |
    /// | `wait_ms` | none; its value is a number of milliseconds instead of a name |
    ///
    /// # Errors
    ///
    /// When the text is no such object; the error says which part.
    pub fn from_json(text: &str) -> Result<Self, ReadScenarioError> {
        json::read(text)
    }

    /// Reads what `eslogger` printed: one JSON object a line, as macOS 13 and later write it.
    ///
    /// Each line becomes the operation that it reports. When it is played, AUTH messages are sent
    /// first, and clients decide again. Processes are introduced by the
    /// line that first mentions them. Event types that are not among [`Scenario::from_json`]'s
    /// operations are skipped and [counted](Self::skipped).
    ///
    /// `eslogger` is not a stable interface: its manual warns that the format may change with every
    /// release.
    ///
    /// # Errors
    ///
    /// When a line is not JSON, or lacks what its event type has; the error says which line.
    pub fn from_eslogger(lines: &str) -> Result<Self, ReadScenarioError> {
        eslogger::read(lines)
    }
}
