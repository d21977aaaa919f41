//! Places in a play: one order for all hosts, also where they do different things.

use std::sync::Arc;

/// A place in a play. What an include lays out stands behind the include and before the task that follows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The task's index in the play; behind it, for each include, the item of its loop and the task's index in the file.
    way: Arc<[usize]>,
    /// Of a handler: its index from 1. The way is the flush's.
    handler: usize,
    /// Of what a handler includes: the way on from there.
    inner: Arc<[usize]>,
    /// The item of a loop.
    item: usize,
}

impl Place {
    /// The task of that index.
    pub fn at(index: usize) -> Place {
        Place {
            way: [index].into(),
            handler: 0,
            inner: Arc::default(),
            item: 0,
        }
    }

    /// Behind all tasks, before [`Place::end`].
    pub fn last() -> Place {
        Place::at(usize::MAX - 1)
    }

    /// Behind everything: hosts that are done, failed or lost count as arrived.
    pub fn end() -> Place {
        Place::at(usize::MAX)
    }

    /// A handler, by its index, at a flush of this place.
    pub fn handler(&self, index: usize) -> Place {
        Place {
            handler: index + 1,
            inner: Arc::default(),
            item: 0,
            way: self.way.clone(),
        }
    }

    /// Behind the handlers of a flush of this place.
    pub fn behind_handlers(&self) -> Place {
        Place {
            handler: usize::MAX,
            ..self.clone()
        }
    }

    /// An item of the loop of this place's task.
    pub fn item(&self, number: usize) -> Place {
        Place {
            item: number,
            ..self.clone()
        }
    }

    /// The task of that index in the file that an include at this place includes for an item.
    pub fn inside(&self, item: usize, index: usize) -> Place {
        let on = |way: &[usize]| way.iter().copied().chain([item, index]).collect();
        let mut inside = Place {
            item: 0,
            ..self.clone()
        };
        match self.handler {
            0 => inside.way = on(&self.way),
            _ => inside.inner = on(&self.inner),
        }
        inside
    }

    /// Behind everything that an include at this place lays out.
    pub fn behind(&self) -> Place {
        self.inside(usize::MAX, usize::MAX)
    }

    /// As it stands in a saved plan: the same in every run of the same files.
    pub fn word(&self) -> String {
        let number = |index: &usize| match *index {
            usize::MAX => "end".to_owned(),
            index if index == usize::MAX - 1 => "last".to_owned(),
            index => index.to_string(),
        };
        let words = |way: &[usize]| way.iter().map(number).collect::<Vec<String>>().join(".");
        let way = words(&self.way);
        match self.handler {
            0 => way,
            handler if self.inner.is_empty() => format!("{way}:{handler}"),
            handler => format!("{way}:{handler}.{}", words(&self.inner)),
        }
    }

    /// Whether an include at `place` laid it out.
    pub fn is_inside(&self, place: &Place) -> bool {
        let longer =
            |way: &[usize], than: &[usize]| way.len() > than.len() && way.starts_with(than);
        match place.handler {
            0 => longer(&self.way, &place.way),
            handler => {
                self.way == place.way
                    && self.handler == handler
                    && longer(&self.inner, &place.inner)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_included_stands_between_the_include_and_what_follows() {
        let include = Place::at(3);
        let in_order = [
            Place::at(2).item(7),
            include.clone(),
            include.item(1),
            include.inside(0, 1),
            include.inside(0, 1).inside(0, 0),
            include.inside(0, 2),
            include.inside(0, 2).handler(0),
            include.inside(0, 2).behind_handlers(),
            include.inside(1, 0),
            include.behind(),
            Place::at(4),
            Place::last(),
            Place::end(),
        ];
        assert!(in_order.is_sorted_by(|before, after| before < after));
        assert!(include.inside(1, 0).is_inside(&include));
        assert!(!include.is_inside(&include));
        assert!(!Place::at(4).inside(0, 0).is_inside(&include));
    }

    #[test]
    fn what_a_handler_includes_stands_before_the_next_handler() {
        let flush = Place::at(3);
        let handler = flush.handler(0);
        let in_order = [
            flush.clone(),
            handler.clone(),
            handler.item(1),
            handler.inside(0, 0),
            handler.inside(0, 0).item(2),
            handler.inside(0, 0).inside(0, 1),
            handler.inside(0, 1),
            handler.behind(),
            flush.handler(1),
            flush.behind_handlers(),
            Place::at(4),
        ];
        assert!(in_order.is_sorted_by(|before, after| before < after));
        assert!(handler.inside(0, 0).inside(0, 1).is_inside(&handler));
        assert!(!flush.handler(1).inside(0, 0).is_inside(&handler));
        assert!(!handler.is_inside(&handler));
        assert_eq!(handler.inside(0, 1).word(), "3:1.0.1");
    }
}
