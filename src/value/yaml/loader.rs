//! The events of the YAML parser, put together to values.

use std::collections::HashMap;
use std::sync::Arc;

use granit_parser::{
    ErrorKind, Event, Options, Parser, ScalarStyle, Span as Mark, StrInput, StructureStyle,
};
use indexmap::map::Entry as Slot;

use super::fault;
use super::loose::Blanks;
use super::tag::untagged;
use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};
use crate::value::{Entry, Kind, Map, Value};
use crate::vault::Keyring;

/// Nodes a text may unfold to, aliases counted as often as they are used.
const MOST_NODES: usize = 1_000_000;
/// How deep flow and block collections may each be nested.
const DEEPEST: usize = 100;
/// The longest text read, in bytes.
const LONGEST: usize = 64 << 20;

/// What becomes of `!vault` values.
#[derive(Clone, Copy)]
pub(super) enum Vaults<'k> {
    /// There can be none.
    Refused,
    /// They stay encrypted.
    Stay,
    /// They are opened.
    Open(&'k Keyring),
}

/// Reads all documents of a source.
pub(super) fn load(
    source: &Arc<Source>,
    vaults: Vaults<'_>,
) -> Result<Vec<Value>, Vec<Diagnostic>> {
    if source.text().len() > LONGEST {
        return Err(vec![Diagnostic::error(format!(
            "`{}` is larger than 64 MiB",
            source.name()
        ))]);
    }
    let mut blanks = Blanks::default();
    loop {
        let shown = blanks.put(source.text());
        let mut options = Options::default();
        options.emit_comments = false;
        options.flow_nesting_limit = DEEPEST;
        options.block_nesting_limit = DEEPEST;
        let mut loader = Loader {
            source,
            vaults,
            parser: Parser::new_from_str_with_options(&shown, options),
            blanks: &blanks,
            anchors: HashMap::new(),
            faults: Vec::new(),
            nodes: 0,
            tab_line: 0,
            unsafe_depth: 0,
        };
        let last = match loader.documents() {
            Ok(documents) if loader.faults.is_empty() => return Ok(documents),
            Ok(_) => return Err(loader.faults),
            Err(broken) => broken,
        };
        let mut faults = loader.faults;
        if let Some(offset) = last.outdented
            && blanks.move_line(source.text(), offset)
        {
            continue;
        }
        let said = faults.last().and_then(|fault| fault.span.as_ref());
        // One line that is wrong is said once.
        if said.is_none() || said.map(Span::line) != last.fault.span.as_ref().map(Span::line) {
            faults.push(*last.fault);
        }
        return Err(faults);
    }
}

/// The structure is broken; nothing behind it can be read.
struct Broken {
    fault: Box<Diagnostic>,
    /// The offset of a line of a quoted text, where all that is wrong is that it is indented too little.
    outdented: Option<usize>,
}

pub(super) struct Loader<'s> {
    source: &'s Arc<Source>,
    pub(super) vaults: Vaults<'s>,
    parser: Parser<'s, StrInput<'s>>,
    /// What the parser was shown more than the source has.
    blanks: &'s Blanks,
    /// Anchored values and how many nodes each unfolds to.
    anchors: HashMap<usize, (Value, usize)>,
    pub(super) faults: Vec<Diagnostic>,
    nodes: usize,
    /// The last line looked at for tabs.
    tab_line: usize,
    /// How many collections around this one are `!unsafe`.
    pub(super) unsafe_depth: usize,
}

impl<'s> Loader<'s> {
    fn documents(&mut self) -> Result<Vec<Value>, Broken> {
        let mut documents = Vec::new();
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => return Ok(documents),
                (Event::DocumentStart(..), _) => {
                    let (event, mark) = self.next()?;
                    let value = self.node(event, mark)?;
                    documents.push(value);
                    self.anchors.clear();
                }
                _ => {}
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'s>, Mark), Broken> {
        match self.parser.next_event() {
            Some(Ok(next)) => Ok(next),
            Some(Err(error)) => {
                let text = self.source.text();
                let offset = error.marker().byte_offset().map_or(text.len(), |offset| {
                    self.blanks.offset(offset).min(text.len())
                });
                let outdented = *error.kind() == ErrorKind::InvalidQuotedScalarIndent;
                Err(Broken {
                    fault: Box::new(fault::broken(self.source, &error, offset)),
                    outdented: outdented.then_some(offset),
                })
            }
            None => Ok((Event::StreamEnd, Mark::default())),
        }
    }

    fn node(&mut self, event: Event<'s>, mark: Mark) -> Result<Value, Broken> {
        let span = self.span(mark);
        let before = self.nodes;
        self.count(1, &span)?;
        self.check_tab(&span, mark.start.line());
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                (self.scalar(&text, style, tag.as_deref(), span), anchor)
            }
            Event::Alias(target) => return self.alias(target, &span),
            Event::SequenceStart(style, anchor, tag) => {
                let tagged = self.collection_tag(tag.as_deref(), "seq", &span);
                self.unsafe_depth += tagged;
                let value = self.sequence(style, span)?;
                self.unsafe_depth -= tagged;
                (value, anchor)
            }
            Event::MappingStart(style, anchor, tag) => {
                let tagged = self.collection_tag(tag.as_deref(), "map", &span);
                self.unsafe_depth += tagged;
                let value = self.mapping(style, span)?;
                self.unsafe_depth -= tagged;
                (value, anchor)
            }
            _ => (Value::new(Kind::Null, &span), 0),
        };
        if anchor != 0 {
            let weight = self.nodes - before;
            self.anchors.insert(anchor, (value.clone(), weight));
        }
        Ok(value)
    }

    fn alias(&mut self, target: usize, span: &Span) -> Result<Value, Broken> {
        match self.anchors.get(&target) {
            Some((value, weight)) => {
                let (value, weight) = (value.clone(), *weight);
                self.count(weight, span)?;
                Ok(value)
            }
            None => {
                self.faults.push(
                    Diagnostic::at(
                        span,
                        format!("the alias `{}` stands inside its own anchor", span.text()),
                    )
                    .help("a value cannot contain itself"),
                );
                Ok(Value::new(Kind::Null, span))
            }
        }
    }

    fn count(&mut self, nodes: usize, span: &Span) -> Result<(), Broken> {
        self.nodes += nodes;
        if self.nodes > MOST_NODES {
            let fault = Diagnostic::at(span, "the YAML unfolds to more than a million nodes")
                .label("the limit is passed here")
                .help("use fewer aliases, or split the file");
            return Err(Broken {
                fault: Box::new(fault),
                outdented: None,
            });
        }
        Ok(())
    }

    fn span(&self, mark: Mark) -> Span {
        let range = mark.byte_range().unwrap_or(0..0);
        let [start, end] = [range.start, range.end].map(|at| self.blanks.offset(at) as u32);
        Span::new(self.source, start, end)
    }

    fn check_tab(&mut self, span: &Span, line: usize) {
        if line == self.tab_line {
            return;
        }
        self.tab_line = line;
        // A tab behind the start is content: the first line of a block.
        self.faults
            .extend(fault::tab(self.source, line).filter(|fault| {
                fault
                    .span
                    .as_ref()
                    .is_some_and(|tab| tab.start() < span.start())
            }));
    }

    fn sequence(&mut self, style: StructureStyle, span: Span) -> Result<Value, Broken> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, mark) => {
                    let span = match style {
                        StructureStyle::Flow => self.flow_span(&span, mark),
                        StructureStyle::Block => {
                            Span::new(self.source, span.start(), span.start() + 1)
                        }
                    };
                    return Ok(Value::new(Kind::List(Arc::new(items)), &span));
                }
                (event, mark) => items.push(self.node(event, mark)?),
            }
        }
    }

    /// A flow collection's place: to its end, or to the end of its first line.
    fn flow_span(&self, start: &Span, end: Mark) -> Span {
        let whole = Span::new(
            self.source,
            start.start(),
            end.byte_range()
                .map_or(start.end(), |range| self.blanks.offset(range.end) as u32),
        );
        let first = whole.text().split('\n').next().unwrap_or("").len() as u32;
        Span::new(self.source, whole.start(), whole.start() + first)
    }

    fn mapping(&mut self, style: StructureStyle, span: Span) -> Result<Value, Broken> {
        let flow = style == StructureStyle::Flow;
        if flow && self.source.text()[span.start() as usize..].starts_with("{{") {
            self.faults
                .push(fault::template_at(self.source, span.start()));
            self.skip()?;
            return Ok(Value::new(Kind::Null, &span));
        }
        let mut own = Map::new();
        let mut merged = Map::new();
        let mut place = None;
        loop {
            let (event, mark) = self.next()?;
            if event == Event::MappingEnd {
                let span = if flow {
                    self.flow_span(&span, mark)
                } else {
                    place.unwrap_or(span)
                };
                return Ok(Value::new(Kind::Map(Arc::new(join(merged, own))), &span));
            }
            let key_span = self.span(mark);
            let merge =
                matches!(&event, Event::Scalar(text, ScalarStyle::Plain, _, None) if text == "<<");
            // A key is never a template.
            let depth = std::mem::take(&mut self.unsafe_depth);
            let key = self.node(untagged(event), mark)?;
            self.unsafe_depth = depth;
            place.get_or_insert_with(|| key_span.clone());
            let (event, mark) = self.next()?;
            let value = self.node(event, mark)?;
            if merge {
                self.merge(&value, &key_span, &mut merged);
                continue;
            }
            let Some(name) = self.key(&key, &key_span) else {
                continue;
            };
            match own.entry(name) {
                Slot::Occupied(first) => {
                    self.faults
                        .push(fault::duplicate(first.key(), &key_span, &first.get().key));
                }
                Slot::Vacant(slot) => {
                    slot.insert(Entry {
                        key: key_span,
                        value,
                    });
                }
            }
        }
    }

    /// A key's text: that of a number or boolean is what Python prints.
    fn key(&mut self, key: &Value, span: &Span) -> Option<Arc<str>> {
        let text = match &key.kind {
            Kind::Str(text) => return Some(text.clone()),
            Kind::Bool(true) => "True".to_owned(),
            Kind::Bool(false) => "False".to_owned(),
            Kind::Int(whole) => whole.to_string(),
            Kind::Float(number) => format!("{number:?}"),
            Kind::Null if span.text().starts_with("{{") => return None,
            Kind::Null => {
                self.faults.push(
                    Diagnostic::at(span, "a mapping has an empty key")
                        .help("write the key before the `:`, or quote it"),
                );
                return None;
            }
            Kind::List(_) | Kind::Map(_) => {
                self.faults.push(
                    Diagnostic::at(span, format!("a key cannot be {}", key.type_name()))
                        .help("use text as the key; quote it if it holds brackets"),
                );
                return None;
            }
        };
        Some(text.into())
    }

    fn merge(&mut self, value: &Value, span: &Span, into: &mut Map) {
        let maps: Vec<&Map> = match &value.kind {
            Kind::Map(map) => vec![map],
            Kind::List(items) if items.iter().all(|item| item.as_map().is_some()) => {
                items.iter().filter_map(Value::as_map).collect()
            }
            _ => {
                self.faults.push(
                    Diagnostic::at(
                        span,
                        format!(
                            "`<<` merges a mapping or a list of them, not {}",
                            value.type_name()
                        ),
                    )
                    .help("write `<<: *anchor`"),
                );
                return;
            }
        };
        // What is named first wins.
        for (key, entry) in maps.into_iter().flatten() {
            if !into.contains_key(key) {
                into.insert(key.clone(), entry.clone());
            }
        }
    }

    /// Reads on to the end of the collection that has just begun.
    fn skip(&mut self) -> Result<(), Broken> {
        let mut depth = 1;
        while depth > 0 {
            match self.next()?.0 {
                Event::MappingStart(..) | Event::SequenceStart(..) => depth += 1,
                Event::MappingEnd | Event::SequenceEnd => depth -= 1,
                Event::StreamEnd => return Ok(()),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Merged entries come first, the mapping's own override them.
fn join(merged: Map, own: Map) -> Map {
    if merged.is_empty() {
        return own;
    }
    let mut map = merged;
    map.extend(own);
    map
}
