//! The one writer: takes orders from a bounded queue, commits many at once, then shows, tells and answers.
//!
//! It runs on a thread of its own, since the disk is waited for, and ends when the registry is dropped and the orders
//! that stood in the queue are done. An order is a function that decides on a draft and gives back how to answer;
//! nobody is answered before the commit, a no included: it may rest on what others do in the same commit.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::{broadcast, mpsc};
use tracing::{error, info};
use trunkline_proto::ClusterId;

use crate::error::NotWritten;
use crate::record::{self, Record};
use crate::state::{Draft, State};
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
    records: RwLock<BTreeMap<ClusterId, Arc<Record>>>,
    pub(crate) changes: broadcast::Sender<ClusterId>,
}

impl View {
    pub(crate) fn new(records: BTreeMap<ClusterId, Arc<Record>>) -> Self {
        Self { records: RwLock::new(records), changes: broadcast::Sender::new(TOLD) }
    }

    pub(crate) fn get(&self, id: &ClusterId) -> Option<Arc<Record>> {
        self.records.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    pub(crate) fn list(&self) -> Vec<Arc<Record>> {
        self.records.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    fn show(&self, changes: Vec<(ClusterId, Option<Arc<Record>>)>) {
        let mut names = Vec::with_capacity(changes.len());
        {
            let mut records = self.records.write().unwrap_or_else(PoisonError::into_inner);
            for (id, record) in changes {
                match record {
                    Some(record) => drop(records.insert(id.clone(), record)),
                    None => drop(records.remove(&id)),
                }
                names.push(id);
            }
        }
        for id in names {
            // Nobody listening is fine.
            let _ = self.changes.send(id);
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
                view.show(draft.committed(revision));
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
            view.show(state.become_as(held));
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
    let encode = |(id, expect, record): (&ClusterId, Revision, Option<&Arc<Record>>)| {
        let body = record.map(|record| record::encode(record)).transpose();
        body.map(|body| Write { name: id.to_string(), expect, body })
    };
    let writes: Result<Vec<_>, _> = draft.writes().map(encode).collect();
    let writes = writes.map_err(|error| error.to_string())?;
    if writes.is_empty() {
        return Ok(None);
    }
    store.commit(record::KIND, &writes).map(Some).map_err(|error| error.to_string())
}
