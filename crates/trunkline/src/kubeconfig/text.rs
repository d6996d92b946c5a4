//! Changes of a text, collected and applied at once.

use std::ops::Range;

use anyhow::bail;

/// A text and what is to be changed of it.
#[derive(Debug)]
pub(super) struct Changes<'a> {
    text: &'a str,
    newline: &'static str,
    changes: Vec<(Range<usize>, String)>,
}

impl<'a> Changes<'a> {
    /// A text without changes. New lines end as its first one does.
    pub(super) fn new(text: &'a str) -> Self {
        let crlf = text.find('\n').is_some_and(|at| text[..at].ends_with('\r'));
        Self { text, newline: if crlf { "\r\n" } else { "\n" }, changes: Vec::new() }
    }

    /// The text as it was.
    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    /// Whether nothing is to be changed.
    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Replaces a part. Lines of `with` end as the text's own do.
    pub(super) fn replace(&mut self, part: Range<usize>, with: &str) {
        let with = if self.newline == "\n" { with.to_owned() } else { with.replace('\n', self.newline) };
        self.changes.push((part, with));
    }

    /// Puts whole lines behind the line that holds `at`.
    pub(super) fn insert_lines(&mut self, at: usize, lines: &str) {
        let end = self.line_end(at);
        // The text's last line may not be ended.
        let ended = end == 0 || self.text[..end].ends_with('\n') || self.text[..end] == *"\u{feff}";
        let lead = if ended { "" } else { "\n" };
        self.replace(end..end, &format!("{lead}{lines}"));
    }

    /// Where the line of `at` begins.
    pub(super) fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |newline| newline + 1)
    }

    /// Where the line of `at` ends, its newline included. A part that ends with its line ends there.
    pub(super) fn line_end(&self, at: usize) -> usize {
        if at > 0 && self.text[..at].ends_with('\n') {
            return at;
        }
        self.text[at..].find('\n').map_or(self.text.len(), |newline| at + newline + 1)
    }

    /// The text with all changes.
    ///
    /// # Errors
    /// When two of them meet: then something was not understood.
    pub(super) fn apply(mut self) -> anyhow::Result<String> {
        self.changes.sort_by_key(|(part, _)| (part.start, part.end));
        let (mut changed, mut done) = (String::with_capacity(self.text.len()), 0);
        for (part, with) in &self.changes {
            let Some(kept) = self.text.get(done..part.start) else { bail!("its layout is unusual") };
            changed.push_str(kept);
            changed.push_str(with);
            done = part.end;
        }
        changed.push_str(self.text.get(done..).unwrap_or_default());
        Ok(changed)
    }
}
