//! What Ansible has and this has not, by name, with what to use instead.

/// Names with what to use instead.
pub(super) type Refused = &'static [(&'static str, &'static str)];

/// Functions.
pub(super) const FUNCTIONS: Refused = &[
    (
        "now",
        "a template that tells the time changes with every run; use the fact `ansible_date_time`",
    ),
    ("lipsum", "write the text"),
    ("cycler", "use `loop.cycle`"),
    ("joiner", "use `loop.last` or the `join` filter"),
];

const DEVICES: &str = "it is for network devices; nodes are Debian";
const OPENSSL: &str = "run `openssl` or `gpg` on the node with `command` and `register`";
const MERGED: &str = "use `combine`, `selectattr` and `json_query`";

/// Filters, by their last name; a full name counts where the last one means something else elsewhere.
pub(super) const FILTERS: Refused = &[
    (
        "ansible.utils.keep_keys",
        "`community.general.keep_keys` keeps keys of the mappings in a list, without going deeper",
    ),
    (
        "ansible.utils.remove_keys",
        "`community.general.remove_keys` removes keys of the mappings in a list, without going deeper",
    ),
    (
        "ansible.utils.replace_keys",
        "`community.general.replace_keys` renames keys of the mappings in a list, without going deeper",
    ),
    (
        "expanduser",
        "the controller's home folder is not the node's; write the path",
    ),
    (
        "expandvars",
        "the controller's environment is not the node's; use `lookup('env', …)`",
    ),
    (
        "vault",
        "a new vault differs with every run; encrypt with `hadeploy vault encrypt-string`",
    ),
    (
        "unvault",
        "values with `!vault` and files that are vaults are opened where they are read",
    ),
    (
        "to_datetime",
        "times are counted in seconds here: read them with `date +%s` on the node, and show them with `strftime`",
    ),
    ("urlize", "write the links"),
    ("comp_type5", DEVICES),
    ("hash_salt", DEVICES),
    ("parse_cli", DEVICES),
    ("parse_cli_textfsm", DEVICES),
    ("parse_xml", DEVICES),
    ("pop_ace", DEVICES),
    ("type5_pw", DEVICES),
    ("vlan_expander", DEVICES),
    ("vlan_parser", DEVICES),
    ("consolidate", MERGED),
    ("fact_diff", "`hadeploy plan` shows what differs"),
    (
        "from_xml",
        "read it on the node with `command: xmllint` and `register`",
    ),
    ("to_xml", "write the XML as a template"),
    (
        "get_path",
        "write the path, as in `x.a.b`, or use `json_query`",
    ),
    (
        "index_of",
        "use a `for` with `loop.index0`, or `json_query`",
    ),
    (
        "to_paths",
        "use `json_query`, or `dict2items` for each level",
    ),
    ("param_list_compare", "use `difference` and `union`"),
    ("validate", "use `assert` with tests"),
    ("gpg_fingerprint", OPENSSL),
    ("openssl_csr_info", OPENSSL),
    ("openssl_privatekey_info", OPENSSL),
    ("openssl_publickey_info", OPENSSL),
    ("parse_serial", OPENSSL),
    ("split_pem", OPENSSL),
    ("to_serial", OPENSSL),
    ("x509_certificate_info", OPENSSL),
    ("x509_crl_info", OPENSSL),
    ("hashids_decode", "use `hash` or `to_uuid`"),
    ("hashids_encode", "use `hash` or `to_uuid`"),
    ("jc", "let the program print JSON, and use `from_json`"),
    ("json_diff", "`hadeploy plan` shows what differs"),
    ("json_patch", "use `combine` with `recursive=true`"),
    ("json_patch_recipe", "use `combine` with `recursive=true`"),
    ("reveal_ansible_type", "use `type_debug`"),
    (
        "to_prettytable",
        "use `to_nice_yaml`, or a template with `format`",
    ),
    (
        "unicode_normalize",
        "write the text in the form it is to have",
    ),
];

const NO_ASYNC: &str = "there is no `async` here: what is registered has ended";

/// Tests, in the same way.
pub(super) const TESTS: Refused = &[
    ("started", NO_ASYNC),
    ("finished", NO_ASYNC),
    (
        "vault_encrypted",
        "values with `!vault` are opened where they are read, so none is encrypted here",
    ),
    ("callable", "no value is a function here"),
    ("escaped", "no text is escaped here unless `escape` did it"),
    (
        "resolvable",
        "it asks the controller's resolver; use `getent` on the node with `command`",
    ),
    ("validate", "use `assert` with other tests"),
    ("a_module", "`hadeploy doc` lists the kinds there are"),
    (
        "ansible_type",
        "use `type_debug`, or tests such as `string` and `mapping`",
    ),
];

const SECRETS: &str = "let the program of that store print the secret, with `lookup('pipe', …)`, or keep it in a vault";
const CHANCE: &str = "it gives something else with every run; use `lookup('password', FILE)`, or `random` with a `seed`";
const FROM_NETWORK: &str = "it asks the network from the controller; use `lookup('pipe', …)`, or `uri` on a node with `register`";

/// Lookups, in the same way.
pub(super) const LOOKUPS: Refused = &[
    (
        "config",
        "there are no settings of Ansible here; `hadeploy.yml` holds this tool's own",
    ),
    ("url", FROM_NETWORK),
    (
        "random_choice",
        "it gives something else with every run; use the filter `random` with a `seed`",
    ),
    ("random_pet", CHANCE),
    ("random_string", CHANCE),
    ("random_words", CHANCE),
    ("dig", FROM_NETWORK),
    ("dnstxt", FROM_NETWORK),
    ("consul_kv", FROM_NETWORK),
    ("etcd", FROM_NETWORK),
    ("etcd3", FROM_NETWORK),
    ("redis", FROM_NETWORK),
    ("chef_databag", FROM_NETWORK),
    (
        "hiera",
        "use `lookup('pipe', 'hiera …')`, or variables of groups",
    ),
    ("github_app_access_token", SECRETS),
    ("bitwarden", SECRETS),
    ("bitwarden_secrets_manager", SECRETS),
    ("credstash", SECRETS),
    ("cyberarkpassword", SECRETS),
    ("dsv", SECRETS),
    ("keyring", SECRETS),
    ("lastpass", SECRETS),
    ("onepassword", SECRETS),
    ("onepassword_doc", SECRETS),
    ("onepassword_raw", SECRETS),
    ("onepassword_ssh_key", SECRETS),
    ("passwordstore", SECRETS),
    ("revbitspss", SECRETS),
    ("tss", SECRETS),
    (
        "lmdb_kv",
        "use `lookup('csvfile', …)` or `lookup('ini', …)`",
    ),
    (
        "shelvefile",
        "use `lookup('csvfile', …)` or `lookup('ini', …)`",
    ),
    ("binary_file", "use `copy` with the file as its `src`"),
    ("collection_version", "there are no collections here"),
    (
        "dependent",
        "use nested loops of `include_tasks`, or `product`",
    ),
    (
        "filetree",
        "use `copy` with a folder as its `src`, or `config_tree`",
    ),
    (
        "merge_variables",
        "use `lookup('varnames', …)` with `lookup('vars', …)` and `combine`",
    ),
    (
        "get_path",
        "write the path, as in `x.a.b`, or use `json_query`",
    ),
    (
        "index_of",
        "use a `for` with `loop.index0`, or `json_query`",
    ),
    (
        "to_paths",
        "use `json_query`, or `dict2items` for each level",
    ),
    ("validate", "use `assert` with tests"),
    ("gpg_fingerprint", OPENSSL),
];

/// What to use instead of a name: by its full name, by its last, or by the collection it is in.
pub(super) fn instead(table: Refused, name: &str) -> Option<String> {
    let last = name.rsplit('.').next().unwrap_or(name);
    let row = |wanted: &str| table.iter().find(|(known, _)| *known == wanted);
    if let Some((_, instead)) = row(name).or_else(|| row(last)) {
        return Some((*instead).to_owned());
    }
    let (collection, _) = name.rsplit_once('.')?;
    let ours = ["ansible.builtin", "ansible.utils", "community.general"];
    (!ours.contains(&collection)).then(|| {
        format!("plugins of `{collection}` need Python; of collections, those of ansible.utils and community.general are here")
    })
}
