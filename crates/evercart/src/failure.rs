//! What is said when a command does not succeed: one sentence, and what to do about it.

use std::fmt;

/// An error for the person at the terminal.
#[derive(Debug)]
pub struct Failure {
    message: String,
    hint: Option<String>,
    used_wrongly: bool,
}

impl Failure {
    /// Something could not be done (exit code 1).
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, used_wrongly: false }
    }

    /// The command line or the configuration is wrong (exit code 2).
    pub fn used_wrongly(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, used_wrongly: true }
    }

    /// True if it says what to do about it.
    pub fn has_hint(&self) -> bool {
        self.hint.is_some()
    }

    /// Adds what to do about it.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// The lines for standard error, and the exit code.
pub fn report(error: &anyhow::Error) -> (String, u8) {
    let failure = error.chain().find_map(|cause| cause.downcast_ref::<Failure>());
    let hint = failure.and_then(|failure| failure.hint.as_ref());
    let hint = hint.map_or_else(String::new, |hint| format!("hint: {hint}\n"));
    let code = if failure.is_some_and(|failure| failure.used_wrongly) { 2 } else { 1 };
    (format!("error: {error:#}\n{hint}"), code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_reported_with_its_hint_and_code() {
        let error = anyhow::Error::new(Failure::used_wrongly("no such market").hint("try us"));
        assert_eq!(report(&error), ("error: no such market\nhint: try us\n".into(), 2));
        let error = anyhow::Error::new(Failure::new("disk full")).context("cannot write x");
        assert_eq!(report(&error), ("error: cannot write x: disk full\n".into(), 1));
    }
}
