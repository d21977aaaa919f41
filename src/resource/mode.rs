//! File modes as users write them, octal or symbolic, computed against the bits that are there.

use crate::value::Value;

/// A wanted mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileMode {
    /// These bits.
    Bits(u32),
    /// Clauses such as `u=rwX,g-w`.
    Symbolic(Vec<Clause>),
}

/// One clause: who, `+`, `-` or `=`, and permissions. Who is empty for all but what the umask takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    who: String,
    operations: Vec<(char, String)>,
}

/// The umask of every step.
const UMASK: u32 = 0o022;

impl FileMode {
    /// Reads a mode that `ParamType::Mode` let through: four octal digits or clauses; none for `preserve`.
    pub fn read(value: &Value) -> Option<FileMode> {
        let text = value.as_str().filter(|text| *text != "preserve")?;
        if let Ok(bits) = u32::from_str_radix(text, 8) {
            return Some(FileMode::Bits(bits));
        }
        Some(FileMode::Symbolic(text.split(',').map(clause).collect()))
    }

    /// The bits for something that has `current` bits now.
    pub fn bits(&self, current: u32, folder: bool) -> u32 {
        match self {
            FileMode::Bits(bits) => *bits,
            FileMode::Symbolic(clauses) => clauses
                .iter()
                .fold(current, |bits, clause| clause.apply(bits, folder)),
        }
    }
}

/// Bits as people write them: `0644`.
pub fn octal(bits: u32) -> String {
    format!("{bits:04o}")
}

/// Bits for `chmod` and `install`: with fewer than five digits they would leave a folder's setgid bit alone.
pub fn argument(bits: u32) -> String {
    format!("{bits:05o}")
}

fn clause(text: &str) -> Clause {
    let at = text.find(['+', '-', '=']).unwrap_or(text.len());
    let (who, mut rest) = text.split_at(at);
    let mut operations = Vec::new();
    while let Some(operator) = rest.chars().next() {
        let end = rest[1..]
            .find(['+', '-', '='])
            .map_or(rest.len(), |at| at + 1);
        operations.push((operator, rest[1..end].to_owned()));
        rest = &rest[end..];
    }
    Clause {
        who: who.to_owned(),
        operations,
    }
}

impl Clause {
    fn apply(&self, current: u32, folder: bool) -> u32 {
        let all = self.who.is_empty() || self.who.contains('a');
        let mask = if self.who.is_empty() { !UMASK } else { !0 };
        let mut bits = current;
        for (operator, permissions) in &self.operations {
            // `a-u` takes from everyone what the user had before it.
            let before = bits;
            for (who, shift, special) in [('u', 6, 0o4000), ('g', 3, 0o2000), ('o', 0, 0o1000)] {
                if !all && !self.who.contains(who) {
                    continue;
                }
                let granted = grant(permissions, before, shift, special, folder) & mask;
                bits = match operator {
                    '+' => bits | granted,
                    '-' => bits & !granted,
                    _ => (bits & !(0o7 << shift | special)) | granted,
                };
            }
        }
        bits
    }
}

/// The bits that the letters mean for the user, group or others at `shift`.
fn grant(permissions: &str, current: u32, shift: u32, special: u32, folder: bool) -> u32 {
    permissions.chars().fold(0, |bits, letter| {
        bits | match letter {
            'r' => 0o4 << shift,
            'w' => 0o2 << shift,
            'x' => 0o1 << shift,
            'X' if folder || current & 0o111 != 0 => 0o1 << shift,
            's' if special != 0o1000 => special,
            't' if special == 0o1000 => special,
            'u' => (current >> 6 & 0o7) << shift,
            'g' => (current >> 3 & 0o7) << shift,
            'o' => (current & 0o7) << shift,
            _ => 0,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Span;
    use proptest::prelude::*;

    fn bits(text: &str, current: u32, folder: bool) -> u32 {
        FileMode::read(&Value::str(text, &Span::synthetic("test")))
            .expect("a mode")
            .bits(current, folder)
    }

    #[test]
    fn octal_and_symbolic() {
        assert_eq!(bits("0640", 0o777, false), 0o640);
        assert_eq!(bits("u=rw,g=r,o=", 0o777, false), 0o640);
        assert_eq!(bits("a+X", 0o644, false), 0o644);
        assert_eq!(bits("a+X", 0o644, true), 0o755);
        assert_eq!(bits("u=rwX,go=rX", 0o700, false), 0o755);
        assert_eq!(bits("g=u", 0o640, false), 0o660);
        assert_eq!(bits("u+s,o+t", 0o755, false), 0o5755);
        assert_eq!(bits("+w", 0o444, false), 0o644);
        assert_eq!(bits("a-u", 0o127, false), 0o026);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        /// Except for who-less clauses and set-id bits of folders, where Ansible differs from it, `chmod` agrees.
        #[test]
        fn as_chmod_computes(text in "[ugoa]{1,2}[+=-][rwxX]{0,3}(,[ugoa][+=-](u|g|o|[rwx]{1,2}))?", current in 0u32..0o1000) {
            use std::os::unix::fs::PermissionsExt;
            let file = tempfile::NamedTempFile::new().expect("file");
            std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(current)).expect("mode");
            let status = std::process::Command::new("chmod").arg("--").arg(&text).arg(file.path()).status().expect("chmod");
            prop_assume!(status.success());
            let found = file.path().metadata().expect("there").permissions().mode() & 0o7777;
            prop_assert_eq!(bits(&text, current, false), found, "{}", text);
        }
    }
}
