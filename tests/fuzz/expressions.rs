//! Texts of others that templates take apart: by filters and tests, and by lookups in the controller's files.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hadeploy::source::{Source, Span};
use hadeploy::template::{Lookup, Scope, Surroundings};
use hadeploy::value::Value;

use crate::targets::read::{TEMPLATES, file, text};

/// What is done with the text `a`.
const FILTERS: &[&str] = &[
    "a | from_yaml",
    "a | from_yaml_all | list",
    "a | from_json",
    "a | from_csv",
    "a | from_csv(dialect='unix', delimiter=';')",
    "a | from_ini",
    "a | b64decode",
    "a | urlsplit",
    "a | urldecode | urlencode",
    "a | regex_replace('(a|b)+', '\\\\1x')",
    "'text' | regex_search(a)",
    "'text text' | regex_findall(a)",
    "'text' | regex_replace(a, 'x')",
    "'text' | regex_replace('t(e)', a)",
    "a | regex_escape",
    "a is match('a.*b')",
    "a is version('1.2', '>=')",
    "a is version('1.2', 'lt', version_type='semver')",
    "a is version('1.2', 'lt', version_type='loose')",
    "[a, '1.10', '1.9'] | version_sort",
    "a | human_to_bytes",
    "a | int",
    "a | int(base=16)",
    "a | float",
    "a | bool",
    "a | ipaddr",
    "a | ipaddr('network')",
    "a | ipaddr('net')",
    "a | ipv6('address')",
    "a | ipsubnet(28, 1)",
    "a | ipmath(5)",
    "a | nthhost(1)",
    "a | ipwrap",
    "a | ip4_hex",
    "a | slaac('1a:2b:3c:4d:5e:6f')",
    "'10.0.0.0/24' | ipaddr(a)",
    "[a, '10.0.0.0/24'] | cidr_merge",
    "a | hwaddr('cisco')",
    "a | usable_range | length",
    "a is in_network('10.0.0.0/8')",
    "a is ipv6_teredo",
    "a is mac",
    "a is url",
    "a is urn",
    "a is fqdn_valid",
    "a | strftime(0)",
    "'%Y' | strftime(a)",
    "a | to_uuid",
    "a | to_seconds",
    "a | to_time_unit('h')",
    "a | json_query('x[0].y')",
    "{'x': [1, {'y': 2}]} | json_query(a)",
    "a | splitext",
    "a | win_splitdrive",
    "a | win_dirname",
    "a | relpath('/etc')",
    "a | normpath",
    "[a, '/x'] | commonpath",
    "a | comment('c')",
    "a | comment(decoration=a)",
    "a | wordwrap(20)",
    "a | truncate(9, true)",
    "a | indent(2)",
    "a | striptags",
    "a | title",
    "a | format(1, 2)",
    "a % 1",
    "a.format(1, x=2)",
    "a.split(',')",
    "a | split('\\n')",
    "a | quote",
    "a | to_nice_yaml",
    "a | to_nice_json",
    "a | wordcount",
    "a | center(40)",
    "a | filesizeformat",
    "a | random_mac(seed='x')",
    "a | hash('sha1')",
    "a | checksum",
    "a | dict_kv('k')",
    "a[1:3] ~ a[::-1]",
];

/// The text `a`.
struct Text(Value);

impl Scope for Text {
    fn lookup(&self, name: &str) -> Lookup {
        match name {
            "a" => Lookup::Ready(minijinja::Value::from(self.0.as_str())),
            _ => Lookup::Undefined,
        }
    }

    fn names(&self) -> Vec<String> {
        vec!["a".to_owned()]
    }
}

/// How many of them come to a value.
fn evaluated(expressions: &[&str], scope: &Arc<dyn Scope>) -> usize {
    expressions
        .iter()
        .filter(|expression| {
            let expression = Value::str(expression, &Span::synthetic("f"));
            match TEMPLATES.eval(&expression, scope) {
                Ok(value) => {
                    value.to_json();
                    true
                }
                Err(_) => false,
            }
        })
        .count()
}

pub fn filters(bytes: &[u8]) -> bool {
    let value = Value::str(&text(bytes), &Span::synthetic("f"));
    let scope: Arc<dyn Scope> = Arc::new(Text(value));
    evaluated(FILTERS, &scope) > FILTERS.len() / 2
}

/// Lookups that read the file `f`.
const LOOKUPS: &[&str] = &[
    "lookup('file', 'f')",
    "lookup('unvault', 'f')",
    "lookup('template', 'f')",
    "lookup('csvfile', 'key', file='f', delimiter=',')",
    "lookup('csvfile', 'key', file='f', delimiter='TAB', col=2)",
    "lookup('ini', 'key', file='f', section='web')",
    "lookup('ini', '.*', file='f', section='web', re=true)",
    "lookup('ini', 'key', file='f', section='web', interpolation=false)",
    "lookup('ini', 'key', file='f', type='properties')",
    "lookup('password', 'f')",
    "lookup('password', 'f', length=20, chars=['digits'])",
    "query('fileglob', 'f*')",
    "lookup('first_found', ['x', 'f'])",
];

/// One whose thousands of rounds take longer than all others: only some inputs are read by it.
const ENCRYPTED: &[&str] = &["lookup('password', 'f', encrypt='sha256_crypt', ident='5')"];

/// A controller whose only file is this.
struct Desk(PathBuf);

impl Scope for Desk {
    fn lookup(&self, _: &str) -> Lookup {
        Lookup::Undefined
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }

    fn surroundings(&self) -> Option<&dyn Surroundings> {
        Some(self)
    }
}

impl Surroundings for Desk {
    fn places(&self, name: &str, _: &str) -> Vec<PathBuf> {
        vec![self.playbook().join(name)]
    }

    fn playbook(&self) -> PathBuf {
        self.0.parent().expect("a folder").to_owned()
    }

    fn awaited(&self) -> Option<String> {
        None
    }

    fn read(&self, path: &Path) -> Result<Arc<Source>, String> {
        let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
        let text = String::from_utf8(bytes).map_err(|error| error.to_string())?;
        Ok(Source::new("f", text))
    }

    fn acts(&self) -> bool {
        false
    }

    fn keep(&self, _: &Path, _: &str) -> io::Result<()> {
        unreachable!("nothing is kept where nothing is done")
    }

    fn hide(&self, _: &str) {}

    fn hosts(&self, _: &str) -> Result<Vec<String>, String> {
        Ok(Vec::new())
    }
}

pub fn lookups(bytes: &[u8]) -> bool {
    let scope: Arc<dyn Scope> = Arc::new(Desk(file("f", bytes)));
    if bytes.len().is_multiple_of(16) {
        evaluated(ENCRYPTED, &scope);
    }
    evaluated(LOOKUPS, &scope) > LOOKUPS.len() / 2
}
