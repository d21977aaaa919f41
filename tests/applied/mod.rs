//! The kinds that write files, run for real: questions read by the real shell, steps run by it in a folder, and read again.
//! After each change a second look finds nothing to do, and what was predicted is what is there.

use std::collections::HashMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::answers::sha256;
use crate::support::controller::Files;
use hadeploy::change::{Action, Change, Content, Expect, Step};
use hadeploy::event::Mode;
use hadeploy::fact::{Answer, Known, Missing, Question, parse, script};
use hadeploy::resource::{Args, Resource, kind};
use hadeploy::source::Span;
use hadeploy::value::Value;
use serde_json::json;

/// A folder that stands for a node, another for the controller.
struct Node {
    root: tempfile::TempDir,
    files: tempfile::TempDir,
}

impl Node {
    fn new() -> Node {
        Node {
            root: tempfile::tempdir().expect("a folder"),
            files: tempfile::tempdir().expect("a folder"),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().expect("utf-8").to_owned()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("written");
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("readable")
    }

    fn mode(&self, name: &str) -> u32 {
        let metadata = self.path(name).symlink_metadata().expect("there");
        metadata.permissions().mode() & 0o7777
    }

    fn bind(&self, name: &str, arguments: &serde_json::Value) -> Box<dyn Resource> {
        let kind = kind(name).expect("a kind");
        let span = Span::synthetic("test");
        let arguments = Value::from_json(arguments, &span);
        let mut args =
            Args::new(kind, &span, arguments.as_map().expect("a mapping")).expect("known names");
        assert!(args.coerce(|_| true).is_empty());
        assert!((kind.check)(&args).is_empty());
        let controller = Files {
            root: self.files.path().to_owned(),
            mode: Mode::Apply,
            user: account(),
        };
        match (kind.bind)(&args, &controller) {
            Ok(resource) => resource,
            Err(stop) => panic!("{stop:?}"),
        }
    }

    /// Diffs with answers read from the folder.
    fn diff(&self, resource: &dyn Resource) -> (Change, Known) {
        let mut known = Known::default();
        for _ in 0..3 {
            match resource.diff(&known) {
                Ok(change) => return (change, known),
                Err(missing) => known.learn(ask(&missing)),
            }
        }
        panic!("a third wave");
    }

    /// Applies once, checks what was predicted, and diffs again: nothing may be left to do.
    fn apply(&self, name: &str, arguments: serde_json::Value) -> Change {
        let resource = self.bind(name, &arguments);
        let (change, _) = self.diff(&*resource);
        assert_eq!(change.obstacle, None);
        let mut predicted: HashMap<Question, Answer> = HashMap::new();
        for step in &change.steps {
            let output = run(step);
            assert!(output.status.success(), "{}\n{output:?}", step.script);
            predicted.extend(step.predicts.iter().cloned());
            step.verify.iter().for_each(verify);
        }
        let found: HashMap<Question, Answer> = ask(&Missing::new(predicted.keys().cloned()))
            .into_iter()
            .collect();
        for (question, answer) in predicted {
            assert_eq!(essence(&answer), essence(&found[&question]), "{question:?}");
        }
        let (again, _) = self.diff(&*resource);
        assert_eq!(again.action, Action::None, "{:?}", again.fields);
        let left: Vec<_> = std::fs::read_dir(self.root.path())
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name())
            .filter(|name| name.to_string_lossy().contains("hadeploy-"))
            .collect();
        assert!(left.is_empty(), "{left:?}");
        change
    }

    /// Applies what must fail; its words.
    fn fails(&self, name: &str, arguments: serde_json::Value) -> String {
        let resource = self.bind(name, &arguments);
        let (change, _) = self.diff(&*resource);
        let output = run(&change.steps[0]);
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    }
}

/// Root where the tests run as root; else no owner can be kept or given.
fn account() -> String {
    let output = Command::new("id").arg("-un").output().expect("id runs");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn shell(text: &str, inputs: &[PathBuf]) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("script");
    std::fs::write(&file, text).expect("written");
    let mut command = Command::new("/bin/sh");
    command
        .arg(&file)
        .current_dir("/")
        .env("LC_ALL", "C.UTF-8")
        .env("TAG", "t35t");
    for (index, input) in inputs.iter().enumerate() {
        command.env(format!("IN{}", index + 1), input);
    }
    command.output().expect("sh runs")
}

fn ask(missing: &Missing) -> Vec<(Question, Answer)> {
    let output = shell(&script(missing, "n0nce"), &[]);
    assert!(output.stderr.is_empty(), "{output:?}");
    parse(missing, "n0nce", &output.stdout).expect("readable")
}

fn run(step: &Step) -> Output {
    step.before.iter().for_each(verify);
    let folder = tempfile::tempdir().expect("a folder");
    let inputs: Vec<PathBuf> = step
        .inputs
        .iter()
        .enumerate()
        .map(|(index, content)| {
            let path = folder.path().join(format!("in{index}"));
            match content {
                Content::Bytes(bytes) => std::fs::write(&path, bytes).expect("written"),
                Content::File { path: from, .. } => {
                    std::fs::copy(from, &path).expect("copied");
                }
                Content::Tar(entries) => {
                    tar(entries, &path, folder.path());
                }
            }
            path
        })
        .collect();
    shell(&format!("umask 022\n{}", step.script), &inputs)
}

/// The stream of the entries, made by the system's own tar.
fn tar(entries: &[hadeploy::change::TarEntry], path: &Path, folder: &Path) {
    let tree = folder.join("tree");
    for entry in entries {
        let to = tree.join(&entry.name);
        std::fs::create_dir_all(to.parent().expect("a folder")).expect("made");
        let (from, _) = entry.file.as_ref().expect("a file");
        std::fs::copy(from, &to).expect("copied");
        std::fs::set_permissions(&to, std::fs::Permissions::from_mode(entry.mode)).expect("mode");
    }
    let names: String = entries
        .iter()
        .map(|entry| format!("{}\0", entry.name))
        .collect();
    let list = folder.join("list");
    std::fs::write(&list, names).expect("written");
    let status = Command::new("tar")
        .arg("-cf")
        .arg(path)
        .arg("-C")
        .arg(&tree)
        .args(["--null", "--no-recursion", "--owner=0", "--group=0", "-T"])
        .arg(&list)
        .status()
        .expect("tar runs");
    assert!(status.success());
}

fn verify(expect: &Expect) {
    match expect {
        Expect::Check { field, script } => {
            let output = shell(script, &[]);
            assert!(output.status.success(), "{field}: {script}\n{output:?}");
        }
        Expect::Path {
            path,
            kind,
            mode,
            sha256,
            target,
            owner,
            group,
        } => {
            let answers: HashMap<Question, Answer> = ask(&Missing::new([
                Question::Path(path.as_str().into()),
                Question::Digest(path.as_str().into()),
            ]))
            .into_iter()
            .collect();
            let Answer::Path(info) = &answers[&Question::Path(path.as_str().into())] else {
                panic!("no path");
            };
            let stat = info.stat.as_ref();
            if let Some(kind) = kind {
                assert_eq!(stat.map_or('-', |stat| stat.kind), *kind, "{path}");
            }
            let Some(stat) = stat else { return };
            assert_eq!(mode.unwrap_or(stat.mode), stat.mode, "{path}");
            for (wanted, name, id) in [
                (owner, &stat.owner, stat.uid),
                (group, &stat.group, stat.gid),
            ] {
                if let Some(wanted) = wanted {
                    let id = id.map(|id| id.to_string());
                    assert!(**wanted == **name || Some(wanted) == id.as_ref(), "{path}");
                }
            }
            if target.is_some() {
                assert_eq!(target.as_deref(), stat.link.as_deref());
            }
            if let Some(sha256) = sha256 {
                let digest = Answer::Digest(Some(sha256.as_str().into()));
                assert_eq!(answers[&Question::Digest(path.as_str().into())], digest);
            }
        }
    }
}

/// What of an answer can be predicted.
fn essence(answer: &Answer) -> String {
    match answer {
        Answer::Path(info) => {
            let stat = info.stat.as_ref().map(|stat| {
                let size = if stat.kind == 'f' { stat.size } else { 0 };
                format!(
                    "{}{} {:o} {}:{} {size} {:?}",
                    stat.kind,
                    stat.target_kind,
                    stat.mode,
                    stat.uid.unwrap_or_default(),
                    stat.gid.unwrap_or_default(),
                    stat.link
                )
            });
            format!("{} {} {stat:?}", info.abs, info.real)
        }
        other => format!("{other:?}"),
    }
}

const NASTY: [&str; 7] = [
    "plain",
    "with space",
    "it's \"quoted\"",
    "two\nlines",
    "-leading",
    "öñ 漢字 🦀",
    "$HOME `id` \\%s",
];

#[test]
fn files_with_nasty_names_are_written_and_mended() {
    let node = Node::new();
    for name in NASTY {
        let dest = node.text(name);
        let change = node.apply(
            "copy",
            json!({ "content": name, "dest": dest, "mode": "0640" }),
        );
        assert_eq!(change.action, Action::Create);
        assert_eq!((node.read(name).as_str(), node.mode(name)), (name, 0o640));
        node.write(name, "altered");
        let change = node.apply(
            "copy",
            json!({ "content": name, "dest": dest, "backup": true }),
        );
        assert_eq!(change.action, Action::Update);
        assert_eq!((node.read(name).as_str(), node.mode(name)), (name, 0o640));
        let backup = change.result["backup_file"].as_str().expect("a backup");
        assert_eq!(std::fs::read_to_string(backup).expect("kept"), "altered");
        node.apply("file", json!({ "path": dest, "state": "absent" }));
        assert!(!node.path(name).exists());
    }
}

#[test]
fn what_fails_leaves_the_old_file() {
    let node = Node::new();
    node.write("x", "old");
    let arguments =
        |validate: &str| json!({ "content": "new", "dest": node.text("x"), "validate": validate });
    let words = node.fails("copy", arguments("grep -q old %s"));
    assert!(words.contains("does not pass `grep -q old %s`"), "{words}");
    assert_eq!(node.read("x"), "old");
    assert_eq!(
        std::fs::read_dir(node.root.path())
            .expect("a folder")
            .count(),
        1
    );
    node.apply("copy", arguments("grep -q new %s"));
    assert_eq!(node.read("x"), "new");
}

#[test]
fn links_are_replaced_or_followed() {
    let node = Node::new();
    node.write("target", "old");
    symlink("target", node.path("link")).expect("linked");
    node.apply(
        "copy",
        json!({ "content": "behind", "dest": node.text("link"), "follow": true }),
    );
    assert_eq!(node.read("target"), "behind");
    assert!(node.path("link").is_symlink());
    node.apply(
        "copy",
        json!({ "content": "instead", "dest": node.text("link") }),
    );
    assert_eq!(node.read("target"), "behind");
    assert!(!node.path("link").is_symlink());
}

#[test]
fn a_large_file_is_moved() {
    let node = Node::new();
    let bytes: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    std::fs::write(node.files.path().join("large"), &bytes).expect("written");
    node.apply(
        "copy",
        json!({ "src": "large", "dest": node.text("large"), "mode": "0600" }),
    );
    let found = std::fs::read(node.path("large")).expect("readable");
    assert_eq!(
        (sha256(&found), node.mode("large")),
        (sha256(&bytes), 0o600)
    );
}

#[test]
fn folders_are_made_and_removed() {
    let node = Node::new();
    node.apply(
        "file",
        json!({ "path": node.text("a b/c/d"), "state": "directory", "mode": "2750" }),
    );
    assert_eq!(node.mode("a b"), 0o2750);
    node.apply(
        "file",
        json!({ "path": node.text("a b/c/d/e"), "state": "directory", "mode": "0755" }),
    );
    assert_eq!(node.mode("a b/c/d/e"), 0o755);
    node.apply(
        "file",
        json!({ "path": node.text("a b/c"), "state": "directory", "mode": "0700" }),
    );
    assert_eq!(node.mode("a b/c"), 0o700);
    node.apply(
        "file",
        json!({ "path": node.text("a b"), "state": "absent" }),
    );
    assert!(!node.path("a b").exists());
}

#[test]
fn links_of_both_kinds_are_made() {
    let node = Node::new();
    node.write("file", "x");
    node.apply(
        "file",
        json!({ "path": node.text("soft"), "src": "file", "state": "link" }),
    );
    assert_eq!(
        std::fs::read_link(node.path("soft")).expect("a link"),
        Path::new("file")
    );
    node.apply("file", json!({ "path": node.text("soft"), "src": node.text("none"), "state": "link", "force": true }));
    node.apply(
        "file",
        json!({ "path": node.text("hard"), "src": node.text("file"), "state": "hard" }),
    );
    let inode = |name: &str| node.path(name).metadata().expect("there").ino();
    assert_eq!(inode("hard"), inode("file"));
}

#[test]
fn all_below_a_folder_gets_its_mode() {
    let node = Node::new();
    for name in NASTY {
        std::fs::create_dir_all(node.path(&format!("t/{name}"))).expect("made");
        node.write(&format!("t/{name}/{name}"), "");
    }
    node.apply(
        "file",
        json!({ "path": node.text("t"), "recurse": true, "mode": "u=rwX,go=" }),
    );
    assert_eq!(node.mode("t/-leading"), 0o700);
    assert_eq!(node.mode("t/two\nlines/two\nlines"), 0o600);
}

#[test]
fn five_thousand_files_are_one_step_and_only_what_differs_is_sent() {
    let node = Node::new();
    for name in NASTY {
        std::fs::create_dir_all(node.files.path().join("site").join(name)).expect("made");
    }
    for number in 0..5_000 {
        let name = format!("site/{}/{number} {}", NASTY[number % 7], NASTY[number % 5]);
        std::fs::write(node.files.path().join(name), number.to_string()).expect("written");
    }
    let arguments = json!({ "src": "site/", "dest": node.text("www"), "mode": "0640", "directory_mode": "0750" });
    let change = node.apply("copy", arguments.clone());
    assert_eq!(change.steps.len(), 2);
    assert_eq!(node.read("www/with space/1 with space"), "1");
    assert_eq!(
        (node.mode("www/plain"), node.mode("www/plain/0 plain")),
        (0o750, 0o640)
    );
    node.write("www/plain/0 plain", "altered");
    std::fs::remove_file(node.path("www/with space/1 with space")).expect("removed");
    std::fs::set_permissions(
        node.path("www/plain/70 plain"),
        std::fs::Permissions::from_mode(0o600),
    )
    .expect("mode");
    let change = node.apply("copy", arguments);
    let [Content::Tar(entries)] = change.steps[0].inputs.as_slice() else {
        panic!("no stream");
    };
    assert_eq!(entries.len(), 2);
    assert_eq!(node.mode("www/plain/70 plain"), 0o640);
}

#[test]
#[allow(clippy::print_stderr)]
fn owners_are_set_where_the_tests_run_as_root() {
    if account() != "root" {
        eprintln!("skipped: only root can give files away");
        return;
    }
    let node = Node::new();
    let owner = |name: &str| {
        let metadata = node.path(name).metadata().expect("there");
        (metadata.uid(), metadata.gid())
    };
    node.apply("copy", json!({ "content": "x", "dest": node.text("x"), "owner": "33", "group": "34", "mode": "4755" }));
    assert_eq!((owner("x"), node.mode("x")), ((33, 34), 0o4755));
    node.apply("copy", json!({ "content": "y", "dest": node.text("x") }));
    assert_eq!((owner("x"), node.mode("x")), ((33, 34), 0o4755));
    node.apply("file", json!({ "path": node.text("x"), "owner": "root" }));
    assert_eq!((owner("x"), node.mode("x")), ((0, 34), 0o4755));
    std::fs::create_dir(node.files.path().join("site")).expect("made");
    std::fs::write(node.files.path().join("site/a"), "a").expect("written");
    node.apply(
        "copy",
        json!({ "src": "site", "dest": node.text(""), "owner": "1234" }),
    );
    assert_eq!(owner("site/a").0, 1234);
    assert_eq!(owner("site").0, 1234);
}

#[test]
fn ten_lines_go_on_from_what_was_predicted() {
    let node = Node::new();
    node.write("conf", "first\nlast");
    let mut known = Known::default();
    let mut steps = Vec::new();
    for number in 0..10 {
        let arguments = json!({
            "path": node.text("conf"),
            "line": format!("line {number}"),
            "insertbefore": "^last",
        });
        let resource = node.bind("lineinfile", &arguments);
        let mut waves = 0;
        let change = loop {
            match resource.diff(&known) {
                Ok(change) => break change,
                Err(missing) => {
                    waves += 1;
                    known.learn(ask(&missing));
                }
            }
        };
        assert_eq!(waves, usize::from(number == 0), "only the first asks");
        for step in change.steps {
            step.touches.iter().for_each(|touch| known.touch(touch));
            known.learn(step.predicts.iter().cloned());
            steps.push(step);
        }
    }
    assert_eq!(steps.len(), 10);
    for step in &steps {
        assert!(run(step).status.success());
        step.verify.iter().for_each(verify);
    }
    let wanted: Vec<String> = (0..10).map(|number| format!("line {number}")).collect();
    assert_eq!(
        node.read("conf"),
        format!("first\n{}\nlast", wanted.join("\n"))
    );
}
