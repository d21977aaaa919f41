//! The parameters of a kind: name, type, whether needed, and what each means. Docs, checks and suggestions come from here.

/// One parameter.
#[derive(Debug, Clone, Copy)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// Ansible's other names for it.
    pub aliases: &'static [&'static str],
    /// What values it takes.
    pub ty: ParamType,
    /// Whether it must be given.
    pub required: bool,
    /// The value when it is not given, as a user would write it; empty for none.
    pub default: &'static str,
    /// Of a path: whether it may be relative, to the folder that commands begin in.
    pub relative: bool,
    /// What it means, one or two sentences.
    pub doc: &'static str,
}

/// What values a parameter takes. Coercions are Ansible's: `"yes"` is a boolean, `"3"` a number, `a,b` a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParamType {
    /// Text; numbers and booleans are written out.
    Str,
    /// A path on the node; absolute, or `~` and `~user`.
    Path,
    /// A path on the controller.
    Source,
    /// true, false, yes, no, on, off, 1, 0.
    Bool,
    /// A whole number.
    Int,
    /// A number.
    Float,
    /// File permissions: `'0644'`, 0644, `u=rw,g=r,o=r`.
    Mode,
    /// A list of texts, or text with commas.
    List,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A mapping.
    Map,
    /// Any value.
    Any,
    /// A Jinja expression or a list of them, not rendered before it is used (`that`, `var`).
    Expression,
}

impl Param {
    /// The name of a parameter that stands for any name the user chooses (`set_fact`); see `Args::open`.
    pub const OPEN: &str = "*";

    /// An optional parameter.
    pub const fn new(name: &'static str, ty: ParamType, doc: &'static str) -> Param {
        Param {
            name,
            aliases: &[],
            ty,
            required: false,
            default: "",
            relative: false,
            doc,
        }
    }

    /// Makes it required.
    pub const fn required(mut self) -> Param {
        self.required = true;
        self
    }

    /// Lets a path be relative.
    pub const fn relative(mut self) -> Param {
        self.relative = true;
        self
    }

    /// Ansible's other names for it.
    pub const fn aliases(mut self, aliases: &'static [&'static str]) -> Param {
        self.aliases = aliases;
        self
    }

    /// The value when it is not given.
    pub const fn default(mut self, default: &'static str) -> Param {
        self.default = default;
        self
    }
}
