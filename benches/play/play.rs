//! The 96-task play as data: what every contender writes in its own language.

use std::fmt::Write;

/// Where everything of the play lies on a node.
pub const ROOT: &str = "/srv/bench";
/// The file that all `lineinfile` tasks share.
pub const SETTINGS: &str = "/srv/bench/settings.conf";
/// The play's variables; every template uses all of them.
pub const VARS: [(&str, &str); 5] = [
    ("app_name", "bench"),
    ("app_domain", "bench.example.org"),
    ("app_port", "8080"),
    ("log_level", "info"),
    ("upstream", "10.9.8.7:9000"),
];
/// The fact that the first template uses, and its value on Debian.
pub const FACT: (&str, &str) = ("ansible_facts['distribution']", "Debian");
/// How many tasks the play has.
pub const TASKS: usize = 96;

const TEMPLATE_SIZE: usize = 2048;
const BLOB_SIZE: usize = 100 * 1024;

/// The wanted state.
#[derive(Debug)]
pub struct Play {
    /// Packages, one task for all.
    pub packages: [&'static str; 3],
    /// Folders, parents first.
    pub folders: Vec<String>,
    /// Rendered files.
    pub templates: Vec<File>,
    /// Copied files.
    pub blobs: Vec<File>,
    /// Groups.
    pub groups: Vec<String>,
    /// Accounts; each has its home below `/home`.
    pub users: Vec<User>,
    /// Lines of [`SETTINGS`], in their order.
    pub lines: Vec<String>,
    /// Unit files, each enabled and started.
    pub units: Vec<File>,
}

/// A file on the node, by what the controller holds and what the node shall hold.
#[derive(Debug)]
pub struct File {
    /// Its name on the controller, without folder.
    pub name: String,
    /// Its path on the node.
    pub path: String,
    /// The mode, four octal digits; owner and group are root.
    pub mode: &'static str,
    /// What the controller holds.
    pub source: Vec<u8>,
    /// What the node shall hold.
    pub content: Vec<u8>,
}

/// An account.
#[derive(Debug)]
pub struct User {
    /// Its name.
    pub name: String,
    /// Its first group.
    pub group: String,
    /// The comment in the account database.
    pub comment: String,
}

impl Play {
    /// The same play every time.
    pub fn new() -> Self {
        let mut folders = vec![ROOT.to_string()];
        folders.extend((1..12).map(|n| format!("{ROOT}/part-{n:02}")));
        let groups: Vec<String> = (1..=3).map(|n| format!("benchgroup{n}")).collect();
        let play = Self {
            packages: ["jq", "rsync", "tree"],
            templates: (1..=40).map(template).collect(),
            blobs: (1..=5).map(blob).collect(),
            users: (1..=5).map(|n| user(n, &groups)).collect(),
            lines: (1..=10)
                .map(|n| format!("setting_{n:02} = value {n}"))
                .collect(),
            units: (1..=10).map(unit).collect(),
            folders,
            groups,
        };
        assert_eq!(play.tasks(), TASKS, "the play has the tasks it is named by");
        play
    }

    fn tasks(&self) -> usize {
        let files = self.folders.len() + self.templates.len() + self.blobs.len();
        let accounts = self.groups.len() + self.users.len();
        1 + files + accounts + self.lines.len() + 2 * self.units.len()
    }
}

fn template(number: usize) -> File {
    let mut source = String::new();
    if number == 1 {
        let _ = writeln!(source, "# for {{{{ {} }}}}", FACT.0);
    }
    let mut line = 0;
    while source.len() < TEMPLATE_SIZE - 100 {
        let (name, _) = VARS[line % VARS.len()];
        let _ = writeln!(source, "template_{number:02}.{line:02} = {{{{ {name} }}}}");
        line += 1;
    }
    let padding = TEMPLATE_SIZE - source.len() - 2;
    let _ = writeln!(source, "#{}", "-".repeat(padding));
    let values = VARS.iter().chain([&FACT]);
    let content = values.fold(source.clone(), |text, (name, value)| {
        text.replace(&format!("{{{{ {name} }}}}"), value)
    });
    let folder = number % 11 + 1;
    File {
        name: format!("template-{number:02}.conf.j2"),
        path: format!("{ROOT}/part-{folder:02}/template-{number:02}.conf"),
        mode: "0644",
        source: source.into(),
        content: content.into(),
    }
}

fn blob(number: usize) -> File {
    let mut state = 0x9e37_79b9_7f4a_7c15 ^ number as u64;
    let mut content = Vec::with_capacity(BLOB_SIZE);
    while content.len() < BLOB_SIZE {
        // xorshift: bytes that do not compress and are the same in every run.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        content.extend_from_slice(&state.to_le_bytes());
    }
    File {
        name: format!("blob-{number}.bin"),
        path: format!("{ROOT}/part-{number:02}/blob-{number}.bin"),
        mode: "0640",
        source: content.clone(),
        content,
    }
}

fn user(number: usize, groups: &[String]) -> User {
    User {
        name: format!("benchuser{number}"),
        group: groups[number % groups.len()].clone(),
        comment: format!("Bench user {number}"),
    }
}

fn unit(number: usize) -> File {
    let content = format!(
        "[Unit]\nDescription=Bench service {number}\n\n[Service]\nExecStart=/bin/sleep infinity\n\n\
         [Install]\nWantedBy=multi-user.target\n"
    );
    File {
        name: format!("bench-{number:02}.service"),
        path: format!("/etc/systemd/system/bench-{number:02}.service"),
        mode: "0644",
        source: content.clone().into(),
        content: content.into(),
    }
}
