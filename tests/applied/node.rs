//! A folder that stands for a node: its questions are answered, its steps run, by the real shell.

use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::controller::Files;
use hadeploy::change::{Action, Change, Content, Expect, Step};
use hadeploy::event::Mode;
use hadeploy::fact::{Answer, Known, Missing, Question, parse, script};
use hadeploy::resource::{Args, Resource, kind};
use hadeploy::source::Span;
use hadeploy::value::Value;

/// A folder that stands for a node, another for the controller.
pub struct Node {
    pub root: tempfile::TempDir,
    pub files: tempfile::TempDir,
}

impl Node {
    pub fn new() -> Node {
        Node {
            root: tempfile::tempdir().expect("a folder"),
            files: tempfile::tempdir().expect("a folder"),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub fn text(&self, name: &str) -> String {
        self.path(name).to_str().expect("utf-8").to_owned()
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("written");
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("readable")
    }

    pub fn mode(&self, name: &str) -> u32 {
        let metadata = self.path(name).symlink_metadata().expect("there");
        metadata.permissions().mode() & 0o7777
    }

    pub fn bind(&self, name: &str, arguments: &serde_json::Value) -> Box<dyn Resource> {
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
    pub fn diff(&self, resource: &dyn Resource) -> (Change, Known) {
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
    pub fn apply(&self, name: &str, arguments: serde_json::Value) -> Change {
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

    /// Applies, under a limit of the shell, what must fail; its words.
    pub fn fails(&self, name: &str, arguments: serde_json::Value, limit: &str) -> String {
        let resource = self.bind(name, &arguments);
        let (change, _) = self.diff(&*resource);
        let output = run_under(limit, &change.steps[0]);
        assert!(!output.status.success());
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }
}

/// Root where the tests run as root; else no owner can be kept or given.
pub fn account() -> String {
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

pub fn ask(missing: &Missing) -> Vec<(Question, Answer)> {
    let output = shell(&script(missing, "n0nce"), &[]);
    assert!(output.stderr.is_empty(), "{output:?}");
    parse(missing, "n0nce", &output.stdout).expect("readable")
}

pub fn run(step: &Step) -> Output {
    run_under("", step)
}

fn run_under(limit: &str, step: &Step) -> Output {
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
    shell(&format!("umask 022\n{limit}\n{}", step.script), &inputs)
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

pub fn verify(expect: &Expect) {
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
