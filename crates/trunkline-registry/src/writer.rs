//! The one writer: takes orders from a bounded queue, commits many at once, then shows, tells and answers.
//!
//! It runs on a thread of its own, since the disk is waited for, and ends when the registry is dropped and the orders
//! that stood in the queue are done. An order is a function that decides on a draft and gives back how to answer;
//! nobody is answered before the commit, a no included: it may rest on what others do in the same commit.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::{broadcast, mpsc, watch};
use tracing::{error, info};
use trunkline_api::{AccessRule, RuleName};
use trunkline_proto::ClusterId;

use crate::access::EndedSession;
use crate::error::NotWritten;
use crate::object::{Key, Kind as _, Object};
use crate::record::Record;
use crate::state::{Changes, Draft, State};
use crate::store::{Revision, Store, Write};

/// How many orders wait, and how many are committed at once, at the most.
pub(crate) const QUEUE: usize = 1_024;
/// How many changes are kept for one who listens.
const TOLD: usize = 1_024;

/// Decides, and returns how to answer when it is known whether the draft was written.
pub(crate) type Order = Box<dyn FnOnce(&mut Draft<'_>) -> Answer + Send>;
/// Answers.
pub(crate) type Answer = Box<dyn FnOnce(Result<(), NotWritten>)>;

/// What everybody sees: all that is durable, and word of each change.
pub(crate) struct View {
    shown: RwLock<Shown>,
    pub(crate) changes: broadcast::Sender<ClusterId>,
    /// Grows with each change of a rule.
    pub(crate) rules: watch::Sender<u64>,
    /// Grows with each session that is ended.
    pub(crate) ended: watch::Sender<u64>,
}

#[derive(Default)]
struct Shown {
    records: BTreeMap<ClusterId, Arc<Record>>,
    rules: BTreeMap<RuleName, Arc<AccessRule>>,
    ended: BTreeMap<String, Arc<EndedSession>>,
}

impl Shown {
    fn set(&mut self, key: &Key, object: Option<&Object>) {
        match key {
            Key::Cluster(id) => put(&mut self.records, id, object.and_then(Record::of)),
            Key::Rule(name) => put(&mut self.rules, name, object.and_then(AccessRule::of)),
            Key::Ended(id) => put(&mut self.ended, id, object.and_then(EndedSession::of)),
        }
    }
}

fn put<K: Ord + Clone, T>(map: &mut BTreeMap<K, Arc<T>>, key: &K, now: Option<&Arc<T>>) {
    match now {
        Some(now) => drop(map.insert(key.clone(), now.clone())),
        None => drop(map.remove(key)),
    }
}

impl View {
    pub(crate) fn new(state: &State) -> Self {
        let mut shown = Shown::default();
        state.objects().for_each(|(key, object)| shown.set(key, Some(object)));
        Self {
            shown: RwLock::new(shown),
            changes: broadcast::Sender::new(TOLD),
            rules: watch::Sender::new(0),
            ended: watch::Sender::new(0),
        }
    }

    fn look<T>(&self, at: impl FnOnce(&Shown) -> T) -> T {
        at(&self.shown.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn get(&self, id: &ClusterId) -> Option<Arc<Record>> {
        self.look(|shown| shown.records.get(id).cloned())
    }

    pub(crate) fn list(&self) -> Vec<Arc<Record>> {
        self.look(|shown| shown.records.values().cloned().collect())
    }

    pub(crate) fn rules(&self) -> Vec<Arc<AccessRule>> {
        self.look(|shown| shown.rules.values().cloned().collect())
    }

    pub(crate) fn ended(&self, session: &str) -> Option<Arc<EndedSession>> {
        self.look(|shown| shown.ended.get(session).cloned())
    }

    pub(crate) fn all_ended(&self) -> Vec<Arc<EndedSession>> {
        self.look(|shown| shown.ended.values().cloned().collect())
    }

    fn show(&self, changes: &Changes) {
        {
            let mut shown = self.shown.write().unwrap_or_else(PoisonError::into_inner);
            changes.iter().for_each(|(key, object)| shown.set(key, object.as_ref()));
        }
        for (key, object) in changes {
            match key {
                // Nobody listening is fine.
                Key::Cluster(id) => drop(self.changes.send(id.clone())),
                Key::Rule(_) => self.rules.send_modify(|version| *version += 1),
                // One that is forgotten is over: nobody has to hear of it.
                Key::Ended(_) if object.is_none() => {}
                Key::Ended(_) => self.ended.send_modify(|version| *version += 1),
            }
        }
    }
}

/// Works until nobody can order any more.
pub(crate) fn run(mut store: Store, mut state: State, mut orders: mpsc::Receiver<Order>, view: &View) {
    let mut failed = false;
    while let Some(first) = orders.blocking_recv() {
        if failed {
            failed = !start_again(&mut store, &mut state, view);
        }
        let mut draft = Draft::new(&mut state);
        let mut answers = vec![first(&mut draft)];
        while answers.len() < QUEUE
            && let Ok(next) = orders.try_recv()
        {
            answers.push(next(&mut draft));
        }
        let written = match write(&store, &draft) {
            Ok(None) => Ok(()),
            Ok(Some(revision)) => {
                view.show(&draft.committed(revision));
                Ok(())
            }
            Err(why) => {
                draft.undo();
                failed = true;
                error!(path = %store.path().display(), why, orders = answers.len(), "the registry was not written");
                Err(NotWritten(format!("{why}; look whether the change was made, and try again")))
            }
        };
        for answer in answers {
            answer(written.clone());
        }
    }
}

/// After a failure nobody knows what is on the disk: opens the store again, and takes on what it holds.
fn start_again(store: &mut Store, state: &mut State, view: &View) -> bool {
    match store.open_again().and_then(|()| State::load(store)) {
        Ok(held) => {
            view.show(&state.become_as(held));
            info!(path = %store.path().display(), "the registry is written again");
            true
        }
        Err(error) => {
            error!(path = %store.path().display(), %error, "the registry cannot be opened again; it is tried with the next change");
            false
        }
    }
}

/// Writes a draft; none if there is nothing to write.
fn write(store: &Store, draft: &Draft<'_>) -> Result<Option<Revision>, String> {
    let encode = |(key, expect, object): (&Key, Revision, Option<&Object>)| {
        let body = object.map(Object::encode).transpose();
        body.map(|body| Write { kind: key.kind(), name: key.name().to_owned(), expect, body })
    };
    let writes: Result<Vec<_>, _> = draft.writes().map(encode).collect();
    let writes = writes.map_err(|error| error.to_string())?;
    if writes.is_empty() {
        return Ok(None);
    }
    store.commit(&writes).map(Some).map_err(|error| error.to_string())
}
