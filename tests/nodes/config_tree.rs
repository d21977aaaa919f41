//! `config_tree` with a real nginx: generations that take effect, and those that must not.

use crate::Case;
use crate::run::{Run, Site};
use crate::world::{Node, World};

/// All cases.
pub fn cases() -> Vec<Case> {
    let case = |release| {
        let name = format!("config_tree::nginx_on_{release}");
        crate::on(release, Case::new(name, move |world| nginx(world, release)))
    };
    [12, 13].into_iter().map(case).collect()
}

const PLAY: &str = r#"- hosts: n1
  gather_facts: false
  vars:
    word: one
    extra: ""
  tasks:
    - name: tree
      config_tree:
        src: web
        dest: /etc/nginx/hadeploy
        validate: "nginx -t -q -c %s/nginx.conf -g 'pid /run/nginx-hadeploy-test.pid;'"
        service: nginx
        proof_url: http://127.0.0.1:8081/__gen
        proof_timeout: 5
        restart_when: ['\bworker_rlimit_nofile\b']
        logs: [/var/log/nginx/error.log]
        keep: 2
"#;

const MAIN: &str = "user www-data;\nworker_processes 1;\nworker_rlimit_nofile 1024;\nerror_log /var/log/nginx/error.log;\nevents {}\nhttp {\n  access_log off;\n  include conf.d/*.conf;\n}\n";

const PAGES: &str = "server {\n  listen 127.0.0.1:8081;\n  location = /__gen { return 200 \"{{ config_tree_id }}\"; }\n  location / { return 200 \"{{ word }}\\n\"; }\n}\n{{ extra }}\n";

const PREPARE: &str = r#"export DEBIAN_FRONTEND=noninteractive
apt-get update -q >/dev/null; apt-get install -y -q --no-install-recommends nginx openssl >/dev/null 2>&1
systemctl stop squatter 2>/dev/null; systemctl reset-failed squatter 2>/dev/null; rm -rf /etc/nginx/hadeploy
mkdir -p /etc/systemd/system/nginx.service.d /srv/tls
printf "[Service]\nExecStartPre=\nExecStart=\nExecStart=/usr/sbin/nginx -c /etc/nginx/hadeploy/current/nginx.conf -g 'daemon on; master_process on;'\nExecReload=\nExecReload=/bin/kill -HUP \$MAINPID\n" >/etc/systemd/system/nginx.service.d/tree.conf
systemctl daemon-reload; systemctl start nginx
cd /srv/tls; for k in a b; do openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=$k -keyout $k.key -out $k.crt 2>/dev/null; done"#;

fn get(node: &Node, path: &str) -> String {
    node.sh(&format!(
        "bash -c 'exec 3<>/dev/tcp/127.0.0.1/8081; printf \"GET {path} HTTP/1.0\\r\\n\\r\\n\" >&3; tail -n 1 <&3'"
    ))
}

fn fields(run: &Run) -> Vec<String> {
    let changes = run.on("n1", "tree")["changes"].as_array().cloned();
    let name = |change: &serde_json::Value| change["field"].as_str().unwrap_or_default().to_owned();
    changes.unwrap_or_default().iter().map(name).collect()
}

/// A generation that must not take effect.
struct Bad {
    extra: &'static str,
    says: &'static [&'static str],
}

const BAD: &[Bad] = &[
    Bad {
        extra: "server {\n  listn 127.0.0.1:8082;\n}",
        says: &[
            "unknown directive",
            "web/conf.d/site.conf.j2:7",
            "line 7 as rendered (listn 127.0.0.1:8082;)",
        ],
    },
    Bad {
        extra: "server {\n  listen 127.0.0.1:8082 ssl;\n  ssl_certificate /srv/tls/a.crt;\n  ssl_certificate_key /srv/tls/b.key;\n}",
        says: &[
            "key values mismatch",
            "web/conf.d/site.conf.j2, line 9 as rendered (ssl_certificate_key /srv/tls/b.key;)",
        ],
    },
    Bad {
        extra: "server {\n  listen 127.0.0.1:8082 ssl;\n  ssl_certificate /srv/tls/none.crt;\n  ssl_certificate_key /srv/tls/b.key;\n}",
        says: &[
            "cannot load certificate",
            "web/conf.d/site.conf.j2, line 8 as rendered (ssl_certificate /srv/tls/none.crt;)",
        ],
    },
    Bad {
        extra: "server {\n  listen 127.0.0.1:8089;\n}",
        says: &[
            "Address already in use",
            "web/conf.d/site.conf.j2, line 7 as rendered (listen 127.0.0.1:8089;)",
            "is in effect again",
        ],
    },
];

fn nginx(world: &World, release: u8) {
    let node = world.first(release);
    node.sh(PREPARE);
    let site = Site::with(&node.lab, PLAY);
    site.write("templates/web/nginx.conf", MAIN);
    site.write("templates/web/conf.d/site.conf.j2", PAGES);
    let pid = || node.sh("systemctl show -p MainPID --value nginx");
    let link = || node.sh("readlink /etc/nginx/hadeploy/current");

    let plan = site.plan();
    assert_eq!(plan.with("changed"), ["tree"], "{plan}");
    let run = site.apply();
    assert_eq!(
        fields(&run),
        ["generation", "conf.d", "conf.d/site.conf", "nginx.conf"],
        "{run}"
    );
    assert_eq!(get(&node, "/"), "one");
    assert_eq!(format!("releases/{}", get(&node, "/__gen")), link());
    let run = site.apply();
    assert_eq!(run.events.last().unwrap()["touched"], false, "{run}");

    // Each bad one leaves the old one serving, and the next plan still wants it.
    node.sh("systemd-run --quiet --unit=squatter perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new(Listen => 1, LocalAddr => \"127.0.0.1:8089\") or die; sleep'; sleep 0.3");
    let (old, master) = (link(), pid());
    for bad in BAD {
        site.write(
            "play.yml",
            PLAY.replace(
                "extra: \"\"",
                &format!("extra: {}", serde_json::Value::from(bad.extra)),
            ),
        );
        let run = site.expect(&["apply"], 3);
        assert_eq!(run.status("tree"), "failed", "{run}");
        run.says(bad.says);
        assert_eq!(
            (get(&node, "/"), link(), pid()),
            ("one".to_owned(), old.clone(), master.clone()),
            "{run}"
        );
        assert_eq!(node.sh("ls -A /etc/nginx/hadeploy/releases | wc -l"), "1");
        site.expect(&["plan", "--detailed-exitcode"], 2);
    }
    node.sh("systemctl stop squatter");

    // A good one is reloaded; one with a line that a reload does not take in is restarted.
    site.write("play.yml", PLAY.replace("word: one", "word: two"));
    let plan = site.plan();
    assert_eq!(fields(&plan), ["generation", "conf.d/site.conf"], "{plan}");
    plan.says(&["@@ -1,5 +1,5 @@"]);
    site.apply();
    assert_eq!((get(&node, "/"), pid()), ("two".to_owned(), master.clone()));
    site.write("templates/web/nginx.conf", MAIN.replace("1024", "2048"));
    let run = site.apply();
    assert_eq!(run.on("n1", "tree")["effect"], "restart", "{run}");
    assert_ne!(pid(), master);
    assert_eq!(get(&node, "/"), "two");

    // Altered by hand.
    node.sh("cd /etc/nginx/hadeploy/current; sed -i s/two/three/ conf.d/site.conf; systemctl reload nginx; chmod 600 nginx.conf; touch conf.d/more.conf");
    let plan = site.plan();
    assert_eq!(
        fields(&plan),
        ["conf.d/site.conf", "nginx.conf mode", "conf.d/more.conf"],
        "{plan}"
    );
    site.apply();
    assert_eq!(get(&node, "/"), "two");
    let run = site.apply();
    assert_eq!(run.events.last().unwrap()["touched"], false, "{run}");

    // The files are right, the daemon runs others.
    let now = link();
    let other = node.sh(&format!(
        "ls -d /etc/nginx/hadeploy/releases/* | grep -v {} | head -n 1",
        now.trim_end_matches(".2")
    ));
    node.sh(&format!("cd /etc/nginx/hadeploy; ln -sfn {other} current; systemctl reload nginx; sleep 1; ln -sfn {now} current"));
    assert!(other.ends_with(&get(&node, "/__gen")), "{other}");
    let plan = site.plan();
    assert_eq!(fields(&plan), ["running"], "{plan}");
    site.apply();
    assert_eq!(link(), now);
    assert!(now.contains(&get(&node, "/__gen")), "{now}");

    // One that does not run is not started; old generations go.
    node.sh("systemctl stop nginx");
    for word in ["four", "five", "six"] {
        site.write(
            "play.yml",
            PLAY.replace("word: one", &format!("word: {word}")),
        );
        site.apply();
    }
    assert_eq!(node.sh("systemctl is-active nginx || true"), "inactive");
    assert_eq!(node.sh("ls -A /etc/nginx/hadeploy/releases | wc -l"), "3");
    node.sh("systemctl start nginx");
    assert_eq!(get(&node, "/"), "six");
    node.sh("systemctl stop nginx; rm -r /etc/nginx/hadeploy /etc/systemd/system/nginx.service.d; systemctl daemon-reload");
}
