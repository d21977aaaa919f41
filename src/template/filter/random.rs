//! Chance with a seed: Python's generator, so that a seed gives what it gives in Ansible.
//!
//! Without a seed these are refused: a template with chance in it changes with every run.

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, Value as Native};
use rand_mt::Mt;
use sha2::{Digest, Sha512};

use super::given::{Given, whole};
use super::{expected, items_of, text_of};
use crate::template::convert::fault;

pub(super) fn register(environment: &mut Environment<'static>) {
    environment.add_filter("random", random);
    environment.add_filter("shuffle", shuffle);
    environment.add_filter("random_mac", random_mac);
}

/// Python's `random.Random`.
pub(in crate::template) struct Chance(Mt);

impl Chance {
    /// With a whole number or text as the seed.
    pub(in crate::template) fn new(seed: Option<&Native>) -> Result<Chance, Error> {
        let Some(seed) = seed else {
            return Err(fault(
                "without a `seed` it gives something else with every run; add `seed=inventory_hostname`",
            ));
        };
        let key: Vec<u32> = match seed.kind() {
            ValueKind::Number | ValueKind::Bool => {
                let number = whole(seed, "seed")?.unsigned_abs();
                let words = [number as u32, (number >> 32) as u32];
                words[..if words[1] == 0 { 1 } else { 2 }].to_vec()
            }
            ValueKind::String => {
                let mut bytes = text_of(seed)?.into_bytes();
                let hash = Sha512::digest(&bytes);
                bytes.extend_from_slice(&hash);
                words(&bytes)
            }
            _ => return Err(expected("text or a whole number as the seed", seed)),
        };
        Ok(Chance(Mt::new_with_key(key)))
    }

    /// So many random bits, at most 64.
    fn bits(&mut self, count: u32) -> u64 {
        match count {
            0 => 0,
            1..=32 => u64::from(self.0.next_u32() >> (32 - count)),
            _ => {
                let low = u64::from(self.0.next_u32());
                let high = u64::from(self.0.next_u32() >> (64 - count));
                high << 32 | low
            }
        }
    }

    /// A number below `bound`, which is above zero.
    pub(in crate::template) fn below(&mut self, bound: u64) -> u64 {
        let count = u64::BITS - bound.leading_zeros();
        loop {
            let drawn = self.bits(count);
            if drawn < bound {
                return drawn;
            }
        }
    }
}

/// A number of many bytes, the highest first, in words, the lowest first.
fn words(bytes: &[u8]) -> Vec<u32> {
    let mut words: Vec<u32> = bytes
        .rchunks(4)
        .map(|chunk| {
            chunk
                .iter()
                .fold(0, |word, byte| word << 8 | u32::from(*byte))
        })
        .collect();
    while words.len() > 1 && words.last() == Some(&0) {
        words.pop();
    }
    words
}

fn random(value: &Native, args: &[Native], kwargs: Kwargs) -> Result<Native, Error> {
    let given = Given::read(&["start", "step", "seed"], args, &kwargs)?;
    let mut chance = Chance::new(given.value("seed"))?;
    let (start, step) = (given.whole("start")?, given.whole("step")?);
    if value.kind() != ValueKind::Number {
        if start.unwrap_or(0) != 0 || step.unwrap_or(0) != 0 {
            return Err(fault(
                "`start` and `step` go with a number, not with a list",
            ));
        }
        if let Some(text) = value.as_str() {
            let chars: Vec<char> = text.chars().collect();
            let chosen = pick(&mut chance, chars.len())?;
            return Ok(Native::from(chars[chosen].to_string()));
        }
        let items = items_of(value)?;
        let chosen = pick(&mut chance, items.len())?;
        return Ok(items[chosen].clone());
    }
    let end = whole(value, "end")?;
    let start = start.unwrap_or(0);
    let step = step.filter(|step| *step != 0).unwrap_or(1);
    let width = i128::from(end) - i128::from(start);
    let count = match step > 0 {
        true => (width + i128::from(step) - 1) / i128::from(step),
        false => (width + i128::from(step) + 1) / i128::from(step),
    };
    match u64::try_from(count) {
        Ok(count) if count > 0 => {
            let drawn = i128::from(start) + i128::from(step) * i128::from(chance.below(count));
            i64::try_from(drawn)
                .map(Native::from)
                .map_err(|_| fault("the number drawn is beyond 64 bits"))
        }
        _ => Err(fault("there is no number between `start` and the end")),
    }
}

fn pick(chance: &mut Chance, count: usize) -> Result<usize, Error> {
    match count {
        0 => Err(fault("nothing to choose from")),
        count => Ok(chance.below(count as u64) as usize),
    }
}

fn shuffle(value: &Native, args: &[Native], kwargs: Kwargs) -> Result<Native, Error> {
    let given = Given::read(&["seed"], args, &kwargs)?;
    let seed = given.value("seed").filter(|seed| seed.is_true());
    let mut chance = Chance::new(seed)?;
    if matches!(value.kind(), ValueKind::Number | ValueKind::Bool) {
        return Err(expected("a list", value));
    }
    let mut items = items_of(value)?;
    for index in (1..items.len()).rev() {
        let other = chance.below(index as u64 + 1) as usize;
        items.swap(index, other);
    }
    Ok(Native::from(items))
}

/// The bytes of a hardware address that its beginning leaves open.
fn random_mac(value: &Native, args: &[Native], kwargs: Kwargs) -> Result<String, Error> {
    let given = Given::read(&["seed"], args, &kwargs)?;
    let mut chance = Chance::new(given.value("seed"))?;
    let Some(prefix) = value.as_str() else {
        return Err(expected("text", value));
    };
    let mut mac = prefix.to_lowercase();
    let groups: Vec<&str> = mac.split(':').collect();
    let hex =
        |group: &&str| group.len() >= 2 && group[..].bytes().take(2).all(|b| b.is_ascii_hexdigit());
    if groups.len() > 5 || !groups.iter().all(hex) {
        return Err(fault(
            "it begins with one to five bytes, such as `52:54:00`",
        ));
    }
    let left = 2 * (6 - groups.len());
    let (low, high) = (0x10_0000_0000u64, 0xff_ffff_ffffu64);
    let drawn = format!("{:x}", low + chance.below(high - low + 1));
    let digits: Vec<char> = drawn.chars().take(left).collect();
    for pair in digits.chunks(2) {
        if pair.len() == 2 {
            mac.push(':');
        }
        mac.extend(pair);
    }
    Ok(mac)
}
