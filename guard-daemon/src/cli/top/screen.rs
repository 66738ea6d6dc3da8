//! The terminal: taken, drawn on, read from, and given back.
//!
//! The control sequences are those of ECMA-48 and of xterm's private modes, which every terminal
//! emulator of today has.

use super::source::Shown;
use super::view::{self, Emphasis};
use anstyle::{AnsiColor, Style};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, read};
use rustix::stdio::{stdin, stdout};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use std::io::{self, BufWriter, Write as _};
use std::time::Duration;

/// The terminal while it is taken. It is given back when dropped, and before a panic is reported.
#[derive(Debug)]
pub(super) struct Screen {
    before: Termios,
    has_colours: bool,
}

/// What was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// Nothing, or nothing that has a meaning.
    Nothing,
    /// q, Esc, Ctrl-C or Ctrl-D, or the terminal is gone.
    Quit,
}

// === impl Screen ===

impl Screen {
    pub(super) fn open() -> io::Result<Self> {
        let before = tcgetattr(stdin())?;
        let report = std::panic::take_hook();
        let restored = before.clone();
        std::panic::set_hook(Box::new(move |panic| {
            give_back(&restored);
            report(panic);
        }));
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(stdin(), OptionalActions::Now, &raw)?;
        let screen = Self {
            before,
            has_colours: anstream::AutoStream::choice(&io::stdout())
                != anstream::ColorChoice::Never,
        };
        let mut out = io::stdout();
        out.write_all(TAKE.as_bytes())?;
        out.flush()?;
        Ok(screen)
    }

    pub(super) fn draw(&mut self, shown: &Shown) -> io::Result<()> {
        let size = tcgetwinsize(stdout())?;
        let lines = view::lines(shown, size.ws_col.into(), size.ws_row.into());
        let mut out = BufWriter::new(io::stdout());
        for (row, line) in (1..=size.ws_row).zip(&lines) {
            let style = self.style(line.emphasis);
            write!(
                out,
                "\x1b[{row};1H{style}{}{style:#}{CLEAR_LINE}",
                line.text
            )?;
        }
        if lines.len() < usize::from(size.ws_row) {
            out.write_all(CLEAR_BELOW.as_bytes())?;
        }
        out.flush()
    }

    /// What is typed within `wait`.
    pub(super) fn input(&mut self, wait: Duration) -> io::Result<Input> {
        let wait = Timespec::try_from(wait).map_err(io::Error::other)?;
        let keyboard = stdin();
        let mut keyboard = [PollFd::new(&keyboard, PollFlags::IN)];
        match poll(&mut keyboard, Some(&wait)) {
            Ok(0) | Err(Errno::INTR) => return Ok(Input::Nothing),
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        let mut keys = [0; 64];
        match read(stdin(), &mut keys) {
            Ok(0) | Err(Errno::IO) => Ok(Input::Quit),
            Ok(length) => Ok(meaning(keys.get(..length).unwrap_or_default())),
            Err(Errno::INTR | Errno::AGAIN) => Ok(Input::Nothing),
            Err(error) => Err(error.into()),
        }
    }

    fn style(&self, emphasis: Emphasis) -> Style {
        match emphasis {
            Emphasis::Title => Style::new().invert(),
            Emphasis::Heading => Style::new().bold(),
            Emphasis::Wrong if self.has_colours => AnsiColor::Red.on_default(),
            Emphasis::Wrong | Emphasis::None => Style::new(),
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back(&self.before);
    }
}

/// Of the bytes of one read. A key that is not a character sends several, beginning with Esc.
fn meaning(keys: &[u8]) -> Input {
    match keys {
        [ESC] => Input::Quit,
        [ESC, ..] => Input::Nothing,
        keys if keys.iter().any(|key| QUIT.contains(key)) => Input::Quit,
        _ => Input::Nothing,
    }
}

/// Best effort: a terminal that is gone needs nothing back.
fn give_back(before: &Termios) {
    let mut out = io::stdout();
    let _gone = out
        .write_all(GIVE_BACK.as_bytes())
        .and_then(|()| out.flush());
    let _unchanged = tcsetattr(stdin(), OptionalActions::Now, before);
}

/// The alternate screen, no wrapping of lines, no cursor.
const TAKE: &str = "\x1b[?1049h\x1b[?7l\x1b[?25l";
const GIVE_BACK: &str = "\x1b[?25h\x1b[?7h\x1b[?1049l";
const CLEAR_LINE: &str = "\x1b[K";
const CLEAR_BELOW: &str = "\x1b[J";

const ESC: u8 = 0x1b;
/// q, Ctrl-C, Ctrl-D.
const QUIT: [u8; 3] = [b'q', 3, 4];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keys_that_end_it_end_it() {
        for keys in ["q", "\x1b", "\x03", "\x04", "xxq"] {
            assert_eq!(meaning(keys.as_bytes()), Input::Quit, "{keys:?}");
        }
        // An arrow, Alt-q, a letter of another alphabet.
        for keys in ["\x1b[A", "\x1bq", "x", "й", ""] {
            assert_eq!(meaning(keys.as_bytes()), Input::Nothing, "{keys:?}");
        }
    }
}
