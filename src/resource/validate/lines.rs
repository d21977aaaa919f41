//! Files that are read line by line by programs without a checker of their own: crontabs of the system, and settings of the kernel.

/// What is wrong with a content that is to stand at `path`: `PATH:LINE: why`. None where all is well, or nobody knows.
pub fn fault(path: &str, content: &[u8]) -> Option<String> {
    let check: fn(&str) -> Result<(), String> = match path.rsplit_once('/')? {
        ("/etc/cron.d", _) | ("/etc", "crontab") => cron,
        ("/etc/sysctl.d", name) if name.ends_with(".conf") => sysctl,
        ("/etc", "sysctl.conf") => sysctl,
        _ => return None,
    };
    let Ok(text) = std::str::from_utf8(content) else {
        return Some(format!("{path}: it is no text"));
    };
    let lines = text.lines().enumerate();
    let wrong = lines
        .filter_map(|(at, line)| check(line.trim_start()).err().map(|why| (at, why)))
        .next();
    if let Some((at, why)) = wrong {
        return Some(format!("{path}:{}: {why}", at + 1));
    }
    let is_cron = !path.contains("sysctl");
    (is_cron && !text.is_empty() && !text.ends_with('\n')).then(|| {
        format!(
            "{path}:{}: the last line does not end with a newline, and cron passes over it",
            text.lines().count()
        )
    })
}

/// What people should know of a file there: that it is not read.
pub fn unread(path: &str) -> Option<String> {
    let (folder, name) = path.rsplit_once('/')?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    match folder {
        "/etc/cron.d" if !name.chars().all(plain) => Some(format!(
            "cron does not read {path}: only letters, digits, `-` and `_` may be in the name of a file there"
        )),
        "/etc/sudoers.d" if name.contains('.') || name.ends_with('~') => Some(format!(
            "sudo does not read {path}: it passes over files there whose name has a dot or ends with `~`"
        )),
        _ => None,
    }
}

/// A line of a crontab that names the account.
fn cron(line: &str) -> Result<(), String> {
    if line.is_empty() || line.starts_with('#') {
        return Ok(());
    }
    let mut words = line.split_whitespace();
    let first = words.next().unwrap_or_default();
    let name = line.split('=').next().unwrap_or_default().trim_end();
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let bare = name.trim_matches(['"', '\'']);
    if line.contains('=') && !bare.is_empty() && bare.chars().all(is_name) {
        return Ok(());
    }
    if let Some(word) = first.strip_prefix('@') {
        let known = [
            "reboot", "yearly", "annually", "monthly", "weekly", "daily", "midnight", "hourly",
        ];
        if !known.contains(&word) {
            return Err(format!("cron does not know `@{word}`"));
        }
    } else {
        let rows: [(&str, u32, u32, &[&str]); 5] = [
            ("minute", 0, 59, &[]),
            ("hour", 0, 23, &[]),
            ("day", 1, 31, &[]),
            ("month", 1, 12, &MONTHS),
            ("weekday", 0, 7, &DAYS),
        ];
        let mut word = Some(first);
        for (what, least, most, names) in rows {
            let text = word.ok_or_else(|| format!("there is no {what}"))?;
            if !text.split(',').all(|part| time(part, least, most, names)) {
                return Err(format!("`{text}` is no {what} ({least}-{most})"));
            }
            word = words.next();
        }
        return account(word, words.next());
    }
    account(words.next(), words.next())
}

fn account(user: Option<&str>, command: Option<&str>) -> Result<(), String> {
    let user = user.ok_or("there is neither an account nor a command")?;
    if user.contains(['/', '=', ';', '|', '"']) {
        return Err(format!(
            "`{user}` stands where the account belongs, before the command"
        ));
    }
    command
        .map(|_| ())
        .ok_or_else(|| format!("there is no command behind the account `{user}`"))
}

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// `*`, `5`, `1-5`, `*/10`, `mon-fri`, `0~59`.
fn time(part: &str, least: u32, most: u32, names: &[&str]) -> bool {
    let (range, step) = match part.split_once('/') {
        Some((range, step)) => (range, Some(step)),
        None => (part, None),
    };
    if step.is_some_and(|step| step.parse::<u32>().map_or(true, |step| step == 0)) {
        return false;
    }
    let one = |word: &str| {
        let number = word.parse::<u32>().ok();
        let named = || names.contains(&&*word.to_ascii_lowercase());
        number.is_some_and(|number| (least..=most).contains(&number)) || named()
    };
    if range == "*" {
        return true;
    }
    match range.split_once(['-', '~']) {
        Some((from, to)) => (from.is_empty() || one(from)) && (to.is_empty() || one(to)),
        None => one(range),
    }
}

/// `key = value`, a `-` before it where a fault does not matter.
fn sysctl(line: &str) -> Result<(), String> {
    if line.is_empty() || line.starts_with(['#', ';']) {
        return Ok(());
    }
    let bare = line.strip_prefix('-').unwrap_or(line);
    let Some((key, value)) = bare.split_once('=') else {
        // A key behind a `-` alone keeps a pattern from setting it.
        return match line.starts_with('-') && !bare.trim().contains(char::is_whitespace) {
            true => Ok(()),
            false => Err(format!("`{}` is no `key = value`", line.trim_end())),
        };
    };
    let key = key.trim();
    let good = |c: char| c.is_ascii_alphanumeric() || "._-/*?[]:@%".contains(c);
    if !key.contains(['.', '/']) || !key.chars().all(good) {
        return Err(format!("`{key}` is no key of the kernel"));
    }
    if value.trim().is_empty() {
        return Err(format!("`{key}` has no value"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_line_is_named() {
        let cron = |text: &str| fault("/etc/cron.d/a", text.as_bytes());
        for right in [
            "",
            "# c\n\nPATH=/bin\nMAILTO=\"\"\n*/5 1-4,7 * jan-mar mon-fri root x\n@reboot root x y\n0~59 * * * 7 root x\n",
            "\t1 2 3 4 5 root x=1\n",
        ] {
            assert_eq!(cron(right), None, "{right}");
        }
        for (wrong, words) in [
            (
                "\n61 * * * * root x\n",
                "/etc/cron.d/a:2: `61` is no minute",
            ),
            ("* * * * x\n", "`x` is no weekday"),
            ("* * * * * /bin/x y\n", "`/bin/x` stands where the account"),
            ("* * * * * root\n", "no command behind"),
            ("@often root x\n", "does not know `@often`"),
            ("*/0 * * * * root x\n", "is no minute"),
            ("* * * * * root x", "does not end with a newline"),
        ] {
            let said = cron(wrong).unwrap_or_default();
            assert!(said.contains(words), "{wrong}: {said}");
        }
        let sysctl = |text: &str| fault("/etc/sysctl.d/a.conf", text.as_bytes());
        assert_eq!(
            sysctl(
                "# c\n; d\nnet.ipv4.ip_forward=1\n-kernel.x = 2 3\nnet.ipv4.conf.*.rp_filter = 2\n-net.ipv4.conf.lo.rp_filter\n"
            ),
            None
        );
        for wrong in [
            "vm.swappiness 10\n",
            "swappiness = 1\n",
            "vm.x =\n",
            "a.b c = 1\n",
        ] {
            assert!(
                sysctl(wrong).is_some_and(|said| said.contains("a.conf:1:")),
                "{wrong}"
            );
        }
        assert_eq!(fault("/etc/cron.daily/a", b"echo"), None);
    }

    #[test]
    fn a_name_that_is_not_read() {
        assert!(unread("/etc/cron.d/a.sh").is_some());
        assert!(unread("/etc/sudoers.d/10-a.conf").is_some());
        assert_eq!(unread("/etc/sudoers.d/10-a"), None);
        assert_eq!(unread("/etc/cron.d/a_b-1"), None);
    }
}
