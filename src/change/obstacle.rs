//! What keeps a node from its wanted state.

/// Why a wanted state cannot be reached from what is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// One sentence.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Whether an earlier task of the same run could take it away (a unit or account that does not exist yet):
    /// a plan then says *known after*, an apply looks again when its turn has come.
    pub may_vanish: bool,
}
