//! A controller for cases: its files are those of the case, templates come back as they are.

use std::path::{Path, PathBuf};

use hadeploy::change::Content;
use hadeploy::diagnostic::Diagnostic;
use hadeploy::event::Mode;
use hadeploy::resource::{Controller, RenderOptions};
use hadeploy::template::Stop;
use hadeploy::value::Value;
use sha2::Digest;

pub struct Files {
    pub root: PathBuf,
    pub mode: Mode,
    pub user: String,
}

impl Controller for Files {
    fn find(&self, src: &Value, _folder: &str) -> Result<PathBuf, Stop> {
        let name = src.as_str().unwrap_or_default();
        let path = self.root.join(name);
        if path.exists() {
            Ok(path)
        } else {
            Err(Diagnostic::at(&src.span, format!("`{name}` is not there")).into())
        }
    }

    fn content(&self, path: &Path, at: &Value) -> Result<Content, Diagnostic> {
        let bytes = std::fs::read(path)
            .map_err(|error| Diagnostic::at(&at.span, format!("{}: {error}", path.display())))?;
        if bytes.len() <= 1024 * 1024 {
            return Ok(Content::Bytes(bytes.into()));
        }
        let sha256: String = sha2::Sha256::digest(&bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Ok(Content::File {
            path: path.to_owned(),
            len: bytes.len() as u64,
            sha256: sha256.into(),
        })
    }

    fn render_file(
        &self,
        path: &Path,
        at: &Value,
        _options: &RenderOptions,
    ) -> Result<String, Stop> {
        std::fs::read_to_string(path)
            .map_err(|error| Diagnostic::at(&at.span, error.to_string()).into())
    }

    fn render_file_with(
        &self,
        path: &Path,
        at: &Value,
        options: &RenderOptions,
        name: &str,
        value: &str,
    ) -> Result<String, Stop> {
        let text = self.render_file(path, at, options)?;
        Ok(text.replace(&format!("{{{{ {name} }}}}"), value))
    }

    fn test(&self, expression: &Value) -> Result<bool, Stop> {
        match expression.as_str() {
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            _ => Err(Diagnostic::at(&expression.span, "a case only knows true and false").into()),
        }
    }

    fn eval(&self, expression: &Value) -> Result<Value, Stop> {
        Ok(expression.clone())
    }

    fn destination(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    fn host(&self) -> &str {
        "n1"
    }

    fn mode(&self) -> Mode {
        self.mode
    }

    fn user(&self) -> &str {
        &self.user
    }

    fn folder(&self) -> &str {
        "~deploy"
    }

    fn verbosity(&self) -> u8 {
        0
    }
}
