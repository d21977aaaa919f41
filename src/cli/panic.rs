//! A bug: what it says, how to report it, and exit status 70.

use std::io::IsTerminal;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::atomic::{AtomicBool, Ordering};

use super::{exit, say};

/// A panic on one host does not end the others' work, so the end of the command asks whether there was one.
static HAPPENED: AtomicBool = AtomicBool::new(false);

/// Runs a command; whatever its own exit status is, a panic in any thread makes it 70.
pub fn guard(command: impl FnOnce() -> u8) -> u8 {
    panic::set_hook(Box::new(|panic| {
        if reader_went_away(panic) {
            std::process::exit(i32::from(exit::DONE));
        }
        HAPPENED.store(true, Ordering::Relaxed);
        say::err(&words(panic));
    }));
    let status = panic::catch_unwind(AssertUnwindSafe(command));
    match status {
        Ok(status) if !happened() => status,
        _ => exit::BUG,
    }
}

/// Whether there was a panic.
pub fn happened() -> bool {
    HAPPENED.load(Ordering::Relaxed)
}

fn words(panic: &PanicHookInfo<'_>) -> String {
    let place = panic
        .location()
        .map(|place| format!(" at {}:{}", place.file(), place.line()))
        .unwrap_or_default();
    // Live lines end here, and a cursor or a line style that they hid comes back.
    let restore = match std::io::stderr().is_terminal() {
        true => "\r\x1b[0m\x1b[?25h\x1b[J",
        false => "",
    };
    format!(
        "{restore}error: a bug in hadeploy {}{place}: {}\nhelp: please report this line with the command and the playbook where you got hadeploy from\nhelp: what was started on nodes ends there by itself; the same command goes on from that",
        env!("CARGO_PKG_VERSION"),
        message(panic),
    )
}

fn message<'a>(panic: &'a PanicHookInfo<'_>) -> &'a str {
    let payload = panic.payload();
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("unknown")
}

/// `println!` panics when `hadeploy … | head` has seen enough; that is no bug.
fn reader_went_away(panic: &PanicHookInfo<'_>) -> bool {
    let message = message(panic);
    message.starts_with("failed printing to") && message.contains("Broken pipe")
}
