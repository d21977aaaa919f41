//! `order` and `strategy`: how the hosts of a play stand, and whether they wait for each other.

use super::parse::Reader;
use crate::diagnostic::Diagnostic;
use crate::name::HostName;
use crate::value::Value;

/// The order of a play's hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// As in the inventory.
    #[default]
    Inventory,
    /// The other way round.
    ReverseInventory,
    /// By name.
    Sorted,
    /// By name, the last first.
    ReverseSorted,
}

const ORDERS: &[(&str, Order)] = &[
    ("inventory", Order::Inventory),
    ("reverse_inventory", Order::ReverseInventory),
    ("reverse_sorted", Order::ReverseSorted),
    ("sorted", Order::Sorted),
];

impl Order {
    /// Puts hosts, which stand as in the inventory, into this order.
    pub(super) fn arrange(self, hosts: &mut [HostName]) {
        match self {
            Order::Inventory => {}
            Order::ReverseInventory => hosts.reverse(),
            Order::Sorted => hosts.sort_by(|one, other| one.as_str().cmp(other.as_str())),
            Order::ReverseSorted => hosts.sort_by(|one, other| other.as_str().cmp(one.as_str())),
        }
    }
}

impl Reader {
    pub(super) fn order(&mut self, value: &Value) -> Order {
        if value.is_null() {
            return Order::default();
        }
        let Some(word) = self.literal(value, "order") else {
            return Order::default();
        };
        if let Some((_, order)) = ORDERS.iter().find(|(name, _)| *name == &*word) {
            return *order;
        }
        let words = ORDERS.iter().map(|(name, _)| *name);
        let fault = Diagnostic::at(&value.span, format!("`order` cannot be `{word}`"));
        self.fault(match &*word {
            "shuffle" => fault.help("a plan and its apply go the same way; name another order"),
            _ => fault
                .nearest(&word, words.clone())
                .help(format!("it is {}", crate::diagnostic::list(words))),
        });
        Order::default()
    }

    /// Whether hosts go on without waiting for each other.
    pub(super) fn strategy(&mut self, value: &Value) -> bool {
        if value.is_null() {
            return false;
        }
        let Some(word) = self.literal(value, "strategy") else {
            return false;
        };
        let short = word.strip_prefix("ansible.builtin.").unwrap_or(&word);
        match short {
            "linear" => false,
            "free" | "host_pinned" => true,
            _ => {
                let words = ["free", "host_pinned", "linear"];
                let fault = Diagnostic::at(&value.span, format!("`strategy` cannot be `{word}`"));
                self.fault(match short {
                    "debug" => {
                        fault.help("there is no interactive debugger; run `hadeploy plan -v`")
                    }
                    short if short.starts_with("mitogen_") => fault
                        .help("hadeploy needs no such help; remove the line, or write `linear`"),
                    short => fault
                        .nearest(short, words)
                        .help(format!("it is {}", crate::diagnostic::list(words))),
                });
                false
            }
        }
    }
}
