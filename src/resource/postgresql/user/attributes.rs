//! The attributes of a role, as `role_attr_flags` names them.

use crate::diagnostic::Diagnostic;
use crate::resource::Args;

/// The attributes that a role may have, and the columns they stand in.
pub(super) const ATTRIBUTES: [(&str, &str); 7] = [
    ("BYPASSRLS", "rolbypassrls"),
    ("CREATEDB", "rolcreatedb"),
    ("CREATEROLE", "rolcreaterole"),
    ("INHERIT", "rolinherit"),
    ("LOGIN", "rolcanlogin"),
    ("REPLICATION", "rolreplication"),
    ("SUPERUSER", "rolsuper"),
];

/// Attribute, column, and whether it is wanted.
pub(super) fn flags(args: &Args) -> Result<Vec<(&'static str, &'static str, bool)>, Diagnostic> {
    let mut flags: Vec<(&str, &str, bool)> = Vec::new();
    for word in args.list("role_attr_flags") {
        let upper = word.trim().to_ascii_uppercase();
        let known = |word: &str| ATTRIBUTES.into_iter().find(|(name, _)| *name == word);
        let plain = known(&upper).map(|found| (found, true));
        let negated = || Some((known(upper.strip_prefix("NO")?)?, false));
        let fault = |words| Diagnostic::at(args.value_place("role_attr_flags"), words);
        let Some(((name, column), is)) = plain.or_else(negated) else {
            return Err(fault(format!("`{word}` is no attribute of a role")).help(
                "there are SUPERUSER, CREATEROLE, CREATEDB, INHERIT, LOGIN, REPLICATION and BYPASSRLS, each also with NO before it",
            ));
        };
        if flags
            .iter()
            .any(|(other, _, before)| *other == name && *before != is)
        {
            return Err(fault(format!("{name} and NO{name} exclude each other")));
        }
        flags.push((name, column, is));
    }
    flags.sort_unstable();
    flags.dedup();
    Ok(flags)
}
