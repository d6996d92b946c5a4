//! An error with its causes in one line.

use std::error::Error;

/// The error and its causes, joined by colons; what a message says already is not said again.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let more = cause.to_string();
        if !text.ends_with(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("no tunnel")]
    struct Outer(#[source] Middle);
    #[derive(Debug, thiserror::Error)]
    #[error("cannot connect: refused")]
    struct Middle(#[source] Inner);
    #[derive(Debug, thiserror::Error)]
    #[error("refused")]
    struct Inner;

    #[test]
    fn each_cause_is_said_once() {
        assert_eq!(chain(&Outer(Middle(Inner))), "no tunnel: cannot connect: refused");
    }
}
