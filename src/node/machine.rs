//! Which machine a host is: two names of an inventory may lead to one.

/// Shell text, without a program of its own, that prints what no two machines share: what the system was named when it was installed, and
/// which start of the kernel this is (clones share the first, containers of one machine the second). Where the system has no such name, the
/// start of its first process stands in for it.
pub const MACHINE: &str = "i=; b=; read -r i </etc/machine-id; read -r b </proc/sys/kernel/random/boot_id; \
[ -n \"$i\" ] || { i=; read -r i </proc/1/stat; i=${i##*) }; set -- $i; i=since-${20}; }; printf 'MACHINE %s %s\\n' \"$b\" \"$i\"\n";

/// What [`MACHINE`] printed.
pub fn parse_machine(output: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(output);
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MACHINE "))?;
    Some(line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Option<String> {
        let output = std::process::Command::new("/bin/sh")
            .arg("-c")
            .arg(text)
            .output()
            .expect("sh");
        parse_machine(&output.stdout)
    }

    #[test]
    fn a_machine_is_itself_with_and_without_a_name() {
        let here = said(MACHINE).expect("this machine");
        assert_eq!(said(MACHINE), Some(here.clone()));
        let (boot, name) = here.split_once(' ').expect("two words");
        assert!(boot.len() > 30 && !name.is_empty(), "{here}");
        let unnamed = said(&MACHINE.replace("/etc/machine-id", "/nonexistent/id")).expect("told");
        let since = unnamed.split_once(" since-").expect("its first process").1;
        assert!(since.parse::<u64>().is_ok(), "{unnamed}");
        assert_eq!(parse_machine(b"LEASE mine\n"), None);
    }
}
