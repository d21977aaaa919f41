//! One entry of a crontab, from the task's parameters.

use super::table::{Beside, Edit};
use crate::diagnostic::Diagnostic;
use crate::resource::Args;

const TIMES: [&str; 5] = ["minute", "hour", "day", "month", "weekday"];

/// What is wrong with parameters that are no templates.
pub(super) fn faults(args: &Args) -> Vec<Diagnostic> {
    let mut faults = args.at_most_one_of(&["insertafter", "insertbefore"]);
    let given = TIMES
        .iter()
        .find(|name| args.has(name) && args.literal(name) != Some("*"));
    if let Some(name) = given.filter(|_| args.has("special_time")) {
        faults.push(Diagnostic::at(
            args.place(name),
            format!("`{name}` and `special_time` exclude each other"),
        ));
    }
    for name in TIMES {
        let good = |c: char| c.is_ascii_alphanumeric() || "*,/-~".contains(c);
        if args
            .literal(name)
            .is_some_and(|text| text.is_empty() || !text.chars().all(good))
        {
            faults.push(
                Diagnostic::at(
                    args.value_place(name),
                    format!("this cannot be the `{name}` of an entry"),
                )
                .help("write it as in a crontab: `*`, `5`, `1-5`, `*/10`, `1,15`"),
            );
        }
    }
    for name in ["name", "job", "user"] {
        if args
            .literal(name)
            .is_some_and(|text| text.trim_matches(['\r', '\n']).contains(['\r', '\n']))
        {
            faults.push(
                Diagnostic::at(
                    args.value_place(name),
                    format!("`{name}` has several lines"),
                )
                .help("an entry is one line; put what it runs into a script"),
            );
        }
    }
    let present = args.literal("state") != Some("absent")
        && (args.literal("state").is_some() || !args.has("state"));
    if present && !args.has("job") {
        faults.push(
            Diagnostic::at(&args.span, "`cron` needs `job`")
                .help("only `state: absent` can do without it"),
        );
    }
    if present && args.has("cron_file") && !args.has("user") {
        faults.push(
            Diagnostic::at(args.place("cron_file"), "`cron_file` needs `user`")
                .help("an entry of such a file names the account it runs as"),
        );
    }
    if args.literal("cron_file") == Some("/etc/crontab") {
        faults.push(
            Diagnostic::at(
                args.value_place("cron_file"),
                "/etc/crontab is Debian's own",
            )
            .help("name a file, which will be in /etc/cron.d"),
        );
    }
    let word = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    let file = args
        .literal("cron_file")
        .map(|file| file.rsplit('/').next().unwrap_or(file));
    if file.is_some_and(|file| file.is_empty() || !file.chars().all(word)) {
        faults.push(
            Diagnostic::at(
                args.value_place("cron_file"),
                "cron passes over a file of that name",
            )
            .help("letters, digits, `_` and `-` may be in it"),
        );
    }
    faults
}

/// What is to be done to the crontab.
pub(super) fn edit(args: &Args, in_file: bool) -> Result<Edit, Diagnostic> {
    let name = args.str("name").unwrap_or_default().to_owned();
    let present = args.str("state") != Some("absent");
    let job = args
        .str("job")
        .unwrap_or_default()
        .trim_matches(['\r', '\n']);
    let beside = args
        .str("insertafter")
        .map(|name| Beside::After(name.to_owned()))
        .or_else(|| {
            args.str("insertbefore")
                .map(|name| Beside::Before(name.to_owned()))
        });
    if args.bool("env", false) {
        if name.contains(char::is_whitespace) || name.contains('=') || name.is_empty() {
            return Err(Diagnostic::at(
                args.value_place("name"),
                format!("`{name}` cannot be the name of a variable"),
            ));
        }
        let line = format!("{name}=\"{job}\"");
        return Ok(if present {
            Edit::Variable(name, line, beside)
        } else {
            Edit::NoVariable(name)
        });
    }
    if beside.is_some() {
        return Err(
            Diagnostic::at(&args.span, "only a variable can be put beside another")
                .help("`insertafter` and `insertbefore` need `env: true`"),
        );
    }
    if !present {
        return Ok(Edit::NoJob(name));
    }
    let time = match args.str("special_time") {
        Some(word) => format!("@{word}"),
        None => TIMES.map(|name| args.str(name).unwrap_or("*")).join(" "),
    };
    let off = if args.bool("disabled", false) {
        "#"
    } else {
        ""
    };
    let user = match args.str("user") {
        Some(user) if in_file => format!("{user} "),
        _ => String::new(),
    };
    Ok(Edit::Job(name, format!("{off}{time} {user}{job}")))
}
