//! Acts that change nothing, against a real server on the node: `uri` and `wait_for`; and `get_url`, which asks only when it must.

use serde_json::Value;

use crate::Case;
use crate::run::Site;
use crate::world::{Node, World};

/// All cases.
pub fn cases() -> Vec<Case> {
    let case = |name: &str, release: u8, act: fn(&Node)| {
        let name = format!("acts::{name}_on_{release}");
        let case = Case::new(name, move |world| act(&served(world, release)));
        crate::on(release, case)
    };
    let both = |release| {
        [
            case("uri", release, uri),
            case("wait_for", release, wait_for),
            case("get_url", release, get_url),
        ]
    };
    [12, 13].into_iter().flat_map(both).collect()
}

/// A server of few words at port 8099 of the node, and at a socket.
const SERVER: &str = r#"
use strict; use IO::Socket::INET; use IO::Socket::UNIX; $| = 1; $SIG{CHLD} = 'IGNORE';
unlink '/srv/acts/socket';
my @servers = (IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 8099, Listen => 9, ReuseAddr => 1), IO::Socket::UNIX->new(Local => '/srv/acts/socket', Listen => 9));
while (1) {
  my $bits = ''; vec($bits, fileno($_), 1) = 1 for @servers;
  select $bits, undef, undef, undef;
  for my $server (@servers) {
    next unless vec $bits, fileno($server), 1;
    my $c = $server->accept or next;
    fork and next;
    my ($head, $body) = ('', '');
    while (my $line = <$c>) { $head .= $line; last if $line eq "\r\n" }
    read $c, $body, $1 if $head =~ /^content-length: (\d+)/im;
    open my $log, '>>', '/srv/acts/log'; print $log +(split /\r\n/, $head)[0], "\n"; close $log;
    my ($method, $path) = split / /, $head;
    if ($path eq '/json') { print $c "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Some-Thing: 1\r\nTransfer-Encoding: chunked\r\n\r\n6;x=y\r\n{\"a\": \r\n5\r\n[1]}\n\r\n0\r\n\r\n" }
    elsif ($path eq '/echo') { my $e = $head . $body; print $c "HTTP/1.1 201 Made\r\nContent-Length: " . length($e) . "\r\n\r\n$e"; sleep 1 }
    elsif ($path eq '/bytes') { print $c "HTTP/1.0 200 OK\r\n\r\n\0\1\n\r\n\xff" x 1 }
    elsif ($path eq '/sums') { my $s = `printf '{"a": [1]}\n' | sha256sum`; $s =~ s/-/.\/json/; $s = "0$s" =~ s/^0.{64}/'0' x 64/er =~ s/json/other/r . $s; print $c "HTTP/1.1 200 OK\r\nContent-Length: " . length($s) . "\r\n\r\n$s" }
    elsif ($path eq '/moved') { print $c "HTTP/1.1 302 Found\r\nLocation: /json\r\nContent-Length: 0\r\n\r\n" }
    elsif ($path eq '/slow') { sleep 60 }
    elsif ($path eq '/cut') { print $c "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf" }
    elsif ($path eq '/big') { print $c "HTTP/1.1 200 OK\r\n\r\n" . 'x' x 2000000 }
    elsif ($path eq '/locked') { print $c $head =~ /^authorization: Basic dTpwOnc=\r/im ? "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nin" : "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n" }
    else { print $c "HTTP/1.1 404 Nothing Here\r\nContent-Length: 5\r\n\r\nnone\n" }
    exit;
  }
}
"#;

fn served(world: &World, release: u8) -> Node {
    let node = world.first(release);
    let script = format!(
        "systemctl stop acts.service 2>/dev/null; rm -rf /srv/acts; mkdir -p /srv/acts; cat >/srv/acts/server.pl <<'END'\n{SERVER}END\n\
         systemd-run -q --collect --unit=acts perl /srv/acts/server.pl"
    );
    node.sh(&script);
    node.wait_for("test -S /srv/acts/socket");
    node
}

const URI: &str = r#"- hosts: n1
  gather_facts: false
  tasks:
    - {name: json, uri: {url: "http://127.0.0.1:8099/json"}, register: a, notify: never}
    - name: echo
      uri: {url: "http://127.0.0.1:8099/echo", method: POST, body: {k: "it's $HOME ö"}, body_format: json, status_code: 201, return_content: true, headers: {X-Mine: 'a "b"'}}
      register: b
    - {name: socket, uri: {url: "http://localhost/json", unix_socket: /srv/acts/socket}, register: c}
    - {name: nothing, uri: {url: "http://127.0.0.1:8099/nothing"}, register: d, ignore_errors: true}
    - {name: refused, uri: {url: "http://127.0.0.1:1/"}, register: e, ignore_errors: true}
    - {name: slow, uri: {url: "http://127.0.0.1:8099/slow", timeout: 1}, register: f, ignore_errors: true}
    - {name: cut, uri: {url: "http://127.0.0.1:8099/cut"}, register: g, ignore_errors: true}
    - {name: big, uri: {url: "http://127.0.0.1:8099/big", return_content: true}, register: h, ignore_errors: true}
    - {name: bytes, uri: {url: "http://127.0.0.1:8099/bytes", dest: /srv/acts/}, register: i}
    - {name: again, uri: {url: "http://127.0.0.1:8099/bytes", dest: /srv/acts/bytes}}
    - {name: locked, uri: {url: "http://127.0.0.1:8099/locked", user: u, password: "p:w", return_content: true}, register: j}
    - {name: moved, uri: {url: "http://127.0.0.1:8099/moved"}, register: k, ignore_errors: true}
    - {name: stays, uri: {url: "http://127.0.0.1:8099/moved", follow_redirects: none, status_code: "302"}, register: l}
    - {name: spared, uri: {url: "http://127.0.0.1:8099/never", creates: /srv/acts/log}}
    - name: said
      copy:
        dest: /srv/acts/said
        content:
          - "{{ [a.status, a.json, a.x_some_thing, a.changed, a.url, a.redirected] }}"
          - "{{ [b.status, b.content.splitlines()[0], 'X-Mine: a \"b\"' in b.content, b.content.splitlines()[-1], 'Content-Type: application/json' in b.content] }}"
          - "{{ c.json }}"
          - "{{ [d.status, d.failed, d.msg] }}"
          - "{{ [e.status, 'refused' in e.msg | lower or 'connect' in e.msg] }}"
          - "{{ [f.status, f.elapsed >= 1] }}"
          - "{{ [g.status, g.failed, 'too many' in h.msg, i.path, j.content, l.location] }}"
  handlers:
    - {name: never, command: "true"}
"#;

/// What every client says.
const SAID: &str = r#"[[200, {"a": [1]}, "1", false, "http://127.0.0.1:8099/json", false], [201, "POST /echo HTTP/1.1", true, "{\"k\": \"it's $HOME ö\"}", true], {"a": [1]}, [404, true, "Status code was 404 and not [200]: 404 Nothing Here"], [-1, true], [-1, true], [-1, true, true, "/srv/acts/bytes", "in", "http://127.0.0.1:8099/json"]]"#;

fn uri(node: &Node) {
    node.sh("! command -v curl || { apt-get purge -qy curl; }");
    let site = Site::with(&node.lab, URI);
    let plan = site.plan();
    assert_eq!(plan.with("unknown").len(), 15, "{plan}");
    assert_eq!(
        node.sh("cat /srv/acts/log 2>/dev/null || echo nothing asked"),
        "nothing asked"
    );

    let run = site.apply();
    assert_eq!(run.with("changed"), ["bytes", "said"], "{run}");
    assert!(run.named("handler_finished").is_empty(), "{run}");
    assert_eq!(node.sh("cat /srv/acts/said"), SAID, "{run}");
    assert_eq!(node.sh("od -An -tx1 /srv/acts/bytes"), " 00 01 0a 0d 0a ff");
    assert_eq!(run.status("moved"), "failed");
    run.says(&["needs curl: install the package `curl`"]);
    assert_eq!(node.sh("ls -A /tmp | grep ^tmp. || echo clean"), "clean");

    // The same with curl, which follows redirects too.
    node.sh("apt-get install -qqy --no-install-recommends curl >/dev/null 2>&1 || { apt-get update -qq && apt-get install -qqy --no-install-recommends curl; } >/dev/null 2>&1");
    node.sh("rm -f /srv/acts/said /srv/acts/bytes /srv/acts/log");
    let run = site.apply();
    assert_eq!(run.with("changed"), ["bytes", "said"], "{run}");
    assert_eq!(node.sh("cat /srv/acts/said"), SAID, "{run}");
    assert_eq!(run.status("moved"), "ok", "{run}");
    assert_eq!(node.sh("od -An -tx1 /srv/acts/bytes"), " 00 01 0a 0d 0a ff");
    node.sh("apt-get purge -qqy curl >/dev/null 2>&1");
}

fn wait_for(node: &Node) {
    let site = Site::with(
        &node.lab,
        r#"- hosts: n1
  gather_facts: false
  tasks:
    - {name: port, wait_for: {port: 8099, timeout: 5}, register: a}
    - {name: late, shell: "systemd-run -q --on-active=2 --timer-property=AccuracySec=100ms sh -c 'echo id=42 x >>/srv/acts/late'"}
    - {name: file, wait_for: {path: /srv/acts/late, search_regex: '^id=(?P<id>\d+)\s(y)?', timeout: 20}, register: b}
    - {name: gone, wait_for: {port: 8098, state: stopped, timeout: 2}}
    - {name: absent, wait_for: {path: /srv/acts/none, state: absent, delay: 1}, register: c}
    - {name: never, wait_for: {path: /srv/acts/none, timeout: 2, msg: "it did not come"}, register: d, ignore_errors: true}
    - {name: stays, wait_for: {port: 8099, state: stopped, timeout: 2}, register: e, ignore_errors: true}
    - {name: drained, wait_for: {port: 8099, state: drained, timeout: 5, active_connection_states: [ESTABLISHED]}}
    - {name: hold, shell: "systemd-run -q --collect --unit=acts-hold perl -MIO::Socket::INET -e 'IO::Socket::INET->new(\"127.0.0.1:8099\") && sleep 20'; sleep 1"}
    - {name: held, wait_for: {port: 8099, state: drained, timeout: 2, active_connection_states: [ESTABLISHED]}, register: f, ignore_errors: true}
    - {name: not counted, wait_for: {port: 8099, state: drained, timeout: 2, active_connection_states: [ESTABLISHED], exclude_hosts: [localhost]}}
    - {name: banner, wait_for: {port: 22, search_regex: "OpenSSH_(\\d+)"}, register: g}
    - name: said
      copy:
        dest: /srv/acts/said
        content:
          - "{{ [a.elapsed <= 1, a.state, a.port] }}"
          - "{{ [b.elapsed > 0, b.match_groups, b.match_groupdict] }}"
          - "{{ [c.elapsed >= 1, d.msg, d.elapsed >= 2, e.msg, f.msg] }}"
          - "{{ g.match_groups[0] | int > 8 }}"
"#,
    );
    let plan = site.plan();
    assert_eq!(plan.with("changed"), Vec::<&str>::new(), "{plan}");
    let run = site.apply();
    assert_eq!(run.with("changed"), ["late", "hold", "said"], "{run}");
    assert_eq!(run.with("failed"), ["never", "stays", "held"], "{run}");
    let said: Value = serde_json::from_str(&node.sh("cat /srv/acts/said")).unwrap();
    assert_eq!(
        said,
        serde_json::json!([
            [true, "started", 8099],
            [true, ["42", null], { "id": "42" }],
            [
                true,
                "it did not come",
                true,
                "Timeout when waiting for 127.0.0.1:8099 to stop.",
                "Timeout when waiting for 127.0.0.1:8099 to drain"
            ],
            true
        ]),
        "{run}"
    );
    node.sh("systemctl stop acts-hold acts");
}

fn get_url(node: &Node) {
    let site = Site::with(
        &node.lab,
        r#"- hosts: n1
  gather_facts: false
  tasks:
    - {name: sums, get_url: {url: "http://127.0.0.1:8099/json", dest: /srv/acts/a, checksum: "sha256:http://127.0.0.1:8099/sums"}, register: a}
    - {name: force, get_url: {url: "http://127.0.0.1:8099/json", dest: /srv/acts/b, force: true, mode: "0600"}, register: b}
    - {name: wrong, get_url: {url: "http://127.0.0.1:8099/json", dest: /srv/acts/c, checksum: "sha256:0000000000000000000000000000000000000000000000000000000000000000"}, ignore_errors: true}
    - {name: nothing, get_url: {url: "http://127.0.0.1:8099/nothing", dest: /srv/acts/d}, register: d, ignore_errors: true}
    - {name: cut, get_url: {url: "http://127.0.0.1:8099/cut", dest: /srv/acts/e}, ignore_errors: true}
    - {name: said, copy: {dest: /srv/acts/said, content: "{{ [a.dest, a.size, b.checksum_dest, d.status_code] }}"}}
"#,
    );
    assert_eq!(site.plan().with("changed").len(), 5);
    let run = site.apply();
    assert_eq!(run.with("changed"), ["sums", "force", "said"], "{run}");
    run.says(&["the SHA-256 of what came is 72a62b62b733416948377757ae62fca5259863fd5d939a3dfceed55c39022356", "HTTP Error 404"]);
    assert_eq!(
        node.sh("cat /srv/acts/said; echo; cd /srv/acts; ls -A; stat -c %a b"),
        "[\"/srv/acts/a\", 11, \"8f0c4e3a\", 404]\na\nb\nlog\nsaid\nserver.pl\nsocket\n600"
            .replace("8f0c4e3a", &node.sh("sha1sum </srv/acts/a | cut -d' ' -f1"))
    );

    // The same is no change; what differs is replaced.
    let plan = site.plan();
    assert_eq!(plan.status("sums"), "unknown");
    assert_eq!(plan.status("force"), "unknown");
    let run = site.apply();
    assert!(run.with("changed").is_empty(), "{run}");
    node.sh("echo other >/srv/acts/a; echo other >/srv/acts/b");
    let run = site.apply();
    assert_eq!(run.with("changed"), ["sums", "force"], "{run}");
    node.sh("systemctl stop acts");
}
