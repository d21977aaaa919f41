//! `pam_limits`: one limit of a login, in `/etc/security/limits.conf` or a file of `limits.d`.

use super::attributes::Attributes;
use super::body::Body;
use super::copy::BACKUP;
use super::edit::{self, Found};
use super::place::trimmed;
use super::write::Target;
use super::{Args, Bound, Controller, Kind, Param, ParamType, Resource};
use crate::change::{Action, Change};
use crate::diagnostic::Diagnostic;
use crate::fact::{Known, Missing};

/// Keeps a limit of logins in /etc/security/limits.conf, or in a file of /etc/security/limits.d. It holds for new logins only; services of systemd have
/// `LimitNOFILE=` and the like in their units.
///
/// # Returns
/// - `msg`: the line
/// - `path` or `dest`, `state`, `size`, `owner`, `group`, `uid`, `gid`, `mode`: what stands there behind the task
/// - `checksum`: its SHA-1
/// - `backup_file`: where the old file is kept, with `backup`
///
/// # Examples
/// ```yaml
/// - name: the app may have many files open
///   pam_limits:
///     domain: app
///     limit_type: "-"
///     limit_item: nofile
///     value: "65536"
///     dest: /etc/security/limits.d/60-app.conf
///
/// - name: no fork bombs, but who has less keeps it
///   pam_limits:
///     domain: "@users"
///     limit_type: hard
///     limit_item: nproc
///     value: "4096"
///     use_min: true
/// ```
pub static PAM_LIMITS: Kind = Kind {
    name: "pam_limits",
    aliases: &["community.general.pam_limits"],
    summary: "sets a limit of logins: open files, processes, locked memory …",
    params: &[
        Param::new("domain", ParamType::Str, "Whose: an account, `@GROUP`, `*`, or a range of numbers.").required(),
        Param::new("limit_type", ParamType::Choice(&["hard", "soft", "-"]), "`-` is both.").required(),
        Param::new("limit_item", ParamType::Choice(ITEMS), "What is limited.").required(),
        Param::new("value", ParamType::Str, "The limit; `unlimited`, `infinity` or -1 for none. Of `nice` and `priority`, -20 to 19.").required(),
        Param::new("use_max", ParamType::Bool, "Whether a greater value that is there stays.").default("false"),
        Param::new("use_min", ParamType::Bool, "Whether a smaller value that is there stays.").default("false"),
        Param::new("dest", ParamType::Path, "The file; it is made when it is missing.").default(FILE),
        Param::new("comment", ParamType::Str, "A remark behind the limit, set with it."),
        BACKUP,
    ],
    free_form: None,
    refused: &[],
    check,
    bind,
};

const FILE: &str = "/etc/security/limits.conf";

const ITEMS: &[&str] = &[
    "core",
    "data",
    "fsize",
    "memlock",
    "nofile",
    "rss",
    "stack",
    "cpu",
    "nproc",
    "as",
    "maxlogins",
    "maxsyslogins",
    "priority",
    "locks",
    "sigpending",
    "msgqueue",
    "nice",
    "rtprio",
    "chroot",
];

fn check(args: &Args) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    if args.bool("use_max", false) && args.bool("use_min", false) {
        faults.extend(args.at_most_one_of(&["use_max", "use_min"]));
    }
    let item = args.literal("limit_item");
    if let (Some(item), Some(value)) = (item, args.literal("value"))
        && !fits(item, value)
    {
        let range = match is_signed(item) {
            true => "it is a number from -20 to 19",
            false => "it is a number of 0 or more, or `unlimited`",
        };
        faults.push(
            Diagnostic::at(
                args.value_place("value"),
                format!("`{value}` cannot be a limit of `{item}`"),
            )
            .help(range),
        );
    }
    let bad = |text: &&str| text.is_empty() || text.contains([' ', '\t', '\n', '#']);
    if args.literal("domain").filter(bad).is_some() {
        faults.push(Diagnostic::at(
            args.value_place("domain"),
            "`domain` must be one word",
        ));
    }
    if args
        .literal("comment")
        .is_some_and(|text| text.contains('\n'))
    {
        faults.push(Diagnostic::at(
            args.value_place("comment"),
            "`comment` must be one line",
        ));
    }
    faults
}

fn is_signed(item: &str) -> bool {
    matches!(item, "nice" | "priority")
}

fn is_unlimited(value: &str) -> bool {
    matches!(value, "unlimited" | "infinity" | "-1")
}

fn fits(item: &str, value: &str) -> bool {
    if is_signed(item) {
        return value
            .parse::<i64>()
            .is_ok_and(|value| (-20..=19).contains(&value));
    }
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    is_unlimited(value) || digits
}

fn bind(args: &Args, controller: &dyn Controller) -> Bound {
    if let Some(fault) = check(args).into_iter().next() {
        return Err(fault.into());
    }
    let text = |name| args.str(name).unwrap_or_default().to_owned();
    Ok(Box::new(PamLimits {
        target: Target {
            dest: trimmed(args.str("dest").unwrap_or(FILE)).into(),
            attributes: Attributes::of_nobody(controller),
            follow: true,
            force: true,
            backup: args.bool("backup", false),
            validate: None,
            folders: None,
        },
        limit: Limit {
            words: [text("domain"), text("limit_type"), text("limit_item")],
            value: text("value"),
            comment: text("comment"),
            keep: match (args.bool("use_max", false), args.bool("use_min", false)) {
                (true, _) => Keep::Greater,
                (_, true) => Keep::Smaller,
                _ => Keep::Nothing,
            },
        },
    }))
}

/// Which value that is there stays.
enum Keep {
    Nothing,
    Greater,
    Smaller,
}

/// A limit as wanted.
struct Limit {
    /// Domain, type and item.
    words: [String; 3],
    value: String,
    comment: String,
    keep: Keep,
}

struct PamLimits {
    target: Target,
    limit: Limit,
}

impl Resource for PamLimits {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        let old = match edit::read(&self.target, known)? {
            Found::Text(old) => String::from_utf8_lossy(&old).into_owned(),
            Found::Not(change) => return Ok(*change),
            Found::Absent => String::new(),
        };
        let (new, line) = self.limit.put(&old);
        let change = self.target.diff(known, &Body::new(new.into_bytes()))?;
        let change = match change.action {
            Action::None => change.reason("the limit is there"),
            _ => change,
        };
        Ok(change.result("msg", line))
    }
}

impl Limit {
    /// The text with the limit, and its line.
    fn put(&self, text: &str) -> (String, String) {
        let mut new = String::new();
        let mut found = None;
        for line in text.split_inclusive('\n') {
            let Some(value) = self.value_in(line) else {
                new.push_str(line);
                continue;
            };
            let wanted = self.wanted(value);
            let line = match wanted == value {
                true => line.to_owned(),
                false => {
                    let old = line.trim_end_matches('\n').split_once('#');
                    self.line(wanted, old.map_or("", |(_, comment)| comment))
                }
            };
            new.push_str(&line);
            found = Some(line);
        }
        let line = found.unwrap_or_else(|| {
            if !new.is_empty() && !new.ends_with('\n') {
                new.push('\n');
            }
            let line = self.line(&self.value, "");
            new.push_str(&line);
            line
        });
        (new, line)
    }

    /// The value in a line of this limit.
    fn value_in<'a>(&self, line: &'a str) -> Option<&'a str> {
        let words: Vec<&str> = line
            .split('#')
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        match words.as_slice() {
            [domain, kind, item, value] => {
                (self.words == [*domain, *kind, *item]).then_some(*value)
            }
            _ => None,
        }
    }

    /// The value beside the one that is there.
    fn wanted<'a>(&'a self, found: &'a str) -> &'a str {
        let number = |value: &str| match is_unlimited(value) && !is_signed(&self.words[2]) {
            true => i128::MAX,
            false => value.parse().unwrap_or_default(),
        };
        let (there, wanted) = (number(found), number(&self.value));
        match self.keep {
            Keep::Greater if there >= wanted => found,
            Keep::Smaller if there <= wanted => found,
            _ => &self.value,
        }
    }

    fn line(&self, value: &str, comment: &str) -> String {
        let comment = match self.comment.as_str() {
            "" => comment,
            own => own,
        };
        let remark = match comment {
            "" => String::new(),
            comment => format!("\t#{comment}"),
        };
        let [domain, kind, item] = &self.words;
        format!("{domain}\t{kind}\t{item}\t{value}{remark}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(value: &str, keep: Keep, text: &str) -> String {
        let limit = Limit {
            words: ["app", "soft", "nofile"].map(str::to_owned),
            value: value.to_owned(),
            comment: String::new(),
            keep,
        };
        limit.put(text).0
    }

    #[test]
    fn a_limit_is_put_where_it_stands() {
        let text = "# app soft nofile 1\n\napp  soft nofile 10 # why\nroot soft nofile 1";
        assert_eq!(
            put("20", Keep::Nothing, text),
            "# app soft nofile 1\n\napp\tsoft\tnofile\t20\t# why\nroot soft nofile 1"
        );
        assert_eq!(put("10", Keep::Nothing, text), text);
        assert_eq!(put("5", Keep::Nothing, "x"), "x\napp\tsoft\tnofile\t5\n");
    }

    #[test]
    fn greater_and_smaller_values_stay_when_asked() {
        let text = "app soft nofile 10\n";
        assert_eq!(put("5", Keep::Greater, text), text);
        assert_eq!(put("50", Keep::Smaller, text), text);
        assert_eq!(put("50", Keep::Greater, text), "app\tsoft\tnofile\t50\n");
        let text = "app soft nofile unlimited\n";
        assert_eq!(put("5", Keep::Greater, text), text);
        assert_eq!(put("5", Keep::Smaller, text), "app\tsoft\tnofile\t5\n");
        assert_eq!(
            put("-1", Keep::Smaller, "app soft nofile 10\n"),
            "app soft nofile 10\n"
        );
    }
}
