//! Something is done to the clusters while clients write.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use crate::notes::{Cost, Notes};
use crate::platform::{NODES, Platform};

/// How the writers of each node write.
const HOW: [&str; 4] = ["pooler", "direct", "sentinel", "redis"];

/// A drill that goes on.
pub struct Drill<'a> {
    platform: &'a Platform,
    number: String,
    /// Each writer that was ever started.
    writers: RefCell<Vec<(String, &'static str, &'static str)>>,
}

/// What it cost the clients.
pub struct Costs {
    /// Of PostgreSQL.
    pub pg: Cost,
    /// Of redis.
    pub redis: Cost,
    /// What was refused, by whom.
    pub refused: Vec<String>,
}

impl Platform {
    /// Does something while clients write on every node; says and gives what it cost them. Whatever it was, PostgreSQL lost nothing that
    /// it had acknowledged, and no server wrote that had been replaced.
    #[track_caller]
    pub fn drill(&self, name: &str, act: impl FnOnce(&Drill)) -> Costs {
        let costs = self.drill_without_promise(name, act);
        let refused = costs.refused.join("\n");
        assert_eq!(costs.pg.lost, 0, "{name}: {}\n{refused}", costs.pg);
        costs
    }

    /// The same where no commit waits for a standby: what is lost is only told.
    #[track_caller]
    pub fn drill_without_promise(&self, name: &str, act: impl FnOnce(&Drill)) -> Costs {
        let drill = Drill {
            platform: self,
            number: self.number(),
            writers: RefCell::default(),
        };
        for node in NODES {
            drill.write_on(node);
        }
        thread::sleep(Duration::from_secs(3));
        act(&drill);
        thread::sleep(Duration::from_secs(3));
        let costs = drill.end();
        println!("    {name}: PostgreSQL: {}", costs.pg);
        println!("    {name}: redis: {}", costs.redis);
        let refused = costs.refused.join("\n");
        assert_eq!(costs.pg.split, 0, "{name}: {}\n{refused}", costs.pg);
        assert!(
            costs.pg.acknowledged > 100,
            "{name}: {}\n{refused}",
            costs.pg
        );
        assert!(
            costs.redis.acknowledged > 100,
            "{name}: {}\n{refused}",
            costs.redis
        );
        costs
    }
}

impl Drill<'_> {
    /// Starts the writers of a node, again after a boot.
    pub fn write_on(&self, node: &'static str) {
        let mut writers = self.writers.borrow_mut();
        let mut script = String::new();
        for how in HOW {
            let who = format!("{}-{}", self.number, writers.len());
            script += &format!(
                "systemd-run -q --collect --unit drill-{how} bash /var/lib/drill/writer {how} {who} /var/lib/drill/{who}; "
            );
            writers.push((who, how, node));
        }
        self.platform.node(node).sh(&script);
    }

    /// A node is gone for good, and with it the notes of its writers.
    pub fn lost(&self, node: &str) {
        self.writers.borrow_mut().retain(|(_, _, of)| *of != node);
    }

    fn end(&self) -> Costs {
        self.stop();
        let all: Vec<Notes> = self
            .writers
            .borrow()
            .iter()
            .map(|(who, how, node)| {
                let text = self
                    .platform
                    .node(node)
                    .sh(&format!("cat /var/lib/drill/{who}; echo"));
                Notes::parse(
                    who.clone(),
                    how,
                    node,
                    text.trim_end_matches('\n').to_owned().as_str(),
                )
            })
            .collect();
        let refused = all
            .iter()
            .filter(|it| ["pooler", "sentinel"].contains(&it.how))
            .flat_map(|it| {
                it.refused
                    .iter()
                    .map(|line| format!("{} {} {line}", it.node, it.how))
            })
            .collect();
        Costs {
            pg: Cost::of(&all, "pooler", "direct", &self.in_pg()),
            redis: Cost::of(&all, "sentinel", "redis", &self.in_redis(&all)),
            refused,
        }
    }

    fn stop(&self) {
        let units = HOW.map(|how| format!("drill-{how}")).join(" ");
        for node in NODES {
            let stop = ["sh", "-c", &format!("systemctl stop {units}")];
            // A node that a failed drill left without power has none.
            let _ = self.platform.lab.exec(node, &stop);
        }
    }

    fn in_pg(&self) -> BTreeSet<(String, u64)> {
        let primary = self.platform.primary();
        let query = format!(
            "SELECT who, number FROM drill WHERE who LIKE '{}-%'",
            self.number
        );
        let rows = self.platform.sql(primary, &query).unwrap();
        let row = |line: &str| {
            let (who, number) = line.split_once('|').unwrap();
            (who.to_owned(), number.parse().unwrap())
        };
        rows.lines().map(row).collect()
    }

    fn in_redis(&self, all: &[Notes]) -> BTreeSet<(String, u64)> {
        let primary = self.platform.redis_primary();
        let mut held = BTreeSet::new();
        for notes in all
            .iter()
            .filter(|it| ["sentinel", "redis"].contains(&it.how))
        {
            let words = format!("smembers drill:{}", notes.who);
            let said = self.platform.redis(primary, 6379, &words).unwrap();
            let numbers = said.lines().filter_map(|line| line.parse().ok());
            held.extend(numbers.map(|number| (notes.who.clone(), number)));
        }
        held
    }
}

impl Drop for Drill<'_> {
    fn drop(&mut self) {
        self.stop();
    }
}
