//! What `hadeploy init` writes beside the site that the binary carries.

/// The inventory of the repository, as an example.
const EXAMPLE: &str = include_str!("../../../inventory.example");

/// The passwords that the platform wants, which the example has in the clear.
pub const PASSWORDS: &[&str] = &[
    "db_app_password",
    "redis_password",
    "pgbouncer_password",
    "pgroute_password",
    "repmgr_password",
];

/// A small project: its files by their paths.
pub const MINIMAL: &[(&str, &str)] = &[
    (
        "inventory.yml",
        "# The nodes: write your own addresses, and who logs in.
all:
  vars:
    # Tasks become root by sudo. The key comes from your SSH agent or from ~/.ssh.
    ansible_user: debian
  children:
    web:
      hosts:
        node1:
          ansible_host: 203.0.113.11
",
    ),
    (
        "site.yml",
        "# A web server with one page.
#
#   hadeploy plan  site.yml     shows what would change
#   hadeploy apply site.yml     changes it
- name: Web servers
  hosts: web
  become: true
  tasks:
    - name: nginx is installed
      apt: { name: nginx, update_cache: true, cache_valid_time: 3600 }

    - name: the page
      template: { src: index.html.j2, dest: /var/www/html/index.html, mode: \"0644\" }

    - name: a page for who knows its name
      copy:
        content: \"ok\\n\"
        dest: /var/www/html/{{ page_secret }}.txt
        mode: \"0644\"
      no_log: true

    - name: nginx runs, also after a boot
      service: { name: nginx, state: started, enabled: true }
",
    ),
    (
        "templates/index.html.j2",
        "<!doctype html>
<title>{{ inventory_hostname }}</title>
<p>This is {{ inventory_hostname }}, with Debian {{ ansible_distribution_version }}.</p>
",
    ),
];

/// The inventory of the whole platform: the example without its passwords, which lie in the vault.
pub fn inventory() -> String {
    let mut text = String::from(
        "# Three nodes behind a load balancer: write your own addresses and keys. Passwords lie in group_vars/all/secrets.yml.\n",
    );
    let is_password = |line: &str| {
        let name = line.trim().split(':').next().unwrap_or_default();
        PASSWORDS.contains(&name)
    };
    // A comment right above a password goes with it.
    let lines: Vec<&str> = EXAMPLE.lines().skip(1).collect();
    for (number, line) in lines.iter().enumerate() {
        let mut below = lines[number..]
            .iter()
            .skip_while(|line| line.trim().starts_with('#'));
        let gone = below.next().is_some_and(|line| is_password(line));
        let doubled = line.is_empty() && text.ends_with("\n\n");
        if !gone && !doubled {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

/// `hadeploy.yml`.
pub fn settings(playbook: &str, password: &str) -> String {
    format!(
        "# What every hadeploy command in this folder starts from; `hadeploy doc settings` lists all.
inventory: inventory.yml
playbook: {playbook}
vault_password_file: {password}
# Host keys of nodes are learnt at the first login; `yes` wants them in ~/.ssh/known_hosts before.
host_key_checking: accept-new
"
    )
}

/// `.gitignore`.
pub fn ignored(password: &str) -> String {
    format!(
        "# What opens the vaults: keep it in a password store, and give it to people by another way than git.
/{password}
/playbooks/files/releases
"
    )
}

/// `README.md`.
pub fn readme(playbook: &str, secrets: &str, password: &str) -> String {
    let line = |words: &str, what: &str| {
        let width = "hadeploy validate ".len() + playbook.len();
        format!(
            "hadeploy {words:<0$}   # {what}\n",
            width - "hadeploy ".len()
        )
    };
    let steps = [
        line(&format!("validate {playbook}"), "the files are right"),
        line("doctor", "the nodes are reached, and well"),
        line(&format!("plan {playbook}"), "what would change"),
        line(&format!("apply {playbook}"), "change it"),
    ]
    .concat();
    format!(
        "# Nodes set up by hadeploy

- `inventory.yml`: the nodes
- `{playbook}`: what is done on them
- `{secrets}`: passwords, encrypted; `hadeploy vault edit {secrets}` changes them
- `{password}`: what opens them; it is not in git
- `hadeploy.yml`: defaults of the command line

```sh
{steps}```

`hadeploy doc` lists what tasks can do, `hadeploy doc apt` tells of one kind.
"
    )
}
