//! Hardware addresses: `hwaddr`, `macaddr`, `slaac`.

use minijinja::value::Kwargs;
use minijinja::{Environment, Error, Value as Native};

use super::address::{Network, show};
use super::given::Given;
use super::text_of;
use crate::diagnostic::nearest;
use crate::template::convert::fault;

pub(super) fn register(environment: &mut Environment<'static>) {
    environment.add_filter("hwaddr", hwaddr);
    environment.add_filter("macaddr", hwaddr);
    environment.add_filter("slaac", slaac);
}

/// The six bytes of `1a:2b:3c:4d:5e:6f`, `1a-2b-3c-4d-5e-6f`, `1a2b.3c4d.5e6f`, `1a2b3c:4d5e6f` or twelve digits.
pub(in crate::template) fn parse(text: &str) -> Option<[u8; 6]> {
    let mark = text.chars().find(|c| !c.is_ascii_hexdigit());
    let groups: Vec<&str> = match mark {
        Some(mark) if ":-.".contains(mark) => text.split(mark).collect(),
        Some(_) => return None,
        None => vec![text],
    };
    let width = match (groups.len(), mark) {
        (6, Some(':' | '-')) => 2,
        (3, Some(_)) => 4,
        (2, Some(':' | '-')) => 6,
        (1, None) => 12,
        _ => return None,
    };
    // Leading zeros of a group may be missing where groups are marked.
    let ranges = if mark.is_some() {
        1..=width
    } else {
        width..=width
    };
    let mut digits = String::with_capacity(12);
    for group in groups {
        let hex = group.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !hex || !ranges.contains(&group.len()) {
            return None;
        }
        digits.push_str(&format!("{group:0>width$}"));
    }
    let value = u64::from_str_radix(&digits, 16).ok()?;
    value.to_be_bytes()[2..].try_into().ok()
}

const QUERIES: &[&str] = &[
    "bare",
    "bool",
    "cisco",
    "eui48",
    "int",
    "linux",
    "pgsql",
    "postgresql",
    "psql",
    "unix",
    "win",
];

/// Whether there is a query of that name.
pub(in crate::template) fn check(query: &str) -> Result<(), Error> {
    if query.is_empty() || QUERIES.contains(&query) {
        return Ok(());
    }
    let near = nearest(query, QUERIES.iter().copied());
    Err(fault(match near {
        Some(near) => format!("no query of this name; did you mean `{near}`?"),
        None => format!("no query of this name; there are {}", QUERIES.join(", ")),
    }))
}

fn hwaddr(value: &Native, args: &[Native], kwargs: Kwargs) -> Result<Native, Error> {
    let given = Given::read(&["query"], args, &kwargs)?;
    let query = given.text_or("query", "")?;
    let text = text_of(value)?;
    let found = parse(&text);
    check(&query)?;
    let Some(bytes) = found else {
        return match query.as_str() {
            "" | "bool" => Ok(Native::from(())),
            _ => Err(fault("this is no hardware address")),
        };
    };
    let hex = |upper: bool, width: usize, mark: &str| {
        let all: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let groups: Vec<&str> = (0..12)
            .step_by(width)
            .map(|at| &all[at..at + width])
            .collect();
        let text = groups.join(mark);
        Native::from(if upper { text.to_uppercase() } else { text })
    };
    Ok(match query.as_str() {
        "" => Native::from(text),
        "bool" => Native::from(true),
        "int" => Native::from(
            bytes
                .iter()
                .fold(0i64, |value, byte| value << 8 | i64::from(*byte)),
        ),
        "bare" => hex(true, 12, ""),
        "cisco" => hex(false, 4, "."),
        "linux" => hex(false, 2, ":"),
        "unix" => {
            let groups: Vec<String> = bytes.iter().map(|byte| format!("{byte:x}")).collect();
            Native::from(groups.join(":"))
        }
        "pgsql" | "postgresql" | "psql" => hex(false, 6, ":"),
        _ => hex(true, 2, "-"),
    })
}

/// The address a host with that hardware address gives itself in a network.
fn slaac(value: &Native, args: &[Native], kwargs: Kwargs) -> Result<Native, Error> {
    let given = Given::read(&["query"], args, &kwargs)?;
    let network = Network::parse(&text_of(value)?).filter(|network| network.version == 6);
    let bytes = given.text("query")?.as_deref().and_then(parse);
    let (Some(network), Some([a, b, c, d, e, f])) = (network, bytes) else {
        return Ok(Native::from(false));
    };
    let interface = u64::from_be_bytes([a ^ 2, b, c, 0xff, 0xfe, d, e, f]);
    let address = network.first() + u128::from(interface);
    Ok(Native::from(show(6, address)))
}
