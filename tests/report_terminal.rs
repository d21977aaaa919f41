//! The terminal's live lines, on a terminal made of memory.

#[path = "report/events.rs"]
#[allow(dead_code, reason = "shared with the golden tests")]
mod events;

use std::io::{self, Write};

use events::*;
use hadeploy::event::{Event, Mode, Status};
use hadeploy::report::{LogWriter, ReportOptions, Reporter, Tty, human};
use indicatif::{ProgressDrawTarget, TermLike};

/// Remembers what is written as a terminal would be sent it, with words for cursor moves.
#[derive(Debug)]
struct Screen(Page);

impl Screen {
    fn put(&self, text: &str) -> io::Result<()> {
        self.0.clone().write_all(text.as_bytes())
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        40
    }

    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        self.put("<up>")
    }

    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        self.put("<down>")
    }

    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn write_line(&self, line: &str) -> io::Result<()> {
        self.put(&format!("{line}\n"))
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.put(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.put("<clear>")
    }

    fn flush(&self) -> io::Result<()> {
        self.put("<drawn>")
    }
}

fn target(page: &Page) -> ProgressDrawTarget {
    ProgressDrawTarget::term_like(Box::new(Screen(page.clone())))
}

fn working(host: &str, what: &str) -> Event {
    Event::HostWorking {
        host: host.into(),
        what: what.into(),
    }
}

/// What stands on the screen after the last drawing.
fn last_drawing(page: &Page) -> String {
    let text = page.text();
    let drawn: Vec<&str> = text.split("<drawn>").collect();
    drawn[drawn.len().saturating_sub(2)]
        .replace("<up>", "")
        .replace("<clear>", "")
}

#[test]
fn lines_are_permanent_and_live_lines_go() {
    let page = Page::default();
    let mut tty = Tty::new(ReportOptions::default(), target(&page));
    for event in started(Mode::Apply, &["n1"]) {
        tty.event(&event);
    }
    tty.event(&working(
        "n1",
        "installing \u{1b}[31mnginx with a title longer than the screen",
    ));
    tty.event(&finished(task("n1", "write nginx.conf", Status::Changed)));
    let text = page.text();
    assert!(text.contains("n1  changed  write nginx.conf"), "{text}");
    let shown = last_drawing(&page);
    assert!(shown.contains("n1  installing \\x1b[31mnginx"), "{shown}");
    assert!(!page.text().contains('\u{1b}'), "{:?}", page.text());
    tty.event(&ended(0, "", true, &[("n1", tally(0, 1))]));
    let shown = last_drawing(&page);
    assert!(
        shown.contains("done: 1 change made on 1 of 1 host"),
        "{shown}"
    );
    assert!(!shown.contains("installing"), "{shown}");
}

#[test]
fn many_hosts_take_nine_lines_and_give_them_up_in_turn() {
    let page = Page::default();
    let mut tty = Tty::new(ReportOptions::default(), target(&page));
    for host in 1..=20 {
        tty.event(&working(&format!("n{host}"), "installing"));
    }
    tty.event(&finished(task("x", "one", Status::Changed)));
    let shown = last_drawing(&page);
    assert_eq!(shown.matches("installing").count(), 8, "{shown}");
    assert!(shown.contains("… and 12 more hosts"), "{shown}");
    tty.event(&working("n1", ""));
    for host in 10..=20 {
        tty.event(&working(&format!("n{host}"), ""));
    }
    tty.event(&finished(task("x", "two", Status::Changed)));
    let shown = last_drawing(&page);
    assert_eq!(shown.matches("installing").count(), 8, "{shown}");
    assert!(!shown.contains("more"), "{shown}");
    assert!(shown.contains("n9  installing"), "{shown}");
}

#[test]
fn any_order_of_events_is_survived() {
    let mut events = apply_events();
    for _ in 0..events.len() {
        events.rotate_left(1);
        let page = Page::default();
        let mut tty = Tty::new(ReportOptions::default(), target(&page));
        events.iter().for_each(|event| tty.event(event));
        tty.finish();
        tty.finish();
        assert!(page.text().contains("write nginx.conf"));
    }
}

#[test]
fn log_lines_step_between_live_lines() {
    let page = Page::default();
    let tty = &mut Tty::new(ReportOptions::default(), target(&page));
    tty.event(&working("n1", "installing"));
    let log = LogWriter::new(Some(tty.bars()), Box::new(page.clone()));
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(log)
        .finish();
    tracing::subscriber::with_default(subscriber, || tracing::warn!("the link is slow"));
    tty.event(&finished(task("n1", "one", Status::Changed)));
    let text = page.text();
    let record = text
        .find("the link is slow")
        .expect("the record is written");
    let line_start = text[..record].rfind(['\n', '>']).map_or(0, |at| at + 1);
    assert!(!text[line_start..record].contains("installing"), "{text}");
    assert!(text[..record].contains("<clear>"), "{text}");
}

#[test]
fn without_a_terminal_the_lines_are_plain() {
    let page = Page::default();
    let (mut reporter, bars) = human(
        ReportOptions::default(),
        ProgressDrawTarget::hidden(),
        Box::new(page.clone()),
    );
    apply_events()
        .iter()
        .for_each(|event| reporter.event(event));
    assert!(bars.is_none());
    assert_eq!(
        page.text(),
        plain(ReportOptions::default(), &apply_events())
    );
}
