//! Pure parsers of what the fragments about paths print.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Listing, PathInfo, Stat, TreeEntry};
use crate::fact::{Answer, FactError, Question};

type Answers = Result<Vec<(Question, Answer)>, FactError>;

pub fn parse_paths(keys: &[&str], body: &[u8]) -> Answers {
    let mut fields = Fields::new("paths", body);
    let names = names(keys, &mut fields)?;
    let mut reals = Vec::with_capacity(keys.len());
    for _ in keys {
        reals.push(fields.text()?);
    }
    let mut stats = HashMap::new();
    while !fields.is_empty() {
        let name = fields.text()?;
        stats.insert(name, stat(&mut fields)?);
    }
    Ok(keys
        .iter()
        .zip(names.into_iter().zip(reals))
        .map(|(key, (abs, real))| {
            let homeless = abs.starts_with('~');
            let info = PathInfo {
                stat: stats.get(&abs).filter(|_| !homeless).cloned(),
                real: if homeless { abs.clone() } else { real },
                abs,
            };
            (Question::Path((*key).into()), Answer::Path(info))
        })
        .collect())
}

pub fn parse_digests(keys: &[&str], body: &[u8]) -> Answers {
    let mut fields = Fields::new("digests", body);
    let names = names(keys, &mut fields)?;
    let mut digests: HashMap<Arc<str>, Arc<str>> = HashMap::new();
    while !fields.is_empty() {
        let line = fields.text()?;
        let (hash, name) = line
            .split_once("  ")
            .filter(|(hash, _)| hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()))
            .ok_or_else(|| fields.error(format!("`{line}` is no digest")))?;
        digests.insert(name.into(), hash.into());
    }
    Ok(keys
        .iter()
        .zip(names)
        .map(|(key, name)| {
            let digest = digests.get(&name).cloned();
            (Question::Digest((*key).into()), Answer::Digest(digest))
        })
        .collect())
}

pub fn parse_texts(keys: &[&str], body: &[u8]) -> Answers {
    let mut fields = Fields::new("texts", body);
    let names = names(keys, &mut fields)?;
    let mut texts: HashMap<Arc<str>, Arc<[u8]>> = HashMap::new();
    while !fields.is_empty() {
        let name = fields.text()?;
        let bytes = STANDARD
            .decode(fields.bytes()?)
            .map_err(|error| fields.error(format!("the content of `{name}`: {error}")))?;
        texts.insert(name, bytes.into());
    }
    Ok(keys
        .iter()
        .zip(names)
        .map(|(key, name)| {
            let text = texts.get(&name).cloned();
            (Question::Text((*key).into()), Answer::Text(text))
        })
        .collect())
}

pub fn parse_trees(keys: &[&str], body: &[u8]) -> Answers {
    let mut fields = Fields::new("folders", body);
    let mut answers = Vec::with_capacity(keys.len());
    for key in keys {
        let there = &*fields.text()? == "d";
        let entries = entries(&mut fields)?;
        let tree = there.then(|| Arc::new(entries));
        answers.push((Question::Tree((*key).into()), Answer::Tree(tree)));
    }
    Ok(answers)
}

pub fn parse_listings(keys: &[&str], body: &[u8]) -> Answers {
    let mut fields = Fields::new("folders", body);
    let mut answers = Vec::with_capacity(keys.len());
    for key in keys {
        let listing = if &*fields.text()? == "d" {
            let (now, folder) = (fields.number()?, fields.text()?);
            let entries = entries(&mut fields)?;
            Some(Arc::new(Listing {
                now,
                folder,
                entries,
            }))
        } else {
            entries(&mut fields)?;
            None
        };
        answers.push((Question::Listing((*key).into()), Answer::Listing(listing)));
    }
    Ok(answers)
}

/// Names with their fields, up to an empty one.
fn entries(fields: &mut Fields) -> Result<Vec<TreeEntry>, FactError> {
    let mut entries = Vec::new();
    loop {
        let name = fields.text()?;
        if name.is_empty() {
            return Ok(entries);
        }
        let stat = stat(fields)?;
        entries.push(TreeEntry { name, stat });
    }
}

pub fn parse_globs(keys: &[&str], body: &[u8]) -> Answers {
    let mut fields = Fields::new("patterns", body);
    let mut answers = Vec::with_capacity(keys.len());
    for key in keys {
        let mut paths = Vec::new();
        loop {
            let path = fields.text()?;
            if path.is_empty() {
                break;
            }
            paths.push(path.to_string());
        }
        answers.push((Question::Glob((*key).into()), Answer::Glob(Arc::new(paths))));
    }
    Ok(answers)
}

/// The keys with `~` resolved, as the node printed them at the beginning.
fn names(keys: &[&str], fields: &mut Fields) -> Result<Vec<Arc<str>>, FactError> {
    keys.iter()
        .map(|key| {
            if key.starts_with('~') {
                fields.text()
            } else {
                Ok((*key).into())
            }
        })
        .collect()
}

fn stat(fields: &mut Fields) -> Result<Stat, FactError> {
    let kind = fields.letter()?;
    let target_kind = fields.letter()?;
    let mode = fields.text()?;
    let mode = u32::from_str_radix(&mode, 8)
        .map_err(|_| fields.error(format!("`{mode}` is no file mode")))?;
    Ok(Stat {
        kind,
        target_kind,
        mode,
        uid: Some(fields.number()?),
        gid: Some(fields.number()?),
        owner: fields.text()?,
        group: fields.text()?,
        size: fields.number()?,
        mtime: fields.number()?,
        atime: fields.number()?,
        ctime: fields.number()?,
        inode: fields.number()?,
        links: fields.number()?,
        device: fields.number()?,
        link: Some(fields.text()?).filter(|_| kind == 'l'),
    })
}

/// Fields that each end with NUL.
struct Fields<'a> {
    subject: &'static str,
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    fn new(subject: &'static str, rest: &'a [u8]) -> Fields<'a> {
        Fields { subject, rest }
    }

    fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    fn error(&self, reason: impl Into<String>) -> FactError {
        FactError {
            subject: self.subject,
            reason: reason.into(),
        }
    }

    fn bytes(&mut self) -> Result<&'a [u8], FactError> {
        let end = self
            .rest
            .iter()
            .position(|byte| *byte == 0)
            .ok_or_else(|| self.error("it ends in the middle"))?;
        let field = &self.rest[..end];
        self.rest = &self.rest[end + 1..];
        Ok(field)
    }

    fn text(&mut self) -> Result<Arc<str>, FactError> {
        Ok(String::from_utf8_lossy(self.bytes()?).into())
    }

    fn letter(&mut self) -> Result<char, FactError> {
        let text = self.text()?;
        text.chars()
            .next()
            .ok_or_else(|| self.error("a kind is empty"))
    }

    fn number<T: std::str::FromStr>(&mut self) -> Result<T, FactError> {
        let text = self.text()?;
        text.parse()
            .map_err(|_| self.error(format!("`{text}` is no number")))
    }
}
