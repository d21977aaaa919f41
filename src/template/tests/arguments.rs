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
        (
            "{{ lookup('csvfile', 'key', file='a.csv', colm=2) }}",
            "t:1:43: `csvfile`: no argument `colm`; did you mean `col`?",
        ),
        (
            "{{ query('csvfile', 'key', col='two') }}",
            "t:1:28: `csvfile`: `col` is the number of a column",
        ),
        (
            "{{ lookup('csvfile', 'key', delimiter='ab', errors='strict') }}",
            "t:1:29: `csvfile`: ",
        ),
        (
            "{{ lookup('password', 'file', encrypt='nope') }}",
            "t:1:31: `password`: the kind of hash is sha512, sha256 or blowfish",
        ),
        (
            "{{ lookup('ansible.builtin.password', 'file length=0') }}",
            "t:1:39: `password`: `length` is 1 to 10000",
        ),
        (
            "{{ lookup('password', 'file', length=0) }}",
            "t:1:31: `password`: `length` is 1 to 10000",
        ),
        (
            "{{ lookup('password', 'file lenght=15') }}",
            "t:1:23: `password`: no option `lenght`; did you mean `length`?",
        ),
        (
            "{{ lookup('ini', 'key', type='toml') }}",
            "t:1:25: `ini`: `type` is ini or properties",
        ),
        (
            "{{ lookup('env', 'HOME', dflt=x) }}",
            "t:1:26: `env`: no argument `dflt`; it takes `default`",
        ),
        (
            "{{ lookup('pipe', 'date', errors='never') }}",
            "t:1:27: `pipe`: `errors` is strict, warn or ignore",
        ),
        (
            "{{ x | ipaddr('nonsense') }}",
            "t:1:15: `ipaddr`: no query of this name",
        ),
        (
            "{{ x | ansible.utils.ipv4(query='adress') }}",
            "t:1:27: `ipv4`: no query of this name; did you mean `address`?",
        ),
        (
            "{{ x | hwaddr('linus') }}",
            "t:1:15: `hwaddr`: no query of this name; did you mean `linux`?",
        ),
        (
            "{{ x | cidr_merge('join') }}",
            "t:1:19: `cidr_merge`: `action` is merge or span",
        ),
        (
            "{{ x | map('regex_replace', '(', 'b') | list }}",
            "t:1:29: `regex_replace`: not a regular expression",
        ),
        (
            "{{ x | map('ipaddr', 'nonsense') | list }}",
            "t:1:22: `ipaddr`: no query of this name",
        ),
        (
            "{{ x | map('combine', y, recursiv=true) | list }}",
            "t:1:26: `combine`: no argument `recursiv`",
        ),
        (
            "{{ x | select('match', '*') | list }}",
            "t:1:24: `match`: not a regular expression",
        ),
        (
            "{{ x | rejectattr('a', 'version', '1', '>', strit=true) }}",
            "t:1:45: `version`: no argument `strit`",
        ),
        (
            "{{ x | map('regex_replac', 'a', 'b') | list }}",
            "t:1:12: the filter `regex_replac` is not supported",
        ),
        (
            "{{ x | selectattr('a', 'mach', 'b') | list }}",
            "t:1:24: the test `mach` is not supported",
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
        "{{ x | ipaddr('-1') }} {{ x | ipaddr(1) }} {{ x | ipaddr('10.0.0.0/8') }} {{ x | ipv6('') }}",
        "{{ x | map('ipaddr', 'address') | map('regex_replace', '^', 'a') | map(attribute='(') }}",
        "{{ x | map(f, '(') | select(t, '*') | selectattr(a, t, '(') | map('default', '') }}",
        "{{ x | select('>', 1) | reject('==', 2) | selectattr('a', '!=', 'b') | rejectattr('c') }}",
        "{{ x | map('upper') | select | map('ansible.builtin.b64decode') | select('defined') }}",
        "{{ x | map(attribute='a', default=d) | selectattr('b', 'undefined') | select('in', y) }}",
        "{{ lookup('csvfile', 'key file=a.csv col=2', delimiter=',', default=none, wantlist=true) }}",
        "{{ lookup('csvfile', k, colm=2, errors='ignore') }} {{ query(l, x, y, colm=2) }}",
        "{{ lookup('password', 'file length=' ~ n ~ ' encrypt=nope', chars=['digits'], seed=s) }}",
        "{{ lookup('password', 'f', length='20', encrypt='') }} {{ lookup('password', f, **o) }}",
        "{{ lookup('template', 'a.j2', template_vars={'a': 1}, trim_blocks=false) }}",
        "{{ lookup('first_found', {'files': ['a'], 'paths': b}, errors=e) }} {{ q('vars', 'a', default='') }}",
        "{{ lookup('ini', 'key', section='a', file='b', type='properties', re=true) }}",
        "{{ q('sequence', start=1, end=n, format='%02d') + query('dict', d) }}",
        "{{ x is version(y, '>=', version_type='semver') and x is match(y) }}",
        "{{ x is divisibleby(3) or x is in(y) or x is contains(z) or x is subset(y) }}",
        "{{ x | replace('(', '[') | split('(') | join('(') | truncate(5, true, '') }}",
        "{{ x | strftime('%H') if x | int(0, 16) else x | round(2, 'floor') }}",
        "{{ x | hash('sha256') | checksum | to_uuid(namespace=n) | comment('xml', prefix='') }}",
    ] {
        assert_eq!(said(template), Vec::<String>::new(), "{template}");
    }
}
