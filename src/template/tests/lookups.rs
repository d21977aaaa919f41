//! Lookups where they must not act, what is known only later, and passwords that are kept.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::*;

/// A folder of the controller, in a plan or an apply.
struct Controller {
    folder: PathBuf,
    acts: bool,
    awaited: Option<String>,
    hidden: Mutex<Vec<String>>,
}

struct Task(Arc<Controller>, Vars);

impl Scope for Task {
    fn lookup(&self, name: &str) -> Lookup {
        self.1.lookup(name)
    }

    fn names(&self) -> Vec<String> {
        self.1.names()
    }

    fn surroundings(&self) -> Option<&dyn Surroundings> {
        Some(&*self.0)
    }
}

impl Surroundings for Controller {
    fn places(&self, name: &str, folder: &str) -> Vec<PathBuf> {
        vec![self.folder.join(folder).join(name)]
    }

    fn playbook(&self) -> PathBuf {
        self.folder.clone()
    }

    fn awaited(&self) -> Option<String> {
        self.awaited.clone()
    }

    fn read(&self, path: &Path) -> Result<Arc<Source>, String> {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        Ok(Source::new(path.display().to_string(), text))
    }

    fn acts(&self) -> bool {
        self.acts
    }

    fn keep(&self, path: &Path, text: &str) -> std::io::Result<()> {
        std::fs::write(path, text)
    }

    fn hide(&self, text: &str) {
        self.hidden.lock().expect("no panic").push(text.to_owned());
    }

    fn hosts(&self, _: &str) -> Result<Vec<String>, String> {
        Ok(Vec::new())
    }
}

/// What a template comes to: its text, `after …` or `fault …`.
fn seen(controller: &Arc<Controller>, text: &str) -> String {
    let shell = |line: &str, _: &Path| Ok(format!("ran {line}\n").into_bytes());
    let outside = Outside {
        variables: [("HOME".to_owned(), "/home/ann".to_owned())].into(),
        shell: Box::new(shell),
    };
    let templates = Templates::with_outside(Box::new(|_, _| None), outside);
    let vars = yaml("inventory_hostname: web1\nagain: \"{{ lookup('template', 'loop.j2') }}\"\n");
    let scope: Arc<dyn Scope> = Arc::new(Task(
        controller.clone(),
        Vars {
            map: vars.as_map().cloned().unwrap_or_default(),
            after: vec!["later"],
            ready: Vec::new(),
        },
    ));
    let value = Value::str(text, &crate::source::Span::synthetic("t"));
    match templates.render(&value, &scope) {
        Ok(value) => value
            .as_str()
            .map_or_else(|| value.to_json().to_string(), str::to_owned),
        Err(Stop::After(task)) => format!("after {task}"),
        Err(Stop::Fault(fault)) => format!("fault {}", fault.message),
    }
}

fn controller(folder: &Path, acts: bool) -> Arc<Controller> {
    Arc::new(Controller {
        folder: folder.to_owned(),
        acts,
        awaited: None,
        hidden: Mutex::default(),
    })
}

#[test]
fn a_plan_runs_nothing_and_says_what_it_waits_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let plan = controller(folder.path(), false);
    let waits = |name: &str| format!("after the lookup '{name}' in an apply");
    assert_eq!(seen(&plan, "{{ lookup('pipe', 'date') }}"), waits("pipe"));
    assert_eq!(seen(&plan, "{{ query('lines', 'date') }}"), waits("lines"));
    assert_eq!(
        seen(&plan, "{{ lookup('password', 'p') }}"),
        waits("password")
    );
    // Nothing makes light of what is only not known yet.
    let lenient = "{{ lookup('pipe', 'date', errors='ignore') | default('x') }}";
    assert_eq!(seen(&plan, lenient), waits("pipe"));
    let apply = controller(folder.path(), true);
    assert_eq!(seen(&apply, "{{ lookup('pipe', 'date') }}"), "ran date");
}

#[test]
fn a_password_is_made_once_and_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let apply = controller(folder.path(), true);
    let first = seen(
        &apply,
        "{{ lookup('password', 'pw length=12 chars=digits') }}",
    );
    assert!(
        first.len() == 12 && first.bytes().all(|byte| byte.is_ascii_digit()),
        "{first}"
    );
    assert_eq!(seen(&apply, "{{ lookup('password', 'pw') }}"), first);
    assert!(apply.hidden.lock().expect("no panic").contains(&first));
    // A plan knows what is kept, but adds no salt to it.
    let plan = controller(folder.path(), false);
    assert_eq!(seen(&plan, "{{ lookup('password', 'pw') }}"), first);
    let hashed = "{{ lookup('password', 'pw', encrypt='bcrypt') }}";
    assert!(seen(&plan, hashed).starts_with("after"));
    let hash = seen(&apply, hashed);
    assert!(hash.starts_with("$2b$12$"), "{hash}");
    assert_eq!(seen(&plan, hashed), hash);
    let kept = std::fs::read_to_string(folder.path().join("pw")).expect("it is kept");
    assert!(
        kept.starts_with(&format!("{first} salt=")) && kept.ends_with(" ident=2b\n"),
        "{kept}"
    );
    assert!(seen(&apply, "{{ lookup('password', '/dev/null') }}").contains("kept nowhere"));
    assert!(
        seen(&apply, "{{ lookup('password', 'x lenght=3') }}").contains("did you mean `length`?")
    );
    assert_eq!(
        seen(
            &apply,
            "{{ lookup('password', 'seeded seed=web1 length=8 chars=ascii_letters') }}"
        ),
        seen(
            &apply,
            "{{ lookup('password', 'other seed=web1 length=8 chars=ascii_letters') }}"
        )
    );
}

#[test]
fn files_that_a_task_may_still_write_are_known_after_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let plain = controller(folder.path(), false);
    assert!(
        seen(&plain, "{{ lookup('file', 'new') }}")
            .starts_with("fault there is no `new`; looked for")
    );
    let waiting = Arc::new(Controller {
        folder: folder.path().to_owned(),
        acts: false,
        awaited: Some("fetch it".to_owned()),
        hidden: Mutex::default(),
    });
    for text in [
        "{{ lookup('file', 'new') }}",
        "{{ lookup('file', 'new', errors='ignore') }}",
        "{{ query('fileglob', 'new*') }}",
        "{{ 'new' | realpath }}",
        "{{ lookup('first_found', ['new'], skip=true) }}",
        "{{ 'new' is file }}",
        "{{ lookup('template', 'new.j2') }}",
    ] {
        assert_eq!(seen(&waiting, text), "after fetch it", "{text}");
    }
}

#[test]
fn links_of_the_controller_are_followed() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().canonicalize().expect("a path");
    let link = |name: &str, target: &str| {
        std::os::unix::fs::symlink(target, root.join(name)).expect("a link");
    };
    std::fs::create_dir_all(root.join("releases/7/lib")).expect("folders");
    link("current", "releases/7");
    link("deep", "current/lib");
    link("round", "round");
    link("lost", "releases/8");
    let whole = root.join("releases/7").display().to_string();
    link("whole", &whole);
    let plan = controller(&root, false);
    for (name, expected) in [
        ("current", "releases/7"),
        ("deep", "releases/7/lib"),
        ("deep/..", "releases/7"),
        ("whole/lib/./new//file", "releases/7/lib/new/file"),
        ("round/x", "round/x"),
        ("lost/x", "releases/8/x"),
        ("none/../current/", "releases/7"),
    ] {
        let text = format!("{{{{ '{}/{name}' | realpath }}}}", root.display());
        assert_eq!(
            seen(&plan, &text),
            root.join(expected).display().to_string(),
            "{name}"
        );
    }
    let here = std::path::absolute(".")
        .expect("a folder")
        .canonicalize()
        .expect("a path");
    assert_eq!(
        seen(&plan, "{{ '' | realpath }}"),
        here.display().to_string()
    );
}

#[test]
fn templates_that_look_each_other_up_end() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("templates")).expect("a folder");
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join("templates").join(name), text).expect("written");
    };
    write("loop.j2", "{{ lookup('template', 'loop.j2') }}");
    write("later.j2", "{{ later }}");
    write("host.j2", "{{ inventory_hostname }}{{ extra }}");
    let plan = controller(folder.path(), false);
    assert!(seen(&plan, "{{ lookup('template', 'loop.j2') }}").contains("40 deep"));
    assert!(seen(&plan, "{{ again }}").starts_with("fault"));
    assert_eq!(
        seen(&plan, "{{ lookup('template', 'later.j2') }}"),
        "after fetch it"
    );
    assert_eq!(
        seen(
            &plan,
            "{{ lookup('template', 'host.j2', template_vars={'extra': '!'}) }}"
        ),
        "web1!"
    );
}

#[test]
fn a_hash_without_a_salt_stays_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let plan = controller(folder.path(), false);
    let text = "{{ 'secret' | password_hash('sha512', rounds=5000) }}";
    let hash = seen(&plan, text);
    assert!(
        hash.starts_with("$6$") && hash.len() == 3 + 16 + 1 + 86,
        "{hash}"
    );
    assert_eq!(seen(&plan, text), hash);
    // The salt does not depend on the password, which it would give away.
    let other = seen(
        &plan,
        "{{ 'other' | password_hash('sha512', rounds=5000) }}",
    );
    assert_eq!(other[..19], hash[..19]);
    assert_ne!(other, hash);
    for (text, said) in [
        ("{{ 'x' | password_hash('md5', 'salt') }}", "use `sha512`"),
        (
            "{{ 'x' | password_hash('sha512', 'sp ace') }}",
            "letters, digits",
        ),
        ("{{ 'x' | password_hash('sha512', rounds=5) }}", "1000 to"),
        (
            "{{ 'x' | password_hash('blowfish', 'short') }}",
            "22 characters",
        ),
        (
            "{{ 'x' | password_hash(slat='a') }}",
            "did you mean `salt`?",
        ),
        ("{{ 5 | random }}", "add `seed=inventory_hostname`"),
        ("{{ [1] | shuffle }}", "add `seed=inventory_hostname`"),
        ("{{ '%Y' | strftime }}", "another one with every run"),
        ("{{ 'a' | relpath }}", "give one"),
        ("{{ undef(hint='set the port') }}", "set the port"),
        (
            "{{ lookup('url', 'http://x') }}",
            "the lookup `url` is not supported",
        ),
        (
            "{{ lookup('vars', 'inventory_hostnam') }}",
            "did you mean `inventory_hostname`?",
        ),
    ] {
        let found = seen(&plan, text);
        assert!(
            found.starts_with("fault") && found.contains(said),
            "{text}: {found}"
        );
    }
}
