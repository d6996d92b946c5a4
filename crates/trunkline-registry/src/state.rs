//! All that is kept as the writer sees it, and a draft of what is to become of it.
//!
//! A draft is either committed as a whole or undone as a whole.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use trunkline_proto::ClusterId;

use crate::OpenError;
use crate::object::{Kept, Key, Kind, Object};
use crate::record::Record;
use crate::store::{Revision, Store};

/// All objects, and the clusters by the tokens that were handed out for them.
#[derive(Default)]
pub(crate) struct State {
    objects: BTreeMap<Key, Kept>,
    tokens: HashMap<String, ClusterId>,
    clusters: usize,
    rules: usize,
    ended: usize,
}

/// What is now, by name, of objects that differ from what they were.
pub(crate) type Changes = Vec<(Key, Option<Object>)>;

impl State {
    /// All that a store holds.
    pub(crate) fn load(store: &Store) -> Result<Self, OpenError> {
        let damaged = |why| OpenError::Damaged { path: store.path().to_owned(), why };
        let mut state = Self::default();
        for kind in Object::KINDS {
            for stored in store.list(kind).map_err(|error| damaged(error.to_string()))? {
                let object = Object::decode(kind, &stored.name, &stored.body).map_err(damaged)?;
                state.set(&object.key(), Some(Kept { object, revision: stored.revision }));
            }
        }
        Ok(state)
    }

    /// A cluster.
    pub(crate) fn get(&self, id: &ClusterId) -> Option<&Arc<Record>> {
        self.find(id)
    }

    /// An object by its name.
    pub(crate) fn find<T: Kind>(&self, name: &T::Name) -> Option<&Arc<T>> {
        self.objects.get(&T::key(name)).and_then(|kept| T::of(&kept.object))
    }

    /// How many clusters there are.
    pub(crate) fn len(&self) -> usize {
        self.clusters
    }

    /// How many access rules there are.
    pub(crate) fn rules(&self) -> usize {
        self.rules
    }

    /// How many ended sessions are remembered.
    pub(crate) fn ended(&self) -> usize {
        self.ended
    }

    /// The cluster for which a token of this hash was handed out.
    pub(crate) fn holder(&self, hash: &str) -> Option<&ClusterId> {
        self.tokens.get(hash)
    }

    /// All objects.
    pub(crate) fn objects(&self) -> impl Iterator<Item = (&Key, &Object)> {
        self.objects.iter().map(|(key, kept)| (key, &kept.object))
    }

    /// Takes on what another state has; returns what is now, by name, of those objects that differ.
    pub(crate) fn become_as(&mut self, other: Self) -> Changes {
        let before = std::mem::replace(self, other);
        let gone = before.objects.keys().filter(|key| !self.objects.contains_key(key));
        let gone = gone.map(|key| (key.clone(), None));
        let same =
            |key: &Key, kept: &Kept| before.objects.get(key).is_some_and(|was| was.object == kept.object);
        let changed = self.objects.iter().filter(|(key, kept)| !same(key, kept));
        gone.chain(changed.map(|(key, kept)| (key.clone(), Some(kept.object.clone())))).collect()
    }

    /// Sets or removes an object; returns what was there.
    pub(crate) fn set(&mut self, key: &Key, kept: Option<Kept>) -> Option<Kept> {
        let before = self.objects.remove(key);
        if let Some(Object::Cluster(record)) = before.as_ref().map(|kept| &kept.object) {
            for hash in record.token_hashes() {
                self.tokens.remove(hash);
            }
        }
        if let (Some(Object::Cluster(record)), Key::Cluster(id)) =
            (kept.as_ref().map(|kept| &kept.object), key)
        {
            for hash in record.token_hashes() {
                self.tokens.insert(hash.to_owned(), id.clone());
            }
        }
        let count = match key {
            Key::Cluster(_) => &mut self.clusters,
            Key::Rule(_) => &mut self.rules,
            Key::Ended(_) => &mut self.ended,
        };
        *count = *count + usize::from(kept.is_some()) - usize::from(before.is_some());
        if let Some(kept) = kept {
            self.objects.insert(key.clone(), kept);
        }
        before
    }
}

/// What an order makes of an object.
#[derive(Debug)]
pub(crate) enum Change<T = Record> {
    /// Nothing: it is as it is to be.
    Keep(Arc<T>),
    /// This, in place of what is there.
    Put(Box<T>),
    /// Nothing of it remains; this is what was there.
    Remove(Arc<T>),
}

/// A state and what it was before, for those objects that are touched.
pub(crate) struct Draft<'a> {
    state: &'a mut State,
    before: BTreeMap<Key, Option<Kept>>,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(state: &'a mut State) -> Self {
        Self { state, before: BTreeMap::new() }
    }

    /// Decides on the state as it is in this draft, and takes the change in. Returns the object as it is to be, or was.
    pub(crate) fn take<T: Kind, E>(
        &mut self,
        name: &T::Name,
        decide: impl FnOnce(&State) -> Result<Change<T>, E>,
    ) -> Result<Arc<T>, E> {
        let (object, kept) = match decide(self.state)? {
            Change::Keep(object) => return Ok(object),
            Change::Put(object) => {
                let object = Arc::<T>::from(object);
                // Its revision is known when it is committed.
                let kept = Kept { object: T::object(object.clone()), revision: Revision::NONE };
                (object, Some(kept))
            }
            Change::Remove(object) => (object, None),
        };
        let key = T::key(name);
        let before = self.state.set(&key, kept);
        self.before.entry(key).or_insert(before);
        Ok(object)
    }

    /// What is to be written: name, the revision there was, and the object if it is to be there.
    pub(crate) fn writes(&self) -> impl Iterator<Item = (&Key, Revision, Option<&Object>)> {
        let revision = |kept: &Option<Kept>| kept.as_ref().map_or(Revision::NONE, |kept| kept.revision);
        let now = |key: &Key| self.state.objects.get(key).map(|kept| &kept.object);
        self.before.iter().map(move |(key, before)| (key, revision(before), now(key)))
    }

    /// It was written at this revision; returns what is now, by name.
    pub(crate) fn committed(self, revision: Revision) -> Changes {
        let state = self.state;
        let now = |key: Key| {
            let kept = state.objects.get_mut(&key).map(|kept| {
                kept.revision = revision;
                kept.object.clone()
            });
            (key, kept)
        };
        self.before.into_keys().map(now).collect()
    }

    /// It was not written: all is as it was.
    pub(crate) fn undo(self) {
        for (key, before) in self.before {
            self.state.set(&key, before);
        }
    }
}
