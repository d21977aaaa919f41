//! Keywords of plays, tasks and loops, `meta`, `include_vars` and `pause`: the expected logs are those of ansible-core 2.19.

use hadeploy::event::Status;

use crate::bench::Bench;
use crate::includes::{log, written_out};

/// What it is about, hosts, files, the play, and what all hosts log to one file.
#[allow(clippy::type_complexity)]
const TABLE: &[(&str, &[&str], &[(&str, &str)], &str, &str)] = &[
    (
        "of several vars files the first that is there",
        &["a"],
        &[
            ("vars/other.yml", "one: o\n"),
            ("vars/all.yml", "one: a\ntwo: a\n"),
        ],
        "  vars: {os: none}\n  vars_files:\n    - [vars/none.yml, vars/other.yml, vars/all.yml]\n    - ['vars/{{ os }}.yml', vars/all.yml]\n  tasks:\n    - log {{ one }}{{ two }}\n",
        "aa",
    ),
    (
        "end_host",
        &["a", "b"],
        &[],
        "  serial: 1\n  tasks:\n    - log 1{{ inventory_hostname }}\n    - meta: end_host\n      when: inventory_hostname == 'a'\n    - log 2{{ inventory_hostname }}\n- hosts: a\n  gather_facts: false\n  tasks:\n    - log 3\n",
        "1a 1b 2b 3",
    ),
    (
        "names that are set later",
        &["a"],
        &[],
        "  tasks:\n    - {shell: echo 80, register: told}\n    - log {{ told.stdout }}{{ key | default('none') }}\n    - set_fact: {key: x}\n    - log {{ key }}\n",
        "80none x",
    ),
    (
        "names that are set never",
        &["a"],
        &[],
        "  tasks:\n    - {shell: echo 80, register: told}\n    - log {{ told.stdout }}\n    - set_fact: {key: x}\n      when: told.stdout == 'zz'\n    - log {{ key | default('none') }}\n- hosts: a\n  gather_facts: false\n  tasks:\n    - log {{ key | default('nothing') }}\n",
        "80 none nothing",
    ),
    (
        "texts that are no templates",
        &["a"],
        &[(
            "vars/x.yml",
            "file: !unsafe 'f{{ no }}'\nlist: !unsafe ['l{{ no }}', {k: '{% no'}]\n",
        )],
        "  vars: {own: !unsafe 'o{{ no }}', through: '<{{ own }}>'}\n  vars_files: vars/x.yml\n  tasks:\n    - set_fact: {told: !unsafe 't{{ no }}'}\n    - assert:\n        that:\n          - own == 'o{' ~ '{ no }}' and through == '<' ~ own ~ '>'\n          - file == 'f{' ~ '{ no }}' and told == 't{' ~ '{ no }}'\n          - list == ['l{' ~ '{ no }}', {'k':'{' ~ '% no'}]\n    - log {{ own | length }}\n",
        "9",
    ),
    (
        "facts that set_fact sets",
        &["a"],
        &[],
        "  tasks:\n    - set_fact: {x: 1, ansible_y: 2, cacheable: true}\n    - log {{ ansible_facts.x }}{{ ansible_facts.y }}{{ ansible_y }}{{ x }}{{ hostvars.a.ansible_facts.x }}\n    - meta: clear_facts\n    - log {{ 'x' in (ansible_facts | default({})) }}{{ x }}\n",
        "12211 False1",
    ),
    (
        "programs that are not there",
        &["a"],
        &[("noexec", "")],
        "  tasks:\n    - {command: /no/such prog, register: r, failed_when: false, notify: h}\n    - log {{ r.rc }}{{ r.changed }}{{ r.failed }}{{ r.stdout_lines }}{{ r.stderr }}{{ r.msg }}\n    - {command: no-such-program, register: r, failed_when: \"r.rc not in [0, 2]\", changed_when: true}\n    - log {{ r.rc }}{{ r.changed }}\n    - {command: \"{{ playbook_dir }}/noexec\", register: r, ignore_errors: true}\n    - log {{ r.rc }}{{ r.changed }}{{ r.failed }}\n    - {shell: no-such-program, register: r, failed_when: false}\n    - log {{ r.rc }}{{ r.changed }}\n  handlers:\n    - log handler\n      name: h\n",
        "2FalseFalse[]Error executing command. 2True 13FalseTrue 127True",
    ),
    (
        "handlers that notify handlers",
        &["a"],
        &[],
        "  tasks:\n    - log t\n      notify: [two, four]\n    - meta: flush_handlers\n    - log u\n      notify: [two, three]\n  handlers:\n    - name: two\n      log 2\n      notify: three\n    - name: three\n      log 3\n    - name: four\n      log 4\n",
        "t 2 3 4 u 2 3",
    ),
    (
        "handlers whose names are templates",
        &["a"],
        &[
            ("roles/r/defaults/main.yml", "svc: web\n"),
            (
                "roles/r/handlers/main.yml",
                "- name: Restart {{ svc }}\n  log R{{ svc }}\n",
            ),
            ("roles/r/tasks/main.yml", "- log t\n  notify: Restart web\n"),
        ],
        "  vars: {own: x}\n  roles: [r]\n  tasks:\n    - log u\n      notify: ['Do {{ own }}', 'r : Restart web']\n  handlers:\n    - name: Do {{ own }}\n      log H\n",
        "t u Rweb H",
    ),
    (
        "end_play first false",
        &["a", "b"],
        &[],
        "  tasks:\n    - meta: end_play\n      when: inventory_hostname == 'b'\n    - log 2{{ inventory_hostname }}\n      run_once: true\n",
        "2a",
    ),
    (
        "end_play serial",
        &["a", "b"],
        &[],
        "  serial: 1\n  tasks:\n    - log 1{{ inventory_hostname }}\n    - meta: end_play\n    - log 2\n- hosts: all\n  gather_facts: false\n  tasks:\n    - log 3\n      run_once: true\n",
        "1a 3",
    ),
    (
        "end_batch serial",
        &["a", "b"],
        &[],
        "  serial: 1\n  tasks:\n    - log 1{{ inventory_hostname }}\n    - meta: end_batch\n      when: inventory_hostname == 'a'\n    - log 2{{ inventory_hostname }}\n",
        "1a 1b 2b",
    ),
    (
        "end_host handlers",
        &["a"],
        &[],
        "  tasks:\n    - log 1\n      notify: h\n    - meta: end_host\n  handlers:\n    - name: h\n      log H\n",
        "1",
    ),
    (
        "end_role",
        &["a"],
        &[
            (
                "roles/r/tasks/main.yml",
                "- log r1\n- include_tasks: more.yml\n- log r4\n",
            ),
            (
                "roles/r/tasks/more.yml",
                "- log r2\n- meta: end_role\n  when: stop | default(true)\n- log r3\n",
            ),
        ],
        "  roles: [{role: r}, {role: r, stop: false}]\n  tasks:\n    - log t\n",
        "r1 r2 r1 r2 r3 r4 t",
    ),
    (
        "noop",
        &["a"],
        &[],
        "  tasks:\n    - meta: noop\n    - log 1\n    - meta: reset_connection\n    - log 2\n",
        "1 2",
    ),
    (
        "include_vars",
        &["a"],
        &[
            ("vars/x.yml", "v: '{{ w }}x'\nw: W\n"),
            ("d/1.yml", "q: 1\n"),
            ("d/2.yml", "q: 2\nr: 2\n"),
            ("d/deep/3.yml", "q: 3\n"),
            ("d/skip.txt", "no\n"),
        ],
        "  vars: {w: play, q: 0}\n  tasks:\n    - include_vars: x.yml\n    - log {{ v }}\n      vars: {w: task}\n    - set_fact: {w: fact}\n    - log {{ v }}\n    - include_vars: x.yml\n    - log {{ w }}\n    - include_vars: {file: x.yml, name: box}\n    - log {{ box.w }}\n    - include_vars: {dir: d, ignore_files: [skip.txt]}\n      register: reg\n    - log {{ q }}{{ r }} {{ reg.ansible_included_var_files | length }} {{ (reg.ansible_facts).q }}\n    - include_vars: {dir: d, depth: 1, files_matching: '^1', name: one}\n    - log {{ one.q }}\n    - include_vars: '{{ item }}.yml'\n      with_items: [vars/x, d/1]\n      when: item != 'vars/x'\n    - log {{ q }}\n",
        "Wx factx fact W 32 3 3 1 1",
    ),
    (
        "include_vars in role",
        &["a"],
        &[
            (
                "roles/r/tasks/main.yml",
                "- include_vars: my.yml\n- log {{ m }}\n",
            ),
            ("roles/r/vars/my.yml", "m: mine\n"),
            ("vars/my.yml", "m: play\n"),
        ],
        "  roles: [r]\n",
        "mine",
    ),
    (
        "break_when",
        &["a"],
        &[],
        "  tasks:\n    - log {{ item }}\n      loop: [1, 2, 3, 4]\n      loop_control: {break_when: item == 3}\n      register: r\n    - log {{ r.results | length }}\n    - log x{{ item }}\n      loop: [1, 2, 3]\n      register: o\n      loop_control: {break_when: [o is success]}\n",
        "1 2 3 3 x1",
    ),
    (
        "extended",
        &["a"],
        &[],
        "  tasks:\n    - log {{ ansible_loop.previtem | default('-') }}{{ item }}{{ ansible_loop.nextitem | default('-') }}{{ ansible_loop.allitems | length }}{{ ansible_loop.revindex }}\n      loop: [a, b, c]\n      loop_control: {extended: true}\n    - log {{ ansible_loop.allitems is defined }}\n      loop: [a]\n      loop_control: {extended: true, extended_allitems: false}\n",
        "-ab33 abc32 bc-31 False",
    ),
    (
        "with",
        &["a"],
        &[],
        "  vars:\n    l: [[a, b], [c]]\n    users: [{n: x, k: [1, 2]}, {n: y, k: [3]}, {n: z}]\n  tasks:\n    - log l{{ item | join('+') }}\n      with_list: '{{ l }}'\n    - log t{{ item.0 }}{{ item.1 }}\n      with_together:\n        - [1, 2]\n        - [a, b]\n    - log s{{ item.0.n }}{{ item.1 }}\n      with_subelements:\n        - '{{ users }}'\n        - k\n        - skip_missing: true\n    - log n{{ item.0 }}{{ item.1 }}\n      with_nested:\n        - [1, 2]\n        - [a, b]\n    - log i{{ item.0 }}{{ item.1 }}\n      with_indexed_items: '{{ l }}'\n    - log q{{ item }}\n      with_sequence: start=4 end=16 stride=4 format=x%02d\n    - log q{{ item }}\n      with_sequence: count=3\n    - log q{{ item }}\n      with_sequence: 2-4:h%d\n    - log q{{ item }}\n      with_sequence: start=10 end=0 stride=-5\n",
        "la+b lc t1a t2b sx1 sx2 sy3 n1a n1b n2a n2b i0a i1b i2c qx04 qx08 qx12 qx16 q1 q2 q3 qh2 qh3 qh4 q10 q5 q0",
    ),
    (
        "run_once loop",
        &["a", "b"],
        &[],
        "  tasks:\n    - log {{ item }}\n      run_once: true\n      loop: [1, 2, 3]\n    - log {{ inventory_hostname }}\n      run_once: true\n",
        "1 2 3 a",
    ),
    (
        "with lookups",
        &["a"],
        &[
            ("files/l/1.txt", "one"),
            ("files/l/2.txt", "two"),
            ("v.ini", "[s]\nk = v\n"),
            ("x.csv", "k,w\n"),
            ("t.j2", "T{{ u }}"),
        ],
        "  vars: {d: l, u: U, uu: V, r: run, q: \"it's\"}\n  tasks:\n    - log {{ item | basename }}\n      with_fileglob: '{{ d }}/*.txt'\n    - log {{ item | basename }}\n      with_fileglob: ['{{ d }}/2*', l/1*, l/3*]\n    - log {{ item | basename }}\n      with_first_found: [gone, '{{ d }}/1.txt', l/2.txt]\n    - log {{ item | basename }}\n      with_first_found:\n        - {files: [gone, 2.txt], paths: [files/l]}\n    - log none\n      with_first_found: [{files: [gone], skip: true}]\n    - log {{ item }}\n      with_file: [l/1.txt, '{{ d }}/2.txt']\n    - log {{ item }}.\n      with_env: NO_SUCH_WORD\n    - log {{ item }}\n      with_ini: k section=s file=v.ini\n    - log {{ item }}\n      with_csvfile: k file=x.csv delimiter=,\n    - log {{ item }}\n      with_inventory_hostnames: all\n    - log {{ item }}\n      with_template: t.j2\n    - log {{ item }}\n      with_varnames: ^uu?$\n    - log {{ item }}\n      with_vars: [u, uu]\n    - log {{ item | length }}\n      with_vars: '{{ [\"q\"] }}'\n",
        "1.txt 2.txt 2.txt 1.txt 1.txt 2.txt one two . v w a TU u uu U V 4",
    ),
    (
        "module_defaults",
        &["a"],
        &[],
        "  module_defaults:\n    copy: {content: play, dest: '{{ dir }}/f'}\n    ansible.builtin.file: {state: touch}\n  tasks:\n    - copy: {mode: '0600'}\n    - shell: cat {{ dir }}/f >> {{ dir }}/log\n    - block:\n        - copy:\n        - shell: cat {{ dir }}/g >> {{ dir }}/log\n        - copy: {content: own}\n          module_defaults: {copy: {dest: '{{ dir }}/h'}}\n        - shell: cat {{ dir }}/h >> {{ dir }}/log\n      module_defaults: {copy: {content: block, dest: '{{ dir }}/g'}}\n    - file: {path: '{{ dir }}/touched'}\n    - shell: ls {{ dir }} >> {{ dir }}/log\n",
        "playblockownf g h log touched",
    ),
    (
        "fatal block",
        &["a", "b"],
        &[],
        "  tasks:\n    - block:\n        - shell: exit {{ 1 if inventory_hostname == 'a' else 0 }}\n      any_errors_fatal: true\n    - log 2\n",
        "",
    ),
    (
        "not fatal",
        &["a", "b"],
        &[],
        "  tasks:\n    - shell: exit {{ 1 if inventory_hostname == 'a' else 0 }}\n    - log 2{{ inventory_hostname }}\n",
        "2b",
    ),
    (
        "order",
        &["b", "a", "c"],
        &[],
        "  order: reverse_sorted\n  serial: 1\n  tasks:\n    - log {{ inventory_hostname }}\n- hosts: all\n  gather_facts: false\n  order: reverse_inventory\n  serial: 1\n  tasks:\n    - log {{ inventory_hostname }}\n",
        "c b a c a b",
    ),
    (
        "play ignore_errors",
        &["a"],
        &[],
        "  ignore_errors: true\n  tasks:\n    - FAIL\n    - log 1\n",
        "1",
    ),
    (
        "check_mode true",
        &["a"],
        &[],
        "  tasks:\n    - log no\n      check_mode: true\n    - copy: {content: x, dest: '{{ dir }}/f'}\n      check_mode: true\n      notify: h\n      register: r\n    - log {{ r is changed }}\n    - shell: ls {{ dir }} >> {{ dir }}/log\n  handlers:\n    - name: h\n      log H\n",
        "True log H",
    ),
    (
        "pause",
        &["a"],
        &[],
        "  tasks:\n    - pause: {seconds: 1}\n      register: r\n    - log {{ r is changed }}\n    - pause: minutes=0\n",
        "False",
    ),
    (
        "include loop",
        &["a"],
        &[
            (
                "x.yml",
                "- log {{ outer }}{{ item }}\n  loop: [1, 2]\n  register: reg\n",
            ),
            ("ya.yml", "- log ya\n"),
            ("yb.yml", "- log yb{{ reg is defined }}\n"),
        ],
        "  tasks:\n    - include_tasks: x.yml\n      loop: [a, b]\n      loop_control: {loop_var: outer, label: 'x{{ outer }}', index_var: i}\n    - include_tasks: y{{ item }}.yml\n      with_items: [a, b]\n    - log {{ reg.results | length }}\n",
        "a1 a2 b1 b2 ya ybTrue 2",
    ),
    (
        "rescue role",
        &["a"],
        &[(
            "roles/r/tasks/main.yml",
            "- log r\n- name: bad\n  shell: exit 3\n- log no\n",
        )],
        "  tasks:\n    - block:\n        - include_role: {name: r}\n      rescue:\n        - log R {{ ansible_failed_task.name }}\n      always:\n        - log A\n",
        "r R bad A",
    ),
    (
        "clear_facts",
        &["a"],
        &[],
        "  tasks:\n    - set_fact: {x: 1}\n    - meta: clear_facts\n    - log {{ x | default('gone') }}\n",
        "1",
    ),
    (
        "delegate_facts",
        &["a", "b"],
        &[],
        "  tasks:\n    - set_fact: {x: '{{ inventory_hostname }}'}\n      delegate_to: b\n      delegate_facts: true\n      when: inventory_hostname == 'a'\n    - log {{ hostvars.b.x }} {{ hostvars.a.x | default('-') }}\n      run_once: true\n",
        "a -",
    ),
];

fn bench(hosts: &[&str], files: &[(&str, &str)], text: &str) -> (Bench, String) {
    let bench = Bench::new(hosts);
    let dir = bench.host().path("").display().to_string();
    let dir = dir.trim_end_matches('/');
    let shared = |text: &str| written_out(text).replace("{{ dir }}", dir);
    for (name, text) in files {
        bench.file(name, &shared(text));
    }
    let begin = "- name: p\n  hosts: all\n  gather_facts: false\n";
    let text = format!("{begin}{}", shared(text));
    (bench, text)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_ansible_user_wrote_means_the_same() {
    let mut other = Vec::new();
    for (name, hosts, files, text, logged) in TABLE {
        let (bench, text) = bench(hosts, files, text);
        let told = bench.apply(&text).await;
        if log(&bench) != *logged {
            let found = log(&bench);
            other.push(format!(
                "{name}: `{found}`, not `{logged}`\n{}",
                told.story()
            ));
        }
    }
    assert!(other.is_empty(), "{}", other.join("\n"));
}

/// A host that is ready goes on while another still sleeps.
#[tokio::test(flavor = "multi_thread")]
async fn with_the_free_strategy_no_host_waits() {
    let text = "  strategy: free\n  tasks:\n    - shell: sleep {{ 2 if inventory_hostname == 'a' else 0 }}\n    - log {{ inventory_hostname }}1\n    - log {{ inventory_hostname }}2\n";
    let (bench, text) = bench(&["a", "b"], &[], text);
    let told = bench.apply(&text).await;
    assert_eq!(log(&bench), "b1 b2 a1 a2", "{}", told.story());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_no_host_may_have_stops_all() {
    let text = "  tasks:\n    - shell: exit {{ 1 if inventory_hostname == 'a' else 0 }}\n      any_errors_fatal: true\n    - log 2\n- hosts: all\n  gather_facts: false\n  tasks:\n    - log 3\n";
    let (bench, text) = bench(&["a", "b"], &[], text);
    let told = bench.apply(&text).await;
    assert_eq!(log(&bench), "", "{}", told.story());
    assert_eq!(told.recap.exit_code, 3);
}

/// Roles for many systems: what is for others is skipped, whatever it needs.
#[tokio::test(flavor = "multi_thread")]
async fn tasks_for_other_systems_are_skipped() {
    let files = [
        (
            "roles/r/tasks/main.yml",
            "- include_tasks: red.yml\n  when: ansible_os_family == 'RedHat'\n- {name: get it, yum: {name: x}, when: \"ansible_facts['os_family'] == 'RedHat'\"}\n- log d\n",
        ),
        ("roles/r/tasks/red.yml", "- yum: {name: y}\n"),
    ];
    let (bench, text) = bench(&["a"], &files, "  roles: [r]\n");
    let text = text.replace("gather_facts: false", "gather_facts: true");
    let told = bench.apply(&text).await;
    assert_eq!(log(&bench), "d", "{}", told.story());
    assert_eq!(told.status("r : get it"), Some(Status::Skipped));
}

/// What is not here is only missed where it is to be done, also in a file whose name is known late.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_here_fails_where_its_condition_holds() {
    let files = [
        (
            "roles/r/tasks/main.yml",
            "- include_tasks: \"{{ inventory_hostname }}.yml\"\n",
        ),
        (
            "roles/r/tasks/a.yml",
            "- {name: guarded, ufw: {rule: allow}, when: wanted, register: fire}\n- log {{ fire is skipped }}\n",
        ),
    ];
    let play = |wanted| format!("  vars: {{wanted: {wanted}}}\n  roles: [r]\n");
    let (bench_off, text) = bench(&["a"], &files, &play(false));
    let told = bench_off.apply(&text).await;
    assert_eq!(log(&bench_off), "True", "{}", told.story());
    assert_eq!(told.status("r : guarded"), Some(Status::Skipped));
    let (bench_on, text) = bench(&["a"], &files, &play(true));
    let told = bench_on.apply(&text).await;
    assert_eq!(told.status("r : guarded"), Some(Status::Failed));
    let said = told.story();
    assert!(
        said.contains("hadeploy does not have the module `ufw`"),
        "{said}"
    );
}

/// A plan shows nothing behind the end of a play.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_ends_where_the_play_does() {
    let text =
        "  tasks:\n    - log 1\n    - {meta: end_play, when: true}\n    - {name: late, shell: x}\n";
    let (bench, text) = bench(&["a"], &[], text);
    let told = bench.plan(&text).await;
    assert_eq!(told.status("late"), None, "{}", told.story());
    assert_eq!(told.recap.exit_code, 0);
}
