//! YAML with positions: what a kubeconfig says, and where in its text every part of it stands.
//!
//! Invariants: what is equal here means the same to every reader of YAML, positions and comments aside; reading is
//! bounded by [`MAX_TEXT`] and [`MAX_NODES`].

use std::collections::HashMap;
use std::ops::Range;

use anyhow::{anyhow, bail};
use serde_json::Value;
use serde_saphyr::granit_parser::{self, Event, Parser, ScalarStyle, StructureStyle};

/// The longest text, in bytes.
pub(super) const MAX_TEXT: usize = 16 * 1024 * 1024;
/// The most nodes of a text.
const MAX_NODES: usize = 500_000;

/// A part of the text.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// What it is.
    pub(super) kind: Kind,
    /// Where it stands, in bytes; with its anchor and tag, without comments after it.
    pub(super) range: Range<usize>,
    /// Its name for aliases.
    pub(super) anchor: Option<String>,
    tag: Option<String>,
}

/// What a part of the text is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// A text; what is not quoted may also be a number, a truth or nothing.
    Scalar { text: String, quoted: bool },
    /// A list, in lines or in brackets.
    List { items: Vec<Node>, flow: bool },
    /// Pairs, in lines or in braces.
    Map { pairs: Vec<(Node, Node)>, flow: bool },
    /// What the part with that anchor is.
    Alias(String),
}

/// Positions are not compared, and neither is whether something stands in lines or in brackets.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        let same = match (&self.kind, &other.kind) {
            (Kind::List { items: one, .. }, Kind::List { items: two, .. }) => one == two,
            (Kind::Map { pairs: one, .. }, Kind::Map { pairs: two, .. }) => one == two,
            (one, two) => one == two,
        };
        same && self.anchor == other.anchor && self.tag == other.tag
    }
}

impl Node {
    /// The value of a key, if this is a map.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.pairs().iter().find(|(found, _)| found.text() == Some(key)).map(|(_, value)| value)
    }

    /// The pairs, if this is a map.
    pub(super) fn pairs(&self) -> &[(Self, Self)] {
        match &self.kind {
            Kind::Map { pairs, .. } => pairs,
            Kind::Scalar { .. } | Kind::List { .. } | Kind::Alias(_) => &[],
        }
    }

    /// The items, if this is a list.
    pub(super) fn items(&self) -> &[Self] {
        match &self.kind {
            Kind::List { items, .. } => items,
            Kind::Scalar { .. } | Kind::Map { .. } | Kind::Alias(_) => &[],
        }
    }

    /// The text, if this is one.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, .. } => Some(text),
            Kind::List { .. } | Kind::Map { .. } | Kind::Alias(_) => None,
        }
    }

    /// Whether it is nothing: not there, `~` or `null`.
    pub(super) fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar { text, quoted: false }
            if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// Whether anything in it has a name for aliases, or is one.
    pub(super) fn has_anchors(&self) -> bool {
        self.anchor.is_some()
            || match &self.kind {
                Kind::Scalar { .. } => false,
                Kind::Alias(_) => true,
                Kind::List { items, .. } => items.iter().any(Self::has_anchors),
                Kind::Map { pairs, .. } => {
                    pairs.iter().any(|(key, value)| key.has_anchors() || value.has_anchors())
                }
            }
    }

    /// What it says, however it is written: every scalar a text, nothing left out, no order of keys.
    pub(super) fn plain(&self) -> Value {
        match &self.kind {
            _ if self.is_null() => Value::Null,
            Kind::Scalar { text, .. } => Value::String(text.clone()),
            Kind::Alias(name) => Value::String(format!("*{name}")),
            Kind::List { items, .. } => items.iter().map(Self::plain).collect(),
            Kind::Map { pairs, .. } => pairs
                .iter()
                .filter(|(_, value)| !value.is_null())
                .filter_map(|(key, value)| Some((key.text()?.to_owned(), value.plain())))
                .collect(),
        }
    }
}

/// Reads a text of one document; none for a text that holds none.
///
/// # Errors
/// When it is not YAML, too large, or more than one document.
pub(super) fn read(text: &str) -> anyhow::Result<Option<Node>> {
    if text.len() > MAX_TEXT {
        bail!("it is {} bytes long, more than {MAX_TEXT}", text.len());
    }
    // As kubectl's own reader does: what follows is to mean the same there.
    let options = granit_parser::options! {
        emit_anchor_events: true,
        emit_comments: false,
        block_scalar_eof_without_line_feed: true,
    };
    let mut builder = Builder { text, open: Vec::new(), root: None, anchors: HashMap::new(), nodes: 0 };
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event.map_err(|error| anyhow!("it is not YAML: {error}"))?;
        let range = span.byte_range().ok_or_else(|| anyhow!("its text has no positions"))?;
        let from = span
            .tag_span()
            .and_then(|tag| tag.byte_range())
            .map_or(range.start, |tag| tag.start.min(range.start));
        builder.take(event, from..range.end)?;
    }
    Ok(builder.root)
}

/// A list or map that is not complete, with the key that waits for its value.
struct Open {
    node: Node,
    key: Option<Node>,
}

struct Builder<'a> {
    text: &'a str,
    open: Vec<Open>,
    root: Option<Node>,
    anchors: HashMap<usize, String>,
    nodes: usize,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, range: Range<usize>) -> anyhow::Result<()> {
        match event {
            Event::DocumentStart(..) if self.root.is_some() => {
                bail!("it holds more than one document, and kubectl reads the first one only")
            }
            Event::Scalar(text, style, _, tag) => {
                let tag = tag.map(|tag| tag.to_string());
                let (range, text) = self.scalar(range, text.into_owned(), style);
                let quoted = style != ScalarStyle::Plain;
                self.add(Node { kind: Kind::Scalar { text, quoted }, range, anchor: None, tag })
            }
            Event::SequenceStart(style, _, tag) => {
                let kind = Kind::List { items: Vec::new(), flow: style == StructureStyle::Flow };
                self.begin(Node { kind, range, anchor: None, tag: tag.map(|tag| tag.to_string()) })
            }
            Event::MappingStart(style, _, tag) => {
                let kind = Kind::Map { pairs: Vec::new(), flow: style == StructureStyle::Flow };
                self.begin(Node { kind, range, anchor: None, tag: tag.map(|tag| tag.to_string()) })
            }
            Event::Anchor(id, name) => {
                self.anchors.insert(id, name.to_string());
                self.name(name.into_owned(), range.start);
                Ok(())
            }
            Event::Alias(id) => {
                let name = self.anchors.get(&id).cloned().unwrap_or_default();
                self.add(Node { kind: Kind::Alias(name), range, anchor: None, tag: None })
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(&range),
            _ => Ok(()),
        }
    }

    /// Where a scalar ends and what it says: nothing has no text; a block scalar ends with its last line.
    fn scalar(&self, range: Range<usize>, text: String, style: ScalarStyle) -> (Range<usize>, String) {
        match style {
            ScalarStyle::Plain if range.is_empty() => (range, String::new()),
            ScalarStyle::Literal | ScalarStyle::Folded => {
                let slice = self.text.get(range.clone()).unwrap_or_default();
                let end = match slice.rfind('\n') {
                    Some(at) if slice[at + 1..].trim().is_empty() => range.start + at + 1,
                    Some(_) | None => range.end,
                };
                (range.start..end, text)
            }
            _ => (range, text),
        }
    }

    fn begin(&mut self, node: Node) -> anyhow::Result<()> {
        self.count()?;
        self.open.push(Open { node, key: None });
        Ok(())
    }

    fn count(&mut self) -> anyhow::Result<()> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            bail!("it has more than {MAX_NODES} parts");
        }
        Ok(())
    }

    fn end(&mut self, range: &Range<usize>) -> anyhow::Result<()> {
        let Some(Open { mut node, .. }) = self.open.pop() else { bail!("it ends before it begins") };
        node.range.end = match &node.kind {
            // A bracket ends where it is closed, lines end with the last thing in them.
            Kind::List { flow: true, .. } | Kind::Map { flow: true, .. } => range.end,
            Kind::List { items, .. } => items.last().map_or(node.range.start, |item| item.range.end),
            Kind::Map { pairs, .. } => pairs.last().map_or(node.range.start, |(_, value)| value.range.end),
            Kind::Scalar { .. } | Kind::Alias(_) => range.end,
        };
        self.place(node)
    }

    fn add(&mut self, node: Node) -> anyhow::Result<()> {
        self.count()?;
        self.place(node)
    }

    /// Puts a complete node where it belongs.
    fn place(&mut self, node: Node) -> anyhow::Result<()> {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut open.node.kind {
            Kind::List { items, .. } => items.push(node),
            Kind::Map { pairs, .. } => match open.key.take() {
                None => open.key = Some(node),
                Some(key) => pairs.push((key, node)),
            },
            Kind::Scalar { .. } | Kind::Alias(_) => bail!("it has something within a text"),
        }
        Ok(())
    }

    /// Names the node that was just begun or placed; the name stands before it.
    fn name(&mut self, name: String, from: usize) {
        let newest = match self.open.last_mut() {
            None => self.root.as_mut(),
            Some(open) => match &mut open.node.kind {
                Kind::List { items, .. } if !items.is_empty() => items.last_mut(),
                Kind::Map { .. } if open.key.is_some() => open.key.as_mut(),
                Kind::Map { pairs, .. } if !pairs.is_empty() => pairs.last_mut().map(|(_, value)| value),
                _ => Some(&mut open.node),
            },
        };
        if let Some(node) = newest {
            node.range.start = node.range.start.min(from);
            node.anchor = Some(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_found_where_it_stands() {
        let text = "a: &x [1, {b: c}]\nb: *x\nl:\n- &y\n  k: |\n    t\n\n- z\nn:\ne: !!str 5\n&k q: &v w\n";
        let root = read(text).unwrap().unwrap();
        let slice = |node: &Node| &text[node.range.clone()];
        assert_eq!(slice(root.get("a").unwrap()), "&x [1, {b: c}]");
        assert_eq!(root.get("b").unwrap().kind, Kind::Alias("x".into()));
        let items = root.get("l").unwrap().items();
        assert_eq!(slice(&items[0]), "&y\n  k: |\n    t\n\n");
        assert_eq!(items[0].anchor.as_deref(), Some("y"));
        assert_eq!(slice(&items[1]), "z");
        assert!(root.get("n").unwrap().is_null());
        assert_eq!(slice(root.get("e").unwrap()), "!!str 5");
        let (key, value) = root.pairs().last().unwrap();
        assert_eq!((key.anchor.as_deref(), value.anchor.as_deref()), (Some("k"), Some("v")));
    }

    #[test]
    fn meaning_decides_and_not_looks() {
        let same = |one: &str, two: &str| read(one).unwrap() == read(two).unwrap();
        assert!(same("a: [b, c]\n", "{a: [\n  b, c]}"));
        assert!(same("a:\n- b\n", "a: [b] # c\n"));
        assert!(!same("a: 1\n", "a: '1'\n"));
        assert!(!same("a: &x b\n", "a: b\n"));
        assert!(!same("a: 1\nb: 2\n", "b: 2\na: 1\n"));
        assert_eq!(
            read("b: 'true'\na: null\n").unwrap().unwrap().plain(),
            read("{\"b\": true}").unwrap().unwrap().plain()
        );
    }

    #[test]
    fn what_is_too_much_or_no_yaml_is_an_error() {
        assert!(read("a: [").is_err());
        assert!(read("a: 1\n---\nb: 1\n").unwrap_err().to_string().contains("more than one document"));
        assert!(read(&"#".repeat(MAX_TEXT + 1)).unwrap_err().to_string().contains("more than"));
        assert!(read(&format!("[{}]", "1,".repeat(MAX_NODES))).unwrap_err().to_string().contains("parts"));
        assert!(read(&"[".repeat(100_000)).is_err());
        assert!(read("# nothing\n").unwrap().is_none());
    }
}
