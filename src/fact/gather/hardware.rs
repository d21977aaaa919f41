//! Processors, memory, firmware and what the kernel was started with among the gathered facts.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Raw;

type Facts = Map<String, Value>;

/// Facts of the machine's firmware, and the files below `/sys/class/dmi/id` that hold them.
const FIRMWARE: [(&str, &str); 18] = [
    ("bios_date", "bios_date"),
    ("bios_vendor", "bios_vendor"),
    ("bios_version", "bios_version"),
    ("board_asset_tag", "board_asset_tag"),
    ("board_name", "board_name"),
    ("board_serial", "board_serial"),
    ("board_vendor", "board_vendor"),
    ("board_version", "board_version"),
    ("chassis_asset_tag", "chassis_asset_tag"),
    ("chassis_serial", "chassis_serial"),
    ("chassis_vendor", "chassis_vendor"),
    ("chassis_version", "chassis_version"),
    ("form_factor", "chassis_type"),
    ("product_name", "product_name"),
    ("product_serial", "product_serial"),
    ("product_uuid", "product_uuid"),
    ("product_version", "product_version"),
    ("system_vendor", "sys_vendor"),
];

/// Kinds of chassis by their number, from DSP0134, the specification of SMBIOS, with Ansible's words for them.
const CHASSIS: [&str; 36] = [
    "Unknown",
    "Other",
    "Unknown",
    "Desktop",
    "Low Profile Desktop",
    "Pizza Box",
    "Mini Tower",
    "Tower",
    "Portable",
    "Laptop",
    "Notebook",
    "Hand Held",
    "Docking Station",
    "All In One",
    "Sub Notebook",
    "Space-saving",
    "Lunch Box",
    "Main Server Chassis",
    "Expansion Chassis",
    "Sub Chassis",
    "Bus Expansion Chassis",
    "Peripheral Chassis",
    "RAID Chassis",
    "Rack Mount Chassis",
    "Sealed-case PC",
    "Multi-system",
    "CompactPCI",
    "AdvancedTCA",
    "Blade",
    "Blade Enclosure",
    "Tablet",
    "Convertible",
    "Detachable",
    "IoT Gateway",
    "Embedded PC",
    "Mini PC",
];

pub(super) fn facts(raw: &Raw, facts: &mut Facts) {
    processors(raw, facts);
    memory(raw, facts);
    firmware(raw, facts);
    kernel(raw, facts);
}

/// Sockets, cores and threads are counted as Ansible does it; where the kernel names no sockets, each processor is one.
fn processors(raw: &Raw, facts: &mut Facts) {
    let mut words = Vec::new();
    let mut sockets: BTreeMap<&str, u64> = BTreeMap::new();
    let mut siblings: BTreeMap<&str, u64> = BTreeMap::new();
    let (mut socket, mut count) = ("", 0_u64);
    let mut siblings_here = 0;
    for line in raw.lines("/proc/cpuinfo") {
        let Some((key, value)) = line.split_once(':') else {
            continue;
        };
        let value = value.trim();
        match key.trim() {
            "processor" => {
                words.push(value);
                count += 1;
            }
            "vendor_id" | "model name" => words.push(value),
            "physical id" => socket = value,
            "siblings" => siblings_here = value.parse().unwrap_or(0),
            "core id" => {
                siblings.entry(value).or_insert(siblings_here);
            }
            "cpu cores" => {
                sockets.insert(socket, value.parse().unwrap_or(0));
            }
            _ => {}
        }
    }
    let cores = sockets.values().next().copied().unwrap_or(0).max(1);
    let threads = siblings.values().next().map_or(1, |all| all / cores).max(1);
    let packages = if sockets.is_empty() {
        count.max(1)
    } else {
        sockets.len() as u64
    };
    facts.insert("processor".into(), words.into());
    facts.insert("processor_cores".into(), cores.into());
    facts.insert("processor_count".into(), packages.into());
    facts.insert("processor_threads_per_core".into(), threads.into());
    let usable = raw.line("@nproc").parse().unwrap_or(count.max(1));
    facts.insert("processor_nproc".into(), usable.into());
}

fn memory(raw: &Raw, facts: &mut Facts) {
    let memory = |key: &str| raw.memory(key);
    let (total, free) = (memory("MemTotal"), memory("MemFree"));
    let cache = free
        .saturating_add(memory("Cached"))
        .saturating_add(memory("Buffers"));
    let (swap, swap_free) = (memory("SwapTotal"), memory("SwapFree"));
    let mib = |kib: u64| kib / 1024;
    facts.insert("swapfree_mb".into(), mib(swap_free).into());
    facts.insert(
        "memory_mb".into(),
        json!({
            "real": {"total": mib(total), "used": mib(total.saturating_sub(free)), "free": mib(free)},
            "nocache": {"free": mib(cache), "used": mib(total.saturating_sub(cache))},
            "swap": {
                "total": mib(swap), "free": mib(swap_free), "used": mib(swap.saturating_sub(swap_free)),
                "cached": mib(memory("SwapCached")),
            },
        }),
    );
}

/// `NA` is what is not told, as in Ansible: in containers, and what only root may read.
fn firmware(raw: &Raw, facts: &mut Facts) {
    for (fact, file) in FIRMWARE {
        let text = raw.line(&format!("/sys/class/dmi/id/{file}"));
        let text = match (fact, text) {
            (_, "") => "NA",
            ("form_factor", kind) => kind
                .parse::<usize>()
                .ok()
                .and_then(|kind| CHASSIS.get(kind))
                .unwrap_or(&"Unknown"),
            (_, text) => text,
        };
        facts.insert(fact.into(), text.into());
    }
}

fn kernel(raw: &Raw, facts: &mut Facts) {
    let version = raw.line("/proc/sys/kernel/version");
    facts.insert("kernel_version".into(), version.into());
    let up: f64 = word(raw.line("/proc/uptime"), 0).parse().unwrap_or(0.0);
    facts.insert("uptime_seconds".into(), (up as u64).into());
    let load = |index: usize| -> f64 {
        word(raw.line("/proc/loadavg"), index)
            .parse()
            .unwrap_or(0.0)
    };
    facts.insert(
        "loadavg".into(),
        json!({"1m": load(0), "5m": load(1), "15m": load(2)}),
    );
    let mut last = Facts::new();
    let mut all = Facts::new();
    for word in raw.line("/proc/cmdline").split_whitespace() {
        let (key, value): (&str, Value) = match word.split_once('=') {
            Some((key, value)) => (key, value.trim_matches('"').into()),
            None => (word, true.into()),
        };
        last.insert(key.to_owned(), value.clone());
        match all.get_mut(key) {
            Some(Value::Array(values)) => values.push(value),
            Some(one) => *one = vec![one.take(), value].into(),
            None => {
                all.insert(key.to_owned(), value);
            }
        }
    }
    facts.insert("cmdline".into(), last.into());
    facts.insert("proc_cmdline".into(), all.into());
}

fn word(line: &str, index: usize) -> &str {
    line.split_whitespace().nth(index).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Facts {
        let text = format!("@files\n{text}");
        let mut found = Facts::new();
        facts(&Raw::read(&text), &mut found);
        found
    }

    #[test]
    fn sockets_cores_and_threads_are_counted() {
        let mut text = String::new();
        for processor in 0..8 {
            let (socket, core) = (processor / 4, processor / 2 % 2);
            for line in [
                format!("processor\t: {processor}"),
                "vendor_id\t: GenuineIntel".to_owned(),
                format!("physical id\t: {socket}"),
                "siblings\t: 4".to_owned(),
                format!("core id\t\t: {core}"),
                "cpu cores\t: 2".to_owned(),
            ] {
                text.push_str(&format!("/proc/cpuinfo:{line}\n"));
            }
        }
        let found = read(&(text + "@nproc:6\n"));
        assert_eq!(found["processor_count"], 2);
        assert_eq!(found["processor_cores"], 2);
        assert_eq!(found["processor_threads_per_core"], 2);
        assert_eq!(found["processor_nproc"], 6);
        assert_eq!(found["processor"][0], "0");
        assert_eq!(found["processor"][1], "GenuineIntel");
    }

    #[test]
    fn where_no_sockets_are_named_each_processor_is_one() {
        let found = read("/proc/cpuinfo:processor\t: 0\n/proc/cpuinfo:processor\t: 1\n");
        assert_eq!(found["processor_count"], 2);
        assert_eq!(found["processor_cores"], 1);
        assert_eq!(found["processor_nproc"], 2);
    }

    #[test]
    fn memory_firmware_and_command_line() {
        let found = read(
            "/proc/meminfo:MemTotal:  4096000 kB
/proc/meminfo:MemFree:   1024000 kB
/proc/meminfo:Cached:    1024000 kB
/sys/class/dmi/id/chassis_type:3
/sys/class/dmi/id/product_name:KVM Server
/proc/uptime:51447.12 80000.00
/proc/loadavg:0.50 0.25 0.00 1/200 4711
/proc/cmdline:console=tty0 console=ttyS0 ro root=UUID=ab
",
        );
        assert_eq!(found["memory_mb"]["nocache"]["used"], 2000);
        assert_eq!(found["form_factor"], "Desktop");
        assert_eq!(found["product_name"], "KVM Server");
        assert_eq!(found["product_serial"], "NA");
        assert_eq!(found["uptime_seconds"], 51447);
        assert_eq!(found["loadavg"]["5m"], 0.25);
        assert_eq!(
            found["cmdline"],
            json!({"console": "ttyS0", "ro": true, "root": "UUID=ab"})
        );
        assert_eq!(found["proc_cmdline"]["console"], json!(["tty0", "ttyS0"]));
    }
}
