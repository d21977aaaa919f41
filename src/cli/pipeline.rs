//! What a pipeline wants told beside the usual lines: GitHub's annotations and summary, GitLab's sections.

use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use super::environment::Environment;
use crate::report::{Github, Gitlab, Reporter, Workspace};

/// The pipeline that this is a step of, by what it says in the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pipeline {
    /// GitHub, with the folder of the repository and the file of the summary.
    Github(Option<PathBuf>, Option<PathBuf>),
    /// GitLab.
    Gitlab,
}

impl Pipeline {
    /// By the variables that they set.
    pub fn of(text: impl Fn(&str) -> Option<String>) -> Option<Pipeline> {
        let is = |name: &str| text(name).as_deref() == Some("true");
        if is("GITHUB_ACTIONS") {
            let path = |name: &str| text(name).map(PathBuf::from);
            return Some(Pipeline::Github(
                path("GITHUB_WORKSPACE"),
                path("GITHUB_STEP_SUMMARY"),
            ));
        }
        is("GITLAB_CI").then_some(Pipeline::Gitlab)
    }
}

/// Where lines for people go, if they go anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    /// To standard output.
    Out,
    /// To standard error.
    Err,
    /// Nowhere: programs read standard output.
    Nowhere,
}

/// Who is told before everybody else; nobody outside of pipelines, nor on a terminal.
pub fn reporters(env: &Environment, lines: Lines) -> Vec<Box<dyn Reporter>> {
    let stream = || -> Box<dyn Write + Send> {
        match lines {
            Lines::Out => Box::new(io::stdout()),
            Lines::Err | Lines::Nowhere => Box::new(io::stderr()),
        }
    };
    match &env.ci {
        Some(Pipeline::Github(root, summary)) => {
            let open =
                |path: &PathBuf| OpenOptions::new().append(true).create(true).open(path).ok();
            let summary = summary.as_ref().and_then(open);
            let workspace = Workspace {
                root: root.clone().unwrap_or_else(|| env.folder.clone()),
                folder: env.folder.clone(),
            };
            let token = (lines != Lines::Nowhere).then(token).flatten();
            let summary = summary.map(|file| Box::new(file) as Box<dyn Write + Send>);
            vec![Box::new(Github::new(stream(), summary, workspace, token))]
        }
        Some(Pipeline::Gitlab) if lines == Lines::Out && !env.shows => {
            vec![Box::new(Gitlab::new(stream()))]
        }
        _ => Vec::new(),
    }
}

/// A word that nobody can guess.
fn token() -> Option<String> {
    let mut bytes = [0_u8; 16];
    std::fs::File::open("/dev/urandom")
        .ok()?
        .read_exact(&mut bytes)
        .ok()?;
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
