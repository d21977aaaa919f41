//! The few colours, each by what it means.

use anstyle::{AnsiColor, Style};

use crate::event::Status;

/// Paints, or leaves text as it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Palette {
    colour: bool,
}

/// What a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    /// Names of plays, heads of tables.
    Heading,
    /// As wanted; added lines.
    Good,
    /// Changed, warnings.
    Changed,
    /// Failed; removed lines.
    Bad,
    /// Not known yet; hunks.
    Unknown,
    /// Of less interest.
    Dim,
}

impl Palette {
    /// With colours or without.
    pub(super) fn new(colour: bool) -> Palette {
        Palette { colour }
    }

    /// `text` in `ink`; `text` is not empty and holds no line break.
    pub(super) fn paint(self, ink: Ink, text: &str) -> String {
        if !self.colour || text.is_empty() {
            return text.to_owned();
        }
        let style = match ink {
            Ink::Heading => Style::new().bold(),
            Ink::Good => AnsiColor::Green.on_default(),
            Ink::Changed => AnsiColor::Yellow.on_default(),
            Ink::Bad => AnsiColor::Red.on_default().bold(),
            Ink::Unknown => AnsiColor::Cyan.on_default(),
            Ink::Dim => Style::new().dimmed(),
        };
        format!("{style}{text}{style:#}")
    }
}

impl Ink {
    /// The ink of a status.
    pub(super) fn of(status: Status) -> Ink {
        match status {
            Status::Ok => Ink::Good,
            Status::Changed => Ink::Changed,
            Status::Skipped => Ink::Dim,
            Status::Failed | Status::Unreachable => Ink::Bad,
            Status::Unknown => Ink::Unknown,
        }
    }
}
