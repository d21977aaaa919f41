//! A plan of bare nodes never fails and writes nothing: all files and packages are the same before and after.

use std::collections::HashSet;
use std::path::Path;

use crate::Case;
use crate::run::Site;
use crate::world::{Node, World};

/// All cases.
pub fn cases() -> Vec<Case> {
    vec![
        Case::new("bare_plan::a_whole_platform", |world| {
            let site = Site::with(world.lab(12), PLATFORM);
            add_templates(&site);
            writes_nothing(&site, &[world.node("n1"), world.node("n2")]);
        }),
        Case::new("bare_plan::a_whole_platform_on_13", |world| {
            let site = Site::with(world.lab(13), PLATFORM);
            add_templates(&site);
            writes_nothing(&site, &[world.first(13)]);
        })
        .beside(13),
        Case::new("bare_plan::the_site_of_this_repository", |world| {
            writes_nothing(&own_site(world), &[world.node("n1"), world.node("n3")]);
        }),
        Case::new("bare_plan::files_that_the_run_makes", files_to_come),
    ]
}

/// Tasks that build on each other, as on a real platform: nothing of what the later ones need is there yet.
const PLATFORM: &str = r#"
- name: platform
  hosts: nodes
  become: true
  vars:
    site_root: /srv/www
  pre_tasks:
    - name: lists
      apt: {update_cache: true, cache_valid_time: 3600}
  tasks:
    - name: packages
      apt: {name: [nginx, redis-server, "iptables"], state: present}
    - name: group
      group: {name: deploy, gid: 2000}
    - name: account
      user: {name: deploy, group: deploy, groups: [www-data], shell: /bin/bash}
    - name: keys folder
      file: {path: /home/deploy/.ssh, state: directory, owner: deploy, group: deploy, mode: '0700'}
    - name: key
      copy: {content: "ssh-ed25519 AAAA deploy\n", dest: ~deploy/.ssh/authorized_keys, owner: deploy, mode: '0600'}
    - name: root folder
      file: {path: "{{ site_root }}", state: directory, owner: deploy}
    - name: page
      template: {src: page.j2, dest: "{{ site_root }}/index.html"}
    - name: site
      template: {src: site.j2, dest: /etc/nginx/conf.d/site.conf, validate: "test -s %s"}
      notify: reload nginx
    - name: setting
      lineinfile: {path: /etc/redis/redis.conf, regexp: '^maxmemory ', line: maxmemory 64mb}
      notify: restart redis
    - name: link
      file: {src: /etc/nginx/conf.d/site.conf, dest: /etc/nginx/enabled.conf, state: link}
    - name: look
      stat: {path: /etc/nginx/nginx.conf}
      register: conf
    - name: only if it is there
      copy: {content: x, dest: /etc/nginx/seen}
      when: conf.stat.exists
    - name: ask
      command: nginx -v
      register: version
      changed_when: false
    - name: say
      debug: {msg: "{{ version.stderr }}"}
    - name: unit
      copy: {content: "[Service]\nExecStart=/usr/bin/env sleep infinity\n", dest: /etc/systemd/system/worker.service}
    - name: services
      systemd_service: {name: "{{ item }}", state: started, enabled: true}
      loop: [nginx, redis-server, worker]
  handlers:
    - name: reload nginx
      service: {name: nginx, state: reloaded}
    - name: restart redis
      service: {name: redis-server, state: restarted}
"#;

fn add_templates(site: &Site) {
    site.write(
        "templates/page.j2",
        "{{ inventory_hostname }} {{ ansible_facts.distribution_version }} {{ ansible_default_ipv4.address }}\n",
    );
    site.write(
        "templates/site.j2",
        "server { listen 80; root {{ site_root }}; }\n",
    );
}

/// The playbook that comes with hadeploy, with the lab's inventory, which says all that the site wants to know.
fn own_site(world: &World) -> Site {
    let mut site = Site::new(world.lab(12));
    site.playbook(Path::new(env!("CARGO_MANIFEST_DIR")).join("playbooks/site.yml"));
    site
}

/// A file of the controller that an earlier task writes is not there yet in a plan.
fn files_to_come(world: &World) {
    let site = Site::with(
        world.lab(12),
        r#"- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - name: build
      command: touch "{{ playbook_dir }}/files/built"
      args: {creates: "{{ playbook_dir }}/files/built"}
- hosts: n1
  gather_facts: false
  tasks:
    - {name: there, copy: {src: there, dest: /srv/there}}
    - {name: built, copy: {src: "{{ 'built' }}", dest: /srv/built}}
"#,
    );
    site.write("files/there", "x");
    let plan = site.plan();
    assert_eq!(plan.with("changed"), ["there"], "{plan}");
    assert_eq!(plan.with("unknown"), ["build", "built"], "{plan}");
    assert_eq!(plan.task("built")["known_after"], "build", "{plan}");
    site.write("files/built", "x");
    let plan = site.plan();
    assert_eq!(plan.with("changed"), ["there", "built"], "{plan}");
    // Nothing makes it any more: it is missing.
    let playbook = "- hosts: n1\n  tasks:\n    - {name: gone, copy: {src: \"{{ 'gone' }}\", dest: /srv/gone}}\n";
    site.write("play.yml", playbook);
    site.expect(&["plan"], 1).says(&["there is no `gone`"]);
}

fn writes_nothing(site: &Site, nodes: &[Node]) {
    // A timer that fires in between would write by itself.
    for node in nodes {
        node.sh("systemctl stop '*.timer'; sync");
    }
    let before: Vec<String> = nodes.iter().map(state).collect();
    let plan = site.expect(&["plan", "--detailed-exitcode"], 2);
    for node in nodes {
        assert_eq!(plan.count(&node.name, "failed"), 0, "{plan}");
        assert!(plan.count(&node.name, "changed") > 5, "{plan}");
    }
    assert_eq!(plan.events.last().unwrap()["touched"], false, "{plan}");
    for (node, before) in nodes.iter().zip(before) {
        let after = state(node);
        let old: HashSet<&str> = before.lines().collect();
        let new: Vec<&str> = after.lines().filter(|line| !old.contains(line)).collect();
        assert!(
            before == after,
            "the plan wrote to {}:\n{}",
            node.name,
            new.join("\n")
        );
    }
}

/// All that lasts on a node: each path with mode, owner, size, time and sum; and the packages.
fn state(node: &Node) -> String {
    node.sh("cd /; few='-path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /var/log'
        find / \\( $few \\) -prune -o -printf '%p %y %m %U %G %s %T@ %l\\n' | sort
        find / \\( $few \\) -prune -o -type f -print0 | sort -z | xargs -0 sha256sum
        find /run/hadeploy /tmp 2>/dev/null; true
        dpkg-query -W -f '${Package} ${Version} ${Status}\\n'")
}
