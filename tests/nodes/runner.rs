//! Runners of GitHub and GitLab, as far as the recipes of the documentation need them: each step's lines run by `sh -e`, in a folder of the
//! repository, with the variables that such a runner sets.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_yaml::Value;

/// The blocks of YAML in a file of the documentation, read as they stand there.
pub fn recipes(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let text = fs::read_to_string(path).unwrap();
    let blocks = text.split("```yaml\n").skip(1);
    let block = |block: &str| block.split("\n```").next().unwrap_or_default().to_owned();
    blocks
        .map(block)
        // Some are parts of playbooks, with templates that are no YAML by themselves.
        .filter_map(|block| serde_yaml::from_str(&block).ok())
        .map(|mut block: Value| {
            block.apply_merge().unwrap();
            block
        })
        .collect()
}

/// The recipe that has such a place in it: `jobs.drift`.
#[track_caller]
pub fn recipe(file: &str, place: &str) -> Value {
    let found = recipes(file).into_iter().find(|recipe| {
        let mut at = Some(recipe);
        for key in place.split('.') {
            at = at.and_then(|value| value.get(key));
        }
        at.is_some()
    });
    found.unwrap_or_else(|| panic!("no recipe with `{place}` in {file}"))
}

/// A machine of a pipeline, with a home and a checked-out repository.
pub struct Runner {
    root: tempfile::TempDir,
    env: BTreeMap<String, String>,
    /// What stands in `${{ … }}` on GitHub.
    pub words: BTreeMap<String, String>,
}

/// How a job ended.
pub struct Job {
    /// The exit status of the step that ended it.
    pub code: i32,
    /// Standard output and standard error of its steps.
    pub text: String,
    /// The step's summary.
    pub summary: String,
}

impl std::fmt::Display for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Job {
            code,
            text,
            summary,
        } = self;
        write!(f, "ended with {code}\n{text}\nsummary:\n{summary}")
    }
}

impl Job {
    /// Nobody was asked anything.
    #[track_caller]
    pub fn asked_nothing(&self) {
        assert!(!self.text.contains("[y/N]"), "{self}");
        assert!(!self.text.contains("assword:"), "{self}");
    }
}

impl Runner {
    /// With a copy of the files of a repository.
    pub fn new(repository: &Path) -> Runner {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("home")).unwrap();
        let copied = Command::new("cp")
            .arg("-r")
            .args([repository, &root.path().join("work")])
            .status();
        assert!(copied.unwrap().success());
        let binary = Path::new(env!("CARGO_BIN_EXE_hadeploy")).parent().unwrap();
        let path = std::env::var("PATH").unwrap();
        let home = root.path().join("home");
        let env = [
            ("PATH", format!("{}:{path}", binary.display())),
            ("HOME", home.display().to_string()),
            ("LANG", "C.UTF-8".to_owned()),
            ("CI", "true".to_owned()),
        ];
        Runner {
            root,
            env: env.map(|(name, value)| (name.to_owned(), value)).into(),
            words: BTreeMap::new(),
        }
    }

    /// As a job of GitHub.
    pub fn github(repository: &Path) -> Runner {
        let mut runner = Runner::new(repository);
        let file = |name: &str| runner.root.path().join(name).display().to_string();
        let env = [
            ("GITHUB_ACTIONS", "true".to_owned()),
            ("GITHUB_WORKSPACE", file("work")),
            ("GITHUB_STEP_SUMMARY", file("summary.md")),
            ("GITHUB_OUTPUT", file("output")),
            ("GITHUB_SERVER_URL", "https://github.example".to_owned()),
            ("GITHUB_REPOSITORY", "ann/site".to_owned()),
            ("GITHUB_RUN_ID", "17".to_owned()),
            ("GITHUB_SHA", "4b825dc642cb".to_owned()),
        ];
        for (name, value) in env {
            runner.set(name, value);
        }
        runner
    }

    /// As a job of GitLab.
    pub fn gitlab(repository: &Path) -> Runner {
        let mut runner = Runner::new(repository);
        for (name, value) in [
            ("GITLAB_CI", "true"),
            ("CI_JOB_URL", "https://gitlab.example/ann/site/-/jobs/4711"),
            (
                "CI_PIPELINE_URL",
                "https://gitlab.example/ann/site/-/pipelines/12",
            ),
            ("CI_COMMIT_SHORT_SHA", "4b825dc6"),
            ("CI_COMMIT_BRANCH", "main"),
            ("CI_DEFAULT_BRANCH", "main"),
            ("CI_PIPELINE_SOURCE", "schedule"),
        ] {
            runner.set(name, value);
        }
        runner
    }

    /// A variable of the environment.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.env.insert(name.to_owned(), value.into());
    }

    /// A file of the repository's copy.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join("work").join(name)
    }

    /// A file beside the repository's copy.
    pub fn beside(&self, name: &str, content: &str) -> String {
        let path = self.root.path().join(name);
        fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    fn filled(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (word, value) in &self.words {
            text = text.replace(&format!("${{{{ {word} }}}}"), value);
        }
        assert!(!text.contains("${{"), "{text}");
        text
    }

    /// Lines of a shell, as one script.
    pub fn sh(&self, script: &str, env: &[(String, String)]) -> (i32, String) {
        let file = self.beside("script", script);
        let ran = Command::new("sh")
            .args(["-e", &file])
            .current_dir(self.path(""))
            .env_clear()
            .envs(&self.env)
            .envs(env.iter().cloned())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let said = text(&ran.stdout) + &text(&ran.stderr);
        (ran.status.code().unwrap_or(-1), said)
    }

    fn ended(&self, code: i32, text: String) -> Job {
        let summary = self.root.path().join("summary.md");
        Job {
            code,
            text,
            summary: fs::read_to_string(summary).unwrap_or_default(),
        }
    }

    /// A job of GitHub: its steps one after the other, until one fails; what is kept in spite of that must be there.
    pub fn github_job(&self, job: &Value) -> Job {
        let mut said = String::new();
        let mut code = 0;
        for step in job["steps"].as_sequence().unwrap() {
            let wants = step.get("if").and_then(Value::as_str);
            let runs = match wants {
                None => code == 0,
                Some("failure()") => code != 0,
                Some("always()") => true,
                Some(other) => panic!("what is `if: {other}`?"),
            };
            if !runs {
                continue;
            }
            if let Some(path) = step.get("with").and_then(|with| with.get("path")) {
                let path = self.path(path.as_str().unwrap());
                assert!(path.exists(), "{}: {said}", path.display());
            }
            let Some(script) = step.get("run").and_then(Value::as_str) else {
                continue;
            };
            let env = step.get("env").and_then(Value::as_mapping);
            let env = env.into_iter().flatten().map(|(name, value)| {
                let value = self.filled(value.as_str().unwrap());
                (name.as_str().unwrap().to_owned(), value)
            });
            let env: Vec<(String, String)> = env.collect();
            let (ended, text) = self.sh(&self.filled(script), &env);
            said += &text;
            if code == 0 {
                code = ended;
            }
        }
        self.ended(code, said)
    }

    /// A job of GitLab: the lines of `before_script` and `script` in one shell; what it keeps must be there.
    pub fn gitlab_job(&self, job: &Value) -> Job {
        let lines = |key: &str| match job.get(key) {
            Some(Value::String(line)) => vec![line.clone()],
            Some(Value::Sequence(lines)) => lines
                .iter()
                .map(|line| line.as_str().unwrap().to_owned())
                .collect(),
            _ => Vec::new(),
        };
        let script = [lines("before_script"), lines("script")].concat();
        let (code, text) = self.sh(&script.join("\n"), &[]);
        let always = job
            .get("artifacts")
            .and_then(|it| it.get("when"))
            .and_then(Value::as_str)
            == Some("always");
        let paths = job.get("artifacts").and_then(|it| it.get("paths"));
        for path in paths.and_then(Value::as_sequence).into_iter().flatten() {
            let path = self.path(path.as_str().unwrap());
            assert!(path.exists() || (code != 0 && !always), "{text}");
        }
        self.ended(code, text)
    }
}
