//! The shapes of values as JSON Schema.

use serde_json::{Map, Value as Json, json};

use crate::cli::words::{Shape, Word};

/// A variable.
const NAME: &str = "^[A-Za-z_][A-Za-z0-9_]*$";

/// What a shape says of a value.
pub fn of(shape: Shape) -> Json {
    let open = |mut schemas: Vec<Json>| {
        schemas.push(json!({ "$ref": "#/$defs/template" }));
        json!({ "anyOf": schemas })
    };
    match shape {
        Shape::Text => json!({ "type": ["string", "number", "null"] }),
        Shape::Literal => {
            json!({ "type": "string", "minLength": 1, "not": { "$ref": "#/$defs/template" } })
        }
        Shape::Name => json!({ "type": "string", "pattern": NAME }),
        Shape::Flag => open(vec![flag(), json!({ "type": "null" })]),
        Shape::Switch => json!({ "anyOf": [flag(), { "type": "null" }] }),
        Shape::Number => open(vec![
            json!({ "type": "number", "minimum": 0 }),
            json!({ "type": "string", "pattern": r"^\s*[0-9]+(\.[0-9]+)?\s*$" }),
            json!({ "type": "null" }),
        ]),
        Shape::Count => open(vec![
            json!({ "type": "integer", "minimum": 0 }),
            json!({ "type": "string", "pattern": r"^\s*[0-9]+\s*$" }),
            json!({ "type": "null" }),
        ]),
        Shape::Duration => open(vec![
            json!({ "type": "integer", "minimum": 0 }),
            json!({ "type": "string", "pattern": "^[^{]*[0-9]" }),
        ]),
        Shape::Conditions => json!({
            "anyOf": [
                { "type": ["string", "boolean", "number", "null"] },
                { "type": "array", "items": { "type": ["string", "boolean", "number"] } },
            ],
        }),
        Shape::Texts => json!({
            "anyOf": [
                { "type": ["string", "number", "null"] },
                { "type": "array", "items": { "type": ["string", "number"] } },
            ],
        }),
        Shape::Choices => json!({
            "anyOf": [
                { "type": ["string", "null"] },
                { "type": "array", "items": { "anyOf": [
                    { "type": "string" },
                    { "type": "array", "items": { "type": "string" } },
                ] } },
            ],
        }),
        Shape::Vars => json!({
            "type": ["object", "null"],
            "propertyNames": { "pattern": NAME },
        }),
        Shape::Maps => open(vec![
            json!({ "type": ["object", "null"] }),
            json!({ "type": "array", "items": { "anyOf": [{ "type": "object" }, { "$ref": "#/$defs/template" }] } }),
        ]),
        Shape::Choice(words) => open(vec![json!({ "enum": words }), json!({ "type": "null" })]),
        Shape::Words(words) => open(vec![object(words), json!({ "type": "null" })]),
        Shape::List(words) => json!({ "type": ["array", "null"], "items": object(words) }),
        Shape::Tasks => json!({ "type": ["array", "null"], "items": { "$ref": "#/$defs/task" } }),
        Shape::Items => open(vec![json!({ "type": ["array", "null"] })]),
        Shape::Mapping => open(vec![json!({ "type": ["object", "null"] })]),
        Shape::Any => json!({}),
    }
}

/// Ansible's words for true and false.
pub fn flag() -> Json {
    json!({
        "anyOf": [
            { "type": "boolean" },
            { "enum": [0, 1] },
            { "type": "string", "pattern": "^([Tt]rue|TRUE|[Yy]es|YES|[Oo]n|ON|[Ff]alse|FALSE|[Nn]o|NO|[Oo]ff|OFF)$" },
        ],
    })
}

/// A mapping with these words and no others.
pub fn object(words: &[Word]) -> Json {
    json!({
        "type": "object",
        "properties": properties(words),
        "additionalProperties": false,
    })
}

/// The words with what their values may be.
pub fn properties(words: &[Word]) -> Map<String, Json> {
    let rows = words.iter().map(|word| {
        let mut schema = of(word.shape);
        schema["description"] = word.doc.into();
        (word.name.to_owned(), schema)
    });
    rows.collect()
}

/// What Ansible has there and this has not: no value is right.
pub fn refused(instead: &str) -> Json {
    json!({ "not": {}, "description": format!("hadeploy does not have it: {instead}") })
}

/// What other schemas refer to.
pub fn definitions() -> Json {
    json!({ "template": template() })
}

/// Text that holds a template.
pub fn template() -> Json {
    json!({ "type": "string", "pattern": r"\{[\{%#]" })
}
