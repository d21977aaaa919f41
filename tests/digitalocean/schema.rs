//! As much of OpenAPI's schemas as the description uses: enough to refuse a request or an answer that it does not describe.

use serde_json::Value;

/// What of `value` does not fit the schema.
pub fn faults(schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let mut found = Vec::new();
    if value.is_null() && schema["nullable"] == true {
        return found;
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        found.extend(faults(part, value, at));
    }
    for choice in ["oneOf", "anyOf"] {
        if let Some(parts) = schema[choice].as_array()
            && !parts.iter().any(|part| faults(part, value, at).is_empty())
        {
            found.push(format!("{at}: fits no part of {choice}"));
        }
    }
    let fits = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        _ => true,
    };
    if !fits {
        found.push(format!("{at}: {value} is no {}", schema["type"]));
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        found.push(format!("{at}: {value} is none of {words:?}"));
    }
    for (bound, wrong) in [("minimum", -1.0), ("maximum", 1.0)] {
        if let (Some(bound), Some(number)) = (schema[bound].as_f64(), value.as_f64())
            && (number - bound) * wrong > 0.0
        {
            found.push(format!("{at}: {number} is beyond {bound}"));
        }
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        if name.as_str().is_some_and(|name| value.get(name).is_none()) {
            found.push(format!("{at}: {name} is missing"));
        }
    }
    for (name, part) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(value) = value.get(name) {
            found.extend(faults(part, value, &format!("{at}.{name}")));
        }
    }
    for (n, item) in value.as_array().into_iter().flatten().enumerate() {
        found.extend(faults(&schema["items"], item, &format!("{at}[{n}]")));
    }
    found
}

/// The operation of a method and a path.
pub fn operation<'a>(api: &'a Value, method: &str, path: &str) -> Option<&'a Value> {
    let wanted: Vec<&str> = path.split('/').collect();
    let paths = api["paths"].as_object()?;
    let (_, methods) = paths.iter().find(|(template, _)| {
        let parts: Vec<&str> = template.split('/').collect();
        let fits = |(part, word): (&&str, &&str)| part.starts_with('{') || part == word;
        parts.len() == wanted.len() && parts.iter().zip(&wanted).all(fits)
    })?;
    methods.get(method.to_ascii_lowercase())
}

/// The schema of the body of a request, or of the answer with a status.
pub fn body(part: &Value) -> Option<&Value> {
    part.pointer("/content/application~1json/schema")
}
