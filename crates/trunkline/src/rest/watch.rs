//! Following the fleet: what is there, then what changes, over as many streams as it takes.
//!
//! A stream that ends is opened again; what changed meanwhile is told as a change, and nothing is told twice.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use trunkline_api::{Cluster, ClusterEvent, EventKind};
use trunkline_proto::ClusterId;

use super::{Events, Rest};
use crate::exit::{self, Exit};
use crate::words::say;

/// The pauses before a stream is opened again.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What a watch tells.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Change {
    /// A cluster is there, or is otherwise than before.
    Is(Box<Cluster>),
    /// A cluster is gone.
    Gone(Box<Cluster>),
    /// All that was there has been told.
    Synced,
}

/// A watch of the fleet.
#[derive(Debug)]
pub(crate) struct Watch {
    rest: Rest,
    path: String,
    events: Option<Events>,
    known: BTreeMap<ClusterId, Box<Cluster>>,
    /// What the stream that is open has told before it was synced.
    told: BTreeSet<ClusterId>,
    gone: Vec<Cluster>,
    synced_once: bool,
    pause: Duration,
}

impl Watch {
    /// A watch of the clusters that a selector chooses; of all for an empty one.
    ///
    /// # Errors
    /// When the gateway says no to the first stream.
    pub(crate) async fn open(rest: &Rest, selector: &str) -> anyhow::Result<Self> {
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(
                [("watch", "true")]
                    .into_iter()
                    .chain((!selector.is_empty()).then_some(("selector", selector))),
            )
            .finish();
        let path = format!("/clusters?{query}");
        let events = Some(rest.events(&path).await?);
        Ok(Self {
            rest: rest.clone(),
            path,
            events,
            known: BTreeMap::new(),
            told: BTreeSet::new(),
            gone: Vec::new(),
            synced_once: false,
            pause: FIRST_PAUSE,
        })
    }

    /// What is told next.
    ///
    /// # Errors
    /// When the gateway says no to opening the stream again.
    pub(crate) async fn next(&mut self) -> anyhow::Result<Change> {
        loop {
            if let Some(gone) = self.gone.pop() {
                return Ok(Change::Gone(Box::new(gone)));
            }
            let Some(events) = &mut self.events else {
                self.reopen().await?;
                continue;
            };
            match events.next::<ClusterEvent>().await {
                Ok(Some(event)) => {
                    if let Some(change) = self.take(event) {
                        return Ok(change);
                    }
                }
                Ok(None) => self.events = None,
                Err(error) => {
                    say(&format!("{error:#}; looking again"));
                    self.events = None;
                }
            }
        }
    }

    async fn reopen(&mut self) -> anyhow::Result<()> {
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        match self.rest.events(&self.path).await {
            Ok(events) => {
                self.told.clear();
                self.events = Some(events);
                Ok(())
            }
            // Not reached: it may come back. Anything that it answers is an answer.
            Err(error) if matches!(exit::of(&error).0, Exit::Failed | Exit::TimedOut) => {
                say(&format!("{error:#}; trying again"));
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn take(&mut self, event: ClusterEvent) -> Option<Change> {
        match (event.kind, event.cluster) {
            (EventKind::Added | EventKind::Modified, Some(cluster)) => {
                let id = cluster.metadata.name.clone();
                self.told.insert(id.clone());
                let before = self.known.insert(id, cluster.clone());
                (before.as_ref() != Some(&cluster)).then_some(Change::Is(cluster))
            }
            (EventKind::Removed, Some(cluster)) => {
                // As it was told last: the event itself says little more than its name.
                self.known.remove(&cluster.metadata.name).map(Change::Gone)
            }
            (EventKind::Synced, _) => {
                self.pause = FIRST_PAUSE;
                let told = std::mem::take(&mut self.told);
                let lost: Vec<ClusterId> =
                    self.known.keys().filter(|id| !told.contains(*id)).cloned().collect();
                self.gone =
                    lost.iter().filter_map(|id| self.known.remove(id)).map(|cluster| *cluster).collect();
                (!std::mem::replace(&mut self.synced_once, true)).then_some(Change::Synced)
            }
            (_, None) => None,
        }
    }
}
