//! Templates that others include or import.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::Environment;

use super::Includes;
use super::rewrite::Rewriter;
use super::scan::{self, MARKERS};
use crate::source::Source;

/// Templates that were included, by name.
pub(super) struct Included {
    find: Box<Includes>,
    found: Mutex<HashMap<String, Arc<Source>>>,
}

impl Included {
    pub(super) fn new(find: Box<Includes>) -> Arc<Included> {
        Arc::new(Included {
            find,
            found: Mutex::default(),
        })
    }

    /// Lets the templates of an environment include what is found.
    pub(super) fn serve(includes: &Arc<Included>, environment: &mut Environment<'static>) {
        let joined = includes.clone();
        environment.set_path_join_callback(move |name, parent| match (joined.find)(name, parent) {
            Some(source) => {
                let found = source.name().to_owned();
                joined
                    .found
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .insert(found.clone(), source);
                found.into()
            }
            None => name.into(),
        });
        let loaded = includes.clone();
        environment.set_loader(move |name| {
            Ok(loaded.source(name).map(|source| {
                let mut rewriter = Rewriter::new(source.text(), 0);
                for piece in scan::pieces(source.text(), &MARKERS) {
                    rewriter.piece(&piece);
                }
                rewriter.finish().0
            }))
        });
    }

    /// The template of that name which another one asks for.
    pub(super) fn look(&self, name: &str, asking: &str) -> Option<Arc<Source>> {
        (self.find)(name, asking)
    }

    /// The source of an included template, for its place in messages.
    pub(super) fn source(&self, name: &str) -> Option<Arc<Source>> {
        self.found
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .cloned()
    }
}
