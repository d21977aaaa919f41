//! What was found of one thing, and what cures it.

use serde::Serialize;

/// How it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// A run will do; somebody should look at it.
    Warn,
    /// A run will fail, or do harm.
    Bad,
}

impl Level {
    /// One word.
    pub fn word(self) -> &'static str {
        match self {
            Level::Ok => "ok",
            Level::Warn => "warn",
            Level::Bad => "bad",
        }
    }
}

/// One line of what the doctor says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub check: &'static str,
    /// How it is.
    pub level: Level,
    /// What was seen.
    pub said: String,
    /// What to do: mostly a command to type.
    pub cure: Option<String>,
}

impl Finding {
    /// As it should be.
    pub fn ok(check: &'static str, said: impl Into<String>) -> Finding {
        Finding {
            check,
            level: Level::Ok,
            said: clean(&said.into()),
            cure: None,
        }
    }

    /// Worth a look.
    pub fn warn(check: &'static str, said: impl Into<String>, cure: impl Into<String>) -> Finding {
        Finding {
            level: Level::Warn,
            cure: Some(clean(&cure.into())),
            ..Finding::ok(check, said)
        }
    }

    /// In the way of a run.
    pub fn bad(check: &'static str, said: impl Into<String>, cure: impl Into<String>) -> Finding {
        Finding {
            level: Level::Bad,
            ..Finding::warn(check, said, cure)
        }
    }
}

/// One line without what moves a cursor: much of it comes from nodes.
fn clean(text: &str) -> String {
    let visible = |c: char| if c.is_control() { ' ' } else { c };
    text.chars()
        .map(visible)
        .collect::<String>()
        .trim()
        .to_owned()
}
