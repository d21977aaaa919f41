//! Host ranges: `web[01:10]`, `db-[a:c]`, `n[1:9:2]`.

/// The most names one spelling may stand for.
pub const MAX_HOSTS: usize = 100_000;

/// All names a spelling stands for, in order; a plain name is itself. The error is a sentence.
pub fn expand(text: &str) -> Result<Vec<String>, String> {
    let Some(open) = text.find('[') else {
        return match text.find(']') {
            Some(_) => Err("`]` without `[`".to_owned()),
            None => Ok(vec![text.to_owned()]),
        };
    };
    let close = text[open..]
        .find(']')
        .map(|at| open + at)
        .ok_or("`[` without `]`")?;
    let (head, tail) = (&text[..open], expand(&text[close + 1..])?);
    let middle = series(&text[open + 1..close])?;
    if middle.len().saturating_mul(tail.len()) > MAX_HOSTS {
        return Err(format!("it stands for more than {MAX_HOSTS} hosts"));
    }
    Ok(middle
        .iter()
        .flat_map(|part| tail.iter().map(move |rest| format!("{head}{part}{rest}")))
        .collect())
}

fn series(text: &str) -> Result<Vec<String>, String> {
    let parts: Vec<&str> = text.split(':').collect();
    let (first, last, step) = match parts.as_slice() {
        [first, last] => (*first, *last, 1),
        [first, last, step] => {
            let step: usize = step
                .parse()
                .ok()
                .filter(|step| *step > 0)
                .ok_or(format!("`{step}` is not a step"))?;
            (*first, *last, step)
        }
        _ => return Err(format!("`[{text}]` is not a range such as `[01:10]`")),
    };
    if last.is_empty() {
        return Err(format!("`[{text}]` has no end"));
    }
    if let (Ok(from), Ok(to)) = (number(first), number(last)) {
        let width = if first.starts_with('0') && first.len() > 1 {
            if last.len() != first.len() {
                return Err(format!("both ends of `[{text}]` must have as many digits"));
            }
            first.len()
        } else {
            1
        };
        check_ends(from, to, step, text)?;
        return Ok((from..=to)
            .step_by(step)
            .map(|number| format!("{number:0width$}"))
            .collect());
    }
    match (letter(first), letter(last)) {
        (Some(from), Some(to)) => {
            check_ends(from as u64, to as u64, step, text)?;
            Ok((from..=to)
                .step_by(step)
                .map(|at| char::from(LETTERS[at]).to_string())
                .collect())
        }
        _ => Err(format!(
            "the ends of `[{text}]` must be two numbers or two letters"
        )),
    }
}

fn check_ends(from: u64, to: u64, step: usize, text: &str) -> Result<(), String> {
    if from > to {
        return Err(format!("`[{text}]` begins behind its end"));
    }
    if (to - from) / step as u64 >= MAX_HOSTS as u64 {
        return Err(format!("it stands for more than {MAX_HOSTS} hosts"));
    }
    Ok(())
}

fn number(text: &str) -> Result<u64, std::num::ParseIntError> {
    // An empty begin is 0, as in Ansible.
    if text.is_empty() { Ok(0) } else { text.parse() }
}

/// In the order of ranges, as in Ansible.
const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// Which of the letters it is.
fn letter(text: &str) -> Option<usize> {
    match text.as_bytes() {
        [byte] => LETTERS.iter().position(|letter| letter == byte),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_keep_leading_zeros_and_multiply() {
        assert_eq!(expand("web").as_deref(), Ok(&["web".to_owned()][..]));
        assert_eq!(
            expand("web[08:10].x").expect("a range"),
            ["web08.x", "web09.x", "web10.x"]
        );
        assert_eq!(expand("[y:B]").expect("a range"), ["y", "z", "A", "B"]);
        assert_eq!(
            expand("[a:b][1:3:2]").expect("two ranges"),
            ["a1", "a3", "b1", "b3"]
        );
    }

    #[test]
    fn bad_ranges_say_what_is_wrong() {
        for (text, words) in [
            ("web[1", "without `]`"),
            ("web1]", "without `[`"),
            ("web[3:1]", "begins behind"),
            ("web[1]", "not a range"),
            ("web[01:100]", "as many digits"),
            ("web[1:]", "has no end"),
            ("web[A:c]", "begins behind"),
            ("web[a:3]", "two letters"),
            ("w[0:99999][0:99999]", "more than"),
            ("w[0:99999999999]", "more than"),
        ] {
            let fault = expand(text).expect_err(text);
            assert!(fault.contains(words), "{text}: {fault}");
        }
    }
}
