//! Inputs changed with dice: at bytes, which break what reads them first, and by the lines and pieces that their forms consist of, which lead
//! further in.

use std::ops::Range;

use crate::dice::Dice;

/// Inputs grow no longer than this.
const LARGEST: usize = 32 << 10;

/// Words that parsers look for.
const WORDS: &[&str] = &[
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "\n",
    "\r\n",
    "\t",
    "\0",
    "- ",
    ": ",
    "'",
    "\"",
    "\\",
    "[",
    "]",
    "{",
    "}",
    "|",
    ">",
    "&a",
    "*a",
    "<<",
    "!vault",
    "!!",
    "#",
    "%",
    "=",
    ",",
    "..",
    "-",
    "0x",
    "1e999",
    "é",
    "\u{2028}",
    "9223372036854775808",
    "-1",
    "if",
    "else",
    "endif",
    "for",
    "in",
    "endfor",
    "is",
    "not",
    "or",
    "$ANSIBLE_VAULT;1.1;AES256",
    "Host *",
    "Match all",
    "Include x",
    "ssh-ed25519",
    "|1|",
    "@cert-authority",
    "@revoked",
    "[web]",
    ":vars",
    ":children",
    "null",
];

/// An input changed at one to eight places, with what others of the pool hold.
pub fn mutated(input: &[u8], pool: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut input = input.to_vec();
    for _ in 0..1 << dice.roll(4) {
        let other = &pool[dice.roll(pool.len())];
        // Bytes lead past a parser's first steps seldom, what has its own form often.
        match dice.roll(5) {
            0 | 1 => bytes(&mut input, other, dice),
            2 => lines(&mut input, other, dice),
            3 => piece(&mut input, other, dice, |byte| {
                byte.is_ascii_alphanumeric() || *byte == b'_'
            }),
            _ => piece(&mut input, other, dice, |byte| {
                !b" \n\t:=,|()[]{}".contains(byte)
            }),
        }
    }
    input.truncate(LARGEST);
    input
}

/// Changes bytes anywhere.
fn bytes(input: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    let at = dice.roll(input.len() + 1);
    let end = (at + 1 + dice.roll(24)).min(input.len());
    match dice.roll(20) {
        0..3 if at < input.len() => input[at] ^= 1 << dice.roll(8),
        0..6 => drop(input.drain(at.min(end)..end)),
        6..9 => {
            let part = input[at.min(end)..end].to_vec();
            input.splice(at..at, part);
        }
        9..14 => {
            let word = WORDS[dice.roll(WORDS.len())];
            input.splice(at..at, word.bytes());
        }
        14 => input.truncate(at.max(1)),
        15..19 => {
            let from = dice.roll(other.len() + 1);
            let to = (from + dice.roll(200)).min(other.len());
            input.splice(at..at, other[from..to].iter().copied());
        }
        // Deep nesting is what recursion breaks at.
        _ => {
            let word = WORDS[dice.roll(WORDS.len())];
            let many = word.repeat(1 + dice.roll(300));
            input.splice(at..at, many.bytes());
        }
    }
}

/// Takes lines away, moves them in or out, or brings some from another input.
fn lines(input: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    let own = some_lines(input, dice);
    match dice.roll(4) {
        0 => drop(input.drain(own)),
        1 => {
            let spaces = [b"  ".as_slice(), b"    ", b"- "][dice.roll(3)];
            match input[own.clone()].starts_with(spaces) {
                true => drop(input.drain(own.start..own.start + spaces.len())),
                false => drop(input.splice(own.start..own.start, spaces.iter().copied())),
            }
        }
        _ => {
            let foreign = other[some_lines(other, dice)].to_vec();
            let end = [own.start, own.end][dice.roll(2)];
            input.splice(own.start..end, foreign);
        }
    }
}

/// Where one to four whole lines stand.
fn some_lines(text: &[u8], dice: &mut Dice) -> Range<usize> {
    let is_end = |byte: &u8| *byte == b'\n';
    let at = dice.roll(text.len() + 1);
    let start = text[..at].iter().rposition(is_end);
    let start = start.map_or(0, |end| end + 1);
    let mut end = start;
    for _ in 0..=dice.roll(4) {
        let next = text[end..].iter().position(is_end);
        end = next.map_or(text.len(), |next| end + next + 1);
    }
    start..end
}

/// Puts a piece of another input, all of whose bytes are of one sort, in the place of one.
fn piece(input: &mut Vec<u8>, other: &[u8], dice: &mut Dice, sort: fn(&u8) -> bool) {
    let own = some_piece(input, dice, sort);
    let foreign = other[some_piece(other, dice, sort)].to_vec();
    input.splice(own, foreign);
}

/// Where bytes of a sort stand in a row, at or behind any place.
fn some_piece(text: &[u8], dice: &mut Dice, sort: fn(&u8) -> bool) -> Range<usize> {
    let at = dice.roll(text.len() + 1);
    let start = match text[at..].iter().position(sort) {
        Some(0) => text[..at]
            .iter()
            .rposition(|byte| !sort(byte))
            .map_or(0, |end| end + 1),
        Some(far) => at + far,
        None => return text.len()..text.len(),
    };
    let length = text[start..].iter().position(|byte| !sort(byte));
    start..length.map_or(text.len(), |length| start + length)
}
