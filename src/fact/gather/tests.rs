//! What nodes printed, shortened, and what becomes of it.

use serde_json::{Value, json};

use super::*;

/// A Debian 13 container: `ip` is there, the clock is not UTC, a value of the environment has two lines.
const DEBIAN_13: &str = "@ip
1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000
    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
    inet 127.0.0.1/8 scope host lo
       valid_lft forever preferred_lft forever
    inet6 ::1/128 scope host noprefixroute\u{20}
       valid_lft forever preferred_lft forever
2: host0@if7: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1400 qdisc pfifo_fast state UP group default qlen 1000
    link/ether 02:fc:00:00:00:01 brd ff:ff:ff:ff:ff:ff
    inet 192.0.2.2/24 brd 192.0.2.255 scope global host0
       valid_lft forever preferred_lft forever
    inet 198.51.100.9/32 scope global host0
       valid_lft forever preferred_lft forever
    inet6 fd00::2/64 scope global nodad\u{20}
       valid_lft forever preferred_lft forever
    inet6 fe80::fc:ff:fe00:1/64 scope link\u{20}
       valid_lft forever preferred_lft forever
3: br-app: <BROADCAST,MULTICAST> mtu 1500 qdisc noop state DOWN group default qlen 1000
    link/ether 4e:56:a2:b1:5f:8b brd ff:ff:ff:ff:ff:ff
@files
/etc/os-release:PRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"
/etc/os-release:VERSION_ID=\"13\"
/etc/os-release:VERSION_CODENAME=trixie
/etc/os-release:ID=debian
/etc/debian_version:13.7
/etc/machine-id:075fd6731fb84730a27affbb752d77a9
/etc/hosts:127.0.0.1 localhost
/etc/hosts:127.0.1.1\tn1.example.org n1 # this one
/proc/sys/kernel/hostname:n1
/proc/sys/kernel/osrelease:6.12.48+deb13-amd64
/proc/sys/kernel/arch:x86_64
/proc/meminfo:MemTotal:       24684100 kB
/proc/meminfo:MemFree:         1048576 kB
/proc/meminfo:SwapTotal:             0 kB
/proc/self/mounts:/dev/vda1 / ext4 rw,relatime 0 0
/proc/self/mounts:proc /proc proc rw 0 0
/proc/self/mounts:nas:/x /mnt/with\\040blank nfs4 rw 0 0
/proc/net/route:Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
/proc/net/route:br-app\t00000000\t0101A8C0\t0003\t0\t0\t500\t00000000\t0\t0\t0
/proc/net/route:host0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
/proc/net/route:host0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
/proc/net/ipv6_route:00000000000000000000000000000000 00 00000000000000000000000000000000 00 fd000000000000000000000000000001 00000400 00000002 00000000 00000003    host0
/proc/net/ipv6_route:00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo
/proc/1/comm:systemd
/sys/devices/system/cpu/online:0-2,5
/sys/class/dmi/id/sys_vendor:DigitalOcean
/proc/self/environ:LC_ALL=C.UTF-8\0TWO=a
/proc/self/environ:b\0HOME=/root\0
@df
Filesystem          1-blocks        Used   Available Capacity Mounted on
/dev/vda1       270553174016 22550896640 75021852672      24% /

@date
1795174836 382088063 +0530 IST Friday 5 46
@user
deploy
";

fn facts(text: &str) -> Map<String, Value> {
    parse(text.as_bytes())
        .expect("it is readable")
        .as_ref()
        .clone()
}

#[test]
fn every_promised_fact_is_there() {
    let found = facts(DEBIAN_13);
    for name in NAMES {
        assert!(found.contains_key(*name), "{name}");
    }
}

#[test]
fn names_and_distribution() {
    let found = facts(DEBIAN_13);
    assert_eq!(found["hostname"], "n1");
    assert_eq!(found["fqdn"], "n1.example.org");
    assert_eq!(found["domain"], "example.org");
    assert_eq!(found["distribution"], "Debian");
    assert_eq!(found["distribution_version"], "13.7");
    assert_eq!(found["distribution_major_version"], "13");
    assert_eq!(found["distribution_release"], "trixie");
    assert_eq!(found["os_family"], "Debian");
    assert_eq!(found["processor_vcpus"], 4);
    assert_eq!(found["memtotal_mb"], 24105);
    assert_eq!(found["virtualization_type"], "kvm");
    assert_eq!(found["service_mgr"], "systemd");
    assert_eq!(found["user_id"], "deploy");
}

#[test]
fn the_default_address_is_that_of_the_best_route() {
    let found = facts(DEBIAN_13);
    let wanted = json!({
        "address": "192.0.2.2", "broadcast": "192.0.2.255", "netmask": "255.255.255.0", "network": "192.0.2.0", "prefix": "24",
        "gateway": "192.0.2.1", "interface": "host0", "alias": "host0", "macaddress": "02:fc:00:00:00:01", "mtu": 1400, "type": "ether",
    });
    assert_eq!(found["default_ipv4"], wanted);
    assert_eq!(found["default_ipv6"]["address"], "fd00::2");
    assert_eq!(found["default_ipv6"]["gateway"], "fd00::1");
    assert_eq!(found["interfaces"], json!(["lo", "host0", "br-app"]));
    assert_eq!(
        found["all_ipv4_addresses"],
        json!(["192.0.2.2", "198.51.100.9"])
    );
    assert_eq!(
        found["host0"]["ipv4_secondaries"][0]["address"],
        "198.51.100.9"
    );
    assert_eq!(
        found["host0"]["ipv6"][1],
        json!({"address": "fe80::fc:ff:fe00:1", "prefix": "64", "scope": "link"})
    );
    assert_eq!(found["br_app"]["active"], false);
    assert_eq!(found["lo"]["type"], "loopback");
}

#[test]
fn mounts_are_devices_and_servers_with_sizes_of_local_ones() {
    let found = facts(DEBIAN_13);
    let mounts = found["mounts"].as_array().expect("a list");
    assert_eq!(mounts.len(), 2);
    assert_eq!(mounts[0]["size_total"], 270_553_174_016_u64);
    assert_eq!(mounts[0]["size_available"], 75_021_852_672_u64);
    assert_eq!(mounts[1]["mount"], "/mnt/with blank");
    assert!(mounts[1].get("size_total").is_none());
}

#[test]
fn clock_and_environment() {
    let found = facts(DEBIAN_13);
    let clock = &found["date_time"];
    assert_eq!(clock["iso8601"], "2026-11-20T11:40:36Z");
    assert_eq!(clock["time"], "17:10:36");
    assert_eq!(clock["epoch"], "1795174836");
    assert_eq!(clock["iso8601_basic"], "20261120T171036382088");
    assert_eq!(clock["tz"], "IST");
    assert_eq!(
        found["env"],
        json!({"LC_ALL": "C.UTF-8", "TWO": "a\nb", "HOME": "/root"})
    );
}

#[test]
fn without_ip_the_tables_of_the_kernel_tell_the_addresses() {
    let tables = "/sys/class/net/eth0/address:02:fc:00:00:00:01
/sys/class/net/eth0/flags:0x1003
/sys/class/net/eth0/mtu:1400
/sys/class/net/lo/address:00:00:00:00:00:00
/sys/class/net/lo/flags:0x9
/sys/class/net/lo/mtu:65536
/proc/net/route:eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
/proc/net/route:eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
/proc/net/fib_trie:Main:
/proc/net/fib_trie:        |-- 127.0.0.1
/proc/net/fib_trie:           /32 host LOCAL
/proc/net/fib_trie:        |-- 127.255.255.255
/proc/net/fib_trie:           /32 link BROADCAST
/proc/net/fib_trie:           |-- 192.0.2.2
/proc/net/fib_trie:              /32 host LOCAL
/proc/net/fib_trie:Local:
/proc/net/fib_trie:           |-- 192.0.2.2
/proc/net/fib_trie:              /32 host LOCAL
/proc/net/if_inet6:fd000000000000000000000000000002 04 40 00 82     eth0
";
    let files = DEBIAN_13.split_once("@files\n").expect("both parts").1;
    let files = files
        .lines()
        .filter(|line| !line.starts_with("/proc/net/"))
        .map(|line| format!("{line}\n"))
        .collect::<String>();
    let found = facts(&format!("@files\n{tables}{files}"));
    assert_eq!(found["interfaces"], json!(["lo", "eth0"]));
    assert_eq!(found["default_ipv4"]["address"], "192.0.2.2");
    assert_eq!(found["default_ipv4"]["netmask"], "255.255.255.0");
    assert_eq!(found["eth0"]["macaddress"], "02:fc:00:00:00:01");
    assert_eq!(found["eth0"]["ipv6"][0]["prefix"], "64");
    assert_eq!(found["all_ipv4_addresses"], json!(["192.0.2.2"]));
}

#[test]
fn a_broken_answer_is_an_error() {
    assert!(parse(b"").is_err());
    assert!(parse(b"@files\n/proc/sys/kernel/hostname:n1\n@date\nsoon\n").is_err());
}

/// The script itself, on the machine the tests run on.
#[test]
fn this_machine_can_be_read() {
    let output = std::process::Command::new("/bin/sh")
        .arg("-c")
        .arg(script())
        .env("LC_ALL", "C.UTF-8")
        .output()
        .expect("sh runs");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let found = parse(&output.stdout).expect("it is readable");
    assert_eq!(found["env"]["LC_ALL"], "C.UTF-8");
    assert!(
        found["memtotal_mb"]
            .as_u64()
            .is_some_and(|memory| memory > 0)
    );
}
