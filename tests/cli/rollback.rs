//! What a rollback and a deploy give a playbook, as far as it shows without nodes.

use crate::Sandbox;

/// The release has no default anywhere.
const DEPLOY: &str = "- name: The application
  hosts: web
  become: true
  gather_facts: false
  rolling:
    health: {http: [{url: \"http://127.0.0.1/version\", contains: \"{{ app_release }}\"}]}
  tasks:
    - file: {path: \"/srv/{{ app_release }}\", state: directory}
";

fn sandbox(more: &str) -> Sandbox {
    // Nothing listens on a port that was given back.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let inventory =
        format!("web:\n  hosts:\n    gone: {{ansible_host: 127.0.0.1, ansible_port: {port}}}\n");
    let deploy = format!("{DEPLOY}{more}");
    Sandbox::new(&[("h.yml", &inventory), ("playbooks/deploy.yml", &deploy)])
}

#[test]
fn a_release_without_a_default_is_there_in_both() {
    for words in [&["deploy", "v42"][..], &["rollback"]] {
        let ran = sandbox("").run(&[words, &["-i", "h.yml", "--yes"]].concat());
        let told = format!("{}{}", ran.stdout, ran.stderr);
        assert_eq!(ran.status, 1, "{told}");
        // It came to its node.
        assert!(told.contains("connection refused"), "{words:?}: {told}");
        assert!(!told.contains("not defined"), "{words:?}: {told}");
    }
    // Without them it is missing, and what is misspelt is missing in both.
    let ran = sandbox("").run(&["validate", "playbooks/deploy.yml", "-i", "h.yml"]);
    assert!(
        ran.status == 1 && ran.stderr.contains("`app_release` is not defined"),
        "{}",
        ran.stderr
    );
    let misspelt = "    - debug: {msg: \"{{ app_relaese }}\"}\n";
    for words in [&["deploy", "v42"][..], &["rollback"]] {
        let ran = sandbox(misspelt).run(&[words, &["-i", "h.yml", "--yes"]].concat());
        assert!(
            ran.status == 1 && ran.stderr.contains("did you mean `app_release`?"),
            "{}",
            ran.stderr
        );
    }
}
