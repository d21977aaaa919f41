//! What roles may do with objects: compared, and the statements that mend it.

use std::collections::BTreeMap;

use crate::change::Field;
use crate::fact::postgres::{Grant, ObjectAcl};
use crate::sql;

/// How the statements of an object's kind read.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Style {
    /// `GRANT … ON TABLE …`.
    On(&'static str),
    /// `ALTER DEFAULT PRIVILEGES … GRANT … ON TABLES …`, in that schema.
    Default(Option<String>),
    /// `GRANT group TO …`.
    Group,
}

/// What roles are to have.
pub(super) struct Wanted {
    pub(super) style: Style,
    pub(super) roles: Vec<String>,
    /// None for all that the object knows.
    pub(super) privileges: Option<Vec<String>>,
    pub(super) present: bool,
    /// Whether they may grant it to others; none where that does not matter.
    pub(super) grantable: Option<bool>,
}

/// What is to be done.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) fields: Vec<Field>,
    pub(super) statements: Vec<String>,
    /// The objects as they will be.
    pub(super) after: Vec<ObjectAcl>,
    /// Object, role, privilege, whether it is to be there, and whether grantable.
    pub(super) wanted: Vec<(String, String, String, bool, Option<bool>)>,
}

/// At most so many objects are shown one by one.
const SHOWN: usize = 20;

/// What a statement does, without its objects.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Verb {
    Revoke,
    RevokeOption,
    Grant,
    GrantWithOption,
}

impl Wanted {
    /// A privilege that an object does not know.
    pub(super) fn unknown<'a>(
        &'a self,
        objects: &'a [ObjectAcl],
    ) -> Option<(&'a str, &'a ObjectAcl)> {
        let wanted = self.privileges.as_deref().unwrap_or_default();
        objects.iter().find_map(|object| {
            let unknown = wanted.iter().find(|it| !object.all.contains(it))?;
            Some((unknown.as_str(), object))
        })
    }

    pub(super) fn compare(&self, objects: &[ObjectAcl]) -> Outcome {
        let mut outcome = Outcome::default();
        let mut groups: BTreeMap<(Verb, &str, Vec<String>), Vec<&ObjectAcl>> = BTreeMap::new();
        for object in objects {
            let mut after = object.clone();
            let wanted = self.privileges.as_ref().unwrap_or(&object.all);
            for role in &self.roles {
                let before = shown(&after, role);
                let mut changes: BTreeMap<Verb, Vec<String>> = BTreeMap::new();
                for privilege in wanted {
                    // Its owner may grant it anyway.
                    let grantable = self
                        .grantable
                        .filter(|_| self.present && *role != object.owner);
                    outcome.wanted.push((
                        object.name.clone(),
                        role.clone(),
                        privilege.clone(),
                        self.present,
                        grantable,
                    ));
                    if let Some(verb) = self.verb(&mut after, role, privilege, grantable) {
                        changes.entry(verb).or_default().push(privilege.clone());
                    }
                }
                if changes.is_empty() {
                    continue;
                }
                if outcome.fields.len() < SHOWN {
                    let field = format!("{role} on {}", object.name);
                    outcome
                        .fields
                        .push(Field::value(field, before, shown(&after, role)));
                } else if outcome.fields.len() == SHOWN {
                    outcome
                        .fields
                        .push(Field::value("more objects", "", "as wanted"));
                }
                for (verb, privileges) in changes {
                    groups
                        .entry((verb, role, privileges))
                        .or_default()
                        .push(object);
                }
            }
            outcome.after.push(after);
        }
        for ((verb, role, privileges), objects) in groups {
            outcome
                .statements
                .extend(self.statements(&verb, role, &privileges, &objects));
        }
        outcome
    }

    /// What mends one privilege, which is then so in `after`.
    fn verb(
        &self,
        after: &mut ObjectAcl,
        role: &str,
        privilege: &str,
        grantable: Option<bool>,
    ) -> Option<Verb> {
        let is_it = |grant: &Grant| grant.to == role && grant.privilege == privilege;
        let found = after.grants.iter_mut().find(|grant| is_it(grant));
        match (found, self.present) {
            (None, false) => None,
            (Some(_), false) => {
                after.grants.retain(|grant| !is_it(grant));
                Some(Verb::Revoke)
            }
            (None, true) => {
                after.grants.push(Grant {
                    to: role.to_owned(),
                    privilege: privilege.to_owned(),
                    grantable: grantable == Some(true),
                });
                Some(match grantable {
                    Some(true) => Verb::GrantWithOption,
                    _ => Verb::Grant,
                })
            }
            (Some(grant), true) => {
                let wanted = grantable.filter(|wanted| *wanted != grant.grantable)?;
                grant.grantable = wanted;
                Some(match wanted {
                    true => Verb::GrantWithOption,
                    false => Verb::RevokeOption,
                })
            }
        }
    }

    fn statements(
        &self,
        verb: &Verb,
        role: &str,
        privileges: &[String],
        objects: &[&ObjectAcl],
    ) -> Vec<String> {
        let option = match self.style {
            Style::Group => "ADMIN OPTION",
            _ => "GRANT OPTION",
        };
        let (head, preposition, tail) = match verb {
            Verb::Revoke => ("REVOKE ".to_owned(), "FROM", String::new()),
            Verb::RevokeOption => (format!("REVOKE {option} FOR "), "FROM", String::new()),
            Verb::Grant => ("GRANT ".to_owned(), "TO", String::new()),
            Verb::GrantWithOption => ("GRANT ".to_owned(), "TO", format!(" WITH {option}")),
        };
        let role = match role {
            "PUBLIC" => role.to_owned(),
            role => sql::name(role),
        };
        let privileges = privileges.join(", ");
        let named = || {
            let names: Vec<&str> = objects.iter().map(|object| object.sql.as_str()).collect();
            names.join(", ")
        };
        match &self.style {
            Style::On(kind) => vec![format!(
                "{head}{privileges} ON {kind} {} {preposition} {role}{tail}",
                named()
            )],
            Style::Group => vec![format!("{head}{} {preposition} {role}{tail}", named())],
            Style::Default(schema) => {
                let space = schema
                    .as_ref()
                    .map(|schema| format!(" IN SCHEMA {}", sql::name(schema)));
                let space = space.unwrap_or_default();
                objects
                    .iter()
                    .map(|object| {
                        format!(
                            "ALTER DEFAULT PRIVILEGES FOR ROLE {}{space} {head}{privileges} ON {} {preposition} {role}{tail}",
                            sql::name(&object.owner),
                            object.sql
                        )
                    })
                    .collect()
            }
        }
    }
}

/// The privileges of a role as people read them: `INSERT,SELECT*`, where a star says that it may grant it to others.
fn shown(object: &ObjectAcl, role: &str) -> String {
    let mut words: Vec<String> = object
        .grants
        .iter()
        .filter(|grant| grant.to == role)
        .map(|grant| {
            format!(
                "{}{}",
                grant.privilege,
                if grant.grantable { "*" } else { "" }
            )
        })
        .collect();
    words.sort();
    words.join(",")
}
