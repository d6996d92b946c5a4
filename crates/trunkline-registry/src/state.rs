//! All records as the writer sees them, and a draft of what is to become of them.
//!
//! A draft is either committed as a whole or undone as a whole.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use trunkline_proto::ClusterId;

use crate::OpenError;
use crate::record::{self, Record};
use crate::store::{Revision, Store};

/// A record and the revision at which the store has it.
#[derive(Clone)]
pub(crate) struct Kept {
    pub(crate) record: Arc<Record>,
    pub(crate) revision: Revision,
}

/// All records, by name and by the tokens that were handed out for them.
#[derive(Default)]
pub(crate) struct State {
    clusters: BTreeMap<ClusterId, Kept>,
    tokens: HashMap<String, ClusterId>,
}

impl State {
    /// All that a store holds.
    pub(crate) fn load(store: &Store) -> Result<Self, OpenError> {
        let damaged = |why| OpenError::Damaged { path: store.path().to_owned(), why };
        let mut state = Self::default();
        for object in store.list(record::KIND).map_err(|error| damaged(error.to_string()))? {
            let record = record::decode(&object.name, &object.body).map_err(damaged)?;
            let id = record.metadata.name.clone();
            state.set(&id, Some(Kept { record: Arc::new(record), revision: object.revision }));
        }
        Ok(state)
    }

    pub(crate) fn get(&self, id: &ClusterId) -> Option<&Arc<Record>> {
        self.clusters.get(id).map(|kept| &kept.record)
    }

    pub(crate) fn len(&self) -> usize {
        self.clusters.len()
    }

    /// The cluster for which a token of this hash was handed out.
    pub(crate) fn holder(&self, hash: &str) -> Option<&ClusterId> {
        self.tokens.get(hash)
    }

    pub(crate) fn records(&self) -> BTreeMap<ClusterId, Arc<Record>> {
        self.clusters.iter().map(|(id, kept)| (id.clone(), kept.record.clone())).collect()
    }

    /// Takes on what another state has; returns what is now, by name, of those clusters that differ.
    pub(crate) fn become_as(&mut self, other: Self) -> Vec<(ClusterId, Option<Arc<Record>>)> {
        let before = std::mem::replace(self, other);
        let gone = before.clusters.keys().filter(|id| !self.clusters.contains_key(id));
        let gone = gone.map(|id| (id.clone(), None));
        let same = |id: &ClusterId, kept: &Kept| before.get(id) == Some(&kept.record);
        let changed = self.clusters.iter().filter(|(id, kept)| !same(id, kept));
        gone.chain(changed.map(|(id, kept)| (id.clone(), Some(kept.record.clone())))).collect()
    }

    /// Sets or removes a record; returns what was there.
    pub(crate) fn set(&mut self, id: &ClusterId, kept: Option<Kept>) -> Option<Kept> {
        let before = self.clusters.remove(id);
        for hash in before.iter().flat_map(|before| before.record.token_hashes()) {
            self.tokens.remove(hash);
        }
        if let Some(kept) = kept {
            for hash in kept.record.token_hashes() {
                self.tokens.insert(hash.to_owned(), id.clone());
            }
            self.clusters.insert(id.clone(), kept);
        }
        before
    }
}

/// What an order makes of a cluster.
#[derive(Debug)]
pub(crate) enum Change {
    /// Nothing: it is as it is to be.
    Keep(Arc<Record>),
    /// This, in place of what is there.
    Put(Box<Record>),
    /// Nothing of it remains; this is what was there.
    Remove(Arc<Record>),
}

/// A state and what it was before, for those clusters that are touched.
pub(crate) struct Draft<'a> {
    state: &'a mut State,
    before: BTreeMap<ClusterId, Option<Kept>>,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(state: &'a mut State) -> Self {
        Self { state, before: BTreeMap::new() }
    }

    /// Decides on the state as it is in this draft, and takes the change in. Returns the record as it is to be, or was.
    pub(crate) fn take<E>(
        &mut self,
        id: &ClusterId,
        decide: impl FnOnce(&State) -> Result<Change, E>,
    ) -> Result<Arc<Record>, E> {
        let (record, kept) = match decide(self.state)? {
            Change::Keep(record) => return Ok(record),
            Change::Put(record) => {
                let record = Arc::<Record>::from(record);
                // Its revision is known when it is committed.
                (record.clone(), Some(Kept { record, revision: Revision::NONE }))
            }
            Change::Remove(record) => (record, None),
        };
        let before = self.state.set(id, kept);
        self.before.entry(id.clone()).or_insert(before);
        Ok(record)
    }

    /// What is to be written: name, the revision there was, and the record if it is to be there.
    pub(crate) fn writes(&self) -> impl Iterator<Item = (&ClusterId, Revision, Option<&Arc<Record>>)> {
        let revision = |kept: &Option<Kept>| kept.as_ref().map_or(Revision::NONE, |kept| kept.revision);
        self.before.iter().map(move |(id, before)| (id, revision(before), self.state.get(id)))
    }

    /// It was written at this revision; returns what is now, by name.
    pub(crate) fn committed(self, revision: Revision) -> Vec<(ClusterId, Option<Arc<Record>>)> {
        let state = self.state;
        let now = |id: ClusterId| {
            let kept = state.clusters.get_mut(&id).map(|kept| {
                kept.revision = revision;
                kept.record.clone()
            });
            (id, kept)
        };
        self.before.into_keys().map(now).collect()
    }

    /// It was not written: all is as it was.
    pub(crate) fn undo(self) {
        for (id, before) in self.before {
            self.state.set(&id, before);
        }
    }
}
