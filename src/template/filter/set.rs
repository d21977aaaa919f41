//! Lists as sets, in the order of their items.

use minijinja::{Environment, Error, Value as Native};

use super::items_of;

pub(super) fn register(environment: &mut Environment<'static>) {
    environment.add_filter("difference", |a: &Native, b: &Native| {
        let b = items_of(b)?;
        Ok::<_, Error>(distinct(items_of(a)?, |item| !b.contains(item)))
    });
    environment.add_filter("intersect", |a: &Native, b: &Native| {
        let b = items_of(b)?;
        Ok::<_, Error>(distinct(items_of(a)?, |item| b.contains(item)))
    });
    environment.add_filter("union", |a: &Native, b: &Native| {
        let mut all = items_of(a)?;
        all.extend(items_of(b)?);
        Ok::<_, Error>(distinct(all, |_| true))
    });
    environment.add_filter("symmetric_difference", |a: &Native, b: &Native| {
        let (a, b) = (items_of(a)?, items_of(b)?);
        let all = a.iter().chain(&b).cloned().collect();
        Ok::<_, Error>(distinct(all, |item| a.contains(item) != b.contains(item)))
    });
}

fn distinct(items: Vec<Native>, keep: impl Fn(&Native) -> bool) -> Native {
    let mut out: Vec<Native> = Vec::new();
    for item in items {
        if keep(&item) && !out.contains(&item) {
            out.push(item);
        }
    }
    Native::from(out)
}
