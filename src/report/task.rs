//! The lines of one task on one host: what changed, in as few words as say it.

use super::failure;
use super::style::{Ink, Palette};
use super::text;
use crate::change::{Action, Effect, Field};
use crate::diagnostic::count;
use crate::event::{Failure, ItemResult, Mode, Status, TaskResult};

/// Columns of a value before it is cut, without `-v`.
const VALUE: usize = 60;
/// Items of a loop that are shown, without `-v`.
const ITEMS: usize = 12;

/// What all lines of a run share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    /// Plans say *would*.
    pub(super) mode: Mode,
    /// Columns of the host's name.
    pub(super) host: usize,
    /// Columns of a line.
    pub(super) width: usize,
    /// Shows everything, shortens nothing.
    pub(super) verbose: bool,
    /// Colours.
    pub(super) palette: Palette,
}

/// Whether the task is worth a line: what is as wanted or skipped is not, except a `debug`, which exists to be seen.
pub(super) fn shown(result: &TaskResult, verbose: bool) -> bool {
    match result.status {
        Status::Ok => verbose || (result.kind == "debug" && has_words(result)),
        Status::Skipped => verbose,
        _ => true,
    }
}

/// The lines of a task: one, when all fits, else the details below it. Diffs are not among them.
pub(super) fn lines(result: &TaskResult, layout: &Layout) -> Vec<String> {
    let word = word(
        result.status,
        result.action,
        result.known_after.is_some(),
        layout.mode,
    );
    let mut title = text::clean(&result.task);
    if result.handler {
        title = format!("handler: {title}");
    }
    let host = match &result.delegate {
        Some(delegate) => format!("{} -> {delegate}", result.host),
        None => result.host.to_string(),
    };
    let head = |title: &str| line(&host, &word, result.status, title, layout);
    let failed = matches!(result.status, Status::Failed | Status::Unreachable);
    // What was done before it failed stands.
    let mut shown = match failed && result.changes.is_empty() {
        true => Vec::new(),
        false => details(result, layout),
    };
    if failed {
        shown.splice(0..0, fate(result));
    }
    let details = shown;
    let mut lines = with_details(head(&title), details, 4, layout);
    if failed {
        let said = Failure {
            rc: result.rc,
            ..Failure::new(result.msg.clone())
        };
        let failure = result.failure.as_ref().unwrap_or(&said);
        let block = failure::block(failure, &result.at, layout.verbose, layout.palette);
        lines.extend(block);
    }
    lines.extend(items(result, layout));
    lines
}

/// `host  status  title`, in columns.
pub(super) fn line(host: &str, word: &str, status: Status, title: &str, layout: &Layout) -> String {
    let width = match layout.mode {
        Mode::Plan => "would change".len(),
        Mode::Apply | Mode::Rolling | Mode::Exec => "changed".len(),
    };
    let word_columns = text::columns(word);
    format!(
        "{}  {}{}  {title}",
        text::pad(&text::clean(host), layout.host),
        layout.palette.paint(Ink::of(status), word),
        " ".repeat(width.saturating_sub(word_columns)),
    )
}

fn word(status: Status, action: Action, waits: bool, mode: Mode) -> String {
    match (mode, status) {
        (Mode::Plan, Status::Changed) => "would change".to_owned(),
        (Mode::Plan, Status::Unknown) if action == Action::Run && !waits => "would run".to_owned(),
        _ => status.word().to_owned(),
    }
}

/// What becomes of a failure.
fn fate(result: &TaskResult) -> Vec<String> {
    let mut fate = Vec::new();
    if result.ignored {
        fate.push("ignored".to_owned());
    }
    if result.rescued {
        fate.push("rescued".to_owned());
    }
    fate
}

fn details(result: &TaskResult, layout: &Layout) -> Vec<String> {
    let mut details = Vec::new();
    if let Some(task) = &result.known_after {
        details.push(format!("known after `{}`", text::clean(task)));
    }
    if result.items.is_empty() {
        details.extend(fields(&result.changes, result.action, layout));
    } else {
        let moved = result.items.iter().filter(|item| notable(item)).count();
        let all = count(result.items.len(), "item");
        details.push(match moved {
            0 => all,
            moved => format!("{moved} of {all}"),
        });
    }
    details.extend(consequences(result));
    if details.is_empty() && has_words(result) {
        details.push(text::clean_lines(result.msg.trim_end()).join("\n"));
    }
    details
}

/// Fields in short: `new`, `mode 0600 → 0644`, `content`.
fn fields(fields: &[Field], action: Action, layout: &Layout) -> Vec<String> {
    let mut details = Vec::new();
    match action {
        Action::Create => details.push("new".to_owned()),
        Action::Delete => details.push("removed".to_owned()),
        Action::None | Action::Update | Action::Run => {}
    }
    details.extend(fields.iter().filter_map(|field| one_field(field, layout)));
    details
}

fn one_field(field: &Field, layout: &Layout) -> Option<String> {
    let short = |value: &str| {
        let value = text::clean(value);
        match layout.verbose {
            true => value,
            false => text::fit(&value, VALUE),
        }
    };
    let name = text::clean(field.name());
    match field {
        Field::Value { before, after, .. } => Some(match (before.as_str(), after.as_str()) {
            ("", "") => name,
            ("", after) => format!("{name} {}", short(after)),
            (before, "") => format!("{name} {} → none", short(before)),
            (before, after) => format!("{name} {} → {}", short(before), short(after)),
        }),
        Field::Text {
            before_sha256,
            after_sha256,
            ..
        } => match (before_sha256, after_sha256) {
            (None, None) => None,
            (Some(_), Some(_)) => Some(name),
            (None, Some(_)) if name == "content" => None,
            (Some(_), None) if name == "content" => None,
            (None, Some(_)) => Some(format!("{name} new")),
            (Some(_), None) => Some(format!("{name} removed")),
        },
    }
}

/// What follows for services, each said once. A start or stop is told by its `state` field already.
fn consequences(result: &TaskResult) -> Vec<String> {
    let told = result.changes.iter().any(|field| field.name() == "state");
    let may = match result.status {
        Status::Unknown => "may ",
        _ => "",
    };
    let mut said: Vec<String> = Vec::new();
    for follows in &result.follows {
        let words = match (&follows.effect, &follows.handler) {
            (Effect::Restart(_), None) if told => continue,
            (Effect::None, None) => continue,
            (Effect::None, Some(handler)) if may.is_empty() => {
                format!("runs handler `{}`", text::clean(handler))
            }
            (Effect::None, Some(handler)) => format!("may run handler `{}`", text::clean(handler)),
            (effect, _) => {
                let unit = text::clean(effect.unit().unwrap_or_default());
                let s = if may.is_empty() { "s" } else { "" };
                format!("{may}{}{s} {unit}", effect.word())
            }
        };
        if !said.contains(&words) {
            said.push(words);
        }
    }
    said
}

fn items(result: &TaskResult, layout: &Layout) -> Vec<String> {
    let all = layout.verbose || result.kind == "debug";
    let shown: Vec<&ItemResult> = result
        .items
        .iter()
        .filter(|item| all || notable(item))
        .collect();
    let limit = match layout.verbose {
        true => shown.len(),
        false => ITEMS,
    };
    let mut lines = Vec::new();
    for item in shown.iter().take(limit) {
        let word = word(item.status, result.action, false, layout.mode);
        let head = format!(
            "    {}  {}",
            layout.palette.paint(Ink::of(item.status), &word),
            text::clean(&item.item)
        );
        let mut details = fields(&item.changes, Action::Update, layout);
        if details.is_empty() || item.status == Status::Failed {
            details.push(text::clean_lines(item.msg.trim_end()).join("\n"));
        }
        lines.extend(with_details(head, details, 8, layout));
    }
    if shown.len() > limit {
        let note = format!(
            "… and {} (-v shows them)",
            count(shown.len() - limit, "more item")
        );
        lines.push(format!("    {}", layout.palette.paint(Ink::Dim, &note)));
    }
    lines
}

fn notable(item: &ItemResult) -> bool {
    !matches!(item.status, Status::Ok | Status::Skipped)
}

fn has_words(result: &TaskResult) -> bool {
    !result.msg.trim().is_empty() || !result.items.is_empty()
}

/// `head  (one, two)` when each is one line and all fit into one, else each detail below `head`.
fn with_details(head: String, details: Vec<String>, indent: usize, layout: &Layout) -> Vec<String> {
    if details.iter().all(String::is_empty) {
        return vec![head];
    }
    let inline = details.join(", ");
    let bare = text::columns(&text::clean(&head));
    if !inline.contains('\n') && bare + 4 + text::columns(&inline) <= layout.width {
        return vec![format!("{head}  ({inline})")];
    }
    let mut lines = vec![head];
    let margin = " ".repeat(indent);
    let each = details.iter().flat_map(|detail| detail.lines());
    lines.extend(each.map(|line| format!("{margin}{line}")));
    lines
}
