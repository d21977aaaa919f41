//! Several questions in one script: they are asked at the same time, and answered one behind the other.

use crate::cluster::Answer;

/// The script. No file is written for it: each answer waits in a pipe until those before it are through.
pub(super) fn compile(questions: &[String], mark: &str) -> String {
    let mut script = String::new();
    for (number, question) in questions.iter().enumerate().rev() {
        let own = format!(
            "{{ said=$( (\n{question}\n) </dev/null 2>&1 >&3 3>&- ); status=$?; printf '\\n@{mark} {number} %s\\n%s\\n@{mark} over\\n' \"$status\" \"$said\"; }} 3>&1"
        );
        script = match script.is_empty() {
            true => own,
            false => format!("{own} | {{ {script}; cat; }}"),
        };
    }
    script
}

/// What each of `count` questions was answered in the output of the script with that mark; nothing where an answer has no end.
pub fn parse(output: &[u8], count: usize, mark: &str) -> Vec<Answer> {
    let text = String::from_utf8_lossy(output);
    let lost = || Answer::Silent("the question came to no end".to_owned());
    let mut answers: Vec<Answer> = (0..count).map(|_| lost()).collect();
    for part in text.split(&format!("\n@{mark} over\n")) {
        let Some((said, rest)) = part.split_once(&format!("\n@{mark} ")) else {
            continue;
        };
        let (head, errors) = rest.split_once('\n').unwrap_or((rest, ""));
        let Some((number, status)) = head.split_once(' ') else {
            continue;
        };
        let Some(answer) = number
            .parse::<usize>()
            .ok()
            .and_then(|number| answers.get_mut(number))
        else {
            continue;
        };
        *answer = match status {
            "0" => Answer::Said(format!("{said}\n")),
            _ => Answer::Silent(
                errors
                    .trim_end()
                    .lines()
                    .last()
                    .unwrap_or("the question failed")
                    .to_owned(),
            ),
        };
    }
    answers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(questions: &[&str]) -> Vec<Answer> {
        let questions: Vec<String> = questions.iter().map(|text| (*text).to_owned()).collect();
        let script = compile(&questions, "M1");
        let output = std::process::Command::new("/bin/sh")
            .args(["-c", &script])
            .output()
            .expect("sh");
        parse(&output.stdout, questions.len(), "M1")
    }

    #[test]
    fn each_question_has_its_own_answer() {
        let answers = ask(&[
            "echo one; cat",
            "echo two\nexit 0",
            "case x in x) cat <<END\nit's (three\nEND\n;; esac",
            "echo lost; echo why >&2; exit 3",
        ]);
        assert_eq!(answers[0], Answer::Said("one\n\n".to_owned()));
        assert_eq!(answers[1], Answer::Said("two\n\n".to_owned()));
        assert_eq!(answers[2], Answer::Said("it's (three\n\n".to_owned()));
        assert_eq!(answers[3], Answer::Silent("why".to_owned()));
    }

    #[test]
    fn they_are_asked_at_the_same_time_and_may_say_much() {
        let began = std::time::Instant::now();
        let much = "sleep 0.5; head -c 300000 /dev/zero | tr '\\0' x";
        let answers = ask(&[much, much, much]);
        for answer in answers {
            let Answer::Said(text) = answer else {
                panic!("{answer:?}")
            };
            assert_eq!(text.trim_end().len(), 300_000);
        }
        assert!(began.elapsed().as_millis() < 1400);
    }

    #[test]
    fn half_an_answer_is_none() {
        let answers = parse(b"one\n\n@M1 0 0\n\n@M1 over\ntwo", 2, "M1");
        assert_eq!(answers[0], Answer::Said("one\n\n".to_owned()));
        assert!(matches!(answers[1], Answer::Silent(_)));
    }
}
