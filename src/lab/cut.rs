//! Cutting nodes off from each other, and healing it.

use super::cuts::Cuts;
use super::error::LabError;
use super::lock::Lock;
use super::node::Node;
use super::{Lab, PATIENCE, machine};

/// What is dropped when a node is cut off; always silently, connections that are open included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut<'a> {
    /// All packets between the node and every other node, also one that joins later.
    Nodes,
    /// These, and all between the node and this machine, and so the rest of the world.
    All,
    /// All packets between the node and that one.
    From(&'a str),
    /// The packets that the node sends to that one; the other way stays open.
    To(&'a str),
}

impl Lab {
    /// Cuts a node off, in addition to what is cut already, until it is healed or the lab goes.
    ///
    /// # Errors
    /// There is no such lab or node, it is the same node, or one of them is down.
    pub fn cut(&self, node: &str, cut: Cut) -> Result<(), LabError> {
        machine::need_root()?;
        let _lock = Lock::take(&self.name.lock(), PATIENCE)?;
        let port = self.running(node)?.port();
        let mut cuts = Cuts::read(&self.name)?;
        match cut {
            Cut::From(other) | Cut::To(other) => {
                if other == node {
                    return Err(LabError::Itself(node.into()));
                }
                let peer = self.running(other)?.port();
                if matches!(cut, Cut::From(_)) {
                    cuts.between.insert((peer.clone(), port.clone()));
                }
                cuts.between.insert((port, peer));
            }
            Cut::All => {
                cuts.shut.insert(port.clone());
                cuts.isolated.insert(port);
            }
            Cut::Nodes => {
                cuts.isolated.insert(port);
            }
        }
        self.load(&cuts)
    }

    /// Ends every cut that names the node, or all cuts of the lab; a node that is down is healed too.
    ///
    /// # Errors
    /// There is no such lab or node.
    pub fn heal(&self, node: Option<&str>) -> Result<(), LabError> {
        machine::need_root()?;
        let _lock = Lock::take(&self.name.lock(), PATIENCE)?;
        self.record()?;
        let old = Cuts::read(&self.name)?;
        let mut cuts = old.clone();
        match node {
            Some(node) => cuts.heal(&self.node(node)?.port()),
            None => cuts = Cuts::default(),
        }
        match cuts == old {
            true => Ok(()),
            false => self.load(&cuts),
        }
    }

    fn load(&self, cuts: &Cuts) -> Result<(), LabError> {
        cuts.load(&self.name, &self.network(&self.record()?))
    }

    fn running(&self, node: &str) -> Result<Node, LabError> {
        let node = self.node(node)?;
        match node.pid() {
            Some(_) => Ok(node),
            None => Err(LabError::Down(node.name)),
        }
    }
}
