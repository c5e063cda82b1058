//! The documentation page, made from the OpenAPI document. Plain HTML and one style sheet: no
//! script, no framework, nothing from another server.

use std::fmt::Write;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use crate::openapi;
use crate::problem::Code;

/// How the page looks.
pub(crate) const STYLE: &str = include_str!("docs.css");

/// The page, made at its first use.
pub(crate) fn page() -> &'static str {
    static PAGE: LazyLock<String> = LazyLock::new(|| {
        let document = serde_json::from_str(openapi::document()).expect("our own document is JSON");
        Page { document }.write()
    });
    &PAGE
}

/// The page for an address with a slash at its end, to which what it links to is one step up.
pub(crate) fn page_below() -> &'static str {
    static PAGE: LazyLock<String> = LazyLock::new(|| {
        ["docs.css", "openapi.json"].into_iter().fold(page().to_owned(), |page, file| {
            page.replace(&format!("href=\"{file}\""), &format!("href=\"../{file}\""))
        })
    });
    &PAGE
}

/// Where the examples send their requests: a shop as `evercart serve` starts it.
const SHOP: &str = "http://127.0.0.1:8080";

/// Deeper than any of our schemas, so that a schema that contained itself would end.
const DEPTH_MAX: usize = 8;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

struct Page {
    document: Value,
}

struct Operation<'a> {
    method: &'static str,
    path: &'a str,
    says: &'a Value,
}

impl Operation<'_> {
    fn anchor(&self) -> String {
        let path = self.path.replace(['{', '}'], "").replace('/', "-");
        format!("{}{path}", self.method)
    }

    fn needs_token(&self) -> bool {
        self.says["security"].as_array().is_some_and(|schemes| !schemes.is_empty())
    }
}

impl Page {
    fn write(&self) -> String {
        let mut out = String::with_capacity(128 * 1024);
        let title = text(&self.document["info"]["title"]);
        out.push_str(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
        );
        put(&mut out, format_args!("<title>{title} API</title>\n"));
        // Relative, so that the page works under /api/v1, too.
        out.push_str("<link rel=\"stylesheet\" href=\"docs.css\">\n</head>\n<body>\n");
        self.navigation(&mut out);
        out.push_str("<main>\n");
        put(&mut out, format_args!("<h1>{title} API</h1>\n"));
        prose(&mut out, text(&self.document["info"]["description"]));
        out.push_str(INTRODUCTION);
        for tag in self.tags() {
            let name = text(&tag["name"]);
            put(&mut out, format_args!("<h2 id=\"{}\">{name}</h2>\n", anchor(name)));
            prose(&mut out, text(&tag["description"]));
            for operation in self.operations(name) {
                self.operation(&mut out, &operation);
            }
        }
        errors(&mut out);
        out.push_str("</main>\n</body>\n</html>\n");
        out
    }

    fn tags(&self) -> impl Iterator<Item = &Value> {
        self.document["tags"].as_array().into_iter().flatten()
    }

    fn operations<'a>(&'a self, tag: &str) -> Vec<Operation<'a>> {
        let paths = self.document["paths"].as_object().into_iter().flatten();
        let all = paths.flat_map(|(path, item)| {
            METHODS
                .into_iter()
                .filter_map(move |method| Some(Operation { method, path, says: item.get(method)? }))
        });
        all.filter(|operation| text(&operation.says["tags"][0]) == tag).collect()
    }

    fn navigation(&self, out: &mut String) {
        out.push_str(
            "<nav>\n<p class=\"brand\">Evercart</p>\n<ul>\n\
             <li><a href=\"#walk\">Signing in, step by step</a></li>\n\
             <li><a href=\"#promises\">Retries and changes</a></li>\n\
             <li><a href=\"#errors\">Errors</a></li>\n\
             <li><a href=\"openapi.json\">openapi.json</a></li>\n</ul>\n",
        );
        for tag in self.tags() {
            let name = text(&tag["name"]);
            put(out, format_args!("<p><a href=\"#{}\">{name}</a></p>\n<ul>\n", anchor(name)));
            for operation in self.operations(name) {
                put(
                    out,
                    format_args!(
                        "<li><a href=\"#{}\"><b class=\"{1}\">{1}</b> {2}</a></li>\n",
                        operation.anchor(),
                        operation.method,
                        escaped(operation.path)
                    ),
                );
            }
            out.push_str("</ul>\n");
        }
        out.push_str("</nav>\n");
    }

    fn operation(&self, out: &mut String, operation: &Operation<'_>) {
        let says = operation.says;
        put(
            out,
            format_args!(
                "<section id=\"{}\">\n<h3><b class=\"{1}\">{1}</b> <code>{2}</code></h3>\n",
                operation.anchor(),
                operation.method,
                escaped(operation.path)
            ),
        );
        put(out, format_args!("<p class=\"summary\">{}", escaped(text(&says["summary"]))));
        if operation.needs_token() {
            out.push_str(" <span class=\"token\">token</span>");
        }
        out.push_str("</p>\n");
        prose(out, text(&says["description"]));
        parameters(out, says);
        let body = &says["requestBody"]["content"]["application/json"]["schema"];
        let body = (!body.is_null()).then(|| self.example(body, true, 0));
        put(out, format_args!("<pre>{}</pre>\n", escaped(&curl(operation, body.as_ref()))));
        self.answers(out, says);
        out.push_str("</section>\n");
    }

    fn answers(&self, out: &mut String, says: &Value) {
        out.push_str("<table>\n<thead><tr><th>Answer</th><th></th></tr></thead>\n<tbody>\n");
        for (status, answer) in says["responses"].as_object().into_iter().flatten() {
            let status = if status == "default" { "500" } else { status };
            put(out, format_args!("<tr><td><code>{status}</code></td><td>"));
            out.push_str(&marked(text(&answer["description"])));
            out.push_str("</td></tr>\n");
        }
        out.push_str("</tbody>\n</table>\n");
        let answers = says["responses"].as_object().into_iter().flatten();
        for (status, answer) in answers {
            let schema = &answer["content"]["application/json"]["schema"];
            if !schema.is_null() && schema.as_object().is_none_or(|schema| !schema.is_empty()) {
                let example = pretty(&self.example(schema, false, 0));
                put(
                    out,
                    format_args!(
                        "<details><summary>What {status} looks like</summary>\
                         <pre>{}</pre></details>\n",
                        escaped(&example)
                    ),
                );
            }
        }
    }

    /// A value that fits a schema. Of a request, only what has an example or must be there.
    fn example(&self, schema: &Value, request: bool, depth: usize) -> Value {
        if depth > DEPTH_MAX {
            return Value::Null;
        }
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let name = reference.rsplit('/').next().unwrap_or_default();
            let target = &self.document["components"]["schemas"][name];
            return self.example(target, request, depth + 1);
        }
        let given = schema.get("example").or_else(|| schema.get("examples")?.get(0));
        if let Some(given) = given {
            return given.clone();
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

fn parameters(out: &mut String, says: &Value) {
    let Some(parameters) = says["parameters"].as_array() else { return };
    out.push_str(
        "<table>\n<thead><tr><th>Parameter</th><th>In</th><th></th></tr></thead>\n<tbody>\n",
    );
    for parameter in parameters {
        let schema = &parameter["schema"];
        let bounds = match (schema.get("minimum"), schema.get("maximum")) {
            (Some(least), Some(most)) => format!(" ({least} to {most})"),
            _ => String::new(),
        };
        put(
            out,
            format_args!(
                "<tr><td><code>{}</code></td><td>{}</td><td>{}{bounds}</td></tr>\n",
                escaped(text(&parameter["name"])),
                text(&parameter["in"]),
                marked(text(&parameter["description"])),
            ),
        );
    }
    out.push_str("</tbody>\n</table>\n");
}

/// A request to copy into a shell.
fn curl(operation: &Operation<'_>, body: Option<&Value>) -> String {
    let parameters = operation.says["parameters"].as_array().into_iter().flatten();
    let mut path = operation.path.to_owned();
    for parameter in parameters.filter(|parameter| parameter["in"] == "path") {
        let example = &parameter["example"];
        let id = if example.is_null() { "1".to_owned() } else { example.to_string() };
        path = path.replace(&format!("{{{}}}", text(&parameter["name"])), &id);
    }
    let mut line = format!("curl -X {} {SHOP}{path}", operation.method.to_uppercase());
    if operation.needs_token() {
        line.push_str(" \\\n  -H \"Authorization: Bearer $TOKEN\"");
    }
    if let Some(body) = body {
        line.push_str(" \\\n  -H \"Content-Type: application/json\"");
        put(&mut line, format_args!(" \\\n  -d '{body}'"));
    }
    line
}

fn errors(out: &mut String) {
    out.push_str(
        "<h2 id=\"errors\">Errors</h2>\n<p>Every error is <code>application/problem+json</code> \
         (RFC 9457). <code>detail</code> is for people, <code>code</code> for programs. 429 and \
         503 say in <code>Retry-After</code> when to try again.</p>\n\
         <table>\n<thead><tr><th>Status</th><th>Code</th><th>Meaning</th></tr></thead>\n<tbody>\n",
    );
    for code in Code::ALL {
        put(
            out,
            format_args!(
                "<tr><td>{}</td><td><code>{}</code></td><td>{}</td></tr>\n",
                code.status().as_u16(),
                code.as_str(),
                code.title()
            ),
        );
    }
    out.push_str("</tbody>\n</table>\n");
}

const INTRODUCTION: &str = r#"<h2 id="walk">Signing in, step by step</h2>
<ol>
<li><p>Ask for a code. It comes by SMS; a demo (<code>evercart serve --demo</code>) also says it in
the answer.</p>
<pre>curl -X POST http://127.0.0.1:8080/auth/send-code \
  -H "Content-Type: application/json" \
  -d '{"phone": "+13128059851"}'</pre></li>
<li><p>Trade it for a token. The customer is made the first time.</p>
<pre>curl -X POST http://127.0.0.1:8080/auth/verify-code \
  -H "Content-Type: application/json" \
  -d '{"phone": "+13128059851", "verification_code": "123456"}'</pre></li>
<li><p>Send the token with every request that is about the customer.</p>
<pre>curl http://127.0.0.1:8080/cart -H "Authorization: Bearer $TOKEN"</pre></li>
</ol>
<p>A token is good for 30 minutes and says who the customer is; the cart, the wishlist and the
orders are kept under that identity. After a logout or when the token has expired, sign in again:
everything is still there. <code>POST /auth/logout</code> ends every token issued so far, on every
device.</p>
<h2 id="promises">Retries and changes</h2>
<p><b>A 2xx answer to a change means it is on disk.</b> If no answer came, send the request again
with the same <code>Idempotency-Key</code>: it is done once, however often it is sent within 24
hours, and a repeat is answered with <code>Idempotent-Replayed: true</code>.</p>
<p><b>A cart has an <code>ETag</code>.</b> Send it as <code>If-None-Match</code> to read the cart
only if it changed, or as <code>If-Match</code> to change it only if nobody else did.</p>
<p><b>A market</b> is a country's shop with its own customers, prices and orders. The token says
which; without one it is <code>X-Market</code>, the phone's prefix, or the shop's default.</p>
<p><b>A page in a browser</b> needs its origin allowed (CORS), else it reads only "Failed to
fetch". A demo allows pages from <code>localhost</code>, <code>127.0.0.1</code> and
<code>[::1]</code>, a shop those in <code>server.cors_origins</code>.</p>
"#;

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn anchor(name: &str) -> String {
    name.to_lowercase().replace(' ', "-")
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).expect("a value is JSON")
}

fn put(out: &mut String, what: std::fmt::Arguments<'_>) {
    out.write_fmt(what).expect("a string takes everything");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Escapes a text and shows what is in backticks as code.
fn marked(text: &str) -> String {
    let mut out = String::new();
    for (at, part) in escaped(text).split('`').enumerate() {
        if at > 0 {
            out.push_str(if at % 2 == 1 { "<code>" } else { "</code>" });
        }
        out.push_str(part);
    }
    if text.matches('`').count() % 2 == 1 {
        out.push_str("</code>");
    }
    out
}

/// Paragraphs.
fn prose(out: &mut String, text: &str) {
    for paragraph in text.split("\n\n").filter(|paragraph| !paragraph.is_empty()) {
        put(out, format_args!("<p>{}</p>\n", marked(paragraph)));
    }
}
