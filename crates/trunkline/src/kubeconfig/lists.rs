//! Items into and out of a list that somebody typed, in lines or in brackets.

use std::collections::BTreeMap;
use std::ops::Range;

use anyhow::{Context as _, bail};
use serde_json::Value;

use super::text::Changes;
use super::tree::{Kind, Node};

/// What is to become of a list: items by number that are replaced or, with none, taken out, and items that are new.
#[derive(Debug, Default)]
pub(super) struct ListChange {
    pub(super) items: BTreeMap<usize, Option<Value>>,
    pub(super) new: Vec<Value>,
}

impl ListChange {
    fn is_empty(&self) -> bool {
        self.items.is_empty() && self.new.is_empty()
    }
}

/// What a file without any content begins with.
const BEGINNING: [(&str, &str); 2] = [("apiVersion", "v1"), ("kind", "Config")];

/// Changes the lists of a file.
///
/// # Errors
/// When the file's layout is one that cannot be changed without touching something else.
pub(super) fn change(
    changes: &mut Changes<'_>,
    root: Option<&Node>,
    lists: &[(&'static str, ListChange)],
) -> anyhow::Result<()> {
    let mut missing: Vec<(&str, Value)> = Vec::new();
    let root = written(root);
    for (key, change) in lists {
        if change.is_empty() {
            continue;
        }
        match root.and_then(|root| root.get(key).map(|list| (root, list))) {
            Some((root, list)) => list_of(changes, root, key, list, change)?,
            None => missing.push((key, Value::Array(change.new.clone()))),
        }
    }
    if missing.is_empty() { Ok(()) } else { add_keys(changes, root, missing) }
}

/// What was typed; nothing, for a document of which only the beginning was.
fn written(root: Option<&Node>) -> Option<&Node> {
    root.filter(|root| !root.is_null() || !root.range.is_empty())
}

/// Changes the current context.
///
/// # Errors
/// As [`change`].
pub(super) fn set_current_context(
    changes: &mut Changes<'_>,
    root: Option<&Node>,
    name: &str,
) -> anyhow::Result<()> {
    let root = written(root);
    let found = root.and_then(|root| root.get("current-context").map(|value| (root, value)));
    let Some((root, value)) = found else {
        return add_keys(changes, root, vec![("current-context", name.into())]);
    };
    let json = matches!(root.kind, Kind::Map { flow: true, .. });
    let name = Value::from(name);
    let name = if json { name.to_string() } else { scalar(&name)? };
    match &value.kind {
        Kind::Scalar { .. } if !value.range.is_empty() => changes.replace(value.range.clone(), &name),
        Kind::Scalar { .. } => {
            let colon = after_colon(changes.text(), root, "current-context")?;
            changes.replace(colon..colon, &format!(" {name}"));
        }
        Kind::List { .. } | Kind::Map { .. } | Kind::Alias(_) => bail!("its current-context is no name"),
    }
    Ok(())
}

/// Adds keys that are not there to the file's map, or begins one.
fn add_keys(
    changes: &mut Changes<'_>,
    root: Option<&Node>,
    mut missing: Vec<(&str, Value)>,
) -> anyhow::Result<()> {
    let Some(root) = root.filter(|root| !root.is_null()) else {
        let beginning = BEGINNING.iter().map(|(key, value)| (*key, Value::from(*value)));
        missing.extend(beginning);
        missing.sort_by_key(|(key, _)| *key);
        let lines: String =
            missing.iter().map(|(key, value)| key_lines(key, value, "")).collect::<Result<_, _>>()?;
        let at = match root {
            Some(nothing) => {
                changes.replace(nothing.range.clone(), "");
                nothing.range.end
            }
            None => after_marker(changes.text()),
        };
        changes.insert_lines(at, &lines);
        return Ok(());
    };
    let Kind::Map { pairs, flow } = &root.kind else { bail!("its top level is not a map") };
    if root.anchor.is_some() {
        bail!("its top level has an anchor");
    }
    if *flow {
        let added: Vec<String> =
            missing.iter().map(|(key, value)| format!("{}: {value}", Value::from(*key))).collect();
        let added = added.join(", ");
        match pairs.last() {
            Some((_, last)) => changes.replace(last.range.end..last.range.end, &format!(", {added}")),
            None => changes.replace(root.range.start + 1..root.range.start + 1, &added),
        }
        return Ok(());
    }
    let indent = &changes.text()[changes.line_start(root.range.start)..root.range.start];
    let indent = indent.trim_start_matches('\u{feff}');
    if !indent.bytes().all(|byte| byte == b' ') {
        bail!("its first line is unusual");
    }
    let lines: String =
        missing.iter().map(|(key, value)| key_lines(key, value, indent)).collect::<Result<_, _>>()?;
    changes.insert_lines(root.range.end, &lines);
    Ok(())
}

/// Behind the line that begins a document, if that is all there is; else at the end.
fn after_marker(text: &str) -> usize {
    let marker = text.lines().position(|line| line.starts_with("---"));
    marker.map_or(text.len(), |line| text.split_inclusive('\n').take(line + 1).map(str::len).sum())
}

fn list_of(
    changes: &mut Changes<'_>,
    root: &Node,
    key: &str,
    list: &Node,
    change: &ListChange,
) -> anyhow::Result<()> {
    if list.anchor.is_some() || matches!(list.kind, Kind::Alias(_)) {
        bail!("its {key} are written once for several places, with an anchor");
    }
    if change.items.keys().any(|index| list.items().get(*index).is_some_and(Node::has_anchors)) {
        bail!("an entry of ours among its {key} has an anchor");
    }
    let in_braces = matches!(root.kind, Kind::Map { flow: true, .. });
    match &list.kind {
        Kind::Scalar { .. } if list.is_null() && in_braces => {
            changes.replace(list.range.clone(), &Value::Array(change.new.clone()).to_string());
        }
        Kind::Scalar { .. } if list.is_null() => empty(changes, root, list, change)?,
        Kind::List { items, flow: true } => {
            let short =
                changes.text().get(list.range.clone()).is_some_and(|text| !text.contains(['#', '\n']));
            if items.is_empty() && short && !in_braces {
                empty(changes, root, list, change)?;
            } else {
                brackets(changes, list, items, change);
            }
        }
        Kind::List { items, flow: false } => lines(changes, root, key, items, change)?,
        Kind::Scalar { .. } | Kind::Map { .. } | Kind::Alias(_) => bail!("its {key} are no list"),
    }
    Ok(())
}

/// A list with nothing in it, in a file of lines: `null`, `[]` or nothing after the colon.
fn empty(changes: &mut Changes<'_>, root: &Node, list: &Node, change: &ListChange) -> anyhow::Result<()> {
    let line = changes.line_start(root.range.start);
    let indent = changes.text()[line..root.range.start].trim_start_matches('\u{feff}').to_owned();
    if !list.range.is_empty() {
        let before = &changes.text()[..list.range.start];
        let start = before.trim_end_matches(' ').len();
        changes.replace(start..list.range.end, "");
    }
    changes.insert_lines(list.range.end, &item_lines(&change.new, &indent)?);
    Ok(())
}

/// A list in brackets.
fn brackets(changes: &mut Changes<'_>, list: &Node, items: &[Node], change: &ListChange) {
    let gone = |index: &usize| matches!(change.items.get(index), Some(None));
    let kept: Vec<usize> = (0..items.len()).filter(|index| !gone(index)).collect();
    for (index, value) in change.items.iter().filter_map(|(index, value)| Some((index, value.as_ref()?))) {
        if let Some(item) = items.get(*index) {
            changes.replace(item.range.clone(), &value.to_string());
        }
    }
    let inside = list.range.start + 1..list.range.end.saturating_sub(1);
    let Some(last) = kept.last() else {
        // Nothing of it stays but what is no item: blanks and comments.
        let new = change.new.iter().map(Value::to_string).collect::<Vec<_>>().join(", ");
        let (start, end) = match (items.first(), items.last()) {
            (Some(first), Some(last)) => (first.range.start, last.range.end),
            _ => (inside.start, inside.start),
        };
        let rest = changes.text().get(end..inside.end).unwrap_or_default();
        let comma = rest.len() - rest.trim_start().strip_prefix(',').unwrap_or(rest).len();
        changes.replace(start..if new.is_empty() { end + comma } else { end }, &new);
        return;
    };
    for (_, pair) in items.windows(2).enumerate().filter(|(index, _)| gone(index) && index < last) {
        changes.replace(pair[0].range.start..pair[1].range.start, "");
    }
    let (Some(last), Some(end)) = (items.get(*last), items.last()) else { return };
    if end.range.end > last.range.end {
        changes.replace(last.range.end..end.range.end, "");
    }
    let new: String = change.new.iter().map(|value| format!(", {value}")).collect();
    if !new.is_empty() {
        changes.replace(end.range.end..end.range.end, &new);
    }
}

/// A list in lines, each item behind its dash.
fn lines(
    changes: &mut Changes<'_>,
    root: &Node,
    key: &str,
    items: &[Node],
    change: &ListChange,
) -> anyhow::Result<()> {
    let unusual = || format!("the layout of its {key} is unusual");
    let (Some(first), Some(last)) = (items.first(), items.last()) else { bail!(unusual()) };
    let text = changes.text();
    let dash = dash(text, first.range.start).with_context(unusual)?;
    let indent = text[changes.line_start(dash)..dash].to_owned();
    for (index, value) in &change.items {
        let item = items.get(*index).with_context(unusual)?;
        let part = changes.line_start(self::dash(text, item.range.start).with_context(unusual)?)
            ..changes.line_end(item.range.end);
        match value {
            Some(value) => {
                let ended = text[part.clone()].ends_with('\n');
                let lines = item_lines(std::slice::from_ref(value), &indent)?;
                changes.replace(part, if ended { &lines } else { lines.trim_end() });
            }
            None => changes.replace(part, ""),
        }
    }
    let gone = change.items.values().filter(|value| value.is_none()).count();
    if gone == items.len() && change.new.is_empty() {
        let colon = after_colon(text, root, key)?;
        changes.replace(colon..colon, " []");
    }
    if !change.new.is_empty() {
        changes.insert_lines(last.range.end, &item_lines(&change.new, &indent)?);
    }
    Ok(())
}

/// Where the dash of an item in lines stands: before it, with nothing but blanks and comments between.
fn dash(text: &str, item: usize) -> Option<usize> {
    let mut end = item;
    loop {
        let start = text[..end].rfind('\n').map_or(0, |newline| newline + 1);
        let before = text[start..end].trim_end_matches(['\n', '\r']);
        let content = before.trim_start_matches(' ');
        let at = start + before.len() - content.len();
        match content.strip_prefix('-') {
            Some(rest)
                if rest.trim_start().is_empty() || (end < item && rest.trim_start().starts_with('#')) =>
            {
                return Some(at);
            }
            Some(_) => return None,
            None if start == 0 || !(content.trim().is_empty() || content.starts_with('#')) => return None,
            None => end = start - 1,
        }
    }
}

/// Where a value may stand behind a key's colon.
fn after_colon(text: &str, root: &Node, key: &str) -> anyhow::Result<usize> {
    let (found, _) =
        root.pairs().iter().find(|(found, _)| found.text() == Some(key)).context("a key is not there")?;
    let Range { end, .. } = found.range;
    let rest = &text[end..];
    let colon = rest.find(':').filter(|at| rest[..*at].trim().is_empty());
    colon.map(|at| end + at + 1).with_context(|| format!("the layout of its {key} is unusual"))
}

fn item_lines(values: &[Value], indent: &str) -> anyhow::Result<String> {
    Ok(indented(&yaml(&values)?, indent))
}

fn key_lines(key: &str, value: &Value, indent: &str) -> anyhow::Result<String> {
    let lines = match value {
        Value::Array(items) => format!("{key}:\n{}", yaml(items)?),
        value => format!("{key}: {}\n", scalar(value)?),
    };
    Ok(indented(&lines, indent))
}

fn scalar(value: &Value) -> anyhow::Result<String> {
    Ok(yaml(value)?.trim_end().to_owned())
}

/// A value in lines; long texts stay on one line.
pub(super) fn yaml(value: &impl serde::Serialize) -> anyhow::Result<String> {
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    serde_saphyr::to_string_with_options(value, options).context("this cannot be written as YAML")
}

fn indented(lines: &str, indent: &str) -> String {
    lines.lines().map(|line| format!("{indent}{line}\n")).collect()
}
