//! The groups as a tree, and their hosts.

use std::fmt::Write;

use super::{Group, Inventory};

/// Groups below groups that are drawn, at most.
const MAX_DEPTH: usize = 64;

impl Inventory {
    /// Every group below `root` with its direct hosts, one a line, as `ansible-inventory --graph` draws them; none for an unknown group.
    pub fn graph(&self, root: &str) -> Option<String> {
        let group = self.groups.get(root)?;
        let mut text = format!("@{}:\n", group.name);
        self.draw(group, 1, &mut text);
        Some(text)
    }

    fn draw(&self, group: &Group, depth: usize, text: &mut String) {
        let bars = "  |".repeat(depth);
        if depth > MAX_DEPTH {
            let _ = writeln!(text, "{bars}--…");
            return;
        }
        let mut children: Vec<&Group> = group
            .children
            .iter()
            .filter_map(|name| self.groups.get(name))
            .collect();
        children.sort_by(|one, other| one.name.cmp(&other.name));
        for child in children {
            let _ = writeln!(text, "{bars}--@{}:", child.name);
            self.draw(child, depth + 1, text);
        }
        for host in &group.direct {
            let _ = writeln!(text, "{bars}--{host}");
        }
    }
}
