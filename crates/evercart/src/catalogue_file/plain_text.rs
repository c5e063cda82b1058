//! Turns the HTML of a product's description into plain text. Scripts, styles and everything else
//! that is not text to read is dropped by `ammonia`, which parses HTML as browsers do.

/// Tags after which a reader sees a new line.
const LINE_ENDS: [&str; 9] =
    ["<br", "</p", "</li", "</div", "</tr", "</h1", "</h2", "</h3", "</h4"];

/// The text of a piece of HTML: a line for each block, no markup, no entities.
pub(super) fn plain_text(html: &str) -> String {
    let text = ammonia::Builder::empty().clean(&with_line_ends(html)).to_string();
    // What ammonia writes is HTML again; in text, these are all the entities it uses.
    let text =
        text.replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", " ").replace("&amp;", "&");
    // Hints to a browser where a line may break, and the like, are no text.
    let text = evercart_core::text::cleared(&text);
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// Source line breaks mean a space in HTML; those a reader sees are put where blocks end.
fn with_line_ends(html: &str) -> String {
    let html = html.replace(['\r', '\n'], " ");
    let mut out = String::with_capacity(html.len() + 64);
    for (position, character) in html.char_indices() {
        let rest = &html.as_bytes()[position..];
        let ends_line = LINE_ENDS.iter().any(|tag| {
            let next = rest.get(tag.len());
            rest.len() >= tag.len()
                && rest[..tag.len()].eq_ignore_ascii_case(tag.as_bytes())
                && next.is_none_or(|byte| !byte.is_ascii_alphanumeric())
        });
        if ends_line {
            out.push('\n');
        }
        out.push(character);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_become_lines_and_entities_characters() {
        let html =
            "<p>Soft &amp; warm</p>\n<ul><li>100&nbsp;% wool</li><li>a &lt; b</li></ul>x<br>y";
        assert_eq!(plain_text(html), "Soft & warm\n100 % wool\na < b\nx\ny");
        assert_eq!(plain_text("plain\ntext"), "plain text");
        assert_eq!(plain_text("<p> </p>"), "");
        assert_eq!(plain_text("Pull&shy;over\u{200b} &#8232;warm"), "Pullover warm");
    }

    #[test]
    fn nothing_that_runs_survives() {
        for html in [
            "<script>alert(1)</script>ok",
            "<style>b{}</style>ok",
            "<img src=x onerror=alert(1)>ok",
            "<iframe src='javascript:alert(1)'></iframe>ok",
            "<a href='javascript:alert(1)'>ok</a>",
            "<svg/onload=alert(1)>ok",
        ] {
            assert_eq!(plain_text(html), "ok", "{html}");
        }
    }
}
