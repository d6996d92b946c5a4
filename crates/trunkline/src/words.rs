//! What is printed: data on standard output, words on standard error, colour for people only.
//!
//! Invariant: what a cluster or its agent can choose reaches a terminal only through [`clean`].

use std::io::{IsTerminal as _, Write as _};

use anyhow::Context as _;
use jiff::Timestamp;

/// A line for people, on standard error.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// A line of data, on standard output.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{text}").context("standard output is closed")
}

/// Whether standard output is a terminal.
pub(crate) fn output_is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// Whether standard error is a terminal.
pub(crate) fn words_are_on_terminal() -> bool {
    std::io::stderr().is_terminal()
}

/// Whether somebody can be asked.
pub(crate) fn somebody_is_there() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// A colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colour {
    Green,
    Yellow,
    Red,
}

/// Whether and how to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Paint {
    on: bool,
}

impl Paint {
    /// For standard output.
    pub(crate) fn output() -> Self {
        Self { on: output_is_terminal() && wanted() }
    }

    /// For standard error.
    pub(crate) fn words() -> Self {
        Self { on: words_are_on_terminal() && wanted() }
    }

    /// The text in a colour, or as it is.
    pub(crate) fn paint(self, text: &str, colour: Option<Colour>) -> String {
        let code = match colour {
            Some(Colour::Green) if self.on => "32",
            Some(Colour::Yellow) if self.on => "33",
            Some(Colour::Red) if self.on => "31",
            Some(_) | None => return text.to_owned(),
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// <https://no-color.org>, and terminals that know none.
fn wanted() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// ✓ or ✗ for people, `ok` or `!!` for what reads along.
pub(crate) fn mark(ok: bool, terminal: bool) -> &'static str {
    match (ok, terminal) {
        (true, true) => "✓",
        (false, true) => "✗",
        (true, false) => "ok",
        (false, false) => "!!",
    }
}

/// `text` without what a terminal would obey: control characters of both sets, and what turns writing around.
pub(crate) fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => cleaned.push(' '),
            c if is_obeyed(c) => {}
            c => cleaned.push(c),
        }
    }
    cleaned
}

/// `text` cleaned, and no longer than `most` characters.
pub(crate) fn clip(text: &str, most: usize) -> String {
    let cleaned = clean(text);
    match cleaned.char_indices().nth(most) {
        None => cleaned,
        Some(_) => cleaned.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// JSON with everything that a terminal would obey written as `\u`; it means the same.
pub(crate) fn clean_json(json: &str) -> String {
    let mut cleaned = String::with_capacity(json.len());
    for c in json.chars() {
        // What serde_json leaves as it is: below U+0020 there are the line breaks between the fields only.
        if is_obeyed(c) && c != '\n' {
            cleaned.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            cleaned.push(c);
        }
    }
    cleaned
}

/// YAML without what a terminal would obey. The writer escapes it in strings already; nothing else may hold it.
pub(crate) fn clean_yaml(yaml: &str) -> String {
    yaml.chars().filter(|c| *c == '\n' || !is_obeyed(*c)).collect()
}

/// A word as a shell reads it as one.
pub(crate) fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.into()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Whether a terminal does something else with a character than show it.
pub(crate) fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// A moment, or how long before `now` it was: `2026-05-01T08:00:00Z`, `90m`, `2d`.
pub(crate) fn time(text: &str, now: Timestamp) -> Option<Timestamp> {
    if let Ok(time) = text.parse() {
        return Some(time);
    }
    humantime::parse_duration(text).ok().and_then(|ago| now.checked_sub(ago).ok())
}

/// A moment, to the second.
pub(crate) fn moment(when: Timestamp) -> String {
    Timestamp::from_second(when.as_second()).unwrap_or(when).to_string()
}

/// How long ago, as kubectl writes it: `12s`, `3m`, `2h`, `5d`.
pub(crate) fn age(when: Timestamp, now: Timestamp) -> String {
    span(now.as_second().saturating_sub(when.as_second()).max(0))
}

/// How long from now, to the nearest; `ended` for what is over.
pub(crate) fn until(when: Timestamp, now: Timestamp) -> String {
    match when.as_second().saturating_sub(now.as_second()) {
        ..=0 => "ended".into(),
        seconds @ 1..120 => span(seconds),
        seconds @ 120..7200 => span(seconds + 30),
        seconds => span(seconds + 1800),
    }
}

/// A span of seconds in its largest unit.
pub(crate) fn span(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{seconds}s"),
        120..7200 => format!("{}m", seconds / 60),
        7200..172_800 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// Milliseconds with their unit.
pub(crate) fn millis(ms: f64) -> String {
    if ms < 10.0 { format!("{ms:.1} ms") } else { format!("{ms:.0} ms") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t20_nothing_that_a_terminal_obeys_is_left() {
        // Colour, title, clipboard, link, C1's own beginning of a sequence, delete, and writing turned around.
        for bad in [
            "\u{1b}[31mred",
            "\u{1b}]0;title\u{7}",
            "\u{1b}]52;c;Zm9v\u{7}",
            "\u{1b}]8;;https://evil.test\u{1b}\\x",
            "\u{9b}31m",
            "a\u{7f}b",
            "a\rb",
            "\u{202e}gpj.exe",
            "\u{2066}x\u{2069}",
        ] {
            assert!(!clean(bad).chars().any(is_obeyed), "{bad:?}");
            let json = serde_json::to_string(bad).unwrap();
            assert!(!clean_json(&json).chars().any(is_obeyed), "{json:?}");
            assert_eq!(serde_json::from_str::<String>(&clean_json(&json)).unwrap(), bad);
        }
        assert_eq!(clean("two\nlines"), "two lines");
        assert_eq!(clean("prod-eu (Zürich, 東京)"), "prod-eu (Zürich, 東京)");
        assert_eq!(clip("abcdef", 4), "abc…");
    }

    #[test]
    fn a_command_to_copy_survives_the_shell() {
        assert_eq!(quote("./a/b.yaml"), "./a/b.yaml");
        assert_eq!(quote("my folder/it's"), r"'my folder/it'\''s'");
        assert_eq!(quote("a;rm -rf b"), "'a;rm -rf b'");
        assert_eq!(quote(""), "''");
    }

    #[test]
    fn spans_are_written_as_kubectl_writes_them() {
        for (seconds, text) in [(0, "0s"), (119, "119s"), (120, "2m"), (7200, "2h"), (172_800, "2d")] {
            assert_eq!(span(seconds), text);
        }
        let now = Timestamp::UNIX_EPOCH;
        for (seconds, text) in [(0, "ended"), (1799, "30m"), (86_399, "24h"), (86_400 * 90 - 1, "90d")] {
            assert_eq!(until(Timestamp::from_second(seconds).unwrap(), now), text);
        }
    }
}
