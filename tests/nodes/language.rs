//! What plays mean on real nodes: handlers, loops, results, tags, environments, accounts, and the order across hosts.

use crate::Case;
use crate::run::{Run, Site};
use crate::world::{Node, World};

/// All cases.
pub fn cases() -> Vec<Case> {
    vec![
        Case::new("language::handlers", handlers),
        Case::new("language::a_failed_host_runs_no_handlers", failed_host),
        Case::new("language::handlers_of_files", handlers_of_files),
        Case::new("language::a_node_out_of_reach_for_a_while", out_of_reach),
        Case::new("language::loops", loops),
        Case::new("language::results", results),
        Case::new("language::failures_that_are_meant", meant_failures),
        Case::new("language::tags", tags),
        Case::new("language::environment_and_accounts", environment),
        Case::new("language::facts", |world| facts(world, 12)),
        Case::new("language::facts_on_13", |world| facts(world, 13)).beside(13),
        Case::new("language::stat", stat),
        Case::new("language::order_across_hosts", order),
        Case::new(
            "language::blocks_attempts_batches_and_delegates",
            constructs,
        ),
        Case::new("language::includes", includes),
        Case::new("language::values_of_other_hosts", other_hosts),
        Case::new("language::secrets_stay_hidden", secrets),
    ]
}

fn begin(world: &World) -> Node {
    let node = world.node("n1");
    node.sh("rm -rf /srv/la; mkdir -p /srv/la");
    node
}

/// Applies a play with `head` as its first lines.
#[track_caller]
fn apply(node: &Node, head: &str, body: &str) -> Run {
    Site::with(&node.lab, &format!("- hosts: {head}\n{body}")).apply()
}

fn handlers(world: &World) {
    let node = begin(world);
    let run = apply(
        &node,
        "n1",
        r#"  gather_facts: false
  tasks:
    - name: one
      copy: {content: a, dest: /srv/la/one}
      notify: [third, first]
    - name: two
      copy: {content: a, dest: /srv/la/two}
      notify: topic
    - name: same
      file: {path: /srv/la, state: directory}
      notify: never
    - name: flush
      meta: flush_handlers
    - name: between
      shell: echo between >>/srv/la/log
    - name: three
      copy: {content: a, dest: /srv/la/three}
      notify: first
  handlers:
    - name: first
      shell: echo first >>/srv/la/log
    - name: second
      listen: topic
      shell: echo second >>/srv/la/log
    - name: third
      listen: [topic, other]
      shell: echo third >>/srv/la/log
    - name: never
      shell: echo never >>/srv/la/log
"#,
    );
    assert_eq!(
        node.sh("cat /srv/la/log"),
        "first\nsecond\nthird\nbetween\nfirst",
        "{run}"
    );
    assert_eq!(run.named("handler_finished").len(), 4, "{run}");
}

fn handlers_of_files(world: &World) {
    let node = begin(world);
    let site = Site::with(
        &node.lab,
        r#"- hosts: n1
  gather_facts: false
  tasks:
    - name: change
      copy: {content: a, dest: /srv/la/one}
      notify: brought
  handlers:
    - name: brought
      include_tasks: acts.yml
    - name: behind
      shell: echo behind >>/srv/la/log
"#,
    );
    site.write(
        "acts.yml",
        "- name: checked\n  command: test -e /srv/la/good\n  notify: behind\n- name: acted\n  shell: echo acted >>/srv/la/log\n",
    );
    let run = site.expect(&["apply"], 3);
    assert_eq!(run.status("checked"), "failed", "{run}");
    node.sh("test ! -e /srv/la/log; touch /srv/la/good");
    // The whole file is owed.
    let run = site.apply();
    assert_eq!(run.named("owed").len(), 1, "{run}");
    assert_eq!(node.sh("cat /srv/la/log"), "acted\nbehind", "{run}");
    assert_eq!(run.named("handler_finished").len(), 4, "{run}");
    assert!(site.apply().named("handler_finished").is_empty());
}

/// The node lets nobody in for the first play; the second one, on this machine, mends that.
fn out_of_reach(world: &World) {
    let node = begin(world);
    // The inventory of a lab lies in its folder.
    let inventory = node.lab.inventory().unwrap();
    let lab = inventory.parent().unwrap().file_name().unwrap();
    let mend = format!(
        "{} lab exec --name {} {} -- systemctl start ssh",
        env!("CARGO_BIN_EXE_hadeploy"),
        lab.display(),
        node.name
    );
    let site = Site::with(
        &node.lab,
        &format!(
            r#"- hosts: n1
  ignore_unreachable: true
  tasks:
    - name: first
      copy: {{content: a, dest: /srv/la/first}}
      register: first
- hosts: localhost
  gather_facts: false
  tasks:
    - name: mend
      command: {mend}
- hosts: n1
  tasks:
    - name: second
      copy: {{content: "{{{{ first is unreachable }}}} {{{{ ansible_facts.distribution }}}}", dest: /srv/la/second}}
"#
        ),
    );
    node.sh("systemctl stop ssh.socket ssh 2>/dev/null; ! systemctl is-active -q ssh");
    let run = site.expect(&["apply", "--lock-timeout", "2m"], 0);
    assert_eq!(run.status("first"), "unreachable", "{run}");
    assert_eq!(run.task("first")["ignored"], true, "{run}");
    assert_eq!(
        node.sh("cat /srv/la/second; echo; ls /srv/la"),
        "True Debian\nsecond",
        "{run}"
    );
    let run = site.apply();
    assert_eq!(run.status("first"), "changed", "{run}");
    assert_eq!(node.sh("cat /srv/la/second"), "False Debian", "{run}");
}

fn failed_host(world: &World) {
    let node = begin(world);
    let site = Site::with(
        &node.lab,
        "- hosts: n1\n  gather_facts: false\n  tasks:\n    - name: change\n      copy: {content: a, dest: /srv/la/one}\n      notify: act\n    - name: bad\n      command: test -e /srv/la/good\n  handlers:\n    - name: act\n      shell: echo acted >>/srv/la/log\n",
    );
    let run = site.expect(&["apply"], 3);
    assert_eq!(run.status("bad"), "failed", "{run}");
    node.sh("test ! -e /srv/la/log");
    // The change stands, its handler did not run: it is owed, and paid by the run that gets through.
    node.sh("touch /srv/la/good");
    let run = site.apply();
    assert_eq!(run.named("owed").len(), 1, "{run}");
    assert_eq!(run.status("change"), "ok", "{run}");
    assert_eq!(node.sh("cat /srv/la/log"), "acted");
    assert!(site.apply().named("handler_finished").is_empty());
}

fn loops(world: &World) {
    let node = begin(world);
    let run = apply(
        &node,
        "n1",
        r#"  gather_facts: false
  vars:
    people: {ann: {n: 1}, bob: {n: 2}}
  tasks:
    - name: items
      copy: {content: "{{ item.n }} {{ at }}", dest: "/srv/la/{{ item.name }}"}
      loop: [{name: a, n: 1}, {name: b, n: 2}, {name: c d, n: 3}]
      loop_control: {label: "{{ item.name }}", index_var: at}
      when: item.n != 2
    - name: results
      shell: echo "{{ item }}" | tee -a /srv/la/order
      with_items: [x, [y, z]]
      register: said
    - name: written
      copy: {content: "{{ said.results | map(attribute='stdout') | join('+') }} {{ said.results | length }}", dest: /srv/la/said}
    - name: dict
      file: {path: "/srv/la/{{ who.key }}{{ who.value.n }}", state: directory}
      with_dict: "{{ people }}"
      loop_control: {loop_var: who}
    - name: none
      command: touch /srv/la/none
      loop: []
"#,
    );
    assert_eq!(
        node.sh("cd /srv/la; cat a; echo; cat 'c d'; echo; cat order said; echo; ls -d ann1 bob2; ls b none 2>/dev/null || echo none"),
        "1 0\n3 2\nx\ny\nz\nx+y+z 3\nann1\nbob2\nnone",
        "{run}"
    );
    let items = run.task("items")["items"].as_array().unwrap();
    let said: Vec<(&str, &str)> = items
        .iter()
        .map(|item| {
            (
                item["item"].as_str().unwrap(),
                item["status"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        said,
        [("a", "changed"), ("b", "skipped"), ("c d", "changed")],
        "{run}"
    );
    assert_eq!(run.status("none"), "skipped", "{run}");
}

fn results(world: &World) {
    let node = begin(world);
    let body = r#"  gather_facts: false
  tasks:
    - name: ask
      shell: echo "one"; echo "two"; echo "oops" >&2; exit 4
      register: asked
      changed_when: "'two' in asked.stdout_lines"
      failed_when: asked.rc not in [0, 4]
    - name: use
      copy: {content: "{{ asked.rc }} {{ asked.stdout_lines[1] }} {{ asked.stderr }}", dest: /srv/la/asked}
      register: copied
      when: asked.rc == 4 and asked is changed
    - name: only if it changed
      command: touch /srv/la/changed
      when: copied is changed
    - name: not if it did not
      command: touch /srv/la/not
      when: copied is not changed
      register: skipped
    - name: skipped is known
      copy: {content: x, dest: /srv/la/skipped}
      when: skipped is skipped and copied is succeeded
    - name: fact
      set_fact: {answer: "{{ asked.rc * 10 + 2 }}", list: [1, 2]}
    - name: proof
      assert: {that: [answer | int == 42, list | length == 2, not false], quiet: true}
    - name: message
      debug: {msg: "the answer is {{ answer }}"}
    - name: quiet
      command: echo never changed
      changed_when: false
"#;
    let site = Site::with(&node.lab, &format!("- hosts: n1\n{body}"));
    let plan = site.plan();
    assert_eq!(plan.status("ask"), "unknown", "{plan}");
    assert_eq!(plan.status("use"), "unknown", "{plan}");
    node.sh("test -z \"$(ls /srv/la)\"");
    let run = site.apply();
    assert_eq!(
        node.sh("cat /srv/la/asked; cd /srv/la; ls"),
        "4 two oopsasked\nchanged\nskipped",
        "{run}"
    );
    assert_eq!(run.status("not if it did not"), "skipped", "{run}");
    assert_eq!(run.status("quiet"), "ok", "{run}");
    assert_eq!(run.task("message")["msg"], "the answer is 42", "{run}");
    let again = site.apply();
    assert_eq!(
        again.with("changed"),
        ["ask", "not if it did not"],
        "{again}"
    );
}

fn meant_failures(world: &World) {
    let node = begin(world);
    let run = apply(
        &node,
        "n1",
        r#"  gather_facts: false
  tasks:
    - name: ignored
      command: ls /no/such/thing
      ignore_errors: true
      register: tried
    - name: known
      copy: {content: "{{ tried.rc }} {{ tried is failed }}", dest: /srv/la/tried}
      when: tried is failed
    - name: judged
      shell: echo ERROR; exit 0
      failed_when: "'ERROR' in judged.stdout"
      register: judged
      ignore_errors: true
    - name: missing
      stat: {path: /no/such}
      register: missing
    - name: refused
      assert: {that: missing.stat.exists, fail_msg: "it is {{ missing.stat.exists }}"}
      ignore_errors: true
    - name: given up
      fail: {msg: not today}
      ignore_errors: true
"#,
    );
    assert_eq!(node.sh("cat /srv/la/tried | tr A-Z a-z"), "2 true", "{run}");
    assert_eq!(run.count("n1", "ignored"), 4, "{run}");
    assert_eq!(run.count("n1", "failed"), 0, "{run}");
    run.says(&["not today", "it is "]);
}

fn tags(world: &World) {
    let node = begin(world);
    let site = Site::with(
        &node.lab,
        "- hosts: n1\n  gather_facts: false\n  tasks:\n    - {name: a, command: touch /srv/la/a, tags: red}\n    - {name: b, command: touch /srv/la/b, tags: [red, blue]}\n    - {name: c, command: touch /srv/la/c}\n    - {name: d, command: touch /srv/la/d, tags: always}\n    - {name: e, command: touch /srv/la/e, tags: never}\n",
    );
    let files = || node.sh("cd /srv/la; ls | tr -d '\\n'; rm -f *");
    for (words, wanted) in [
        (&["apply"][..], "abcd"),
        (&["apply", "--tags", "red"][..], "abd"),
        (&["apply", "-t", "red", "--skip-tags", "blue"][..], "ad"),
        (&["apply", "--tags", "never,untagged"][..], "cde"),
    ] {
        let run = site.expect(words, 0);
        assert_eq!(files(), wanted, "{run}");
    }
}

fn environment(world: &World) {
    let node = begin(world);
    node.sh("id worker >/dev/null 2>&1 || useradd -m -s /bin/sh worker; chmod 0777 /srv/la");
    let run = apply(
        &node,
        "n1",
        r#"  gather_facts: false
  become: true
  environment: {OUTER: "from 'the' play", INNER: play}
  tasks:
    - name: both
      shell: printf '%s|' "$OUTER" "$INNER" "$TASK" >/srv/la/env
      environment: {INNER: "task $HOME `x` \"q\"", TASK: "{{ 6 * 7 }}"}
    - name: as another
      shell: echo "$(id -un) $HOME $PWD $USER" >/srv/la/who
      become_user: worker
    - name: its file
      copy: {content: hers, dest: ~/mine, mode: '0600'}
      become_user: worker
    - name: its environment
      command: touch "/srv/la/it's hers"
      become_user: worker
    - name: umask
      shell: umask; pwd
      register: here
      changed_when: false
    - name: written
      copy: {content: "{{ here.stdout_lines | join(' ') }}", dest: /srv/la/here}
"#,
    );
    assert_eq!(
        node.sh("cat /srv/la/env"),
        "from 'the' play|task $HOME `x` \"q\"|42|",
        "{run}"
    );
    assert_eq!(
        node.sh("cut -d' ' -f1,2,4 /srv/la/who; stat -c '%U %a' /home/worker/mine \"/srv/la/it's hers\"; cat /srv/la/here"),
        "worker /home/worker worker\nworker 600\nworker 644\n0022 /root",
        "{run}"
    );
}

fn facts(world: &World, release: u8) {
    let node = world.first(release);
    node.sh("rm -rf /srv/la; mkdir -p /srv/la");
    let run = apply(
        &node,
        "n1",
        r#"  tasks:
    - name: write
      copy:
        dest: /srv/la/facts
        content: |
          {{ ansible_facts.hostname }} {{ ansible_distribution }} {{ ansible_facts['distribution_major_version'] }} {{ ansible_os_family }}
          {{ ansible_architecture }} {{ ansible_kernel }} {{ ansible_default_ipv4.address }} {{ ansible_service_mgr }} {{ ansible_pkg_mgr }}
          {{ ansible_facts.distribution_release }} {{ ansible_all_ipv4_addresses | join(',') }} {{ ansible_facts.user_id }} {{ ansible_machine_id }}
          {{ ansible_default_ipv4.interface }} {{ ansible_facts[ansible_default_ipv4.interface].ipv4.address }} {{ ansible_memtotal_mb > 100 }} {{ ansible_processor_vcpus >= 1 }}
"#,
    );
    let address = node.address();
    let wanted = node.sh(&format!(
        ". /etc/os-release; echo \"$(hostname) Debian $VERSION_ID Debian\"
            echo \"$(uname -m) $(uname -r) {address} systemd apt\"
            echo \"$VERSION_CODENAME {address} root $(cat /etc/machine-id)\"
            i=$(ip -o -4 addr | grep {address} | cut -d' ' -f2); echo \"$i {address} True True\""
    ));
    assert_eq!(node.sh("cat /srv/la/facts"), wanted, "{run}");
}

fn stat(world: &World) {
    let node = begin(world);
    node.sh("echo text >'/srv/la/a file'; chmod 0640 '/srv/la/a file'; chown daemon:adm '/srv/la/a file'; ln -s 'a file' /srv/la/link");
    let run = apply(
        &node,
        "n1",
        r#"  gather_facts: false
  tasks:
    - name: file
      stat: {path: /srv/la/a file, checksum_algorithm: sha256}
      register: file
    - name: link
      stat: {path: /srv/la/link}
      register: link
    - name: none
      stat: {path: /srv/la/none}
      register: gone
    - name: proof
      assert:
        that:
          - file.stat.exists and file.stat.isreg and not file.stat.isdir
          - file.stat.mode == '0640' and file.stat.pw_name == 'daemon' and file.stat.gr_name == 'adm'
          - file.stat.size == 5
          - file.stat.checksum == 'b9e68e1bea3e5b19ca6b2f98b73a54b73daafaa250484902e09982e07a12e733'
          - link.stat.islnk and link.stat.lnk_target == 'a file'
          - not gone.stat.exists
"#,
    );
    assert_eq!(run.count("n1", "ok"), 4, "{run}");
}

fn constructs(world: &World) {
    let nodes = ["n1", "n2"].map(|host| world.node(host));
    for node in &nodes {
        node.sh("rm -rf /srv/la; mkdir -p /srv/la");
    }
    let body = r#"  gather_facts: false
  serial: 1
  tasks:
    - name: once
      shell: echo {{ inventory_hostname }} >>/srv/la/once
      run_once: true
    - block:
        - name: change
          copy: {content: a, dest: /srv/la/one}
          notify: act
        - name: breaks
          command: test -e /srv/la/good
          changed_when: false
      rescue:
        - name: mend
          copy: {content: "{{ ansible_failed_task.name }}", dest: /srv/la/good}
      always:
        - name: always
          file: {path: /srv/la/always, state: directory}
    - name: try
      shell: echo x >>/srv/la/tries; grep -c x /srv/la/tries
      register: tried
      until: tried.stdout | int >= 3
      delay: 0
      changed_when: false
    - name: there
      lineinfile: {path: /srv/la/members, line: "{{ inventory_hostname }} {{ tried.attempts }}", create: true}
      delegate_to: n2
  handlers:
    - name: act
      shell: echo acted >>/srv/la/log
"#;
    let site = Site::with(&nodes[0].lab, &format!("- hosts: n1:n2\n{body}"));
    let run = site.apply();
    assert_eq!(
        nodes[0].sh("cat /srv/la/once; cat /srv/la/good"),
        "n1\nbreaks",
        "{run}"
    );
    nodes[1].sh("test ! -e /srv/la/once");
    for node in &nodes {
        assert_eq!(
            node.sh("cat /srv/la/tries | wc -l; cat /srv/la/log; ls -d /srv/la/always"),
            "3\nacted\n/srv/la/always",
            "{run}"
        );
    }
    assert_eq!(nodes[1].sh("cat /srv/la/members"), "n1 3\nn2 3", "{run}");
    nodes[0].sh("test ! -e /srv/la/members");
    assert_eq!(
        (run.count("n1", "rescued"), run.count("n2", "rescued")),
        (1, 1),
        "{run}"
    );
    // Nothing fails now, nothing changes, and nobody acts for anybody.
    let again = site.apply();
    assert_eq!(
        (again.count("n1", "rescued"), again.count("n2", "rescued")),
        (0, 0),
        "{again}"
    );
}

fn includes(world: &World) {
    let nodes = ["n1", "n2"].map(|host| world.node(host));
    for node in &nodes {
        node.sh("rm -rf /srv/la; mkdir -p /srv/la");
    }
    let site = Site::with(
        &nodes[0].lab,
        r#"- hosts: n1:n2
  tasks:
    - name: which
      command: cat /proc/sys/kernel/hostname
      register: which
      changed_when: false
    - include_tasks: tasks/files.yml
      loop: [a, b]
      loop_control: {loop_var: name}
      when: name != 'b' or inventory_hostname == 'n2'
    - include_tasks:
        file: "tasks/{{ which.stdout }}.yml"
        apply: {environment: {WORD: applied}}
    - name: behind
      copy: {content: "{{ own.stdout | default('none') }}", dest: /srv/la/behind}
  handlers:
    - name: act
      shell: echo acted >>/srv/la/log
"#,
    );
    site.write(
        "tasks/files.yml",
        "- name: write\n  copy: {content: \"{{ name }}\", dest: \"/srv/la/{{ name }}\"}\n  notify: act\n",
    );
    site.write(
        "tasks/n1.yml",
        "- name: own\n  shell: echo \"$WORD\"\n  register: own\n  changed_when: false\n",
    );
    site.write("tasks/n2.yml", "- meta: flush_handlers\n");
    let plan = site.plan();
    nodes[0].sh("test ! -e /srv/la/a");
    assert_eq!(plan.count("n1", "failed"), 0, "{plan}");
    let run = site.apply();
    for (node, wanted) in nodes
        .iter()
        .zip(["a,behind,log acted applied", "a,b,behind,log acted none"])
    {
        let seen = node.sh("cd /srv/la; echo $(ls | paste -sd, -) $(cat log) $(cat behind)");
        assert_eq!(seen, wanted, "{}\n{run}", node.name);
    }
    let again = site.apply();
    for host in ["n1", "n2"] {
        assert_eq!(again.count(host, "changed"), 0, "{again}");
    }
}

fn order(world: &World) {
    let nodes = ["n1", "n2", "n3"].map(|host| world.node(host));
    for node in &nodes {
        node.sh("rm -rf /srv/la; mkdir -p /srv/la");
    }
    // One clock for all nodes: they run on one machine.
    let run = apply(
        &nodes[0],
        "nodes",
        r#"  gather_facts: false
  tasks:
    - name: first
      shell: date +%s%N >/srv/la/begin1; sleep {{ '1.5' if inventory_hostname == 'n2' else '0' }}; date +%s%N >/srv/la/end1
    - name: file
      copy: {content: x, dest: /srv/la/file}
    - name: second
      shell: date +%s%N >/srv/la/begin2; sleep {{ '1' if inventory_hostname == 'n3' else '0' }}; date +%s%N >/srv/la/end2
    - name: third
      shell: date +%s%N >/srv/la/begin3
"#,
    );
    let time = |node: &Node, name: &str| -> u128 {
        node.sh(&format!("cat /srv/la/{name}")).parse().unwrap()
    };
    let slow = time(&nodes[1], "end1");
    for node in &nodes {
        assert!(
            time(node, "begin2") > slow,
            "{} went ahead of n2\n{run}",
            node.name
        );
        assert!(
            time(node, "begin3") > time(&nodes[2], "end2"),
            "{} went ahead of n3\n{run}",
            node.name
        );
    }
    // What has no order among hosts runs at once.
    assert!(
        time(&nodes[0], "begin1") < slow && time(&nodes[2], "begin1") < slow,
        "{run}"
    );
}

fn other_hosts(world: &World) {
    let node = begin(world);
    let site = Site::with(
        &node.lab,
        r#"- name: all
  hosts: nodes
  tasks:
    - name: ask
      command: cat /etc/machine-id
      register: id
      changed_when: false
- name: one
  hosts: n1
  tasks:
    - name: list
      template: {src: hosts.j2, dest: /srv/la/hosts}
"#,
    );
    site.write(
        "templates/hosts.j2",
        "{% for host in groups['nodes'] %}\n{{ host }} {{ hostvars[host].ansible_facts.hostname }} {{ hostvars[host]['ansible_default_ipv4']['address'] }} {{ hostvars[host].private_address }} {{ hostvars[host].id.stdout }}\n{% endfor %}\n",
    );
    let run = site.apply();
    let wanted: Vec<String> = ["n1", "n2", "n3"]
        .map(|host| world.node(host))
        .iter()
        .map(|node| {
            let address = node.address();
            format!(
                "{0} {0} {address} {address} {1}",
                node.name,
                node.sh("cat /etc/machine-id")
            )
        })
        .collect();
    assert_eq!(node.sh("cat /srv/la/hosts"), wanted.join("\n"), "{run}");
}

fn secrets(world: &World) {
    let node = begin(world);
    let site = Site::with(
        &node.lab,
        r#"- hosts: n1
  gather_facts: false
  vars: {word: "s3cret-w0rd-of-the-test"}
  tasks:
    - name: hidden
      copy: {content: "password={{ word }}\n", dest: /srv/la/secret, mode: '0600'}
      no_log: true
    - name: hidden command
      shell:
        cmd: cat; echo "$WORD"; ps -ef >/srv/la/ps; sleep 0.2
        stdin: "{{ word }}"
      environment: {WORD: "{{ word }}"}
      no_log: true
    - name: hidden failure
      shell: echo "$WORD" >&2; exit 9
      environment: {WORD: "{{ word }}"}
      no_log: true
      ignore_errors: true
"#,
    );
    for words in [&["plan"][..], &["apply", "--diff"][..]] {
        let run = site.expect(words, 0);
        assert!(!run.text().contains("s3cret-w0rd"), "{run}");
    }
    assert_eq!(
        node.sh("cat /srv/la/secret"),
        "password=s3cret-w0rd-of-the-test"
    );
    assert_eq!(
        node.sh("grep -l s3cret-w0rd /srv/la/ps; journalctl --no-pager | grep -c s3cret-w0rd; grep -rl s3cret-w0rd /run /var/lib/hadeploy /tmp /var/log 2>/dev/null; true"),
        "0"
    );
    let home = site.path(".home").display().to_string();
    let found = std::process::Command::new("grep")
        .args(["-rl", "s3cret-w0rd", &home])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&found.stdout), "");
}
