//! The exceptions to the rules: each names its rule and its place and says why.

use super::Breach;

/// Where the exceptions stand.
pub const FILE: &str = "xtask/tidy-allow.txt";

/// A reason shorter than this is none.
const REASON_BYTES_MIN: usize = 15;

struct Exception<'a> {
    line: usize,
    rule: &'a str,
    subject: &'a str,
}

/// Takes the excepted breaches out; adds one for each exception that is unreasoned or not needed.
pub fn apply(breaches: Vec<Breach>, list: &str) -> Vec<Breach> {
    let mut kept = Vec::new();
    let mut exceptions = Vec::new();
    for (index, text) in list.lines().enumerate() {
        match parse(index + 1, text) {
            Ok(exception) => exceptions.extend(exception),
            Err(what) => kept.push(complaint(index + 1, what)),
        }
    }
    let mut needed = vec![false; exceptions.len()];
    for breach in breaches {
        let exception = exceptions.iter().position(|exception| covers(exception, &breach));
        match exception {
            Some(index) => needed[index] = true,
            None => kept.push(breach),
        }
    }
    for (exception, _) in exceptions.iter().zip(needed).filter(|(_, needed)| !needed) {
        let what = format!("nothing breaks `{}` in {}", exception.rule, exception.subject);
        kept.push(complaint(exception.line, what + "; remove the line"));
    }
    kept
}

/// An exception for a file covers everything in it.
fn covers(exception: &Exception<'_>, breach: &Breach) -> bool {
    exception.rule == breach.rule
        && breach
            .subject
            .strip_prefix(exception.subject)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn parse(line: usize, text: &str) -> Result<Option<Exception<'_>>, String> {
    let text = text.trim();
    if text.is_empty() || text.starts_with('#') {
        return Ok(None);
    }
    let word = |text: &'_ str| text.find(char::is_whitespace).unwrap_or(text.len());
    let (rule, rest) = text.split_at(word(text));
    let (subject, reason) = rest.trim_start().split_at(word(rest.trim_start()));
    if reason.trim().len() < REASON_BYTES_MIN {
        return Err("an exception is `rule place why`, and the why is a sentence".to_owned());
    }
    Ok(Some(Exception { line, rule, subject }))
}

fn complaint(line: usize, what: String) -> Breach {
    Breach { rule: "allow-list", subject: FILE.to_owned(), line, what }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breach(rule: &'static str, subject: &str) -> Breach {
        Breach { rule, subject: subject.to_owned(), line: 7, what: String::new() }
    }

    fn left(breaches: Vec<Breach>, list: &str) -> Vec<(String, String)> {
        let left = apply(breaches, list);
        left.into_iter().map(|breach| (breach.rule.to_owned(), breach.subject)).collect()
    }

    #[test]
    fn an_exception_covers_its_place_and_what_is_in_it() {
        let breaches = || {
            vec![
                breach("sql-user", "a.rs::SHOW"),
                breach("sql-user", "a.rs::LIST"),
                breach("x", "b"),
            ]
        };
        let one = left(breaches(), "# why\nsql-user a.rs::SHOW an operator looks a user up\n");
        assert_eq!(
            one,
            [("sql-user".into(), "a.rs::LIST".into()), ("x".to_owned(), "b".to_owned())]
        );
        let all = left(breaches(), "sql-user  a.rs  an operator looks a user up");
        assert_eq!(all, [("x".to_owned(), "b".to_owned())]);
    }

    #[test]
    fn an_exception_needs_a_reason_and_a_use() {
        let own = [("allow-list".to_owned(), FILE.to_owned())];
        assert_eq!(left(vec![], "sql-user a.rs because"), own);
        assert_eq!(left(vec![], "sql-user a.rs an operator looks a user up"), own);
    }
}
