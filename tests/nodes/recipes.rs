//! The recipes for pipelines of the documentation, run as they are written there, against a node.

use std::fs;
use std::path::Path;
use std::thread;

use serde_json::Value as Json;
use serde_yaml::Value;

use crate::Case;
use crate::balancers::{platform, remove};
use crate::run::Site;
use crate::runner::{Job, Runner, recipe};
use crate::world::{Node, World};

/// All cases.
pub fn cases() -> Vec<Case> {
    vec![
        crate::waiting("recipes::drift_on_github", drift_on_github),
        crate::waiting("recipes::drift_on_gitlab", drift_on_gitlab),
        crate::waiting("recipes::plan_and_apply_in_two_jobs", two_jobs),
        Case::long("recipes::deploys", deploys).beside(1),
        crate::waiting("recipes::a_report", report),
    ]
}

const DRIFT: &str = "docs/drift.md";
const README: &str = "README.md";

/// A repository with an inventory of these nodes, whose keys nobody has yet.
fn repository(nodes: &[&Node], plays: &[(&str, &str)]) -> Site {
    let site = Site::new(&nodes[0].lab);
    for (name, play) in plays {
        site.write(&format!("repository/{name}"), play);
    }
    let mut inventory =
        String::from("all:\n  vars: {ansible_user: root}\n  children:\n    nodes:\n      hosts:\n");
    for node in nodes {
        let (name, address) = (&node.name, node.address());
        inventory += &format!("        {name}: {{ansible_host: {address}}}\n");
    }
    site.write("repository/inventory.yml", inventory);
    site
}

fn key(node: &Node) -> String {
    fs::read_to_string(node.lab.key()).unwrap()
}

fn known_hosts(node: &Node) -> String {
    fs::read_to_string(node.lab.known_hosts()).unwrap()
}

/// The variables of a project of GitLab, and the keys put where its jobs find them, as the recipe of deploys does.
fn with_keys(mut runner: Runner, node: &Node) -> Runner {
    let file = runner.beside("deploy_key", &key(node));
    runner.set("DEPLOY_KEY", file);
    let file = runner.beside("known", &known_hosts(node));
    runner.set("KNOWN_HOSTS", file);
    let before = &recipe(README, "rollback.script")["rollback"];
    assert!(before["before_script"].is_sequence(), "{before:?}");
    let only = serde_yaml::Mapping::from_iter([("script".into(), before["before_script"].clone())]);
    let ran = runner.gitlab_job(&only.into());
    assert_eq!(ran.code, 0, "{ran}");
    runner
}

fn gitlab(site: &Site, node: &Node) -> Runner {
    with_keys(Runner::gitlab(&site.path("repository")), node)
}

const PAGE: &str = "- name: Page\n  hosts: nodes\n  gather_facts: false\n  tasks:\n    - name: page\n      copy: {content: as wanted, dest: /srv/recipe-page}\n";

/// The last line of a file of events.
#[track_caller]
fn finished(path: &Path) -> Json {
    let text = fs::read_to_string(path).unwrap();
    let last = text.lines().last().unwrap_or_default();
    let event: Json = serde_json::from_str(last).expect(last);
    assert_eq!(event["event"], "run_finished", "{text}");
    event
}

fn drift_on_github(world: &World) {
    let node = world.spare("n1");
    let site = repository(&[&node], &[("playbooks/site.yml", PAGE)]);
    let drift = recipe(DRIFT, "jobs.drift");
    let job = || {
        let mut runner = Runner::github(&site.path("repository"));
        for (word, value) in [
            ("secrets.NODES_KEY", key(&node)),
            ("vars.NODES_KNOWN_HOSTS", known_hosts(&node)),
        ] {
            runner.words.insert(word.to_owned(), value);
        }
        let job = runner.github_job(&drift["jobs"]["drift"]);
        job.asked_nothing();
        (job, runner)
    };
    node.sh("rm -f /srv/recipe-page");
    let (drifted, runner) = job();
    assert_eq!(drifted.code, 2, "{drifted}");
    let line = "- `n1` page (playbooks/site.yml:5)";
    assert!(drifted.summary.contains(line), "{drifted}");
    assert_eq!(finished(&runner.path("drift.jsonl"))["exit_code"], 2);
    node.sh("printf 'as wanted' >/srv/recipe-page");
    let (quiet, runner) = job();
    assert_eq!(quiet.code, 0, "{quiet}");
    assert!(!quiet.summary.contains("- `n1`"), "{quiet}");
    assert_eq!(finished(&runner.path("drift.jsonl"))["exit_code"], 0);
    // It cannot be told.
    node.sh("systemctl stop ssh");
    let (unknown, _) = job();
    node.sh("systemctl start ssh");
    assert_eq!(unknown.code, 1, "{unknown}");
    node.sh("rm -f /srv/recipe-page");
}

fn drift_on_gitlab(world: &World) {
    let node = world.spare("n1");
    let site = repository(&[&node], &[("playbooks/site.yml", PAGE)]);
    let recipe = recipe(DRIFT, "drift.allow_failure");
    let drift = &recipe["drift"];
    node.sh("rm -f /srv/recipe-page");
    let runner = gitlab(&site, &node);
    let job = runner.gitlab_job(drift);
    job.asked_nothing();
    // What is a warning there, and nothing else is.
    let warns: Vec<i64> = drift["allow_failure"]["exit_codes"]
        .as_sequence()
        .unwrap()
        .iter()
        .filter_map(Value::as_i64)
        .collect();
    assert_eq!((job.code, warns), (2, vec![2]), "{job}");
    assert_eq!(finished(&runner.path("drift.jsonl"))["exit_code"], 2);
    node.sh("printf 'as wanted' >/srv/recipe-page");
    let job = runner.gitlab_job(drift);
    assert_eq!(job.code, 0, "{job}");
    node.sh("rm -f /srv/recipe-page");
}

/// Each job has a checkout of its own, and what is handed on lies in it.
fn two_jobs(world: &World) {
    let node = world.spare("n1");
    let site = repository(&[&node], &[("playbooks/site.yml", PAGE)]);
    let recipe = recipe(DRIFT, "apply.needs");
    node.sh("rm -f /srv/recipe-page");
    let first = gitlab(&site, &node);
    let planned = first.gitlab_job(&recipe["plan"]);
    assert_eq!(planned.code, 0, "{planned}");
    node.sh("test ! -e /srv/recipe-page");
    let second = gitlab(&site, &node);
    fs::copy(first.path("site.plan"), second.path("site.plan")).unwrap();
    let applied = second.gitlab_job(&recipe["apply"]);
    applied.asked_nothing();
    assert_eq!(applied.code, 0, "{applied}");
    assert_eq!(node.sh("cat /srv/recipe-page"), "as wanted");
    from_page(&node, "https://gitlab.example/ann/site/-/jobs/4711");
    // What was changed by hand in between is left alone.
    node.sh("echo one >/srv/recipe-page");
    let planned = first.gitlab_job(&recipe["plan"]);
    assert_eq!(planned.code, 0, "{planned}");
    fs::copy(first.path("site.plan"), second.path("site.plan")).unwrap();
    node.sh("echo two >/srv/recipe-page");
    let refused = second.gitlab_job(&recipe["apply"]);
    assert_eq!(refused.code, 1, "{refused}");
    assert!(
        refused.text.contains("the plan no longer holds"),
        "{refused}"
    );
    assert_eq!(node.sh("cat /srv/recipe-page; rm /srv/recipe-page"), "two");
}

/// The node's own note of the last run names the page of the pipeline.
#[track_caller]
fn from_page(node: &Node, page: &str) {
    node.wait_for(&format!(
        "tail -n 1 /var/log/hadeploy.log | grep -qF '\"pipeline\":\"{page}\"'"
    ));
}

const APPLICATION: &str = "- name: The application
  hosts: nodes
  gather_facts: false
  rolling:
    balancer: {readiness: {interval: 500ms, unhealthy_threshold: 2, healthy_threshold: 2, drain_timeout: 5s}}
    health: {units: [nginx], command: \"readlink /srv/recipe/app/current | grep -qx releases/{{ app_release }}\", checks: 1, timeout: 20s}
    release: {path: /srv/recipe/app}
  tasks:
    - name: release
      release:
        path: /srv/recipe/app
        src: \"{{ omit if rolling_back is defined else 'app' }}\"
        release: \"{{ app_release }}\"
    - name: hold
      command: sh -c 'if test -e /run/hold; then touch /run/held; while test -e /run/hold; do sleep 0.2; done; fi'
      changed_when: false
";

/// While a job deploys, another run says whose page to look at; then the job comes to its end.
#[track_caller]
fn while_it_deploys(node: &Node, page: &str, deploy: impl FnOnce() -> Job + Send) -> Job {
    node.sh("rm -f /run/held; touch /run/hold");
    let other = Site::with(
        &node.lab,
        &format!(
            "- hosts: {}\n  gather_facts: false\n  tasks:\n    - file: {{path: /srv/recipe/never, state: touch}}\n",
            node.name
        ),
    );
    thread::scope(|scope| {
        let deploying = scope.spawn(deploy);
        let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            node.wait_for("test -e /run/held");
            other.run(&["apply"])
        }));
        node.sh("rm -f /run/hold");
        let job = deploying.join().unwrap();
        let refused = refused.unwrap_or_else(|_| panic!("{job}"));
        assert_eq!(refused.code, 4, "{refused}\n{job}");
        refused.says(&[page]);
        node.sh("test ! -e /srv/recipe/never");
        job
    })
}

fn deploys(world: &World) {
    let [lb, first, second] = &platform(world);
    let nodes = [first, second];
    for node in nodes {
        node.sh("rm -rf /srv/recipe /run/hold; mkdir -p /srv/recipe");
    }
    let site = repository(&[first, second], &[("playbooks/deploy.yml", APPLICATION)]);
    site.write("repository/playbooks/files/app/main", "one\n");
    let runs = |node: &Node| node.sh("basename $(readlink /srv/recipe/app/current)");

    let mut runner = Runner::github(&site.path("repository"));
    for (word, value) in [
        ("secrets.DEPLOY_KEY", key(first)),
        ("vars.KNOWN_HOSTS", known_hosts(first)),
        ("github.sha", "4b825dc642cb".to_owned()),
    ] {
        runner.words.insert(word.to_owned(), value);
    }
    let recipe = recipe(README, "jobs.deploy");
    let page = "https://github.example/ann/site/actions/runs/17";
    let job = while_it_deploys(first, page, || runner.github_job(&recipe["jobs"]["deploy"]));
    job.asked_nothing();
    assert_eq!(job.code, 0, "{job}");
    assert!(
        job.summary
            .contains("### hadeploy rolling-update playbooks/deploy.yml, release 4b825dc642cb\n"),
        "{job}"
    );
    for node in nodes {
        assert_eq!(runs(node), "4b825dc642cb");
        from_page(node, page);
    }

    let recipe = self::recipe(README, "rollback.script");
    site.write("repository/playbooks/files/app/main", "two\n");
    let runner = gitlab(&site, first);
    let page = "https://gitlab.example/ann/site/-/jobs/4711";
    let job = while_it_deploys(first, page, || runner.gitlab_job(&recipe["deploy"]));
    job.asked_nothing();
    assert_eq!(job.code, 0, "{job}");
    assert!(job.text.contains("section_start:"), "{job}");
    for node in nodes {
        assert_eq!(runs(node), "4b825dc6");
        from_page(node, page);
    }
    let job = runner.gitlab_job(&recipe["rollback"]);
    job.asked_nothing();
    assert_eq!(job.code, 0, "{job}");
    for node in nodes {
        assert_eq!(runs(node), "4b825dc642cb");
        node.sh("rm -rf /srv/recipe");
    }
    remove(&[lb, first, second]);
}

fn report(world: &World) {
    let node = world.spare("n1");
    let site = repository(&[&node], &[("site.yml", PAGE)]);
    site.write("repository/hadeploy.yml", "inventory: inventory.yml\n");
    let recipe = recipe("docs/commands.md", "deploy.artifacts");
    let runner = gitlab(&site, &node);
    let job = runner.gitlab_job(&recipe["deploy"]);
    job.asked_nothing();
    assert_eq!(job.code, 0, "{job}");
    let name = recipe["deploy"]["artifacts"]["reports"]["junit"]
        .as_str()
        .unwrap();
    let report = fs::read_to_string(runner.path(name)).unwrap();
    assert!(
        report.starts_with("<?xml") && report.contains("<testcase name=\"page\""),
        "{report}"
    );
    assert_eq!(
        node.sh("cat /srv/recipe-page; rm /srv/recipe-page"),
        "as wanted"
    );
}
