//! How long a password holds: the fields of shadow that `chage` sets.

use super::fault;
use crate::change::Field;
use crate::command::{Command, quote};
use crate::fact::Aging;
use crate::resource::Args;
use crate::template::Stop;

/// The parameter, the option of `chage` and the column in shadow of each field, in the order of [`Wanted`].
const FIELDS: [(&str, &str, u8); 4] = [
    ("password_expire_min", "--mindays", 4),
    ("password_expire_max", "--maxdays", 5),
    ("password_expire_warn", "--warndays", 6),
    ("password_expire_account_disable", "--inactive", 7),
];

/// Days; what is none is left as it is, and the inner none empties the field, which switches off what it says.
pub(super) struct Wanted([Option<Option<u32>>; 4]);

impl Wanted {
    pub(super) fn new(args: &Args) -> Result<Wanted, Stop> {
        let mut wanted = [None; 4];
        for ((param, ..), days) in FIELDS.iter().zip(&mut wanted) {
            *days = match args.int(param) {
                None => None,
                Some(-1) => Some(None),
                Some(number) => match u32::try_from(number) {
                    Ok(number) => Some(Some(number)),
                    Err(_) => {
                        return Err(fault(
                            args,
                            param,
                            &format!("`{param}` is a number of days"),
                            Some("write 0 or more, or -1 for none"),
                        ));
                    }
                },
            };
        }
        Ok(Wanted(wanted))
    }

    /// What differs from what is there, which is none of an account that is still to be made; its command, and what will be there.
    pub(super) fn update(
        &self,
        name: &str,
        found: Option<&Aging>,
    ) -> (Vec<Field>, Option<Command>, Aging) {
        let mut end = found.copied().unwrap_or_default();
        let mut fields = Vec::new();
        let mut command = Command::new("chage");
        let Aging {
            min,
            max,
            warn,
            inactive,
        } = &mut end;
        let places = [min, max, warn, inactive];
        for (((param, option, _), wanted), place) in FIELDS.iter().zip(&self.0).zip(places) {
            let Some(wanted) = wanted.filter(|wanted| found.is_none() || wanted != place) else {
                continue;
            };
            let before = match found {
                None => String::new(),
                Some(_) => words(*place),
            };
            fields.push(Field::value(*param, before, words(wanted)));
            let days = wanted.map_or("-1".to_owned(), |days| days.to_string());
            command = command.arg(*option).arg(days);
            *place = wanted;
        }
        let command = (!fields.is_empty()).then(|| command.arg("--").arg(name));
        (fields, command, end)
    }

    /// What must be in shadow behind the step: the field, and a script that says what is there instead.
    pub(super) fn checks(&self, name: &str) -> impl Iterator<Item = (&'static str, String)> {
        let wanted = FIELDS.iter().zip(&self.0);
        wanted.filter_map(move |((param, _, column), wanted)| {
            let days = (*wanted)?.map_or(String::new(), |days| days.to_string());
            let script = format!(
                "found=$(getent shadow -- {} | cut -d : -f {column})\n[ \"$found\" = '{days}' ] || {{ printf %s \"$found\"; exit 1; }}",
                quote(name)
            );
            Some((*param, script))
        })
    }
}

fn words(days: Option<u32>) -> String {
    days.map_or("none".to_owned(), |days| days.to_string())
}
