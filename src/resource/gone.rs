//! A file that is to be gone, for kinds that remove what they wrote.

use super::place::was;
use crate::change::{Expect, Step, Touch};
use crate::command::quote;
use crate::fact::{Answer, PathInfo, Question};

/// The step that removes the file or link at `path`; none when nothing is there.
pub fn gone(info: &PathInfo, path: &str) -> Option<Step> {
    info.stat.as_ref()?;
    let absent = PathInfo {
        stat: None,
        ..info.clone()
    };
    let script = format!("rm -f -- {}", quote(&info.abs));
    Some(
        Step::new(format!("remove {path}"), script)
            .touch(Touch::Path(path.to_owned()))
            .before(was(&info.abs, info.stat.as_ref(), None))
            .verify(Expect::absent(&*info.abs))
            .predict(Question::Path(path.into()), Answer::Path(absent))
            .predict(Question::Digest(path.into()), Answer::Digest(None))
            .predict(Question::Text(path.into()), Answer::Text(None)),
    )
}
