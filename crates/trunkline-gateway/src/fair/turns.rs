//! Whose turn it is to take a cluster's next free stream.
//!
//! Of all who wait for a cluster one has the turn: it looks for a stream, takes the first that gets free, and passes the
//! turn on. Users take turns, each user's own requests in the order in which they came. So who waits with a hundred
//! requests holds nobody up for longer than one.
//!
//! Invariants:
//! - at most one has the turn of a cluster;
//! - a turn that is given to somebody who has left is passed on, whenever they leave;
//! - who waits is bounded, for each user and in all, and a cluster that nobody waits for holds nothing here.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use trunkline_proto::ClusterId;

/// How many requests of one user may wait for one cluster.
pub(crate) const OF_ONE_USER: usize = 128;
/// How many requests may wait in all.
const IN_ALL: usize = 4096;

/// Who waits for which cluster. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Turns {
    waiting: Arc<Mutex<Waiting>>,
}

#[derive(Debug, Default)]
struct Waiting {
    clusters: HashMap<ClusterId, Queue>,
    count: usize,
    next: u64,
}

/// Who waits for one cluster. It is there while somebody has the turn.
#[derive(Debug, Default)]
struct Queue {
    /// The users who wait, the next one first.
    order: VecDeque<Arc<str>>,
    requests: HashMap<Arc<str>, VecDeque<(u64, oneshot::Sender<Turn>)>>,
}

/// Why one cannot wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crowd {
    /// As many requests of the user wait as may.
    OfUser,
    /// As many requests wait as may.
    OfAll,
}

/// The turn; dropping it passes it on.
#[derive(Debug)]
pub(crate) struct Turn {
    turns: Turns,
    cluster: ClusterId,
    passed_on: bool,
}

/// A place in the queue; dropping it leaves the queue.
struct Place<'a> {
    turns: &'a Turns,
    cluster: &'a ClusterId,
    user: &'a Arc<str>,
    number: u64,
}

impl Turns {
    /// Whether nobody has the turn: then whoever comes may look for a stream at once.
    pub(crate) fn nobody_waits(&self, cluster: &ClusterId) -> bool {
        !self.lock().clusters.contains_key(cluster)
    }

    /// Returns when it is one's turn.
    ///
    /// # Errors
    /// When too many wait.
    pub(crate) async fn wait(&self, cluster: &ClusterId, user: &Arc<str>) -> Result<Turn, Crowd> {
        let (place, turn) = {
            let mut waiting = self.lock();
            let count = waiting.count;
            let number = waiting.next;
            let Some(queue) = waiting.clusters.get_mut(cluster) else {
                waiting.clusters.insert(cluster.clone(), Queue::default());
                return Ok(self.turn(cluster));
            };
            let own = queue.requests.entry(user.clone()).or_default();
            if own.len() >= OF_ONE_USER {
                return Err(Crowd::OfUser);
            }
            if count >= IN_ALL {
                if own.is_empty() {
                    queue.requests.remove(user);
                }
                return Err(Crowd::OfAll);
            }
            let (give, turn) = oneshot::channel();
            if own.is_empty() {
                queue.order.push_back(user.clone());
            }
            own.push_back((number, give));
            waiting.count += 1;
            waiting.next += 1;
            (Place { turns: self, cluster, user, number }, turn)
        };
        let turn = turn.await;
        drop(place);
        // Nobody throws a place away but its own owner.
        turn.map_err(|_| Crowd::OfAll)
    }

    fn pass_on(&self, cluster: &ClusterId) {
        loop {
            let Some(give) = self.lock().next(cluster) else { return };
            match give.send(self.turn(cluster)) {
                Ok(()) => return,
                // That one has left. Not dropped as it is: it would be passed on within itself.
                Err(mut unwanted) => unwanted.passed_on = true,
            }
        }
    }

    fn turn(&self, cluster: &ClusterId) -> Turn {
        Turn { turns: self.clone(), cluster: cluster.clone(), passed_on: false }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// The one whose turn is next, taken out; without any the cluster is forgotten.
    fn next(&mut self, cluster: &ClusterId) -> Option<oneshot::Sender<Turn>> {
        let found = self.clusters.get_mut(cluster).and_then(Queue::next);
        match found {
            Some(_) => self.count -= 1,
            None => drop(self.clusters.remove(cluster)),
        }
        found
    }
}

impl Queue {
    fn next(&mut self) -> Option<oneshot::Sender<Turn>> {
        loop {
            let user = self.order.pop_front()?;
            let Some(own) = self.requests.get_mut(&user) else { continue };
            let first = own.pop_front();
            if own.is_empty() {
                self.requests.remove(&user);
            } else {
                self.order.push_back(user);
            }
            if let Some((_, give)) = first {
                return Some(give);
            }
        }
    }

    /// Whether it was there.
    fn remove(&mut self, user: &Arc<str>, number: u64) -> bool {
        let Some(own) = self.requests.get_mut(user) else { return false };
        let before = own.len();
        own.retain(|(other, _)| *other != number);
        let removed = own.len() < before;
        if own.is_empty() {
            self.requests.remove(user);
            self.order.retain(|other| other != user);
        }
        removed
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if !self.passed_on {
            self.turns.pass_on(&self.cluster);
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut waiting = self.turns.lock();
        let queue = waiting.clusters.get_mut(self.cluster);
        if queue.is_some_and(|queue| queue.remove(self.user, self.number)) {
            waiting.count -= 1;
        }
    }
}

#[cfg(test)]
mod tests;
