//! The terminal: taken, drawn on, and given back.

use super::source::Shown;
use super::view::{self, Style};
use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::style::{Attribute, Color, Print, SetAttribute, SetForegroundColor};
use crossterm::terminal::{
    self, Clear, ClearType, DisableLineWrap, EnableLineWrap, EnterAlternateScreen,
    LeaveAlternateScreen,
};
use crossterm::{execute, queue};
use std::io::{self, Write as _};

/// The terminal while it is taken. It is given back when dropped, and before a panic speaks.
#[derive(Debug)]
pub(super) struct Screen {
    wants_colour: bool,
}

// === impl Screen ===

impl Screen {
    pub(super) fn open() -> io::Result<Self> {
        let told = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            give_back();
            told(panic);
        }));
        terminal::enable_raw_mode()?;
        let screen = Self {
            wants_colour: std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        };
        execute!(io::stdout(), EnterAlternateScreen, DisableLineWrap, Hide)?;
        Ok(screen)
    }

    pub(super) fn draw(&mut self, shown: &Shown) -> io::Result<()> {
        let (columns, rows) = terminal::size()?;
        let lines = view::lines(shown, columns.into(), rows.into());
        let mut out = io::BufWriter::new(io::stdout());
        for (row, line) in (0..rows).zip(&lines) {
            queue!(out, MoveTo(0, row))?;
            match line.style {
                Style::Title => queue!(out, SetAttribute(Attribute::Reverse))?,
                Style::Heading => queue!(out, SetAttribute(Attribute::Bold))?,
                Style::Wrong if self.wants_colour => {
                    queue!(out, SetForegroundColor(Color::Red))?;
                }
                Style::Wrong | Style::Plain => {}
            }
            queue!(
                out,
                Print(&line.text),
                SetAttribute(Attribute::Reset),
                Clear(ClearType::UntilNewLine)
            )?;
        }
        if lines.len() < usize::from(rows) {
            queue!(out, Clear(ClearType::FromCursorDown))?;
        }
        out.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Best effort: a terminal that is gone needs nothing back.
fn give_back() {
    let _gone = execute!(io::stdout(), Show, EnableLineWrap, LeaveAlternateScreen);
    let _raw = terminal::disable_raw_mode();
}
