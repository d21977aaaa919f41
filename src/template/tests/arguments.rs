//! Arguments of filters and tests that are judged before anything has a value.

use super::*;
use crate::source::Span;

fn said(template: &str) -> Vec<String> {
    let templates = Templates::new();
    let value = Value::str(
        template,
        &Span::new(&Source::new("t", template), 0, template.len() as u32),
    );
    let faults = templates.check(&value);
    faults.iter().map(Diagnostic::one_line).collect()
}

#[test]
fn wrong_arguments_are_told_at_their_place() {
    for (template, words) in [
        (
            "{{ x | regex_replace('a', 'b', cuont=1) }}",
            "t:1:32: `regex_replace`: no argument `cuont`; did you mean `count`?",
        ),
        (
            "{{ x | regex_replace('a', 'b', pattern=y) }}",
            "t:1:32: `regex_replace`: `pattern` is given twice",
        ),
        (
            "{{ x | regex_findall(a, b, c, d) }}",
            "t:1:22: `regex_findall`: too many arguments; it takes `regex`, `multiline`, `ignorecase`",
        ),
        (
            "{{ x | upper('a') }}",
            "t:1:14: `upper`: too many arguments",
        ),
        (
            "{% if x | regex_search('(') %}a{% endif %}",
            "t:1:24: `regex_search`: not a regular expression",
        ),
        (
            "{{ x | regex_replace('[a', 'b') }}",
            "t:1:22: `regex_replace`: not a regular expression",
        ),
        (
            "{{ x is match('a(') }}",
            "t:1:15: `match`: not a regular expression",
        ),
        (
            "{{ x is not search(pattern='*') }}",
            "t:1:20: `search`: not a regular expression",
        ),
        (
            "{{ x is version('1', '>', strit=true) }}",
            "t:1:27: `version`: no argument `strit`",
        ),
        ("{{ x | hash('sha3') }}", "t:1:13: `hash`: `hash` knows md5"),
        (
            "{{ x | password_hash('md4') }}",
            "t:1:22: `password_hash`: the kind of hash is sha512, sha256 or blowfish",
        ),
        (
            "{{ x | ansible.builtin.password_hash(hashtype='md4', rounds=r) }}",
            "`password_hash`: the kind of hash is",
        ),
        (
            "{{ (x | combine(y, recursiv=true)).z }}",
            "t:1:20: `combine`: no argument `recursiv`; did you mean `recursive`?",
        ),
    ] {
        let found = said(template);
        assert_eq!(found.len(), 1, "{template}: {found:?}");
        assert!(found[0].contains(words), "{template}: {found:?}");
    }
}

#[test]
fn what_may_be_right_is_not_told_of() {
    for template in [
        "{{ x | regex_replace('\\\\.(\\d+)$', '\\\\1', count=n, ignorecase=true) }}",
        "{{ x | regex_replace(pattern, '', **options) }}",
        "{{ x | regex_search(p ~ '(') }}",
        "{{ x | regex_search('(' ~ y ~ ')', '\\\\1') }}",
        "{{ x | password_hash(kind, 'salt', rounds=5000) }}",
        "{{ x | password_hash('sha512', rounds=5000) }}",
        "{{ x | combine(a, b, c, recursive=true, list_merge='append') }}",
        "{{ x | map(attribute=name, default='-') | join(', ') }}",
        "{{ x | map('extract', hostvars, ['a', 'b']) | list }}",
        "{{ x | selectattr('a', 'match', '^b') | rejectattr(y, 'in', z) | list }}",
        "{{ x | default('a', true) | bool | ternary('b', 'c', 'd') }}",
        "{{ x | to_nice_json(indent=2, sort_keys=false) | b64encode }}",
        "{{ x | to_nice_yaml(indent=2, width=1000) | indent(4, first=true) }}",
        "{{ x | dict2items(key_name='a', value_name='b') | items2dict }}",
        "{{ x | subelements('a', skip_missing=true) | sort(attribute='b', reverse=true) }}",
        "{{ x | ipaddr('network/prefix') }} {{ x | ipaddr(y) }} {{ x | ipsubnet(24, 1) }}",
        "{{ x | zip(y, z) | zip_longest(a, fillvalue='-') | random(seed=s) }}",
        "{{ x is version(y, '>=', version_type='semver') and x is match(y) }}",
        "{{ x is divisibleby(3) or x is in(y) or x is contains(z) or x is subset(y) }}",
        "{{ x | replace('(', '[') | split('(') | join('(') | truncate(5, true, '') }}",
        "{{ x | strftime('%H') if x | int(0, 16) else x | round(2, 'floor') }}",
        "{{ x | hash('sha256') | checksum | to_uuid(namespace=n) | comment('xml', prefix='') }}",
    ] {
        assert_eq!(said(template), Vec::<String>::new(), "{template}");
    }
}
