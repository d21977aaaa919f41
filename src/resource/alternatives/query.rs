//! What `update-alternatives --query` says of a name.

/// A link below the one of the name: its own name, the link, and where it leads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sub {
    /// Its name.
    pub name: String,
    /// The link.
    pub link: String,
    /// Where it leads.
    pub path: String,
}

/// One of those that a name can be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alternative {
    /// Where the link leads when it is chosen.
    pub path: String,
    /// The highest is chosen by itself.
    pub priority: i64,
    /// What goes with it, sorted.
    pub subs: Vec<Sub>,
}

/// A name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// The link; none when the name is not known.
    pub link: Option<String>,
    /// Whether it was chosen by hand.
    pub manual: bool,
    /// What it is now.
    pub value: String,
    /// What it can be.
    pub all: Vec<Alternative>,
}

impl Query {
    /// What was printed; an unknown name prints nothing.
    pub fn read(text: &str) -> Query {
        let mut query = Query::default();
        let mut links: Vec<(String, String)> = Vec::new();
        for line in text.lines() {
            let Some(sub) = line.strip_prefix(' ') else {
                let (key, value) = line.split_once(": ").unwrap_or((line, ""));
                match key {
                    "Link" => query.link = Some(value.to_owned()),
                    "Status" => query.manual = value == "manual",
                    "Value" => query.value = value.to_owned(),
                    "Alternative" => query.all.push(Alternative {
                        path: value.to_owned(),
                        ..Alternative::default()
                    }),
                    "Priority" => {
                        if let Some(last) = query.all.last_mut() {
                            last.priority = value.parse().unwrap_or(0);
                        }
                    }
                    _ => {}
                }
                continue;
            };
            let Some((name, path)) = sub.split_once(' ') else {
                continue;
            };
            let (name, path) = (name.to_owned(), path.to_owned());
            match query.all.last_mut() {
                None => links.push((name, path)),
                Some(last) => {
                    let link = links.iter().find(|(known, _)| *known == name);
                    let link = link.map(|(_, link)| link.clone()).unwrap_or_default();
                    last.subs.push(Sub { name, link, path });
                    last.subs.sort();
                }
            }
        }
        query
    }

    /// The one with this path.
    pub fn find(&self, path: &str) -> Option<&Alternative> {
        self.all.iter().find(|alternative| alternative.path == path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Name: editor\nLink: /usr/bin/editor\nSlaves:\n editor.1.gz /usr/share/man/man1/editor.1.gz\nStatus: manual\nBest: /bin/nano\nValue: /bin/ed\n\nAlternative: /bin/ed\nPriority: -100\nSlaves:\n editor.1.gz /usr/share/man/man1/ed.1.gz\n\nAlternative: /bin/nano\nPriority: 40\nSlaves:\n";

    #[test]
    fn a_name_is_read() {
        let query = Query::read(TEXT);
        assert_eq!(query.link.as_deref(), Some("/usr/bin/editor"));
        assert!(query.manual);
        assert_eq!(query.value, "/bin/ed");
        let ed = query.find("/bin/ed").expect("it is there");
        assert_eq!((ed.priority, ed.subs.len()), (-100, 1));
        assert_eq!(ed.subs[0].link, "/usr/share/man/man1/editor.1.gz");
        assert!(
            query
                .find("/bin/nano")
                .expect("it is there")
                .subs
                .is_empty()
        );
        assert_eq!(Query::read(""), Query::default());
    }
}
