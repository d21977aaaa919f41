//! Scalars and what tags say of them: standard types, `!vault` and `!unsafe`.

use granit_parser::{Event, ScalarStyle, Tag};

use super::fault;
use super::loader::{Loader, Vaults};
use super::scalar::{Plain, resolve};
use super::verbatim::verbatim;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::value::{Kind, Value, closed};

impl Loader<'_> {
    pub(super) fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        span: Span,
    ) -> Value {
        let plain = style == ScalarStyle::Plain;
        // A missing value comes as `~` with an empty span.
        let text = if plain && span.text().is_empty() {
            ""
        } else {
            text
        };
        let is_unsafe = self.is_unsafe(tag);
        let kind = match tag {
            None if plain => self.plain(text, &span),
            None => Kind::Str(text.into()),
            // As in Ansible, quotes do not make such a value a text.
            Some(_) if is_unsafe => match resolve(text) {
                Plain::Refused(_) if !plain => Kind::Str(text.into()),
                _ => self.plain(text, &span),
            },
            Some(tag) => self.tagged(text, tag, &span),
        };
        let kind = match kind {
            Kind::Str(text) if is_unsafe || self.unsafe_depth > 0 => {
                Kind::Str(verbatim(&text).into())
            }
            kind => kind,
        };
        Value::new(kind, &span)
    }

    fn plain(&mut self, text: &str, span: &Span) -> Kind {
        match resolve(text) {
            Plain::Is(kind) => kind,
            Plain::Refused(meaning) => {
                self.faults.push(fault::refused(span, text, meaning));
                Kind::Str(text.into())
            }
        }
    }

    fn tagged(&mut self, text: &str, tag: &Tag, span: &Span) -> Kind {
        let wanted = match tag.core_suffix() {
            _ if tag.original() == "!" => return Kind::Str(text.into()),
            Some("str") => return Kind::Str(text.into()),
            _ if matches!(tag.original().as_str(), "!vault" | "!vault-encrypted") => {
                return self.vault(text, span);
            }
            Some(wanted @ ("int" | "float" | "bool" | "null")) => wanted,
            _ => {
                self.faults.push(fault::tagged(span, &tag.original()));
                return Kind::Str(text.into());
            }
        };
        match (wanted, resolve(text)) {
            ("int", Plain::Is(kind @ Kind::Int(_)))
            | ("float", Plain::Is(kind @ Kind::Float(_)))
            | ("bool", Plain::Is(kind @ Kind::Bool(_)))
            | ("null", Plain::Is(kind @ Kind::Null)) => kind,
            ("float", Plain::Is(Kind::Int(whole))) => Kind::Float(whole as f64),
            _ => {
                self.faults.push(
                    Diagnostic::at(span, format!("`{text}` is not what `!!{wanted}` says"))
                        .help("correct the value or remove the tag"),
                );
                Kind::Str(text.into())
            }
        }
    }

    /// A value that is encrypted where it stands.
    fn vault(&mut self, text: &str, span: &Span) -> Kind {
        let line = closed::first_line(span);
        let fault = match self.vaults {
            Vaults::Stay => return closed::value(text),
            Vaults::Open(keyring) => match keyring.open_text(text) {
                Ok(secret) => return Kind::Str(secret.reveal().into()),
                Err(why) => why.at(&line),
            },
            Vaults::Refused => fault::tagged(&line, "!vault"),
        };
        // A password that is missing is missing for all values of the file.
        if self.faults.iter().all(|said| said.message != fault.message) {
            self.faults.push(fault);
        }
        Kind::Str("".into())
    }

    /// How many collections are `!unsafe` more than around it.
    pub(super) fn collection_tag(
        &mut self,
        tag: Option<&Tag>,
        expected: &str,
        span: &Span,
    ) -> usize {
        if self.is_unsafe(tag) {
            return 1;
        }
        if let Some(tag) = tag
            && tag.core_suffix() != Some(expected)
        {
            self.faults.push(fault::tagged(span, &tag.original()));
        }
        0
    }

    /// Whether a value holds no templates, in files whose values may be some.
    fn is_unsafe(&self, tag: Option<&Tag>) -> bool {
        !matches!(self.vaults, Vaults::Refused)
            && tag.is_some_and(|tag| tag.original() == "!unsafe")
    }
}

/// A key that is `!unsafe` is one like every other.
pub(super) fn untagged(event: Event<'_>) -> Event<'_> {
    match event {
        Event::Scalar(text, style, anchor, Some(tag)) if tag.original() == "!unsafe" => {
            Event::Scalar(text, style, anchor, None)
        }
        event => event,
    }
}
