//! How a cluster is, for an operator: plain data.

use super::{Answer, Cluster, Move, Next, Sight};

/// A whole cluster.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Report {
    /// `postgres` or `redis`.
    pub cluster: String,
    /// Whether nothing has to be done.
    pub healthy: bool,
    /// How it is, in one sentence.
    pub summary: String,
    /// What is lost when the next node fails, in one sentence.
    pub next_loss: String,
    /// What has to agree before something counts.
    pub quorum: Option<Quorum>,
    /// Its members, in the order of the inventory.
    pub members: Vec<MemberReport>,
}

/// How many have to agree, and how many could.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Quorum {
    /// So many are needed.
    pub needed: u64,
    /// So many are there.
    pub there: u64,
    /// The same in one sentence.
    pub text: String,
}

/// One member.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct MemberReport {
    /// Its name.
    pub name: String,
    /// `primary`, `standby`, `witness`, `replica`, or `unknown`.
    pub role: String,
    /// `running`, `streaming`, `down`, or why nothing is known.
    pub state: String,
    /// Bytes behind the primary.
    pub lag_bytes: Option<u64>,
    /// What else there is to say: units, timeline, where its pooler leads.
    pub details: Vec<(String, String)>,
}

impl Report {
    /// What can be told of any cluster.
    pub fn plain<C: Cluster + ?Sized>(cluster: &C, answers: &[Answer]) -> Report {
        let next = cluster.next(&Sight {
            answers,
            waited: std::time::Duration::ZERO,
            made: &[],
            broken: false,
        });
        let summary = match &next {
            Next::Settled => "as wanted".to_owned(),
            Next::Act(moves) => to_do(moves.first()),
            Next::Chain(stages) => to_do(stages.iter().flatten().next()),
            Next::Wait { why, .. } => format!("waits for {why}"),
            Next::Refuse(refusal) => refusal.why.clone(),
        };
        let members = cluster.members().iter().zip(answers);
        Report {
            cluster: String::new(),
            healthy: matches!(next, Next::Settled),
            summary,
            next_loss: String::new(),
            quorum: None,
            members: members
                .map(|(member, answer)| MemberReport {
                    name: member.name.to_string(),
                    role: "unknown".to_owned(),
                    state: match answer {
                        Answer::Said(_) => "answers".to_owned(),
                        Answer::Silent(why) => why.clone(),
                    },
                    lag_bytes: None,
                    details: Vec::new(),
                })
                .collect(),
        }
    }
}

fn to_do(first: Option<&Move>) -> String {
    match first {
        Some(first) => format!("to do: {}", first.step.title),
        None => "as wanted".to_owned(),
    }
}
