//! Values that fit the document's schemas, to show what a request and its answer look like.

use serde_json::{Map, Value};

use super::text;

/// Deeper than any of our schemas, so that a schema that contained itself would end.
const DEPTH_MAX: usize = 8;

/// Makes values for the schemas of a document.
pub(super) struct Examples<'a> {
    pub(super) document: &'a Value,
}

impl Examples<'_> {
    /// A value that fits a schema. Of a request, only what has an example or must be there.
    pub(super) fn example(&self, schema: &Value, request: bool, depth: usize) -> Value {
        if depth > DEPTH_MAX {
            return Value::Null;
        }
        let given = schema.get("example").or_else(|| schema.get("examples")?.get(0));
        if let Some(given) = given {
            return given.clone();
        }
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let name = reference.rsplit('/').next().unwrap_or_default();
            let target = &self.document["components"]["schemas"][name];
            return self.example(target, request, depth + 1);
        }
        for joint in ["oneOf", "anyOf", "allOf"] {
            if let Some(parts) = schema.get(joint).and_then(Value::as_array) {
                return self.joined(parts, joint, request, depth);
            }
        }
        let kind = &schema["type"];
        match kind.as_str().unwrap_or_else(|| text(&kind[0])) {
            "object" => self.example_object(schema, request, depth),
            "array" => Value::Array(vec![self.example(&schema["items"], request, depth + 1)]),
            _ if kind.is_array() => Value::Null,
            "string" => "…".into(),
            "integer" => 1.into(),
            "boolean" => true.into(),
            _ => Value::Null,
        }
    }

    fn joined(&self, parts: &[Value], joint: &str, request: bool, depth: usize) -> Value {
        let mut examples = parts
            .iter()
            .filter(|part| part["type"] != "null")
            .map(|part| self.example(part, request, depth + 1));
        if joint != "allOf" {
            return examples.next().unwrap_or_default();
        }
        let members = examples.filter_map(|example| example.as_object().cloned());
        Value::Object(members.flatten().collect())
    }

    fn example_object(&self, schema: &Value, request: bool, depth: usize) -> Value {
        let required: Vec<_> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut members = Map::new();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let value = self.example(property, request, depth + 1);
            if !request || !value.is_null() || required.contains(&name.as_str()) {
                members.insert(name.clone(), value);
            }
        }
        Value::Object(members)
    }
}
