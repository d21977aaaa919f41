//! What the writers noted, and what follows from it.

use std::collections::BTreeSet;
use std::fmt;

/// One write that the server acknowledged; times in microseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ack {
    /// When it was asked for.
    pub began: u64,
    /// When the answer came.
    pub ended: u64,
    /// Its number, of its writer.
    pub number: u64,
    /// The time line of the server that wrote it; 0 for redis.
    pub timeline: u64,
}

/// What one writer noted.
#[derive(Debug, Clone)]
pub struct Notes {
    /// Its name, as in the data.
    pub who: String,
    /// `pooler`, `direct`, `sentinel` or `redis`.
    pub how: &'static str,
    /// Its node.
    pub node: &'static str,
    /// In their order.
    pub acks: Vec<Ack>,
    /// What else was answered, with the number of times.
    pub refused: Vec<String>,
}

impl Notes {
    /// Reads its file; the last line may be broken by a loss of power.
    pub fn parse(who: String, how: &'static str, node: &'static str, text: &str) -> Notes {
        let mut notes = Notes {
            who,
            how,
            node,
            acks: Vec::new(),
            refused: Vec::new(),
        };
        for line in text
            .split_inclusive('\n')
            .filter_map(|line| line.strip_suffix('\n'))
        {
            let mut words = line.splitn(6, ' ');
            match words.next() {
                Some("ack") => {
                    let mut next = |radix| u64::from_str_radix(words.next()?, radix).ok();
                    let (Some(began), Some(ended), Some(number), Some(timeline)) =
                        (next(10), next(10), next(10), next(16))
                    else {
                        panic!("{line}");
                    };
                    notes.acks.push(Ack {
                        began,
                        ended,
                        number,
                        timeline,
                    });
                }
                Some("no") => notes.refused.push(line.to_owned()),
                _ => panic!("{line}"),
            }
        }
        notes
    }

    /// The longest time between two acknowledged writes, in milliseconds.
    fn pause(&self) -> u64 {
        let gap = |two: &[Ack]| (two[1].ended - two[0].ended) / 1000;
        self.acks.windows(2).map(gap).max().unwrap_or(0)
    }
}

/// What a drill cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cost {
    /// Acknowledged writes of the clients.
    pub acknowledged: usize,
    /// Of those, the ones that are not there any more.
    pub lost: usize,
    /// Writes of the clients that got no acknowledgement.
    pub refused: usize,
    /// The longest time in which a client had no write acknowledged, in milliseconds: the worst client's.
    pub pause: u64,
    /// Whole seconds in which no client at all had a write acknowledged.
    pub without: usize,
    /// Acknowledgements of a server that another one had replaced already; for redis, seconds in which two servers acknowledged.
    pub split: usize,
}

impl Cost {
    /// Of one kind of client: `client` is how it writes, `direct` the writer that asks each server itself. `held` are the writes that
    /// are there afterwards.
    pub fn of(all: &[Notes], client: &str, direct: &str, held: &BTreeSet<(String, u64)>) -> Cost {
        let of = |how: &str| all.iter().filter(|it| it.how == how).collect::<Vec<_>>();
        let clients = of(client);
        let lost = |notes: &&Notes| {
            let there = |ack: &&Ack| !held.contains(&(notes.who.clone(), ack.number));
            notes.acks.iter().filter(there).count()
        };
        let mut ends: Vec<u64> = clients
            .iter()
            .flat_map(|it| it.acks.iter().map(|ack| ack.ended))
            .collect();
        ends.sort_unstable();
        let seconds: BTreeSet<u64> = ends.iter().map(|end| end / 1_000_000).collect();
        let whole = match (seconds.first(), seconds.last()) {
            (Some(first), Some(last)) => (last - first + 1) as usize,
            _ => 0,
        };
        let direct = of(direct);
        Cost {
            acknowledged: ends.len(),
            lost: clients.iter().chain(&direct).map(lost).sum(),
            refused: clients.iter().map(|it| it.refused.len()).sum(),
            pause: clients.iter().map(|it| it.pause()).max().unwrap_or(0),
            without: whole - seconds.len(),
            split: match client {
                "pooler" => outdated(clients.iter().chain(&direct).flat_map(|it| &it.acks)),
                _ => at_once(&direct),
            },
        }
    }
}

/// Acknowledgements on a time line after one on a later time line.
fn outdated<'a>(acks: impl Iterator<Item = &'a Ack>) -> usize {
    let acks: Vec<&Ack> = acks.collect();
    let older = |ack: &&&Ack| {
        acks.iter()
            .any(|other| other.timeline > ack.timeline && other.ended < ack.began)
    };
    // Only those at a border can be wrong, and few writers go to the server directly.
    let newest = acks.iter().map(|ack| ack.timeline).max().unwrap_or(0);
    acks.iter()
        .filter(|ack| ack.timeline < newest)
        .filter(older)
        .count()
}

/// Seconds in which one server wrote while another had written before and did afterwards.
fn at_once(direct: &[&Notes]) -> usize {
    let span = |notes: &&Notes| Some((notes.acks.first()?.began, notes.acks.last()?.ended));
    let within = |notes: &&Notes, ack: &Ack| {
        direct
            .iter()
            .filter(|other| other.node != notes.node)
            .filter_map(span)
            .any(|(first, last)| first < ack.began && ack.ended < last)
    };
    direct
        .iter()
        .flat_map(|notes| notes.acks.iter().filter(move |ack| within(notes, ack)))
        .map(|ack| ack.ended / 1_000_000)
        .collect::<BTreeSet<_>>()
        .len()
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} acknowledged, {} lost, {} refused, longest pause {} ms, {} s without writes, {} by two primaries",
            self.acknowledged, self.lost, self.refused, self.pause, self.without, self.split
        )
    }
}
