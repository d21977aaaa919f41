//! A tool: the acts of a lab's nodes as files, to be run by hand.

use std::fs;
use std::path::Path;

use super::*;
use crate::change::Content;
use crate::cluster::postgres::probe;

/// `HADEPLOY_RENDER='FOLDER RELEASE ADDRESS…'`: each act of each node as `FOLDER/nN/ACT.sh`, with its inputs beside it. With
/// `HADEPLOY_RENDER_WITNESS` the last node is the witness.
#[test]
#[ignore = "a tool: writes the acts of a lab's nodes as files"]
fn render() {
    let Ok(wish) = std::env::var("HADEPLOY_RENDER") else {
        return;
    };
    let words: Vec<&str> = wish.split_whitespace().collect();
    let names: Vec<String> = (1..words.len() - 1).map(|n| format!("n{n}")).collect();
    let members: Vec<(&str, &str)> = names
        .iter()
        .map(String::as_str)
        .zip(words[2..].iter().copied())
        .collect();
    let mut spec = spec(&members);
    spec.witness = std::env::var_os("HADEPLOY_RENDER_WITNESS").is_some();
    let site = site(&spec, words[1].parse().expect("a release"));
    for member in 0..spec.members.len() {
        let folder = Path::new(words[0]).join(spec.name(member));
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("question"), probe::question(&spec, member)).expect("a question");
        for (name, act) in acts(spec.members.len()) {
            let step = step(&site, member, &act);
            for (index, input) in step.inputs.iter().enumerate() {
                if let Content::Bytes(bytes) = input {
                    fs::write(folder.join(format!("{name}.in{}", index + 1)), bytes)
                        .expect("an input");
                }
            }
            fs::write(folder.join(format!("{name}.sh")), step.script).expect("a script");
        }
    }
}
