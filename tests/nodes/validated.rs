//! What a daemon is given is checked by the daemon's own checker before it is in place: a wrong content never is, the daemon runs on, and the
//! line is named.

use std::thread;

use crate::Case;
use crate::run::Site;
use crate::world::Node;

/// All cases.
pub fn cases() -> Vec<Case> {
    vec![
        crate::waiting("validated::without_more_packages", |world| {
            wrong(&world.spare("n3"), BARE);
        }),
        Case::long("validated::each_daemon", |world| {
            let (one, two) = (world.spare("n1"), world.spare("n2"));
            thread::scope(|scope| {
                scope.spawn(|| daemons(&one, &DAEMONS[..3]));
                daemons(&two, &DAEMONS[3..]);
            });
        })
        .beside(1),
    ]
}

/// Something that is written.
struct Wrong {
    /// `V` stands for the release of PostgreSQL.
    path: &'static str,
    content: &'static str,
    /// What must be said about it.
    says: &'static [&'static str],
}

const BARE: &[Wrong] = &[
    Wrong {
        path: "/etc/sudoers.d/x",
        content: "# x\nada ALL=(ALL NOPASSWD: ALL\n",
        says: &["/etc/sudoers.d/x:2:", "syntax error", "`visudo -c`"],
    },
    Wrong {
        path: "/etc/ssh/sshd_config.d/10-test.conf",
        content: "# x\nAllowUser ada\n",
        says: &[
            "10-test.conf",
            "line 2",
            "Bad configuration option: AllowUser",
        ],
    },
    Wrong {
        path: "/etc/systemd/system/x.service",
        content: "[Service]\nExecStrat=/bin/true\n",
        says: &["/etc/systemd/system/x.service:2:", "ExecStrat"],
    },
    Wrong {
        path: "/etc/systemd/system/x.timer",
        content: "[Timer]\nOnCalendar=sometimes\n",
        says: &["/etc/systemd/system/x.timer:2:", "sometimes"],
    },
    Wrong {
        path: "/etc/systemd/system/ssh.service.d/x.conf",
        content: "[Service]\nRestart=sometimes\n",
        says: &["/etc/systemd/system/ssh.service.d/x.conf:2:", "sometimes"],
    },
    Wrong {
        path: "/etc/cron.d/x",
        content: "PATH=/bin\n61 * * * * root true\n",
        says: &["/etc/cron.d/x:2:", "`61` is no minute"],
    },
    Wrong {
        path: "/etc/sysctl.d/x.conf",
        content: "vm.swappiness 10\n",
        says: &["/etc/sysctl.d/x.conf:1:", "is no `key = value`"],
    },
    Wrong {
        path: "/etc/fstab",
        content: "tmpfs /srv/x\nUUID=0000-1111 /srv/y vfat nofail 0 0\nUUID=2222-3333 /srv/z vfat defaults 0 0\n",
        says: &[
            "this line cannot be read: tmpfs /srv/x",
            "/srv/z: unreachable on boot required source: UUID=2222-3333",
            "nofail",
        ],
    },
    Wrong {
        path: "/etc/apt/sources.list.d/x.list",
        content: "# x\ndeb http://deb.example.com\n",
        says: &["Malformed entry 2 in list file /etc/apt/sources.list.d/x.list"],
    },
    Wrong {
        path: "/etc/apt/sources.list.d/x.sources",
        content: "Types: deb\nURIs: nowhere\nSuites: a\nComponents: main\n",
        says: &[
            "Malformed entry 1 in sources file /etc/apt/sources.list.d/x.sources",
            "`apt-get indextargets`",
        ],
    },
];

/// A daemon, the packages that bring it, and what it must not be given.
struct Daemon {
    unit: &'static str,
    packages: &'static str,
    wrong: &'static [Wrong],
    /// What it can be given.
    right: (&'static str, &'static str),
}

static DAEMONS: &[Daemon] = &[
    Daemon {
        unit: "postgresql@V-main",
        packages: "postgresql",
        wrong: &[
            Wrong {
                path: "/etc/postgresql/V/main/conf.d/x.conf",
                content: "work_mem = 4MB\nwork_memm = 4MB\n",
                says: &["\"work_memm\" in file \"/etc/postgresql/V/main/conf.d/x.conf\" line 2"],
            },
            Wrong {
                path: "/etc/postgresql/V/main/conf.d/x.conf",
                content: "# x\nmax_connections = many\n",
                says: &[
                    "/etc/postgresql/V/main/conf.d/x.conf:2:",
                    "max_connections = many",
                ],
            },
            Wrong {
                path: "/etc/postgresql/V/main/pg_hba.conf",
                content: "local all postgres peer\nhost all all 10.0.0.0/99 trust\n",
                says: &["/etc/postgresql/V/main/pg_hba.conf:2:", "10.0.0.0/99"],
            },
        ],
        right: ("/etc/postgresql/V/main/conf.d/x.conf", "work_mem = 5MB\n"),
    },
    Daemon {
        unit: "redis-server",
        packages: "redis-server",
        wrong: &[Wrong {
            path: "/etc/redis/redis.conf",
            content: "port 6379\nmaxmemory lots\n",
            says: &["/etc/redis/redis.conf:2:", "maxmemory lots"],
        }],
        right: (
            "/etc/redis/redis.conf",
            "port 6379\nbind 127.0.0.1\ndir /var/lib/redis\n",
        ),
    },
    Daemon {
        unit: "haproxy",
        packages: "haproxy",
        wrong: &[Wrong {
            path: "/etc/haproxy/haproxy.cfg",
            content: "global\n  maxconn 10\nnonsense here\n",
            says: &["/etc/haproxy/haproxy.cfg:3", "nonsense"],
        }],
        right: (
            "/etc/haproxy/haproxy.cfg",
            "defaults\n  mode tcp\n  timeout client 1s\n  timeout server 1s\n  timeout connect 1s\nlisten x\n  bind 127.0.0.1:8404\n",
        ),
    },
    Daemon {
        unit: "rsyslog",
        packages: "rsyslog",
        wrong: &[Wrong {
            path: "/etc/rsyslog.d/x.conf",
            content: "# x\nmodul(load=\"imx\n",
            says: &["/etc/rsyslog.d/x.conf, on or before line 2"],
        }],
        right: ("/etc/rsyslog.d/x.conf", "local7.* /var/log/x.log\n"),
    },
    Daemon {
        unit: "fail2ban",
        packages: "fail2ban python3-systemd",
        wrong: &[
            Wrong {
                path: "/etc/fail2ban/jail.d/x.local",
                content: "[sshd]\nbantime = 1h\nthis is wrong\n",
                says: &["/etc/fail2ban/jail.d/x.local", "line  3"],
            },
            Wrong {
                path: "/etc/fail2ban/jail.d/x.local",
                content: "[nothere]\nenabled = true\n",
                says: &["Unable to read the filter 'nothere'"],
            },
        ],
        right: ("/etc/fail2ban/jail.d/x.local", "[sshd]\nbantime = 2h\n"),
    },
    Daemon {
        unit: "nginx",
        packages: "nginx-light",
        wrong: &[Wrong {
            path: "/etc/nginx/conf.d/x.conf",
            content: "# x\nserverx { }\n",
            says: &["\"serverx\" in /etc/nginx/conf.d/x.conf:2"],
        }],
        right: ("/etc/nginx/conf.d/x.conf", "server_tokens off;\n"),
    },
];

fn site(node: &Node, path: &str, content: &str) -> Site {
    let content = content.replace('"', "\\\"").replace('\n', "\\n");
    Site::with(
        &node.lab,
        &format!(
            "- hosts: {}\n  gather_facts: false\n  tasks:\n    - name: write\n      copy: {{dest: \"{path}\", content: \"{content}\"}}\n",
            node.name
        ),
    )
}

/// Each is refused before it is in place, and leaves nothing.
fn wrong(node: &Node, wrong: &[Wrong]) {
    node.sh("mkdir -p /etc/cron.d /etc/sysctl.d /etc/systemd/system/ssh.service.d");
    let release = node.sh("ls /etc/postgresql 2>/dev/null; true");
    let state = || {
        node.sh("find /etc -xdev -printf '%p %y %m %u %g %l\\n' | sort | sha256sum; find /etc -xdev -type f -exec sha256sum {} + | sort -k 2 | sha256sum; ls -A /tmp | grep -v systemd-private; true")
    };
    for wrong in wrong {
        let path = wrong.path.replace('V', &release);
        let before = state();
        let run = site(node, &path, wrong.content).expect(&["apply"], 3);
        for says in wrong.says {
            run.says(&[&says.replace('V', &release).replace('"', "\\\"")]);
        }
        assert_eq!(state(), before, "{path}\n{run}");
    }
    node.sh("rmdir /etc/systemd/system/ssh.service.d 2>/dev/null; true");
}

fn daemons(node: &Node, daemons: &[Daemon]) {
    node.sh("apt-get -qq update");
    for daemon in daemons {
        // Debian 12 has fail2ban look for a log that is not there.
        node.sh("mkdir -p /etc/fail2ban/jail.d; printf '[sshd]\\nbackend = systemd\\n' >/etc/fail2ban/jail.d/a.local");
        node.sh(&format!(
            "DEBIAN_FRONTEND=noninteractive apt-get -qq -y install {} >/dev/null 2>&1",
            daemon.packages
        ));
        let release = node.sh("ls /etc/postgresql 2>/dev/null; true");
        let unit = daemon.unit.replace('V', &release);
        let main = || {
            node.sh(&format!(
                "systemctl is-active {unit} && systemctl show -p MainPID {unit}"
            ))
        };
        let before = main();
        wrong(node, daemon.wrong);
        assert_eq!(main(), before);
        let (path, content) = daemon.right;
        let path = path.replace('V', &release);
        let right = site(node, &path, content);
        let run = right.apply();
        assert_eq!(run.with("changed"), ["write"], "{run}");
        assert_eq!(right.apply().with("ok"), ["write"]);
        node.sh(&format!(
            "systemctl reload-or-restart {unit}; systemctl is-active {unit}"
        ));
        node.sh(&format!(
            "DEBIAN_FRONTEND=noninteractive apt-get -qq -y purge {} >/dev/null 2>&1; rm -f {path}",
            daemon.packages
        ));
    }
    node.sh("rm -rf /etc/fail2ban");
}
