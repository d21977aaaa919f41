//! Nodes that are dead, slow beyond use, or let us in and then say nothing: the others are brought to their end, and it is said what was wrong.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::Case;
use crate::run::Site;
use crate::world::World;

/// All cases.
pub fn cases() -> Vec<Case> {
    vec![Case::new("odd::two_of_five", two_of_five)]
}

/// Passes a connection on, a byte a second each way.
fn dribble(to: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let own = listener.local_addr().unwrap();
    thread::spawn(move || {
        for from in listener.incoming().flatten() {
            let there = TcpStream::connect(to).unwrap();
            let pairs = [
                (from.try_clone().unwrap(), there.try_clone().unwrap()),
                (there, from),
            ];
            for (mut source, mut sink) in pairs {
                thread::spawn(move || {
                    let mut byte = [0];
                    while source.read_exact(&mut byte).is_ok() && sink.write_all(&byte).is_ok() {
                        thread::sleep(Duration::from_secs(1));
                    }
                });
            }
        }
    });
    own
}

const TASKS: &str = "- hosts: all
  gather_facts: false
  tasks:
    - name: first
      copy: {content: x, dest: /srv/odd}
    - name: second
      command: touch /srv/odd-second
";

fn two_of_five(world: &World) {
    let lab = world.lab(12);
    let three = ["n1", "n2", "n3"];
    for host in three {
        world.node(host).sh("rm -f /srv/odd /srv/odd-second");
    }
    let liar = world.node("n3");
    liar.sh("mkdir -p /run/sshd; /usr/sbin/sshd -o Port=2299 -o PidFile=/run/liar.pid -o ForceCommand='sleep 900'");
    let text = std::fs::read_to_string(lab.inventory().unwrap()).unwrap();
    let mut site = Site::with(lab, TASKS);
    let relay = dribble((lab.address("n2").unwrap(), 22).into());
    // No machine has the last address of the lab's network but one.
    let [a, b, c, _] = lab.address("n1").unwrap().octets();
    let odd = [
        ("dead", format!("{a}.{b}.{c}.253"), 22, 25),
        ("slow", relay.ip().to_string(), relay.port(), 25),
        ("liar", liar.address(), 2299, 45),
    ];
    for pair in [[0, 1], [1, 2]] {
        let hosts: String = pair
            .iter()
            .map(|index| {
                let (name, address, port, _) = &odd[*index];
                format!(
                    "    {name}:\n      ansible_host: {address}\n      ansible_port: {port}\n      ansible_ssh_common_args: -o StrictHostKeyChecking=no\n"
                )
            })
            .collect();
        site.inventory(&text.replacen(
            "  children:\n",
            &format!("  hosts:\n{hosts}  children:\n"),
            1,
        ));
        for host in three {
            world.node(host).sh("rm -f /srv/odd /srv/odd-second");
        }
        let began = Instant::now();
        let run = site.expect(&["apply"], 3);
        let took = began.elapsed();
        for host in three {
            assert_eq!(run.on(host, "second")["status"], "changed", "{run}");
        }
        let mut longest = 0;
        for (name, .., seconds) in pair.iter().map(|index| &odd[*index]) {
            assert_eq!(run.count(name, "unreachable"), 1, "{run}");
            run.says(&[name]);
            longest = longest.max(*seconds);
        }
        assert_eq!(run.named("host_unreachable").len(), 2, "{run}");
        assert!(took < Duration::from_secs(longest), "{took:?}\n{run}");
    }
    liar.sh("kill $(cat /run/liar.pid); pkill -f '[s]leep 900' || :");
}
