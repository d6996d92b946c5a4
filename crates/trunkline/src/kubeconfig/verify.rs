//! Whether a change touched anything that is not ours: both texts, read and compared.

use anyhow::bail;

use super::entries::{Sort, items};
use super::tree::Node;

/// Compares a file before and after its lists were changed.
///
/// # Errors
/// When anything but our entries of this gateway differs; then the change was not understood and must not be written.
pub(super) fn nothing_else_changed(
    before: Option<&Node>,
    after: Option<&Node>,
    gateway: &str,
) -> anyhow::Result<()> {
    let lists = Sort::ALL.map(Sort::key);
    let foreign = |sort: Sort| foreign(before, sort, gateway) == foreign(after, sort, gateway);
    if same_but(before, after, &lists) && Sort::ALL.into_iter().all(foreign) { Ok(()) } else { refuse() }
}

/// Compares a file before and after its current context was changed.
///
/// # Errors
/// When anything else differs.
pub(super) fn only_current_context_changed(
    before: Option<&Node>,
    after: Option<&Node>,
) -> anyhow::Result<()> {
    if same_but(before, after, &["current-context"]) { Ok(()) } else { refuse() }
}

fn refuse() -> anyhow::Result<()> {
    bail!("it could not be changed without touching what is not ours; its layout is unusual")
}

/// Whether two files are the same but for some keys. One that held nothing may have got its beginning.
fn same_but(before: Option<&Node>, after: Option<&Node>, keys: &[&str]) -> bool {
    if before.is_none_or(Node::is_null) {
        return rest(after, keys).iter().all(|(key, _)| matches!(key.text(), Some("apiVersion" | "kind")));
    }
    let anchor = |root: Option<&Node>| root.and_then(|root| root.anchor.clone());
    anchor(before) == anchor(after) && rest(before, keys) == rest(after, keys)
}

/// The pairs of a file that have none of these keys.
fn rest<'a>(root: Option<&'a Node>, keys: &[&str]) -> Vec<&'a (Node, Node)> {
    let pairs = root.map(Node::pairs).unwrap_or_default();
    let kept = |key: &Node| key.text().is_none_or(|text| !keys.contains(&text));
    pairs.iter().filter(|(key, _)| kept(key)).collect()
}

/// A list's items that are not ours. A list that is not there, nothing, or empty is the same.
fn foreign<'a>(root: Option<&'a Node>, sort: Sort, gateway: &str) -> Vec<&'a Node> {
    let ours: Vec<usize> =
        items(root, sort).iter().filter(|item| item.is_of(gateway)).map(|item| item.index).collect();
    let list = root.and_then(|root| root.get(sort.key()));
    let all = list.map(Node::items).unwrap_or_default();
    let foreign = |index: &usize| ours.binary_search(index).is_err();
    all.iter().enumerate().filter(|(index, _)| foreign(index)).map(|(_, item)| item).collect()
}
