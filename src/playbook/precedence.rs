//! Who wins where several set a variable: one order, which the engine's scopes and `hadeploy explain` go through.

/// A place that may give a name its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// `-e`.
    Extra,
    /// Parameters of roles, `vars` of an include.
    Params,
    /// What tasks set while they run.
    Set,
    /// `vars` of imports, of blocks and of the task; of a role's task also those of its role.
    TaskVars,
    /// `vars/` of the roles that the whole play sees.
    RoleVars,
    /// `vars_files`.
    VarsFiles,
    /// `vars` of the play, and the answers to `vars_prompt`.
    PlayVars,
    /// What is there without anyone setting it.
    Magic,
    /// Facts that tasks bring under their own name.
    Brought,
    /// The inventory, with `group_vars` and `host_vars`.
    Inventory,
    /// `ansible_…` of the node, and of the connection to it.
    Facts,
    /// Defaults of a role's own tasks, then of the roles that the whole play sees.
    Defaults,
}

/// The strongest first, as in Ansible:
/// <https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_variables.html#understanding-variable-precedence>.
pub const STRONGEST_FIRST: [Layer; 12] = [
    Layer::Extra,
    Layer::Params,
    Layer::Set,
    Layer::TaskVars,
    Layer::RoleVars,
    Layer::VarsFiles,
    Layer::PlayVars,
    Layer::Magic,
    Layer::Brought,
    Layer::Inventory,
    Layer::Facts,
    Layer::Defaults,
];
