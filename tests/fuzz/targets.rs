//! The parsers, each as a function of bytes.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use hadeploy::diagnostic::Diagnostic;
use hadeploy::fact::{Missing, Question, parse};
use hadeploy::inventory::{HostPattern, Inventory};
use hadeploy::playbook::{Options, Project};
use hadeploy::resource::RenderOptions;
use hadeploy::source::{Source, Span};
use hadeploy::template::{Lookup, Scope, Templates};
use hadeploy::transport::ssh::arguments::SshArguments;
use hadeploy::transport::ssh::known_hosts::KnownHosts;
use hadeploy::value::{Value, parse_extra, parse_yaml};
use hadeploy::vault::{Envelope, Keyring, is_vault};
use hadeploy::{node, plan};

use crate::{expressions, fuzz, kinds, nodes, projects, services};

macro_rules! targets {
    ($($module:ident: $($name:ident),* ;)*) => {
        $($(
            #[test]
            fn $name() {
                fuzz(stringify!($name), $module::$name);
            }
        )*)*

        /// A corpus without a target is read by nobody.
        #[test]
        fn each_corpus_has_its_target() {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let name = entry.expect("an entry").file_name();
                let name = name.to_str().expect("utf-8");
                let named = [$($(stringify!($name)),*),*].contains(&name);
                assert!(named, "no target `{name}`");
            }
        }
    };
}

targets![
    read: yaml,
    template,
    expression,
    vault,
    known_hosts,
    ssh_arguments,
    facts,
    inventory,
    playbook,
    pattern,
    extra,
    saved_plan,
    script_end;
    projects: ansible_cfg, inventory_program, role, settings, ssh_config;
    expressions: filters, lookups;
    nodes: encoded_facts, node_answers, node_notes, shell, verifier, visit;
    services: age, balancer_command, digitalocean, haproxy, node_report, postgres_cluster, readiness, redis_cluster, run_log;
    kinds: kinds;
];

pub mod read {
    use super::*;

    /// What a user's file would be: text.
    pub fn text(bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).into_owned()
    }

    /// Every fault can be shown.
    pub fn shown(faults: &[Diagnostic]) -> bool {
        for fault in faults {
            assert!(!fault.render(false).is_empty());
            assert!(!fault.one_line().is_empty());
        }
        faults.is_empty()
    }

    pub fn yaml(bytes: &[u8]) -> bool {
        match parse_yaml(&Source::new("f.yml", text(bytes))) {
            Ok(values) => {
                values.iter().for_each(|value| drop(value.to_json()));
                true
            }
            Err(faults) => {
                assert!(!faults.is_empty());
                shown(&faults)
            }
        }
    }

    struct Names;

    impl Scope for Names {
        fn lookup(&self, name: &str) -> Lookup {
            let span = Span::synthetic("f");
            let json = match name {
                "a" => serde_json::json!("text"),
                "l" => serde_json::json!([1, "b", [null, true]]),
                "d" => serde_json::json!({"k": {"n": 1.5}, "e": ""}),
                _ => return Lookup::Undefined,
            };
            Lookup::Written(Value::from_json(&json, &span))
        }

        fn names(&self) -> Vec<String> {
            ["a", "l", "d"].map(str::to_owned).into()
        }
    }

    /// What was compiled stays for ever, as does what an engine consists of: all inputs share one.
    pub static TEMPLATES: LazyLock<Arc<Templates>> = LazyLock::new(Templates::new);

    pub fn template(bytes: &[u8]) -> bool {
        let scope: Arc<dyn Scope> = Arc::new(Names);
        let value = Value::str(&text(bytes), &Span::synthetic("f"));
        let right = shown(&TEMPLATES.check(&value));
        TEMPLATES.free_names(&value);
        let rendered = TEMPLATES.render(&value, &scope).is_ok();
        // A file of its own keeps its texts for ever: only some are read as files too.
        if bytes.len().is_multiple_of(16) {
            let source = Source::new("f.j2", text(bytes));
            shown(&TEMPLATES.check_source(&source, &RenderOptions::default()));
        }
        right && rendered
    }

    pub fn expression(bytes: &[u8]) -> bool {
        let scope: Arc<dyn Scope> = Arc::new(Names);
        let value = Value::str(&text(bytes), &Span::synthetic("f"));
        let right = shown(&TEMPLATES.check_condition(&value));
        TEMPLATES.free_names_of_condition(&value);
        right && TEMPLATES.eval(&value, &scope).is_ok()
    }

    pub fn vault(bytes: &[u8]) -> bool {
        let text = text(bytes);
        let _ = Keyring::default().open(bytes);
        is_vault(bytes) && Envelope::parse(&text).is_ok()
    }

    pub fn known_hosts(bytes: &[u8]) -> bool {
        let mut hosts = KnownHosts::default();
        hosts.add(Path::new("known_hosts"), bytes);
        let mut some = false;
        for (host, port) in [("web1", 22), ("10.0.0.1", 2222), ("::1", 22), ("", 0)] {
            let keys = hosts.host(host, port);
            some |= !keys.key_types().is_empty();
            keys.verdict(bytes);
            keys.is_authority(bytes);
            keys.revoked(bytes);
        }
        some
    }

    pub fn ssh_arguments(bytes: &[u8]) -> bool {
        match SshArguments::parse(&text(bytes)) {
            Ok(_) => true,
            Err(error) => {
                assert!(!error.to_string().is_empty());
                false
            }
        }
    }

    static ASKED: LazyLock<Missing> = LazyLock::new(|| {
        Missing::new([
            Question::Path("/etc/hosts".into()),
            Question::Digest("/etc/hosts".into()),
            Question::Text("/etc/hosts".into()),
            Question::Tree("/etc/apt".into()),
            Question::Listing("2 /etc/apt".into()),
            Question::Glob("/etc/host*".into()),
            Question::Package("dpkg".into()),
            Question::Candidate("dpkg".into()),
            Question::AptLists,
            Question::Account("root".into()),
            Question::Group("root".into()),
            Question::Unit("ssh.service".into()),
            Question::Facts,
        ])
    });

    pub fn facts(bytes: &[u8]) -> bool {
        parse(&ASKED, "n0nce", bytes).is_ok()
    }

    /// A file in a folder of the thread.
    pub fn file(name: &str, bytes: &[u8]) -> PathBuf {
        thread_local! {
            static FOLDER: tempfile::TempDir = tempfile::tempdir().expect("a folder");
        }
        let path = FOLDER.with(|folder| folder.path().join(name));
        std::fs::write(&path, bytes).expect("written");
        path
    }

    /// The first byte says which form it has: YAML, INI or JSON.
    pub fn inventory(bytes: &[u8]) -> bool {
        let name = match bytes.first() {
            Some(b'[' | b'#') => "hosts.ini",
            Some(b'{') => "hosts.json",
            _ => "hosts.yml",
        };
        let path = file(name, bytes).display().to_string();
        let (inventory, faults) = Inventory::load(&[path], &[], &Keyring::default());
        assert!(inventory.names().all(|name| !name.is_empty()));
        shown(&faults)
    }

    /// The words of free forms and all else that stands in a play.
    pub fn playbook(bytes: &[u8]) -> bool {
        let hosts = file("inventory.yml", b"web: {hosts: {'web[1:3]': }}\n");
        let site = file("site.yml", bytes);
        let names = [site, hosts].map(|path| path.display().to_string());
        let [site, hosts] = names;
        let options = Options::default();
        let (_, faults) = Project::load(&[site], &[hosts], &options, &TEMPLATES);
        shown(&faults)
    }

    pub fn pattern(bytes: &[u8]) -> bool {
        match HostPattern::from_option("--limit", &text(bytes)) {
            Ok(pattern) => {
                let (inventory, _) = Inventory::load(&[], &[], &Keyring::default());
                drop(pattern.select(&inventory));
                true
            }
            Err(faults) => shown(&faults),
        }
    }

    pub fn extra(bytes: &[u8]) -> bool {
        match parse_extra(&text(bytes)) {
            Ok(_) => true,
            Err(faults) => shown(&faults),
        }
    }

    /// As it came, and with the sum that makes it whole.
    pub fn saved_plan(bytes: &[u8]) -> bool {
        read_plan(bytes);
        let Ok(mut whole) = serde_json::from_slice::<serde_json::Value>(bytes) else {
            return false;
        };
        let Some(inner) = whole.get("plan").map(ToString::to_string) else {
            return false;
        };
        whole["sum"] = crate::support::answers::sha256(inner.as_bytes()).into();
        read_plan(whole.to_string().as_bytes())
    }

    fn read_plan(bytes: &[u8]) -> bool {
        match plan::read(&file("plan.json", bytes)) {
            Ok(saved) => {
                assert!(plan::moved(&saved, &saved).is_empty());
                let mut less = saved.clone();
                less.hosts.pop();
                less.hosts.values_mut().for_each(|tasks| drop(tasks.pop()));
                plan::moved(&saved, &less);
                plan::moved(&less, &saved);
                let promise = plan::Promise::new(&less);
                for (host, tasks) in &saved.hosts {
                    for task in tasks {
                        for (number, unit) in task.units.iter().enumerate() {
                            let _ = promise.check(host, &task.place, number, unit);
                        }
                    }
                }
                saved.pending();
                true
            }
            Err(error) => {
                assert!(!error.to_string().is_empty());
                false
            }
        }
    }

    pub fn script_end(bytes: &[u8]) -> bool {
        node::parse_script_end(bytes).is_some()
    }
}
