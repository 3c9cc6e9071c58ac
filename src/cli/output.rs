//! The only place that prints.

use std::{fmt::Display, io::Write as _};

use anstyle::{AnsiColor, Style};
use textwrap::core::display_width;
use tracing_subscriber::EnvFilter;

use crate::domain::visible_line;

pub const BOLD: Style = Style::new().bold();
pub const DIM: Style = Style::new().dimmed();
pub const GREEN: Style = AnsiColor::Green.on_default();
pub const RED: Style = AnsiColor::Red.on_default();
pub const YELLOW: Style = AnsiColor::Yellow.on_default();
pub const CYAN: Style = AnsiColor::Cyan.on_default();

/// Writes the log to standard error, with what `REPERTOIRE_LOG` asks for, else `default`: standard output carries what a
/// command answers, protocol frames among it, and nothing else.
pub fn log(default: &str) {
    let filter = EnvFilter::try_from_env("REPERTOIRE_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).init();
}

/// Standard output and error, with colours where they are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Output;

impl Output {
    /// A line on standard output. A reader that left early is no reason to fail.
    #[expect(clippy::unused_self, reason = "a handle, so that only who was given it prints")]
    pub fn line(self, text: impl Display) {
        let _ = writeln!(anstream::stdout().lock(), "{text}");
    }

    /// A question on standard output, behind which the answer is typed.
    #[expect(clippy::unused_self, reason = "a handle, so that only who was given it prints")]
    pub fn ask(self, text: impl Display) {
        let mut stdout = anstream::stdout().lock();
        let _ = write!(stdout, "{text}").and_then(|()| stdout.flush());
    }

    /// How many columns a line of standard output has; nothing where it is no terminal.
    #[expect(clippy::unused_self, reason = "a handle, so that only who was given it prints")]
    pub fn columns(self) -> Option<usize> {
        let (columns, _) = terminal_size::terminal_size_of(std::io::stdout())?;
        Some(usize::from(columns.0)).filter(|columns| *columns > 0)
    }

    /// An error on standard error, and what to do about it on a line of its own.
    #[expect(clippy::unused_self, reason = "a handle, so that only who was given it prints")]
    pub fn error(self, text: &str, hint: Option<&str>) {
        let mut stderr = anstream::stderr().lock();
        let _ = writeln!(stderr, "{RED}error{RED:#}: {text}");
        if let Some(hint) = hint {
            let _ = writeln!(stderr, "{CYAN}hint{CYAN:#}: {hint}");
        }
    }

    /// A table with aligned columns. Numbers look best when they come as right-aligned text.
    pub fn table(self, header: &[&str], rows: &[Vec<String>]) {
        let widths: Vec<usize> = header
            .iter()
            .enumerate()
            .map(|(column, title)| {
                let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| display_width(cell));
                cells.chain([display_width(title)]).max().unwrap_or(0)
            })
            .collect();
        let join = |cells: &[String]| {
            let pad = |(cell, width): (&String, &usize)| {
                format!("{cell}{}", " ".repeat(width.saturating_sub(display_width(cell))))
            };
            let padded: Vec<String> = cells.iter().zip(&widths).map(pad).collect();
            padded.join("  ").trim_end().to_owned()
        };
        let titles: Vec<String> = header.iter().map(|title| (*title).to_owned()).collect();
        self.line(format_args!("{DIM}{}{DIM:#}", join(&titles)));
        rows.iter().for_each(|row| self.line(join(row)));
    }
}

/// A share as a percentage.
pub fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{:.0}%", share * 100.0))
}

/// A text on one line, without what would change the terminal or hide in it: it may come from anywhere.
pub fn printable(text: &str) -> String {
    visible_line(text)
}

/// The first line of a text, at most `most` characters.
pub fn short(text: &str, most: usize) -> String {
    let line = text.lines().next().unwrap_or_default();
    if line.chars().count() <= most {
        line.to_owned()
    } else {
        format!("{}…", line.chars().take(most.saturating_sub(1)).collect::<String>())
    }
}
