//! Ways to break a right project, each so that it is certainly wrong.

use crate::dice::Dice;

/// A way to break a file.
pub struct Way {
    /// What it does.
    pub name: &'static str,
    /// Breaks the lines at one place that the dice choose, and gives its index; none where nothing fits.
    pub breaks: fn(&mut Lines, &mut Dice) -> Option<usize>,
    /// For templates, else for YAML.
    pub template: bool,
}

/// The lines of a file.
pub type Lines = Vec<String>;

/// All of them.
pub const WAYS: &[Way] = &[
    yaml("a key of a task is misspelt", |lines, dice| {
        at_key(lines, dice, KEYWORDS, |line, key| {
            line.replacen(key, &misspelt(key), 1)
        })
    }),
    yaml("a module is misspelt", |lines, dice| {
        at_key(lines, dice, MODULES, |line, key| {
            line.replacen(key, &misspelt(key), 1)
        })
    }),
    yaml("a parameter is misspelt", |lines, dice| {
        at_key(lines, dice, PARAMS, |line, key| {
            line.replacen(key, &misspelt(key), 1)
        })
    }),
    yaml("a parameter is another module's", |lines, dice| {
        at_key(
            lines,
            dice,
            &["mode", "state", "line", "regexp"],
            |line, key| line.replacen(key, "uid_of_user", 1),
        )
    }),
    yaml("a key is given twice", |lines, dice| {
        let at = pick(lines, dice, |lines, at| {
            has_key(&lines[at], SCALARS) && !lines[at].trim_start().starts_with("- ")
        })?;
        let line = lines[at].clone();
        lines.insert(at + 1, line);
        Some(at + 1)
    }),
    yaml("a required parameter is gone", |lines, dice| {
        let at = pick(lines, dice, |lines, at| {
            has_key(&lines[at], &["dest", "path", "regexp", "that", "cmd"]) && is_needed(lines, at)
        })?;
        lines.remove(at);
        Some(at)
    }),
    yaml("a line is indented too far", |lines, dice| {
        let at = pick(lines, dice, follows_a_scalar)?;
        lines[at].insert(0, ' ');
        Some(at)
    }),
    yaml("a line is not indented far enough", |lines, dice| {
        let at = pick(lines, dice, |lines, at| {
            follows_a_scalar(lines, at) && indent(&lines[at]) > 4
        })?;
        lines[at].remove(0);
        Some(at)
    }),
    yaml("a tab indents", |lines, dice| {
        let at = pick(lines, dice, |lines, at| {
            has_key(&lines[at], SCALARS) && indent(&lines[at]) > 3
        })?;
        lines[at] = format!("\t{}", lines[at].trim_start());
        Some(at)
    }),
    yaml("a quote is not closed", |lines, dice| {
        let at = pick(lines, dice, |lines, at| {
            lines[at].ends_with('"') || lines[at].ends_with('\'')
        })?;
        lines[at].pop();
        Some(at)
    }),
    yaml("a quote is not opened", |lines, dice| {
        let at = pick(lines, dice, |lines, at| lines[at].contains(": \"{{"))?;
        lines[at] = lines[at].replacen(": \"{{", ": {{", 1);
        Some(at)
    }),
    yaml("a bracket is not closed", |lines, dice| {
        let at = pick(lines, dice, |lines, at| {
            lines[at].ends_with(']') && lines[at].contains(": [")
        })?;
        lines[at].pop();
        Some(at)
    }),
    yaml("an expression is not closed", |lines, dice| {
        let at = pick(lines, dice, |lines, at| {
            lines[at].contains("}}") && has_key(&lines[at], PARAMS)
        })?;
        lines[at] = lines[at].replacen("}}", "", 1);
        Some(at)
    }),
    yaml("a variable is misspelt", |lines, dice| {
        let at = pick(lines, dice, |lines, at| {
            // What is behind a condition may never be read.
            let read = !is_conditional(lines, at) && !lines[at].contains("default");
            read && lines[at].contains("\"{{ item")
        })?;
        lines[at] = lines[at].replacen("{{ item", "{{ itme", 1);
        Some(at)
    }),
    yaml("a filter is misspelt", |lines, dice| {
        let at = pick(lines, dice, |lines, at| {
            lines[at].contains(" }}") && has_key(&lines[at], PARAMS)
        })?;
        lines[at] = lines[at].replacen(" }}", " | uper }}", 1);
        Some(at)
    }),
    yaml("a value is of a wrong type", |lines, dice| {
        at_key(
            lines,
            dice,
            &[
                "state",
                "become",
                "ignore_errors",
                "retries",
                "create",
                "gather_facts",
            ],
            |line, key| format!("{}{key}: {{a: b}}", &line[..line.find(key).unwrap_or(0)]),
        )
    }),
    yaml("a value is none of those there are", |lines, dice| {
        at_key(lines, dice, &["state"], |line, key| {
            format!("{}{key}: presnt", &line[..line.find(key).unwrap_or(0)])
        })
    }),
    yaml("a mode is no mode", |lines, dice| {
        at_key(lines, dice, &["mode"], |line, key| {
            format!("{}{key}: \"0999\"", &line[..line.find(key).unwrap_or(0)])
        })
    }),
    yaml("a condition does not parse", |lines, dice| {
        at_key(
            lines,
            dice,
            &["when", "changed_when", "failed_when", "until"],
            |line, key| format!("{}{key}: a b ==", &line[..line.find(key).unwrap_or(0)]),
        )
    }),
    yaml("a handler is misspelt", |lines, dice| {
        at_key(lines, dice, &["notify"], |line, _| format!("{line}zz"))
    }),
    yaml("a host is misspelt", |lines, dice| {
        at_key(lines, dice, &["hosts"], |line, _| format!("{line}zz"))
    }),
    yaml("a file is missing", |lines, dice| {
        let at = pick(lines, dice, |lines, at| {
            let line = &lines[at];
            let source = (has_key(line, &["src"]) && !line.contains('{') && !line.contains(": /"))
                || (line.contains("import_") && line.ends_with(".yml"));
            source && !line.contains("remote")
        })?;
        lines[at] += ".gone";
        Some(at)
    }),
    yaml("a colon is missing", |lines, dice| {
        let at = pick(lines, dice, |lines, at| {
            has_key(&lines[at], SCALARS) && follows_a_scalar(lines, at)
        })?;
        lines[at] = lines[at].replacen(':', "", 1);
        Some(at)
    }),
    yaml("a dash is missing", |lines, dice| {
        let at = pick(lines, dice, |lines, at| {
            at > 8 && lines[at].starts_with("    - name:")
        })?;
        lines[at] = lines[at].replacen("- ", "  ", 1);
        Some(at)
    }),
    template(
        "an expression of a template is not closed",
        |lines, dice| {
            let at = pick(lines, dice, |lines, at| {
                lines[at].contains(" }}") && !lines[at].contains("raw")
            })?;
            lines[at] = lines[at].replacen(" }}", "", 1);
            Some(at)
        },
    ),
    template("a block of a template is not opened", |lines, dice| {
        let at = pick(lines, dice, |lines, at| {
            lines[at].trim_start().starts_with("{% if")
                || lines[at].trim_start().starts_with("{% for")
        })?;
        lines.remove(at);
        Some(at)
    }),
    template("a filter of a template is misspelt", |lines, dice| {
        let at = pick(lines, dice, |lines, at| {
            lines[at].contains(" }}") && !lines[at].contains("raw")
        })?;
        lines[at] = lines[at].replacen(" }}", " | uper }}", 1);
        Some(at)
    }),
    template("a statement of a template is misspelt", |lines, dice| {
        let at = pick(lines, dice, |lines, at| lines[at].contains("{% end"))?;
        lines[at] = lines[at].replacen("{% end", "{% edn", 1);
        Some(at)
    }),
];

type Breaks = fn(&mut Lines, &mut Dice) -> Option<usize>;

const fn yaml(name: &'static str, breaks: Breaks) -> Way {
    Way {
        name,
        breaks,
        template: false,
    }
}

const fn template(name: &'static str, breaks: Breaks) -> Way {
    Way {
        name,
        breaks,
        template: true,
    }
}

/// Keys of a task.
const KEYWORDS: &[&str] = &[
    "when",
    "loop",
    "register",
    "notify",
    "tags",
    "become",
    "changed_when",
    "failed_when",
    "until",
    "retries",
    "ignore_errors",
    "loop_control",
    "block",
    "rescue",
    "always",
    "with_items",
];
/// Kinds of tasks.
const MODULES: &[&str] = &[
    "ansible.builtin.copy",
    "ansible.builtin.file",
    "ansible.builtin.template",
    "ansible.builtin.lineinfile",
    "ansible.builtin.command",
    "ansible.builtin.debug",
    "ansible.builtin.apt",
    "ansible.builtin.user",
    "ansible.builtin.service",
];
/// Parameters that belong to modules, wherever they stand in the projects.
const PARAMS: &[&str] = &[
    "dest",
    "path",
    "content",
    "line",
    "regexp",
    "msg",
    "owner",
    "insertafter",
    "daemon_reload",
    "update_cache",
    "cron_file",
];
/// Keys whose values are plain.
const SCALARS: &[&str] = &[
    "dest", "path", "mode", "owner", "line", "regexp", "register", "create",
];

/// The places that fit; one of them by the dice. Text in block scalars and comments never fits.
fn pick(
    lines: &[String],
    dice: &mut Dice,
    fits: impl Fn(&[String], usize) -> bool,
) -> Option<usize> {
    let free = outside_of_texts(lines);
    let fitting: Vec<usize> = (0..lines.len())
        .filter(|at| free[*at] && fits(lines, *at))
        .collect();
    dice.pick(&fitting).copied()
}

/// Changes a line that has one of the keys.
fn at_key(
    lines: &mut Lines,
    dice: &mut Dice,
    keys: &[&str],
    change: fn(&str, &str) -> String,
) -> Option<usize> {
    // A key with a value in the same line: what stands below it stays as it is.
    let at = pick(lines, dice, |lines, at| {
        has_key(&lines[at], keys)
            && (!lines[at].ends_with(':')
                || keys.len() == MODULES.len()
                || keys.len() == KEYWORDS.len())
    })?;
    let key = key_of(&lines[at])?.to_owned();
    lines[at] = change(&lines[at], &key);
    Some(at)
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

fn key_of(line: &str) -> Option<&str> {
    let text = line.trim_start().trim_start_matches("- ");
    let (key, rest) = text.split_once(':')?;
    (rest.is_empty() || rest.starts_with(' ')).then_some(key)
}

fn has_key(line: &str, keys: &[&str]) -> bool {
    key_of(line).is_some_and(|key| keys.contains(&key))
}

/// Whether each line is YAML itself, not text of a block scalar, a comment or empty.
fn outside_of_texts(lines: &[String]) -> Vec<bool> {
    let mut below = None;
    let is_free = |line: &String| {
        let depth = indent(line);
        if let Some(text) = below {
            if line.trim().is_empty() || depth > text {
                return false;
            }
            below = None;
        }
        if line.ends_with('|') || line.ends_with('>') {
            below = Some(depth);
        }
        !line.trim().is_empty() && !line.trim_start().starts_with('#')
    };
    lines.iter().map(is_free).collect()
}

/// Whether the line is a key right below another one of the same mapping that has a plain value.
fn follows_a_scalar(lines: &[String], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).map(|at| &lines[at]) else {
        return false;
    };
    let plain = |line: &str| {
        key_of(line).is_some()
            && line.rsplit_once(": ").is_some_and(|(_, value)| {
                value
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c))
            })
            && !line.trim_start().starts_with("- ")
    };
    plain(before) && plain(&lines[at]) && indent(before) == indent(&lines[at])
}

/// Whether the module above cannot do without the parameter.
fn is_needed(lines: &[String], at: usize) -> bool {
    let depth = indent(&lines[at]);
    let module = lines[..at]
        .iter()
        .rev()
        .find(|line| !line.trim().is_empty() && indent(line) < depth);
    let module = module.and_then(|line| key_of(line)).unwrap_or_default();
    let key = key_of(&lines[at]).unwrap_or_default();
    matches!(
        (module, key),
        ("ansible.builtin.copy" | "ansible.builtin.template", "dest")
            | (
                "ansible.builtin.lineinfile"
                    | "ansible.builtin.blockinfile"
                    | "ansible.builtin.file"
                    | "ansible.builtin.stat",
                "path"
            )
            | ("ansible.builtin.replace", "path" | "regexp")
            | ("ansible.builtin.assert", "that")
            | ("ansible.builtin.command" | "ansible.builtin.shell", "cmd")
    ) && lines.get(at + 1).is_none_or(|next| indent(next) <= depth)
}

/// Whether the task of a line has a condition.
fn is_conditional(lines: &[String], at: usize) -> bool {
    let begins = |line: &&String| line.trim_start().starts_with("- name:");
    let before = lines[..at].iter().rev().take_while(|line| !begins(line));
    let behind = lines[at..].iter().take_while(|line| !begins(line));
    before
        .chain(behind)
        .any(|line| line.trim_start().starts_with("when:"))
}

/// The word with two letters behind its first dots swapped, so that it is no other key.
fn misspelt(key: &str) -> String {
    let start = key.rfind('.').map_or(0, |at| at + 1);
    let mut chars: Vec<char> = key.chars().collect();
    let at = (start..chars.len() - 1).find(|at| chars[*at] != chars[*at + 1]);
    if let Some(at) = at {
        chars.swap(at, at + 1);
    }
    chars.into_iter().collect()
}
