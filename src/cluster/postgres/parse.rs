//! What a member's answer says.

use std::collections::BTreeMap;

use super::observation::{Controldata, FileSeen, Node, Observation, Online, Pooler, Repmgrd, Unit};
use super::probe::{Sections, sections};
use super::spec::COUNTERS;

impl Observation {
    /// Reads an answer to [`super::probe::question`].
    ///
    /// # Errors
    /// What of it cannot be read; nothing is known of the member then.
    pub fn parse(text: &str) -> Result<Observation, String> {
        let sections = sections(text)?;
        let one = |label: &str| sections.get(label).and_then(|lines| lines.first().copied());
        let yes = |label: &str| sections.contains_key(label);
        let release = one("release").unwrap_or_default();
        let release = release
            .parse()
            .map_err(|_| format!("`{release}` is no release of PostgreSQL"))?;
        let (disk_free, disk_size) = one("disk")
            .and_then(|line| {
                let mut words = line.split_whitespace().map(str::parse);
                Some((words.next()?.ok()?, words.next()?.ok()?))
            })
            .unwrap_or_default();
        Ok(Observation {
            release,
            packages: packages(&sections),
            configured: yes("configured"),
            data: yes("data"),
            remains: yes("remains"),
            unit: unit(&pairs(&sections, "unit", '=')),
            control: control(&pairs(&sections, "control", ':')),
            standby_signal: yes("signal"),
            online: online(&sections)?,
            process: yes("process"),
            repmgrd: repmgrd(&sections),
            repmgr_id: one("id").and_then(|id| id.parse().ok()),
            disk_free,
            disk_size,
            files: files(&sections)?,
            needs_rejoin: one("rejoin").map(|text| text.trim().to_owned()),
            refused_start: one("refused").map(|text| text.trim().to_owned()),
            fenced: yes("fenced"),
            pooler: pooler(&sections),
            set_aside: lines(&sections, "aside").map(str::to_owned).collect(),
        })
    }
}

fn lines<'a>(sections: &'a Sections, label: &str) -> impl Iterator<Item = &'a str> {
    sections.get(label).into_iter().flatten().copied()
}

/// Lines of `name`, a sign and a value.
fn pairs<'a>(sections: &'a Sections, label: &str, sign: char) -> BTreeMap<&'a str, &'a str> {
    lines(sections, label)
        .filter_map(|line| line.split_once(sign))
        .map(|(name, value)| (name, value.trim()))
        .collect()
}

fn packages(sections: &Sections) -> BTreeMap<String, String> {
    lines(sections, "package")
        .filter_map(|line| {
            let mut parts = line.split('|');
            let state = parts.next()?;
            let (name, version) = (parts.next()?, parts.next()?);
            (state.trim() == "ii" || state.trim() == "hi").then(|| (name.into(), version.into()))
        })
        .collect()
}

fn unit(pairs: &BTreeMap<&str, &str>) -> Unit {
    let get = |name: &str| pairs.get(name).copied().unwrap_or_default().to_owned();
    Unit {
        active: get("ActiveState"),
        result: get("Result"),
        enabled: get("UnitFileState"),
    }
}

fn control(pairs: &BTreeMap<&str, &str>) -> Option<Controldata> {
    let number = |name: &str| pairs.get(name)?.parse().ok();
    Some(Controldata {
        state: (*pairs.get("Database cluster state")?).to_owned(),
        sysid: pairs.get("Database system identifier")?.parse().ok()?,
        tli: number("Latest checkpoint's TimeLineID")?,
        checkpoint: lsn(pairs.get("Latest checkpoint location")?)?,
        min_recovery: lsn(pairs.get("Minimum recovery ending location")?)?,
        min_recovery_tli: number("Min recovery ending loc's timeline")?,
        counters: COUNTERS
            .iter()
            .filter_map(|name| {
                let shown = match *name {
                    "max_prepared_transactions" => "max_prepared_xacts",
                    "max_locks_per_transaction" => "max_locks_per_xact",
                    name => name,
                };
                let value = pairs.get(format!("{shown} setting").as_str())?;
                Some(((*name).to_owned(), value.parse().ok()?))
            })
            .collect(),
        checksums: number("Data page checksum version").unwrap_or(0) > 0,
    })
}

/// A place in the WAL as PostgreSQL writes it: `0/3000028`.
pub fn lsn(text: &str) -> Option<u64> {
    let (high, low) = text.split_once('/')?;
    let part = |text| u64::from_str_radix(text, 16).ok();
    Some((part(high)? << 32) | part(low)?)
}

fn online(sections: &Sections) -> Result<Option<Online>, String> {
    let Some(json) = sections.get("online") else {
        return Ok(None);
    };
    let mut online: Online = serde_json::from_str(&json.concat())
        .map_err(|fault| format!("what the server said cannot be read: {fault}"))?;
    // The server answered, so this must be known: a table that could not be read is not an empty one.
    online.nodes = match sections.get("nodes").map(|lines| lines.concat()) {
        None => return Err("repmgr's table of nodes could not be read".into()),
        Some(text) if text == "none" => None,
        Some(text) => {
            let nodes: Vec<Node> = serde_json::from_str(&text)
                .map_err(|fault| format!("repmgr's table of nodes cannot be read: {fault}"))?;
            Some(nodes)
        }
    };
    Ok(Some(online))
}

fn repmgrd(sections: &Sections) -> Repmgrd {
    let pairs = pairs(sections, "repmgrd", '=');
    let get = |name: &str| pairs.get(name).copied().unwrap_or_default();
    let written: Option<u64> = lines(sections, "conf")
        .next()
        .and_then(|at| at.parse().ok());
    let started: Option<u64> = get("ActiveEnterTimestamp")
        .strip_prefix('@')
        .and_then(|at| at.parse().ok());
    Repmgrd {
        running: get("ActiveState") == "active",
        // `ID:1` when paused.
        paused: lines(sections, "pause").any(|line| line.trim().ends_with(":1")),
        stale: matches!((written, started), (Some(written), Some(started)) if written > started),
        enabled: get("UnitFileState") == "enabled",
        // -1 where it has noted nothing.
        unseen: lines(sections, "unseen").find_map(|seconds| seconds.parse().ok()),
    }
}

/// Mode, owner, group, time, digest, path.
fn files(sections: &Sections) -> Result<BTreeMap<String, FileSeen>, String> {
    lines(sections, "file")
        .map(|line| {
            let parts: Vec<&str> = line.splitn(6, ' ').collect();
            let [mode, owner, group, modified, sha256, path] = parts[..] else {
                return Err(format!("`{line}` says nothing of a file"));
            };
            let mode = u32::from_str_radix(mode, 8);
            let seen = FileSeen {
                sha256: sha256.into(),
                mode: mode.map_err(|fault| format!("the mode of {path}: {fault}"))?,
                owner: owner.into(),
                group: group.into(),
                modified: modified.parse().unwrap_or_default(),
            };
            Ok((path.to_owned(), seen))
        })
        .collect()
}

/// A table with a head: the column `paused` of each row but the console's own. One that serves no database, or whose console does not
/// answer, cannot be paused.
fn pooler(sections: &Sections) -> Option<Pooler> {
    let mut rows = lines(sections, "pool").map(|line| line.split('|').collect::<Vec<_>>());
    let column = rows.next()?.iter().position(|name| *name == "paused")?;
    let paused: Vec<bool> = rows
        .filter(|row| row.first() != Some(&"pgbouncer"))
        .map(|row| row.get(column) == Some(&"1"))
        .collect();
    (!paused.is_empty()).then(|| Pooler {
        paused: paused.contains(&true),
    })
}

#[cfg(test)]
mod tests;
