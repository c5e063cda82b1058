//! Reads SQL as words and marks, and tells its statements apart. Both stores' dialects will do:
//! nothing here knows more of SQL than the rules ask.

/// A word in lower case, or one mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// An identifier or keyword in lower case, or one punctuation character. Literals are `'`.
    pub text: String,
    /// From 0, counted from the beginning of the text.
    pub line: usize,
}

/// The statements in a text, each as its pieces without the `;`.
pub fn statements(text: &str) -> Vec<Vec<Piece>> {
    let pieces = pieces(text);
    pieces
        .split(|piece| piece.text == ";")
        .filter(|statement| !statement.is_empty())
        .map(<[Piece]>::to_vec)
        .collect()
}

/// True if these pieces are a statement, and not a sentence that begins like one.
pub fn is_statement(pieces: &[Piece]) -> bool {
    let has = |word: &str| pieces.iter().any(|piece| piece.text == word);
    let word = |index: usize| pieces.get(index).map_or("", |piece| piece.text.as_str());
    match (word(0), word(1)) {
        ("select", _) => has("from"),
        ("insert" | "replace", "into" | "or") | ("delete", "from") => true,
        ("update", _) => has("set"),
        ("with", _) => has("as") && has("("),
        ("create", second) => {
            ["table", "unique", "index", "view", "trigger", "virtual"].contains(&second)
        }
        ("alter" | "drop", "table") => true,
        _ => false,
    }
}

fn pieces(text: &str) -> Vec<Piece> {
    let chars: Vec<char> = text.chars().collect();
    let (mut index, mut line) = (0, 0);
    let mut pieces = Vec::new();
    while let Some(&first) = chars.get(index) {
        let begin = index;
        let next = chars.get(index + 1).copied();
        let until = |from: usize, end: char| {
            chars[from..].iter().position(|c| *c == end).map_or(chars.len(), |found| from + found)
        };
        let mut piece = None;
        if first == '-' && next == Some('-') {
            index = until(index, '\n');
        } else if first == '/' && next == Some('*') {
            let mut end = index + 2;
            while end < chars.len() && !(chars[end - 1] == '*' && chars[end] == '/') {
                end += 1;
            }
            index = end + 1;
        } else if first == '\'' {
            index = until(index + 1, '\'') + 1;
            piece = Some("'".to_owned());
        } else if first == '"' {
            index = until(index + 1, '"') + 1;
            let name = &chars[begin + 1..(index - 1).max(begin + 1).min(chars.len())];
            piece = Some(name.iter().collect::<String>().to_lowercase());
        } else if first.is_alphanumeric() || first == '_' {
            let is_word = |c: &&char| c.is_alphanumeric() || **c == '_';
            index += chars[index..].iter().take_while(is_word).count();
            piece = Some(chars[begin..index].iter().collect::<String>().to_lowercase());
        } else {
            // A backslash is Rust's continued line.
            index += 1;
            piece = (!first.is_whitespace() && first != '\\').then(|| first.to_string());
        }
        pieces.extend(piece.map(|text| Piece { text, line }));
        index = index.min(chars.len());
        line += chars[begin..index].iter().filter(|c| **c == '\n').count();
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<Vec<String>> {
        let texts = |pieces: Vec<Piece>| pieces.into_iter().map(|piece| piece.text).collect();
        statements(text).into_iter().map(texts).collect()
    }

    #[test]
    fn statements_are_told_apart() {
        let text = "DELETE FROM a -- b; c\nWHERE x = 'd;e' /* f; */ AND \"G\" = ?1; \\\n SELECT 1;";
        assert_eq!(
            words(text),
            [
                vec!["delete", "from", "a", "where", "x", "=", "'", "and", "g", "=", "?", "1"],
                vec!["select", "1"]
            ]
        );
        assert_eq!(statements(text)[1][0].line, 2);
    }

    #[test]
    fn broken_ends_are_survived() {
        for text in ["'", "\"", "/*", "--", "a'", "/*/", "\"a"] {
            statements(text);
        }
    }

    #[test]
    fn sentences_are_not_statements() {
        let is = |text: &str| statements(text).iter().any(|pieces| is_statement(pieces));
        assert!(is("SELECT 1 FROM a") && is("insert or ignore into a values (1)"));
        assert!(is("WITH x AS (SELECT 1) DELETE FROM a"));
        assert!(!is("Delete the cart") && !is("select a market") && !is("with a token"));
        assert!(!is("update your address") && !is("create an account"));
    }
}
