//! The hosts of a group as the members of a cluster.

use std::net::IpAddr;

use super::{Args, Controller};
use crate::cluster::Member;
use crate::diagnostic::Diagnostic;
use crate::template::Stop;
use crate::value::{Kind, Value};

/// The hosts of the group that a parameter names, or of the `usual` one, in the order of the inventory. A member is
/// reached by the others at its `private_address`, or at its `ansible_host` when it has none.
///
/// # Errors
/// The group is unknown, or a host has no address.
pub(super) fn members(
    args: &Args,
    controller: &dyn Controller,
    param: &str,
    usual: Option<&str>,
) -> Result<Vec<Member>, Stop> {
    let Some(group) = args.str(param).or(usual) else {
        return Ok(Vec::new());
    };
    let at = args.value_place(param).clone();
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if group.is_empty() || !group.chars().all(plain) {
        return Err(Diagnostic::at(&at, format!("`{group}` is not the name of a group")).into());
    }
    let eval = |expression: String| controller.eval(&Value::str(&expression, &at));
    let hosts = eval(format!("groups['{group}'] | default([])"))?;
    let hosts = hosts.as_list().unwrap_or_default();
    let names = hosts.iter().filter_map(Value::as_str);
    let members = names.map(|name| {
        let address = eval(format!(
            "hostvars['{name}'].private_address | default(hostvars['{name}'].ansible_host) | default('{name}')"
        ))?;
        let address = match &address.kind {
            Kind::Str(text) => text.to_string(),
            _ => String::new(),
        };
        if address.parse::<IpAddr>().is_err() {
            return Err(Diagnostic::at(
                &at,
                format!("the members of `{group}` reach `{name}` at `{address}`, which is no address"),
            )
            .help(format!(
                "give `{name}` a `private_address` in the inventory, such as 10.0.0.11"
            ))
            .into());
        }
        Ok(Member {
            name: name.into(),
            address,
        })
    });
    let members: Vec<Member> = members.collect::<Result<_, Stop>>()?;
    for (number, member) in members.iter().enumerate() {
        let mut others = members[..number].iter();
        if let Some(same) = others.find(|other| other.address == member.address) {
            return Err(Diagnostic::at(
                &at,
                format!(
                    "{} and {} have the same address {}",
                    same.name, member.name, member.address
                ),
            )
            .help("give each a `private_address` of its own in the inventory")
            .into());
        }
    }
    Ok(members)
}
