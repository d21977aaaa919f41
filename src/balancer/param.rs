//! The parameters of the providers: what they are called, what they take, and what they mean.

/// One way to talk to a balancer.
#[derive(Debug)]
pub struct Provider {
    /// Its name under `balancer:`.
    pub name: &'static str,
    /// What it does, one or two sentences.
    pub doc: &'static str,
    /// What it takes.
    pub params: &'static [Param],
    /// What it takes of the settings of [`READINESS`].
    pub shared: &'static [&'static str],
}

/// One parameter.
#[derive(Debug, Clone, Copy)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// What values it takes.
    pub ty: Type,
    /// Whether it must be given.
    pub required: bool,
    /// Whether it may be another for each host; it is rendered with the host's variables.
    pub per_host: bool,
    /// The value when it is not given, as a user would write it; empty for none.
    pub default: &'static str,
    /// What it means, one or two sentences.
    pub doc: &'static str,
}

/// What values a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Text; whole numbers are written out.
    Text,
    /// Text that is never shown.
    Secret,
    /// An absolute path on a host.
    Path,
    /// true or false.
    Bool,
    /// A whole number from 1.
    Count,
    /// A time: `30s`, `2m`, or a number of seconds.
    Time,
    /// A list of texts, or text with commas.
    List,
    /// A list of port numbers.
    Ports,
    /// A program with its arguments as a list, or one text for `sh`.
    Argv,
}

impl Type {
    /// `text`, `a time like 30s` …
    pub fn words(self) -> &'static str {
        match self {
            Type::Text | Type::Secret => "text",
            Type::Path => "an absolute path",
            Type::Bool => "true or false",
            Type::Count => "a whole number from 1",
            Type::Time => "a time like `30s`, or seconds",
            Type::List => "a list of names",
            Type::Ports => "a list of ports",
            Type::Argv => "a list of a program and its arguments, or one text for sh",
        }
    }
}

impl Param {
    const fn new(name: &'static str, ty: Type, doc: &'static str) -> Param {
        Param {
            name,
            ty,
            required: false,
            per_host: false,
            default: "",
            doc,
        }
    }

    const fn required(mut self) -> Param {
        self.required = true;
        self
    }

    const fn per_host(mut self) -> Param {
        self.per_host = true;
        self
    }

    const fn default(mut self, default: &'static str) -> Param {
        self.default = default;
        self
    }
}

impl Provider {
    /// All that it takes, its own first.
    pub fn all(&self) -> impl Iterator<Item = &'static Param> + use<> {
        let shared = self.shared;
        let common = READINESS.params.iter().chain([&WITH_FLAGS]);
        self.params
            .iter()
            .chain(common.filter(move |param| shared.contains(&param.name)))
    }

    /// One parameter.
    pub fn param(&self, name: &str) -> Option<&'static Param> {
        self.all().find(|param| param.name == name)
    }
}

/// All providers.
pub const PROVIDERS: &[&Provider] = &[&READINESS, &HAPROXY, &DIGITALOCEAN, &COMMAND];

/// Works with every balancer that asks the nodes for their health; taken when nothing is written.
pub const READINESS: Provider = Provider {
    name: "readiness",
    doc: "The node itself answers 503 on its health page, and hadeploy waits until the balancer's own probes have got that answer often enough. Works with every balancer that asks `/healthz`, and needs no access to it.",
    params: &[
        Param::new("health_log", Type::Path, "The file in which the node's nginx notes each probe: address, status and time, `$remote_addr $status $msec`.")
            .default("/var/log/nginx/healthz.log"),
        Param::new("interval", Type::Time, "How often the balancer asks each node. Who has not asked for three of these does not count any more.")
            .default("2s"),
        Param::new("unhealthy_threshold", Type::Count, "After how many bad answers the balancer takes a node out.").default("3"),
        Param::new("healthy_threshold", Type::Count, "After how many good answers the balancer takes a node back.").default("3"),
        Param::new("ports", Type::Ports, "The node's ports whose established connections are waited for.").default("443, 80"),
        Param::new("drain_timeout", Type::Time, "How long connections may take to end once no new ones come. What is left then is cut by what follows, and told.")
            .default("30s"),
        Param::new("require_probes", Type::Bool, "Whether it is an error that no balancer asks the node. With `false` such a node counts as drained at once.")
            .default("true"),
        Param::new("reload", Type::Text, "A systemd unit to reload once no new connections come, such as `nginx`: nginx then closes idle connections at once, also those of HTTP/2."),
    ],
    shared: &[],
};

const WITH_FLAGS: Param = Param::new(
    "readiness",
    Type::Bool,
    "Whether the node itself also answers 503 while it is out, so that connections that are kept open end.",
)
.default("true");

/// HAProxy through its runtime socket.
pub const HAPROXY: Provider = Provider {
    name: "haproxy",
    doc: "HAProxy, told through its runtime socket on each of its hosts. The node's own health page answers 503 as well while it is out.",
    params: &[
        Param::new(
            "hosts",
            Type::List,
            "The hosts of the inventory on which HAProxy runs. Each must answer, and each is set.",
        )
        .required(),
        Param::new(
            "backend",
            Type::List,
            "The backend in which the node is a server, or several.",
        )
        .required(),
        Param::new(
            "server",
            Type::Text,
            "The node's name as a server of the backends; its name in the inventory if not given.",
        )
        .per_host(),
        Param::new(
            "socket",
            Type::Path,
            "The runtime socket; it must be of `level admin`.",
        )
        .default("/run/haproxy/admin.sock"),
        Param::new(
            "enable_timeout",
            Type::Time,
            "How long HAProxy may take to find the node healthy again.",
        )
        .default("60s"),
    ],
    shared: &["ports", "drain_timeout", "reload", "readiness"],
};

/// DigitalOcean load balancers through their API.
pub const DIGITALOCEAN: Provider = Provider {
    name: "digitalocean",
    doc: "A DigitalOcean load balancer. The node drains by its health page first, as the balancer's own settings say; then its droplet is taken from the balancer, or its tag from the droplet where the balancer goes by a tag.",
    params: &[
        Param::new("load_balancer", Type::Text, "The load balancer's id.").required(),
        Param::new("droplet", Type::Text, "The id of the node's droplet.").required().per_host(),
        Param::new("token", Type::Secret, "An access token with the scopes `load_balancer:read` and `load_balancer:update`; for a balancer that goes by a tag also `tag:create`, `tag:delete` and `droplet:update`.").required(),
        Param::new("api", Type::Text, "Where the API is.").default("https://api.digitalocean.com"),
        Param::new("api_timeout", Type::Time, "How long to go on while the balancer is busy with earlier changes, the API limits requests, or a change does not show.").default("5m"),
    ],
    shared: &["health_log", "ports", "drain_timeout", "require_probes", "reload", "readiness"],
};

/// The user's own programs.
pub const COMMAND: Provider = Provider {
    name: "command",
    doc: "Your own programs on the controller. Each gets a JSON object on standard input: action, host, address, server and run_id. Another exit status than 0 is an error with what it wrote on standard error.",
    params: &[
        Param::new("state", Type::Argv, "Writes a JSON object: `state` is one of in_service, draining, out, down and unknown; `sessions` a number if it is known; `why` may say more.").required(),
        Param::new("drain", Type::Argv, "Takes the node out and returns when it gets no new connections and the old ones have ended. May write a JSON object whose `sessions` says how many stayed.").required(),
        Param::new("enable", Type::Argv, "Puts the node back. What `state` says is then asked until it is in_service.").required(),
        Param::new("server", Type::Text, "What the programs are told as the balancer's name of the node; its name in the inventory if not given.").per_host(),
        Param::new("timeout", Type::Time, "How long each program may run, and how long the node may take to be in service again.").default("2m"),
    ],
    shared: &["ports", "drain_timeout", "reload", "readiness"],
};
