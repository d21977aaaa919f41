//! What was answered, as `register` gets it.

use serde_json::{Map, Value, json};

use crate::change::{ActOutput, Interpreted};

/// What is wanted of an answer.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// What was asked for.
    pub url: String,
    /// The statuses that are no failure.
    pub statuses: Vec<u16>,
    /// Whether the body is to be registered as text.
    pub content: bool,
}

impl Wanted {
    /// Reads what the script printed; none when it was ended before it could.
    pub fn read(&self, output: &ActOutput) -> Option<Interpreted> {
        let at = output.stdout.windows(2).position(|two| two == b"\n\n")?;
        let (told, rest) = (&output.stdout[..at], &output.stdout[at + 2..]);
        let told = String::from_utf8_lossy(told);
        let told: Map<String, Value> = told
            .lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(key, value)| (key.to_owned(), value.into()))
            .collect();
        let text = |key: &str| told.get(key).and_then(Value::as_str).unwrap_or_default();
        let number = |key: &str| text(key).parse::<i64>().unwrap_or_default();
        let (head, body) = rest.split_at_checked(usize::try_from(number("head")).ok()?)?;
        let url = match text("url") {
            "-" | "" => self.url.as_str(),
            url => url,
        };
        let status = number("status");
        let mut result = Map::new();
        let said = headers(head, url, &mut result);
        result.insert("status".to_owned(), status.into());
        result.insert("url".to_owned(), url.into());
        result.insert("elapsed".to_owned(), number("elapsed").into());
        result.insert("redirected".to_owned(), (number("redirects") > 0).into());
        if !text("dest").is_empty() {
            result.insert("path".to_owned(), text("dest").into());
        }
        let whole = body.len() as i64 == number("size");
        if whole {
            let content = String::from_utf8_lossy(body);
            if is_json(&result)
                && let Ok(json) = serde_json::from_str::<Value>(&content)
            {
                result.insert("json".to_owned(), json);
            }
            if self.content {
                result.insert("content".to_owned(), content.into());
            }
        }
        let length = result.get("content_length").and_then(Value::as_str);
        let mut message = format!("OK ({} bytes)", length.unwrap_or("unknown"));
        if number("rc") != 0 {
            message = match status {
                -1 => format!(
                    "Status code was -1 and not {:?}: Request failed: {}",
                    self.statuses,
                    text("error")
                ),
                _ => format!("the answer could not be kept: {}", text("error")),
            };
        } else if output.rc != 0 {
            message = format!(
                "Status code was {status} and not {:?}: {said}",
                self.statuses
            );
        }
        result.insert("msg".to_owned(), message.as_str().into());
        Some(Interpreted {
            changed: text("changed") == "1",
            message,
            help: None,
            result,
        })
    }
}

/// Enters the headers of the last answer, and gives its first line.
fn headers(head: &[u8], url: &str, result: &mut Map<String, Value>) -> String {
    let head = String::from_utf8_lossy(head);
    let lines: Vec<&str> = head.lines().collect();
    let last = lines.iter().rposition(|line| line.starts_with("HTTP/"));
    let lines = &lines[last.unwrap_or(lines.len())..];
    let mut cookies = Map::new();
    for line in lines.iter().skip(1) {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        let (name, value) = (name.to_ascii_lowercase().replace('-', "_"), value.trim());
        if name == "set_cookie"
            && let Some((cookie, value)) = value.split(';').next().and_then(|c| c.split_once('='))
        {
            cookies.insert(cookie.trim().to_owned(), value.into());
        }
        let value = match result.get(&name).and_then(Value::as_str) {
            Some(earlier) => format!("{earlier}, {value}"),
            None if name == "location" && value.starts_with('/') => {
                let end = url.find("://").map_or(0, |at| at + 3);
                let end = url[end..].find('/').map_or(url.len(), |at| end + at);
                format!("{}{value}", &url[..end])
            }
            None => value.to_owned(),
        };
        result.insert(name, value.into());
    }
    let pairs: Vec<String> = cookies
        .iter()
        .map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default()))
        .collect();
    result.insert("cookies_string".to_owned(), pairs.join("; ").into());
    result.insert("cookies".to_owned(), json!(cookies));
    let first = lines.first().copied().unwrap_or_default();
    first
        .split_once(' ')
        .map_or(first, |(_, said)| said)
        .to_owned()
}

fn is_json(result: &Map<String, Value>) -> bool {
    let kind = result.get("content_type").and_then(Value::as_str);
    let kind = kind
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default();
    let sub = kind.trim().rsplit('/').next().unwrap_or_default();
    let sub = sub.to_ascii_lowercase();
    matches!(sub.as_str(), "json" | "javascript") || sub.ends_with("+json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> Wanted {
        Wanted {
            url: "http://x:8080/a".to_owned(),
            statuses: vec![200, 201],
            content: true,
        }
    }

    fn output<'a>(rc: i32, stdout: &'a str) -> ActOutput<'a> {
        ActOutput {
            rc,
            stdout: stdout.as_bytes(),
            stderr: b"",
        }
    }

    #[test]
    fn headers_json_and_content() {
        let head = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Type: application/vnd.x+json; charset=utf-8\r\nSet-Cookie: a=b; Path=/\r\nLocation: /new\r\n\r\n";
        let body = "{\"a\": [1]}";
        let text = format!(
            "rc 0\nstatus 201\nredirects 0\nurl -\nelapsed 2\nchanged 0\nsize {}\nerror \ndest \nhead {}\n\n{head}{body}",
            body.len(),
            head.len()
        );
        let read = wanted().read(&output(0, &text)).unwrap();
        assert!(!read.changed);
        let result = Value::Object(read.result);
        assert_eq!(result["status"], 201);
        assert_eq!(result["json"], json!({ "a": [1] }));
        assert_eq!(result["content"], body);
        assert_eq!(result["location"], "http://x:8080/new");
        assert_eq!(result["cookies"], json!({ "a": "b" }));
        assert_eq!(result["elapsed"], 2);
        assert_eq!(result["url"], "http://x:8080/a");

        let bad = text
            .replace("status 201", "status 404")
            .replace("201 Created", "404 No");
        let bad = bad.replace(
            &format!("head {}", head.len()),
            &format!("head {}", head.len() - 5),
        );
        let read = wanted().read(&output(1, &bad)).unwrap();
        assert_eq!(
            read.message,
            "Status code was 404 and not [200, 201]: 404 No"
        );
    }

    #[test]
    fn what_is_cut_is_no_answer() {
        assert!(wanted().read(&output(124, "rc 0\nstatus")).is_none());
        assert!(wanted().read(&output(0, "rc 0\nhead 50\n\nHTTP")).is_none());
    }
}
