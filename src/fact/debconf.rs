//! Questions about the answers that debconf keeps: each is about one answer, and none moves another.

/// Where debconf keeps its answers.
pub const STORE: &str = "/var/cache/debconf";

/// How the question about one answer is called; a kind's own script follows on the next line. Neither name has white space.
pub fn title(name: &str, package: &str) -> String {
    format!("answer to {name} of {package}")
}

/// Whether a question is about one answer, and that is not the one to `name`.
pub fn is_apart(probe: &str, name: &str) -> bool {
    let line = probe.lines().next().unwrap_or_default();
    let about = line.strip_prefix("answer to ");
    let about = about.and_then(|rest| rest.split_once(" of "));
    about.is_some_and(|(asked, _)| asked != name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::Touch;
    use crate::fact::{Answer, Known, Question};

    #[test]
    fn an_answer_moves_no_other() {
        let mut known = Known::new(false);
        let asked = |text: &str| Question::Probe(format!("{text}\nscript").as_str().into());
        let other = title("a/c", "a");
        let gone = [
            title("a/b", "a"),
            title("a/b", "other"),
            "answers of a".to_owned(),
            "answer to everything".to_owned(),
            "something else".to_owned(),
        ];
        let all = gone.iter().chain([&other]);
        known.learn(all.map(|text| (asked(text), Answer::Probe(Vec::new().into()))));
        let store = Question::Tree(STORE.into());
        known.learn([(store.clone(), Answer::Tree(None))]);
        known.touch(&Touch::Debconf("a/b".to_owned()));
        assert!(known.need([asked(&other)]).is_ok());
        for text in &gone {
            assert!(known.need([asked(text)]).is_err(), "{text}");
        }
        assert!(known.need([store]).is_err());
    }
}
