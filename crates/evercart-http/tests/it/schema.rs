//! Compares answers with what the OpenAPI document says of them, and tells what it declares.

use std::sync::LazyLock;

use axum::http::Method;
use serde_json::Value;

use crate::shop::Answered;

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(&evercart_http::openapi_json()).unwrap());

pub fn document() -> &'static Value {
    &DOCUMENT
}

/// One operation of the document.
#[derive(Clone, Copy)]
pub struct Operation {
    pub method: &'static str,
    pub path: &'static str,
    pub says: &'static Value,
}

impl Operation {
    pub fn method(&self) -> Method {
        self.method.to_uppercase().parse().unwrap()
    }

    pub fn needs_token(&self) -> bool {
        !self.says["security"].as_array().expect("a list, if an empty one").is_empty()
    }

    /// True if the answer is the same in all markets.
    pub fn has_no_market(&self) -> bool {
        let parameters = self.says["parameters"].as_array().into_iter().flatten();
        !parameters.into_iter().any(|parameter| parameter["name"] == "X-Market")
    }

    pub fn changes(&self) -> bool {
        self.method != "get"
    }

    pub fn statuses(&self) -> Vec<&'static str> {
        let answers = self.says["responses"].as_object().unwrap();
        answers.keys().map(String::as_str).filter(|status| *status != "default").collect()
    }

    /// A body made of the document's own examples.
    pub fn example(&self) -> Option<Value> {
        let schema = self.body()?;
        let members = schema["properties"].as_object().unwrap().iter();
        let examples = members
            .filter_map(|(name, property)| Some((name.clone(), property.get("example")?.clone())));
        Some(Value::Object(examples.collect()))
    }

    /// The properties of the body it takes, with their schemas, and whether it must be there.
    pub fn body(&self) -> Option<&'static Value> {
        let schema = &self.says["requestBody"]["content"]["application/json"]["schema"];
        (!schema.is_null()).then(|| resolved(schema))
    }
}

/// Every operation of the document.
pub fn operations() -> Vec<Operation> {
    let paths = DOCUMENT["paths"].as_object().unwrap().iter();
    paths
        .flat_map(|(path, item)| {
            item.as_object().unwrap().iter().map(move |(method, says)| Operation {
                method,
                path,
                says,
            })
        })
        .collect()
}

/// The operation that a request is about.
fn find(method: &Method, path: &str) -> Option<Operation> {
    let path = path.split('?').next().unwrap();
    let path = path.strip_prefix("/api/v1").unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    let fits = |pattern: &str| {
        let (mut wanted, mut found) = (pattern.split('/'), path.split('/'));
        loop {
            match (wanted.next(), found.next()) {
                (None, None) => return true,
                (Some(wanted), Some(found)) if wanted == found || wanted.starts_with('{') => {}
                _ => return false,
            }
        }
    };
    let mut found: Vec<_> =
        operations().into_iter().filter(|op| op.method() == *method && fits(op.path)).collect();
    found.sort_by_key(|op| op.path.contains('{'));
    found.first().copied()
}

/// Fails unless the answer's status is declared and its body is as described.
pub fn check(method: &Method, path: &str, answer: &Answered) {
    let Some(operation) = find(method, path) else { return };
    let status = answer.status.as_str();
    if answer.status == 500 {
        return;
    }
    let declared = operation.says["responses"].get(status);
    let declared = declared.unwrap_or_else(|| {
        panic!("{method} {path} answers {status}, which is not declared: {}", answer.text)
    });
    let content = declared["content"].as_object().into_iter().flatten().next();
    let Some((kind, content)) = content else {
        assert!(answer.text.is_empty(), "{method} {path}: an undeclared body");
        return;
    };
    let sent = answer.header("content-type");
    assert!(sent.starts_with(kind), "{method} {path}: {sent} instead of {kind}");
    if kind == "application/json" && !path.trim_end_matches('/').ends_with("/openapi.json") {
        conforms(&content["schema"], &answer.body, &format!("{method} {path}"));
    }
    if kind == "application/problem+json" {
        let description = declared["description"].as_str().unwrap();
        let code = answer.code();
        assert!(description.contains(&format!("`{code}`")), "{method} {path}: {code} not declared");
        conforms(&content["schema"], &answer.body, &format!("{method} {path}"));
    }
}

fn resolved(schema: &'static Value) -> &'static Value {
    if let Some(part) = schema.get("oneOf").and_then(Value::as_array) {
        return resolved(part.iter().find(|part| part["type"] != "null").unwrap());
    }
    match schema.get("$ref").and_then(Value::as_str) {
        Some(name) => &DOCUMENT["components"]["schemas"][name.rsplit('/').next().unwrap()],
        None => schema,
    }
}

/// Fails unless `value` is as `schema` says.
pub fn conforms(schema: &'static Value, value: &Value, at: &str) {
    if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
        // Flattened parts: each member must be described by one of them.
        let described: Vec<_> = parts.iter().map(resolved).collect();
        for (name, member) in value.as_object().unwrap() {
            let part = described.iter().find_map(|part| part["properties"].get(name));
            let part = part.unwrap_or_else(|| panic!("{at}: {name} is not described"));
            conforms(part, member, &format!("{at}.{name}"));
        }
        return;
    }
    if let Some(parts) = schema.get("anyOf").and_then(Value::as_array) {
        // Words known today, or any other text.
        return conforms(parts.last().unwrap(), value, at);
    }
    if value.is_null() {
        let kinds = schema["type"].as_array().map_or(&[][..], Vec::as_slice);
        let parts = schema["oneOf"].as_array().map_or(&[][..], Vec::as_slice);
        let may = kinds.iter().any(|kind| kind == "null")
            || parts.iter().any(|part| part["type"] == "null");
        assert!(may, "{at} is null and must not be");
        return;
    }
    let schema = resolved(schema);
    if schema.get("allOf").is_some() || schema.get("anyOf").is_some() {
        return conforms(schema, value, at);
    }
    if let Some(words) = schema["enum"].as_array() {
        assert!(words.contains(value), "{at} is {value}, which is none of {words:?}");
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().find(|kind| *kind != "null").unwrap(),
        kind => kind,
    };
    match kind.as_str().unwrap_or_else(|| panic!("{at}: no type in {schema}")) {
        "object" => conforms_object(schema, value, at),
        "array" => {
            for (index, item) in value.as_array().expect(at).iter().enumerate() {
                conforms(&schema["items"], item, &format!("{at}[{index}]"));
            }
        }
        "string" => assert!(value.is_string(), "{at} is {value}"),
        "integer" => assert!(value.is_i64(), "{at} is {value}"),
        "number" => assert!(value.is_number(), "{at} is {value}"),
        "boolean" => assert!(value.is_boolean(), "{at} is {value}"),
        other => panic!("{at}: {other}"),
    }
}

fn conforms_object(schema: &'static Value, value: &Value, at: &str) {
    let members = value.as_object().unwrap_or_else(|| panic!("{at} is {value}"));
    for required in schema["required"].as_array().into_iter().flatten() {
        assert!(members.contains_key(required.as_str().unwrap()), "{at} has no {required}");
    }
    for (name, member) in members {
        let property = schema["properties"].get(name);
        let property = property.unwrap_or_else(|| panic!("{at}: {name} is not described"));
        conforms(property, member, &format!("{at}.{name}"));
    }
}
