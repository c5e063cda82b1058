//! How the page is written, from its head to its table of errors.

use std::fmt::Write as _;

use serde_json::Value;

use super::example::Examples;
use super::{SHOP, text};
use crate::html::escaped;
use crate::problem::Code;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// What is told before the operations.
const INTRODUCTION: &str = include_str!("introduction.html");

/// The search and the top of the contents. The script fills `found`; without one the search is not
/// shown.
const BEFORE_CONTENTS: &str = r##"<a class="skip" href="#main">Skip to the content</a>
<nav aria-label="Contents">
<p class="brand">Evercart</p>
<div class="search" role="search">
<label for="search">Search <kbd>/</kbd></label>
<input id="search" type="search" autocomplete="off" spellcheck="false" aria-keyshortcuts="/"
  aria-describedby="found" placeholder="cart, sku_id, price_changed">
<p id="found" role="status"></p>
</div>
<ul>
<li><a href="#walk">Signing in, step by step</a></li>
<li><a href="#promises">Retries and changes</a></li>
<li><a href="#errors">Errors</a></li>
<li><a href="openapi.json">openapi.json</a></li>
</ul>
"##;

struct Page<'a> {
    document: &'a Value,
    examples: Examples<'a>,
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

    /// What it is called where it is read out.
    fn name(&self) -> String {
        format!("{} {}", self.method.to_uppercase(), self.path)
    }

    fn needs_token(&self) -> bool {
        self.says["security"].as_array().is_some_and(|schemes| !schemes.is_empty())
    }

    fn parameters(&self) -> impl Iterator<Item = &Value> {
        self.says["parameters"].as_array().into_iter().flatten()
    }

    /// True for what a shop with several markets does not answer without being told which.
    fn needs_market(&self) -> bool {
        let reads_market = self.parameters().any(|parameter| parameter["name"] == "X-Market");
        self.method == "get" && !self.needs_token() && reads_market
    }
}

/// Writes the page for a document.
pub(super) fn write(document: &Value) -> String {
    Page { document, examples: Examples { document } }.write()
}

impl Page<'_> {
    fn write(&self) -> String {
        let mut out = String::with_capacity(192 * 1024);
        let title = escaped(text(&self.document["info"]["title"]));
        // Relative links, so that the page works under /api/v1, too.
        put(
            &mut out,
            format_args!(
                "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
                 <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
                 <title>{title} API</title>\n\
                 <meta name=\"description\" content=\"Every operation of this shop's API, with \
                 parameters, errors, and examples to copy into a shell.\">\n\
                 <link rel=\"stylesheet\" href=\"docs.css\">\n\
                 <script src=\"docs.js\" defer></script>\n</head>\n<body>\n"
            ),
        );
        self.navigation(&mut out);
        put(&mut out, format_args!("<main id=\"main\" tabindex=\"-1\">\n<h1>{title} API</h1>\n"));
        out.push_str("<div class=\"guide\">\n");
        prose(&mut out, text(&self.document["info"]["description"]));
        self.introduction(&mut out);
        out.push_str("</div>\n");
        for tag in self.tags() {
            let name = text(&tag["name"]);
            put(
                &mut out,
                format_args!("<section class=\"tag\">\n<h2 id=\"{}\">{name}</h2>\n", anchor(name)),
            );
            prose(&mut out, text(&tag["description"]));
            for operation in self.operations(name) {
                self.operation(&mut out, &operation);
            }
            out.push_str("</section>\n");
        }
        errors(&mut out);
        out.push_str("</main>\n<p id=\"copied\" class=\"unseen\" role=\"status\"></p>\n");
        out.push_str("</body>\n</html>\n");
        out
    }

    fn tags(&self) -> impl Iterator<Item = &Value> {
        self.document["tags"].as_array().into_iter().flatten()
    }

    fn operations(&self, tag: &str) -> Vec<Operation<'_>> {
        let paths = self.document["paths"].as_object().into_iter().flatten();
        let all = paths.flat_map(|(path, item)| {
            METHODS
                .into_iter()
                .filter_map(move |method| Some(Operation { method, path, says: item.get(method)? }))
        });
        all.filter(|operation| text(&operation.says["tags"][0]) == tag).collect()
    }

    fn navigation(&self, out: &mut String) {
        out.push_str(BEFORE_CONTENTS);
        for tag in self.tags() {
            let name = text(&tag["name"]);
            put(
                out,
                format_args!(
                    "<div class=\"tag\">\n<p><a href=\"#{}\">{name}</a></p>\n<ul>\n",
                    anchor(name)
                ),
            );
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
            out.push_str("</ul>\n</div>\n");
        }
        out.push_str("</nav>\n");
    }

    /// The introduction, its examples as all others.
    fn introduction(&self, out: &mut String) {
        let mut step = 0;
        for (at, part) in INTRODUCTION.split("<pre>").enumerate() {
            let Some((example, rest)) = part.split_once("</pre>").filter(|_| at > 0) else {
                out.push_str(part);
                continue;
            };
            step += 1;
            listing(out, &format!("Request, step {step}"), example);
            out.push_str(rest);
        }
    }

    /// An operation, folded. The anchor is inside, so that a link to it unfolds it in a browser
    /// without a script.
    fn operation(&self, out: &mut String, operation: &Operation<'_>) {
        let says = operation.says;
        put(
            out,
            format_args!(
                "<details class=\"operation\">\n\
                 <summary><h3><b class=\"{0}\">{0}</b> <code>{1}</code></h3>\n\
                 <span class=\"summary\">{2}",
                operation.method,
                escaped(operation.path),
                escaped(text(&says["summary"]))
            ),
        );
        if operation.needs_token() {
            out.push_str(" <span class=\"token\">token</span>");
        }
        put(
            out,
            format_args!(
                "</span></summary>\n<div class=\"about\" id=\"{}\">\n",
                operation.anchor()
            ),
        );
        prose(out, text(&says["description"]));
        parameters(out, operation);
        let body = &says["requestBody"]["content"]["application/json"]["schema"];
        let body = (!body.is_null()).then(|| self.examples.example(body, true, 0));
        let request = curl(operation, body.as_ref());
        listing(out, &format!("Request, {}", operation.name()), &escaped(&request));
        self.answers(out, operation);
        out.push_str("</div>\n</details>\n");
    }

    fn answers(&self, out: &mut String, operation: &Operation<'_>) {
        let answers = || operation.says["responses"].as_object().into_iter().flatten();
        table(out, &format!("Answers, {}", operation.name()), &["Answer", "Meaning or code"]);
        for (status, answer) in answers() {
            let status = if status == "default" { "500" } else { status };
            let meaning = marked(text(&answer["description"]));
            put(out, format_args!("<tr><td><code>{status}</code></td><td>{meaning}</td></tr>\n"));
        }
        out.push_str(TABLE_END);
        for (status, answer) in answers() {
            let content = &answer["content"]["application/json"];
            let schema = &content["schema"];
            if schema.is_null() || schema.as_object().is_some_and(serde_json::Map::is_empty) {
                continue;
            }
            let given = content.get("example").cloned();
            let example = given.unwrap_or_else(|| self.examples.example(schema, false, 0));
            put(
                out,
                format_args!(
                    "<details class=\"answer\"><summary>What {status} looks like</summary>\n"
                ),
            );
            let name = format!("Answer {status}, {}", operation.name());
            listing(out, &name, &escaped(&pretty(&example)));
            out.push_str("</details>\n");
        }
    }
}

/// An example in a box that the keyboard reaches, for it may be wider than the page. `example` is
/// HTML.
fn listing(out: &mut String, name: &str, example: &str) {
    let name = escaped(name);
    put(
        out,
        format_args!(
            "<div class=\"listing\"><pre tabindex=\"0\" role=\"region\" aria-label=\"{name}\">\
             {example}</pre><button type=\"button\" class=\"copy\" aria-label=\"Copy: {name}\">\
             Copy</button></div>\n"
        ),
    );
}

const TABLE_END: &str = "</tbody>\n</table></div>\n";

/// Begins a table, up to its rows, in a box that the keyboard reaches.
fn table(out: &mut String, name: &str, heads: &[&str]) {
    put(
        out,
        format_args!(
            "<div class=\"table\" tabindex=\"0\" role=\"region\" aria-label=\"{}\"><table>\n\
             <thead><tr>",
            escaped(name)
        ),
    );
    for head in heads {
        put(out, format_args!("<th scope=\"col\">{head}</th>"));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
}

fn parameters(out: &mut String, operation: &Operation<'_>) {
    if operation.parameters().next().is_none() {
        return;
    }
    let name = format!("Parameters, {}", operation.name());
    table(out, &name, &["Parameter", "In", "Meaning"]);
    for parameter in operation.parameters() {
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
    out.push_str(TABLE_END);
}

/// A request to copy into a shell.
fn curl(operation: &Operation<'_>, body: Option<&Value>) -> String {
    let mut path = operation.path.to_owned();
    for parameter in operation.parameters().filter(|parameter| parameter["in"] == "path") {
        let example = &parameter["example"];
        let id = if example.is_null() { "1".to_owned() } else { example.to_string() };
        path = path.replace(&format!("{{{}}}", text(&parameter["name"])), &id);
    }
    let mut line = match operation.method {
        "get" => format!("curl {SHOP}{path}"),
        method => format!("curl -X {} {SHOP}{path}", method.to_uppercase()),
    };
    if operation.needs_token() {
        line.push_str(" \\\n  -H \"Authorization: Bearer $TOKEN\"");
    }
    if operation.needs_market() {
        line.push_str(" \\\n  -H \"X-Market: us\"");
    }
    if let Some(body) = body {
        line.push_str(" \\\n  -H \"Content-Type: application/json\"");
        let quoted = body.to_string().replace('\'', r"'\''");
        put(&mut line, format_args!(" \\\n  -d '{quoted}'"));
    }
    line
}

fn errors(out: &mut String) {
    out.push_str(
        "<section id=\"problems\">\n<h2 id=\"errors\">Errors</h2>\n<p>Every error is \
         <code>application/problem+json</code> (RFC 9457). <code>detail</code> is for people, \
         <code>code</code> for programs. 429 and 503 say in <code>Retry-After</code> when to try \
         again.</p>\n",
    );
    table(out, "Errors", &["Status", "Code", "Meaning"]);
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
    out.push_str(TABLE_END);
    out.push_str("</section>\n");
}

fn anchor(name: &str) -> String {
    name.to_lowercase().replace(' ', "-")
}

/// A value on many lines. What is no integer is an amount, and has its currency's decimals: `9.00`.
fn pretty(value: &Value) -> String {
    let text = serde_json::to_string_pretty(value).expect("a value is JSON");
    // Nothing but a number ends so: a text has its quote behind it.
    (text + "\n").replace(".0,\n", ".00,\n").replace(".0\n", ".00\n").trim_end().to_owned()
}

fn put(out: &mut String, what: std::fmt::Arguments<'_>) {
    out.write_fmt(what).expect("a string takes everything");
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
