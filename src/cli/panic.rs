//! A bug: what it says, how to report it, and exit status 70.

use std::io::IsTerminal;
use std::panic::PanicHookInfo;

use super::{exit, say};

/// From now on a panic in any thread ends the process: with hosts waiting for each other, one dead task would hang the rest. What runs on
/// nodes goes on there, and the next run finds it.
pub fn install() {
    std::panic::set_hook(Box::new(|panic| {
        if reader_went_away(panic) {
            std::process::exit(i32::from(exit::DONE));
        }
        say::err(&words(panic));
        std::process::exit(i32::from(exit::BUG));
    }));
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
