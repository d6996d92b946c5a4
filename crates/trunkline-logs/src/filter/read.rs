//! From a line of text to a tree, and back.

use std::fmt;
use std::str::FromStr;

use super::{Field, Filter, Match};
use crate::{Facet, MAX_TERM_BYTES, words};

/// The longest text, in bytes.
const MAX_TEXT: usize = 4096;
/// The most words and fields in one filter.
pub(super) const MAX_LEAVES: usize = 64;
/// How deep parentheses may lie in each other.
const MAX_NESTING: usize = 8;
/// The shortest beginning of a word, in letters.
const SHORTEST_BEGINNING: usize = 3;

/// Why a text is no filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidFilter {
    /// It is too long.
    #[error("the filter is {0} bytes long, more than {MAX_TEXT}")]
    Long(usize),
    /// There are too many words and fields.
    #[error("the filter has more than {MAX_LEAVES} words and fields")]
    Wide,
    /// Parentheses lie too deep.
    #[error("the filter's parentheses lie deeper than {MAX_NESTING}")]
    Deep,
    /// A parenthesis or a quotation mark has no other.
    #[error("the filter has a {0} without its other")]
    Open(char),
    /// A `-`, `NOT`, `OR` or `AND` stands beside nothing.
    #[error("the filter's {0} stands beside nothing; put it in quotation marks to look for the word itself")]
    Lonely(String),
    /// A field without a name or a value.
    #[error("in {0:?} there is nothing on one side of the colon; use name:value, or name:* for any value")]
    Half(String),
    /// A star where it cannot be.
    #[error(
        "{0:?} asks for too much: a star stands at the end, after at least {SHORTEST_BEGINNING} letters of a word, or as name:*"
    )]
    Star(String),
    /// A word of which no letter is looked for.
    #[error("{0:?} has no letter or digit to look for")]
    Empty(String),
    /// A field's value that is longer than what is indexed.
    #[error("the value of {0} is too long to be found: {MAX_TERM_BYTES} bytes are indexed at the most")]
    LongValue(String),
}

/// A piece of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Open,
    Close,
    Not,
    Or,
    And,
    /// Outside of quotation marks; with a quoted value, if it is `name:"value"`.
    Bare(String, Option<String>),
    Quoted(String),
}

impl FromStr for Filter {
    type Err = InvalidFilter;

    fn from_str(text: &str) -> Result<Self, InvalidFilter> {
        if text.len() > MAX_TEXT {
            return Err(InvalidFilter::Long(text.len()));
        }
        let pieces = pieces(text)?;
        let mut reader = Reader { pieces: &pieces, at: 0, leaves: 0 };
        let filter = reader.any_of(0)?;
        match reader.next() {
            None => Ok(filter),
            Some(_) => Err(InvalidFilter::Open(')')),
        }
    }
}

fn pieces(text: &str) -> Result<Vec<Piece>, InvalidFilter> {
    let mut pieces = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let piece;
        (piece, rest) = match first {
            '(' => (Piece::Open, &rest[1..]),
            ')' => (Piece::Close, &rest[1..]),
            '"' => {
                let (quoted, after) = quoted(&rest[1..])?;
                (Piece::Quoted(quoted), after)
            }
            '-' if rest.len() > 1 && !rest[1..].starts_with([' ', ')']) => (Piece::Not, &rest[1..]),
            _ => bare(rest)?,
        };
        pieces.push(piece);
        rest = rest.trim_start();
    }
    Ok(pieces)
}

fn quoted(text: &str) -> Result<(String, &str), InvalidFilter> {
    let mut inner = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Ok((inner, &text[at + 1..])),
            '\\' => inner.extend(letters.next().map(|(_, next)| next)),
            other => inner.push(other),
        }
    }
    Err(InvalidFilter::Open('"'))
}

fn bare(text: &str) -> Result<(Piece, &str), InvalidFilter> {
    let end =
        text.find(|letter: char| letter.is_whitespace() || "()\"".contains(letter)).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    if let Some(after) = rest.strip_prefix('"')
        && let Some(name) = word.strip_suffix(':')
    {
        let (value, rest) = quoted(after)?;
        return Ok((Piece::Bare(name.to_owned(), Some(value)), rest));
    }
    let piece = match word {
        "OR" => Piece::Or,
        "AND" => Piece::And,
        "NOT" => Piece::Not,
        other => Piece::Bare(other.to_owned(), None),
    };
    Ok((piece, rest))
}

struct Reader<'a> {
    pieces: &'a [Piece],
    at: usize,
    leaves: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<&Piece> {
        let piece = self.pieces.get(self.at)?;
        self.at += 1;
        Some(piece)
    }

    fn any_of(&mut self, depth: usize) -> Result<Filter, InvalidFilter> {
        if depth > MAX_NESTING {
            return Err(InvalidFilter::Deep);
        }
        let mut any = vec![self.all_of(depth)?];
        while self.pieces.get(self.at) == Some(&Piece::Or) {
            self.at += 1;
            any.push(self.all_of(depth)?);
        }
        if any.len() > 1 && any.contains(&Filter::All) {
            return Err(InvalidFilter::Lonely("OR".into()));
        }
        Ok(one_or(any, Filter::Or))
    }

    /// Up to an `OR`, a `)` or the end; nothing is [`Filter::All`].
    fn all_of(&mut self, depth: usize) -> Result<Filter, InvalidFilter> {
        let mut all = Vec::new();
        let mut and = false;
        loop {
            match self.pieces.get(self.at) {
                None | Some(Piece::Or | Piece::Close) => break,
                Some(Piece::And) if and || all.is_empty() => break,
                Some(Piece::And) => {
                    self.at += 1;
                    and = true;
                }
                Some(_) => {
                    all.push(self.one(depth)?);
                    and = false;
                }
            }
        }
        if and || self.pieces.get(self.at) == Some(&Piece::And) {
            return Err(InvalidFilter::Lonely("AND".into()));
        }
        Ok(if all.is_empty() { Filter::All } else { one_or(all, Filter::And) })
    }

    fn one(&mut self, depth: usize) -> Result<Filter, InvalidFilter> {
        let mut not = false;
        while self.pieces.get(self.at) == Some(&Piece::Not) {
            self.at += 1;
            not = !not;
        }
        let filter = match self.next().cloned() {
            Some(Piece::Open) => {
                let inner = self.any_of(depth + 1)?;
                match self.next() {
                    Some(Piece::Close) => inner,
                    _ => return Err(InvalidFilter::Open('(')),
                }
            }
            Some(Piece::Quoted(text)) => self.leaf(phrase(&text)?)?,
            Some(Piece::Bare(name, Some(value))) => self.leaf(field(&name, &value, false)?)?,
            Some(Piece::Bare(text, None)) => self.leaf(word(&text)?)?,
            Some(Piece::Close | Piece::Or | Piece::And | Piece::Not) | None => {
                return Err(InvalidFilter::Lonely("NOT".into()));
            }
        };
        Ok(if not { Filter::Not(Box::new(filter)) } else { filter })
    }

    fn leaf(&mut self, filter: Filter) -> Result<Filter, InvalidFilter> {
        self.leaves += 1;
        if self.leaves > MAX_LEAVES { Err(InvalidFilter::Wide) } else { Ok(filter) }
    }
}

fn one_or(mut many: Vec<Filter>, put: fn(Vec<Filter>) -> Filter) -> Filter {
    match many.pop() {
        Some(only) if many.is_empty() => only,
        last => put(many.into_iter().chain(last).collect()),
    }
}

fn word(text: &str) -> Result<Filter, InvalidFilter> {
    // A URL or a time has colons too: a name is a word with a letter first, and no slash comes after.
    if let Some((name, value)) = text.split_once(':') {
        if name.is_empty() || value.is_empty() {
            return Err(InvalidFilter::Half(text.to_owned()));
        }
        let is_name = name.starts_with(char::is_alphabetic) && !value.starts_with("//");
        if is_name {
            return field(name, value, true);
        }
    }
    let Some(beginning) = text.strip_suffix('*') else { return phrase(text) };
    let mut parts: Vec<String> = words(beginning).collect();
    match parts.pop() {
        Some(only)
            if parts.is_empty()
                && beginning.ends_with(char::is_alphanumeric)
                && only.chars().count() >= SHORTEST_BEGINNING =>
        {
            Ok(Filter::WordBegins(only))
        }
        _ => Err(InvalidFilter::Star(text.to_owned())),
    }
}

fn phrase(text: &str) -> Result<Filter, InvalidFilter> {
    let words: Vec<String> = words(text).collect();
    if words.is_empty() {
        return Err(InvalidFilter::Empty(text.to_owned()));
    }
    Ok(Filter::Phrase(words))
}

fn field(name: &str, value: &str, stars: bool) -> Result<Filter, InvalidFilter> {
    if name.is_empty() || value.is_empty() {
        return Err(InvalidFilter::Half(format!("{name}:{value}")));
    }
    if name.len() + 1 + value.len() > MAX_TERM_BYTES {
        return Err(InvalidFilter::LongValue(name.to_owned()));
    }
    let field = Field::named(name);
    let value = if field == Field::Facet(Facet::Level) { value.to_lowercase() } else { value.to_owned() };
    let wanted = match value.strip_suffix('*').filter(|_| stars) {
        Some("") => Match::Exists,
        Some(beginning) if beginning.contains('*') => {
            return Err(InvalidFilter::Star(format!("{name}:{value}")));
        }
        Some(beginning) => Match::Begins(beginning.to_owned()),
        None if stars && value.contains('*') => return Err(InvalidFilter::Star(format!("{name}:{value}"))),
        None => Match::Exactly(value),
    };
    Ok(Filter::Is(field, wanted))
}

/// The text that reads as this filter.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => Ok(()),
            Self::And(all) => joined(f, all, " "),
            Self::Or(any) => joined(f, any, " OR "),
            Self::Not(other) => write!(f, "NOT {}", Inner(other)),
            Self::Phrase(words) => write!(f, "\"{}\"", words.join(" ")),
            Self::WordBegins(beginning) => write!(f, "{beginning}*"),
            Self::Is(field, Match::Exists) => write!(f, "{field}:*"),
            Self::Is(field, Match::Begins(beginning)) => write!(f, "{field}:{beginning}*"),
            Self::Is(field, Match::Exactly(value)) => {
                write!(f, "{field}:\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
            }
        }
    }
}

/// Part of another filter: in parentheses if it needs them.
struct Inner<'a>(&'a Filter);

impl fmt::Display for Inner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Filter::And(_) | Filter::Or(_) | Filter::Not(_) | Filter::All => write!(f, "({})", self.0),
            leaf => write!(f, "{leaf}"),
        }
    }
}

fn joined(f: &mut fmt::Formatter<'_>, many: &[Filter], between: &str) -> fmt::Result {
    for (at, one) in many.iter().enumerate() {
        if at > 0 {
            f.write_str(between)?;
        }
        write!(f, "{}", Inner(one))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
