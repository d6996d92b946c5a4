//! What a session showed, made fit for a terminal that is not its own.
//!
//! Let through are text, and what sets colours, moves the cursor and clears. Everything else that a terminal obeys is left
//! out: it could set titles, write to the clipboard, open links, or make the terminal type.

use crate::words::is_obeyed;

/// The longest control sequence that is let through, in characters.
const LONGEST: usize = 64;
/// What ends the control sequences that are let through: colours, the cursor, clearing, scrolling, inserting, deleting.
const HARMLESS: &str = "mABCDEFGHJKLMPSTX@df";

/// A filter between a session and a terminal. Sequences may come in pieces.
#[derive(Debug)]
pub(crate) struct Screen {
    state: State,
}

#[derive(Debug)]
enum State {
    Text,
    /// After ESC.
    Escape,
    /// After ESC [: what came since.
    Sequence(String),
    /// After ESC and one of `()*+-./#% ` : one more character belongs to it.
    OneMore,
    /// In a string that ends with BEL or ESC \.
    Skipped {
        escape: bool,
    },
}

impl Screen {
    /// Puts a terminal's colours back.
    pub(crate) const END: &str = "\u{1b}[0m\n";

    pub(crate) fn new() -> Self {
        Self { state: State::Text }
    }

    /// What of `text` is let through.
    pub(crate) fn pass(&mut self, text: &str) -> String {
        let mut passed = String::with_capacity(text.len());
        for c in text.chars() {
            self.state = match std::mem::replace(&mut self.state, State::Text) {
                State::Text => match c {
                    '\u{1b}' => State::Escape,
                    '\u{9b}' => State::Sequence(String::new()),
                    '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => State::Skipped { escape: false },
                    '\n' | '\r' | '\t' | '\u{8}' => {
                        passed.push(c);
                        State::Text
                    }
                    c => {
                        if !is_obeyed(c) {
                            passed.push(c);
                        }
                        State::Text
                    }
                },
                State::Escape => match c {
                    '[' => State::Sequence(String::new()),
                    ']' | 'P' | 'X' | '^' | '_' => State::Skipped { escape: false },
                    '(' | ')' | '*' | '+' | '-' | '.' | '/' | '#' | '%' | ' ' => State::OneMore,
                    '\u{1b}' => State::Escape,
                    _ => State::Text,
                },
                State::OneMore => State::Text,
                State::Sequence(mut sequence) => match c {
                    '0'..='9' | ';' | ':' | '<'..='?' | ' '..='/' if sequence.len() < LONGEST => {
                        sequence.push(c);
                        State::Sequence(sequence)
                    }
                    '@'..='~' => {
                        let plain = sequence.chars().all(|c| c.is_ascii_digit() || c == ';');
                        if plain && HARMLESS.contains(c) {
                            passed.extend(['\u{1b}', '[']);
                            passed.push_str(&sequence);
                            passed.push(c);
                        }
                        State::Text
                    }
                    '\u{1b}' => State::Escape,
                    _ => State::Text,
                },
                State::Skipped { escape } => match c {
                    '\u{7}' | '\u{9c}' => State::Text,
                    '\\' if escape => State::Text,
                    c => State::Skipped { escape: c == '\u{1b}' },
                },
            };
        }
        passed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pass(text: &str) -> String {
        let whole = Screen::new().pass(text);
        let mut in_pieces = Screen::new();
        let pieces: String = text.chars().map(|c| in_pieces.pass(&c.to_string())).collect();
        assert_eq!(whole, pieces, "however it comes");
        whole
    }

    #[test]
    fn text_colours_and_the_cursor_are_let_through() {
        let shown = "$ ls\r\n\u{1b}[01;34mdir\u{1b}[0m\t東京\u{8}\u{1b}[2J\u{1b}[1;1H\u{1b}[K";
        assert_eq!(pass(shown), shown);
    }

    #[test]
    fn what_drives_a_terminal_is_left_out() {
        for (bad, left) in [
            ("a\u{1b}]0;title\u{7}b", "ab"),
            ("a\u{1b}]52;c;Zm9v\u{1b}\\b", "ab"),
            ("a\u{1b}]8;;https://evil.test\u{1b}\\link\u{1b}]8;;\u{7}b", "alinkb"),
            ("a\u{1b}P+q544e\u{1b}\\b", "ab"),
            ("a\u{1b}_Gf=100;x\u{1b}\\b", "ab"),
            ("a\u{1b}[6nb\u{1b}[cb", "abb"),
            ("a\u{1b}[?1049hb\u{1b}[?2004lb", "abb"),
            ("a\u{1b}[21tb", "ab"),
            ("a\u{1b}cb\u{1b}(0b", "abb"),
            ("a\u{9d}0;t\u{9c}b\u{9b}6nb", "abb"),
            ("a\u{7}\u{202e}\u{0}b", "ab"),
            ("a\u{1b}]never ends", "a"),
        ] {
            assert_eq!(pass(bad), left, "{bad:?}");
        }
        let long = format!("\u{1b}[{}m", "1;".repeat(100));
        assert!(!pass(&long).contains('\u{1b}'));
    }
}
