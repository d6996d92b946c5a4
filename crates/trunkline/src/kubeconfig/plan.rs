//! From what a file holds and what it is to hold to the file's new text.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::bail;
use serde_json::Value;
use trunkline_proto::ClusterId;

use super::entries::{Item, Sort, Target, Wanted, items, says};
use super::lists::{self, ListChange};
use super::text::Changes;
use super::tree::{Node, read};
use super::verify;

/// What stands before a cluster's name when the name alone is somebody else's.
const SECOND_CHOICE: &str = "tl-";
/// How many names are tried.
const TRIES: u32 = 1000;

/// A file's new text, and what is to be told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The text.
    pub(crate) text: String,
    /// The context of each cluster that was wanted.
    pub(crate) contexts: BTreeMap<ClusterId, String>,
    /// The contexts that were taken out.
    pub(crate) removed: Vec<String>,
    /// The current context, if it is one of those: kubectl has none now.
    pub(crate) lost_current: Option<String>,
}

/// Makes the new text of a file.
///
/// # Errors
/// When the file is no kubeconfig, or cannot be changed without touching what is not ours.
pub(crate) fn plan(text: &str, wanted: &Wanted) -> anyhow::Result<Plan> {
    let root = root(text)?;
    let (plan, changed) = planned(text, root.as_ref(), wanted)?;
    if changed {
        let after = read(&plan.text)?;
        verify::nothing_else_changed(root.as_ref(), after.as_ref(), &wanted.gateway)?;
        let (again, more) = planned(&plan.text, after.as_ref(), wanted)?;
        if more || again.contexts != plan.contexts {
            bail!("its layout is unusual");
        }
    }
    Ok(plan)
}

/// Reads a file; it must be a map with each key of ours at most once.
fn root(text: &str) -> anyhow::Result<Option<Node>> {
    let Some(root) = read(text)? else { return Ok(None) };
    if !root.is_null() {
        if !matches!(root.kind, super::tree::Kind::Map { .. }) {
            bail!("its top level is not a map");
        }
        for key in Sort::ALL.map(Sort::key).into_iter().chain(["current-context"]) {
            if root.pairs().iter().filter(|(found, _)| found.text() == Some(key)).count() > 1 {
                bail!("it has {key} more than once");
            }
        }
        if root.get("<<").is_some() {
            bail!("its top level takes in another part, with <<");
        }
    }
    Ok(Some(root))
}

fn planned(text: &str, root: Option<&Node>, wanted: &Wanted) -> anyhow::Result<(Plan, bool)> {
    let found = Found {
        clusters: items(root, Sort::Cluster),
        contexts: items(root, Sort::Context),
        users: items(root, Sort::User),
    };
    let mut lists = Lists::default();
    let mut contexts = BTreeMap::new();
    let pruned = found.prune(&mut lists, wanted);
    let stays =
        found.contexts.iter().any(|item| item.is_of(&wanted.gateway) && !pruned.contains(&item.index));
    if !wanted.clusters.is_empty() || stays {
        let user = found.user(&mut lists, root, wanted);
        contexts = found.targets(&mut lists, root, wanted, &user)?;
    } else {
        for item in found.users.iter().filter(|item| item.is_of(&wanted.gateway)) {
            lists.users.items.insert(item.index, None);
        }
    }
    let removed: Vec<String> = found
        .contexts
        .iter()
        .filter(|item| {
            lists.contexts.items.get(&item.index).is_some_and(|change| renamed_or_gone(item, change))
        })
        .map(|item| item.name.to_owned())
        .collect();
    let lost_current = current_context_of(root).filter(|name| removed.contains(name));
    let mut changes = Changes::new(text);
    let lists = [
        (Sort::Cluster.key(), lists.clusters),
        (Sort::Context.key(), lists.contexts),
        (Sort::User.key(), lists.users),
    ];
    lists::change(&mut changes, root, &lists)?;
    let changed = !changes.is_empty();
    Ok((Plan { text: changes.apply()?, contexts, removed, lost_current }, changed))
}

fn renamed_or_gone(item: &Item<'_>, change: &Option<Value>) -> bool {
    change.as_ref().is_none_or(|value| value["name"].as_str() != Some(item.name))
}

/// What is to become of the three lists.
#[derive(Default)]
struct Lists {
    clusters: ListChange,
    contexts: ListChange,
    users: ListChange,
}

/// What a file holds.
struct Found<'a> {
    clusters: Vec<Item<'a>>,
    contexts: Vec<Item<'a>>,
    users: Vec<Item<'a>>,
}

impl Found<'_> {
    /// Takes out what is ours of clusters that are gone. Gives the contexts' numbers.
    fn prune(&self, lists: &mut Lists, wanted: &Wanted) -> BTreeSet<usize> {
        let Some(fleet) = &wanted.prune_to else { return BTreeSet::new() };
        let fleet: BTreeSet<&str> = fleet.iter().map(ClusterId::as_str).collect();
        let gone = |item: &&Item<'_>| {
            item.cluster_of(&wanted.gateway).is_some_and(|cluster| !fleet.contains(cluster))
        };
        lists.clusters.items.extend(self.clusters.iter().filter(gone).map(|item| (item.index, None)));
        let contexts: BTreeSet<usize> = self.contexts.iter().filter(gone).map(|item| item.index).collect();
        lists.contexts.items.extend(contexts.iter().map(|index| (*index, None)));
        contexts
    }

    /// The user that all contexts share; it is written anew where it says something else.
    fn user(&self, lists: &mut Lists, root: Option<&Node>, wanted: &Wanted) -> String {
        let mut ours = self.users.iter().filter(|item| item.is_of(&wanted.gateway)).peekable();
        let Some(first) = ours.peek().map(|item| item.name.to_owned()) else {
            let host = wanted.gateway.trim_start_matches("https://").replace(':', "-");
            let taken: BTreeSet<String> = self.users.iter().map(|item| item.name.to_owned()).collect();
            let name = std::iter::once("trunkline".to_owned())
                .chain(std::iter::once(format!("trunkline-{host}")))
                .chain((2..TRIES).map(|number| format!("trunkline-{host}-{number}")))
                .find(|name| !taken.contains(name))
                .unwrap_or_else(|| "trunkline".into());
            lists.users.new.push(wanted.user(&name, None));
            return name;
        };
        for item in ours {
            let value = wanted.user(item.name, item.body);
            note(&mut lists.users, root, Sort::User, item, value);
        }
        first
    }

    /// The names that no new entry may have.
    fn taken(&self, wanted: &Wanted) -> BTreeSet<String> {
        let ids: BTreeSet<&str> = wanted.clusters.iter().map(|target| target.id.as_str()).collect();
        let own = |item: &&Item<'_>| item.cluster_of(&wanted.gateway).is_some_and(|id| ids.contains(id));
        let all = self.clusters.iter().chain(&self.contexts);
        all.filter(|item| !own(item)).map(|item| item.name.to_owned()).collect()
    }

    /// What is ours of each cluster.
    fn own<'i>(items: &'i [Item<'_>], gateway: &str) -> BTreeMap<&'i str, Vec<&'i Item<'i>>> {
        let mut own: BTreeMap<&str, Vec<&Item<'_>>> = BTreeMap::new();
        for item in items {
            if let Some(id) = item.cluster_of(gateway) {
                own.entry(id).or_default().push(item);
            }
        }
        own
    }

    /// The clusters' entries and their contexts. Gives the contexts' names.
    fn targets(
        &self,
        lists: &mut Lists,
        root: Option<&Node>,
        wanted: &Wanted,
        user: &str,
    ) -> anyhow::Result<BTreeMap<ClusterId, String>> {
        let clusters = Self::own(&self.clusters, &wanted.gateway);
        let contexts = Self::own(&self.contexts, &wanted.gateway);
        let mut taken = self.taken(wanted);
        let mut named = BTreeMap::new();
        for target in &wanted.clusters {
            let id = target.id.as_str();
            let (clusters, contexts) = (
                clusters.get(id).map(Vec::as_slice).unwrap_or_default(),
                contexts.get(id).map(Vec::as_slice).unwrap_or_default(),
            );
            let cluster = Chosen::of(clusters, wanted, target, &taken)?;
            let context = Chosen::of(contexts, wanted, target, &taken)?;
            taken.extend([cluster.name.clone(), context.name.clone()]);
            if clusters.is_empty() {
                lists.clusters.new.push(wanted.cluster(&cluster.name, target, None));
            }
            for (number, item) in clusters.iter().enumerate() {
                let value = wanted.cluster(cluster.name_of(number, item), target, item.body);
                note(&mut lists.clusters, root, Sort::Cluster, item, value);
            }
            if contexts.is_empty() {
                lists.contexts.new.push(wanted.context(&context.name, target, &cluster.name, user, None));
            }
            for (number, item) in contexts.iter().enumerate() {
                let value =
                    wanted.context(context.name_of(number, item), target, &cluster.name, user, item.body);
                note(&mut lists.contexts, root, Sort::Context, item, value);
            }
            named.insert(target.id.clone(), context.name);
        }
        Ok(named)
    }
}

/// The name of a cluster's entry or context, and which of those that are there has it. Others are copies that somebody
/// made; they keep theirs.
struct Chosen {
    name: String,
    number: usize,
}

impl Chosen {
    /// A name that is there stays, unless a prefix is asked for that it does not have.
    fn of(
        items: &[&Item<'_>],
        wanted: &Wanted,
        target: &Target,
        taken: &BTreeSet<String>,
    ) -> anyhow::Result<Self> {
        let prefixed = wanted.prefix.as_ref().map(|prefix| format!("{prefix}{}", target.id));
        let stays = |item: &&&Item<'_>| {
            prefixed.as_deref().is_none_or(|name| item.name.starts_with(name)) && !taken.contains(item.name)
        };
        match items.iter().enumerate().find(|(_, item)| stays(item)) {
            Some((number, item)) => Ok(Self { name: item.name.to_owned(), number }),
            None => Ok(Self { name: free_name(wanted.prefix.as_deref(), &target.id, taken)?, number: 0 }),
        }
    }

    fn name_of<'n>(&'n self, number: usize, item: &'n Item<'_>) -> &'n str {
        if number == self.number { &self.name } else { item.name }
    }
}

/// Replaces an item that says something else than it should.
fn note(change: &mut ListChange, root: Option<&Node>, sort: Sort, item: &Item<'_>, value: Value) {
    let found = root.and_then(|root| root.get(sort.key())).and_then(|list| list.items().get(item.index));
    if !found.is_some_and(|found| says(found, &value)) {
        change.items.insert(item.index, Some(value));
    }
}

fn free_name(prefix: Option<&str>, id: &ClusterId, taken: &BTreeSet<String>) -> anyhow::Result<String> {
    let first = format!("{}{id}", prefix.unwrap_or_default());
    std::iter::once(first)
        .chain(std::iter::once(format!("{SECOND_CHOICE}{id}")))
        .chain((2..TRIES).map(|number| format!("{SECOND_CHOICE}{id}-{number}")))
        .find(|name| !taken.contains(name))
        .ok_or_else(|| anyhow::anyhow!("it has no name left for {id}; choose one with --prefix"))
}

fn current_context_of(root: Option<&Node>) -> Option<String> {
    let name = root?.get("current-context")?;
    name.text().filter(|name| !name.is_empty() && *name != "~").map(str::to_owned)
}

/// The current context of a file, if it has one.
///
/// # Errors
/// When the file is no kubeconfig.
pub(crate) fn current_context(text: &str) -> anyhow::Result<Option<String>> {
    Ok(current_context_of(root(text)?.as_ref()))
}

/// The text with another current context.
///
/// # Errors
/// When the file is no kubeconfig, or cannot be changed without touching anything else.
pub(crate) fn set_current_context(text: &str, name: &str) -> anyhow::Result<String> {
    let before = root(text)?;
    let mut changes = Changes::new(text);
    lists::set_current_context(&mut changes, before.as_ref(), name)?;
    let text = changes.apply()?;
    let after = root(&text)?;
    verify::only_current_context_changed(before.as_ref(), after.as_ref())?;
    if current_context_of(after.as_ref()).as_deref() != Some(name) {
        bail!("its layout is unusual");
    }
    Ok(text)
}

/// The context of a cluster in a file, if it has one of ours.
///
/// # Errors
/// When the file is no kubeconfig.
pub(crate) fn own_context(text: &str, gateway: &str, id: &ClusterId) -> anyhow::Result<Option<String>> {
    let root = root(text)?;
    let own = items(root.as_ref(), Sort::Context)
        .into_iter()
        .find(|item| item.cluster_of(gateway) == Some(id.as_str()));
    Ok(own.map(|item| item.name.to_owned()))
}

/// Whether a file has a context of this name, whoever wrote it.
///
/// # Errors
/// When the file is no kubeconfig.
pub(crate) fn has_context(text: &str, name: &str) -> anyhow::Result<bool> {
    Ok(items(root(text)?.as_ref(), Sort::Context).iter().any(|item| item.name == name))
}
