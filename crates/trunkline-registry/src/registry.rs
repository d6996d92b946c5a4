//! The registry: reads from memory, changes by order to the one writer.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tracing::debug;
use trunkline_api::{
    AccessRule, ClusterPatch, ClusterSpec, Lock, ManifestPatch, Metadata, NewAccessRule, NewCluster, RuleName,
};
use trunkline_proto::{ClusterId, ClusterUid, Slot};

use crate::access::{self, EndedSession};
use crate::decide::{self, Knock};
use crate::error::NotWritten;
use crate::object::Kind;
use crate::record::{JoinRecord, Record, SlotRecord};
use crate::state::{Change, Draft, State};
use crate::store::Store;
use crate::writer::{Order, QUEUE, View, run};
use crate::{JoinToken, OpenError, RedeemError, RegistryError, rules, token};

/// The clusters that should exist. Clones share it; when the last is dropped, what was ordered is written and the file
/// is free for another.
#[derive(Clone)]
pub struct Registry {
    shared: Arc<Shared>,
}

struct Shared {
    view: Arc<View>,
    /// Taken only when the registry is dropped.
    writer: Option<(mpsc::Sender<Order>, JoinHandle<()>)>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some((orders, thread)) = self.writer.take() {
            drop(orders);
            // It has logged why it failed, if it did.
            let _ = thread.join();
        }
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry").finish_non_exhaustive()
    }
}

impl Registry {
    /// The registry in a file, made with its folder if it is not there, for this process alone.
    ///
    /// Fails with [`RegistryError::Open`]; the file is then as it was. Reads the whole file: call it at the start.
    pub fn open(path: &Path) -> Result<Self, RegistryError> {
        Self::over(Store::open(path)?)
    }

    /// A registry that ends with the process.
    pub fn in_memory() -> Result<Self, RegistryError> {
        Self::over(Store::in_memory()?)
    }

    fn over(store: Store) -> Result<Self, RegistryError> {
        let state = State::load(&store)?;
        let view = Arc::new(View::new(&state));
        let (orders, queue) = mpsc::channel(QUEUE);
        let shown = view.clone();
        let path = store.path().to_owned();
        let thread = std::thread::Builder::new()
            .name("registry".into())
            .spawn(move || run(store, state, queue, &shown))
            .map_err(|source| OpenError::Io { path, source })?;
        Ok(Self { shared: Arc::new(Shared { view, writer: Some((orders, thread)) }) })
    }

    /// All clusters, by name.
    pub fn list(&self) -> Vec<Arc<Record>> {
        self.shared.view.list()
    }

    /// One cluster.
    pub fn get(&self, id: &ClusterId) -> Option<Arc<Record>> {
        self.shared.view.get(id)
    }

    /// The name of each cluster that changes, after the change is durable and visible. Who lags behind 1,024 of them
    /// looks at all.
    pub fn changes(&self) -> broadcast::Receiver<ClusterId> {
        self.shared.view.changes.subscribe()
    }

    /// Registers a cluster. Its join token may be used once, within `token_life`.
    ///
    /// Fails with `Invalid`, `Reserved`, `Exists`, `Full` or `Unavailable`.
    pub async fn register(
        &self,
        new: &NewCluster,
        by: &str,
        now: Timestamp,
        token_life: Duration,
    ) -> Result<(Arc<Record>, JoinToken), RegistryError> {
        rules::check_new(new, by)?;
        let (token, join) = join(by, now, token_life)?;
        let record = Record {
            metadata: Metadata {
                name: new.name.clone(),
                uid: Some(ClusterUid::random()),
                labels: new.labels.clone(),
                created: Some(now),
                created_by: by.into(),
                revision: 1,
            },
            spec: ClusterSpec {
                display_name: new.display_name.clone(),
                description: new.description.clone(),
                environment: new.environment.clone(),
                protection: new.protection,
                locked: None,
            },
            manifest: new.manifest.clone(),
            join: Some(join),
            key: None,
            slots: BTreeMap::new(),
            last_seen: None,
        };
        let record = self.order(&new.name, move |state| decide::register(state, &record)).await?;
        Ok((record, token))
    }

    /// Hands out a new join token; the one before ends. What the manifest holds stays.
    ///
    /// Fails with `Invalid`, `Reserved`, `NotFound` or `Unavailable`.
    pub async fn renew_token(
        &self,
        id: &ClusterId,
        by: &str,
        now: Timestamp,
        token_life: Duration,
    ) -> Result<(Arc<Record>, JoinToken), RegistryError> {
        self.renew_join(id, by, &ManifestPatch::default(), now, token_life).await
    }

    /// As [`Registry::renew_token`], with a change of what the manifest holds, which is kept.
    pub async fn renew_join(
        &self,
        id: &ClusterId,
        by: &str,
        patch: &ManifestPatch,
        now: Timestamp,
        token_life: Duration,
    ) -> Result<(Arc<Record>, JoinToken), RegistryError> {
        rules::check_by(by)?;
        let (token, join) = join(by, now, token_life)?;
        let (name, patch) = (id.clone(), patch.clone());
        let record = self.order(id, move |state| decide::renew_token(state, &name, &join, &patch)).await?;
        Ok((record, token))
    }

    /// Changes what people want of a cluster. The revision grows by one if anything changed.
    ///
    /// Fails with `Invalid`, `Reserved`, `NotFound`, `Conflict` or `Unavailable`.
    pub async fn edit(
        &self,
        id: &ClusterId,
        patch: &ClusterPatch,
        by: &str,
    ) -> Result<Arc<Record>, RegistryError> {
        rules::check_by(by)?;
        rules::check_patch(patch)?;
        let (name, patch) = (id.clone(), patch.clone());
        let record = self.order(id, move |state| decide::edit(state, &name, &patch)).await?;
        debug!(cluster = %id, by, revision = record.metadata.revision, "edited");
        Ok(record)
    }

    /// Closes a cluster. The revision grows by one, unless it is locked for the same reason already.
    ///
    /// Fails with `Invalid`, `Reserved`, `NotFound` or `Unavailable`.
    pub async fn lock(&self, id: &ClusterId, lock: Lock) -> Result<Arc<Record>, RegistryError> {
        rules::check_by(&lock.by)?;
        rules::check_reason(&lock.reason)?;
        let name = id.clone();
        self.order(id, move |state| decide::lock(state, &name, &lock)).await
    }

    /// Opens a cluster again. The revision grows by one, unless it is open.
    ///
    /// Fails with `Reserved`, `NotFound` or `Unavailable`.
    pub async fn unlock(&self, id: &ClusterId) -> Result<Arc<Record>, RegistryError> {
        let name = id.clone();
        self.order(id, move |state| decide::unlock(state, &name)).await
    }

    /// Removes a cluster and all that is kept of it; returns what it was.
    ///
    /// Fails with `Reserved`, `NotFound` or `Unavailable`.
    pub async fn remove(&self, id: &ClusterId) -> Result<Arc<Record>, RegistryError> {
        let name = id.clone();
        self.order(id, move |state| decide::remove(state, &name)).await
    }

    /// Lets a key in for a cluster: the cluster's own if there was a sign of it within `away`, or one that brings the
    /// cluster's join token. The latter is the cluster's key from here on, and the token is used, in one commit; if it is
    /// another than before, the slots that the one before was given are forgotten.
    pub async fn redeem(
        &self,
        id: &ClusterId,
        token: Option<&str>,
        key: &str,
        now: Timestamp,
        away: Duration,
    ) -> Result<Arc<Record>, RedeemError> {
        let knock = Knock::new(id, token, key, now, away);
        self.order(id, move |state| decide::redeem(state, &knock)).await
    }

    /// Keeps the newest certificate of a slot; `key` is the pin of the cluster key that asked for it.
    ///
    /// Fails with `Invalid`, `NotFound` (also if the cluster was registered anew), `KeyReplaced` or `Unavailable`.
    pub async fn note_slot(
        &self,
        id: &ClusterId,
        uid: ClusterUid,
        slot: Slot,
        record: SlotRecord,
        key: &str,
    ) -> Result<(), RegistryError> {
        rules::check_slot(slot)?;
        let (name, key) = (id.clone(), key.to_owned());
        self.order(id, move |state| decide::note_slot(state, &name, uid, slot, &record, &key)).await.map(drop)
    }

    /// Keeps when a cluster was last there. Waits for room in the queue: it is not urgent, and the newest is what counts.
    ///
    /// Fails with `NotFound` (also if the cluster was registered anew) or `Unavailable`.
    pub async fn note_seen(
        &self,
        id: &ClusterId,
        uid: ClusterUid,
        when: Timestamp,
    ) -> Result<(), RegistryError> {
        let name = id.clone();
        let (order, answer) =
            order(move |draft| draft.take(&name, |state| decide::note_seen(state, &name, uid, when)));
        let sent = self.orders()?.send(order).await;
        sent.map_err(|_| stopped())?;
        answer.await.unwrap_or_else(|_| Err(stopped().into())).map(drop)
    }

    /// All access rules, by name.
    pub fn rules(&self) -> Vec<Arc<AccessRule>> {
        self.shared.view.rules()
    }

    /// Grows with each change of an access rule, after it is durable and visible.
    pub fn rule_changes(&self) -> watch::Receiver<u64> {
        self.shared.view.rules.subscribe()
    }

    /// Grows with each session that is ended, after it is durable and visible.
    pub fn session_ends(&self) -> watch::Receiver<u64> {
        self.shared.view.ended.subscribe()
    }

    /// Makes an access rule, or replaces the one of this name. The revision grows by one if anything changed.
    ///
    /// Fails with `Invalid`, `RuleConflict`, `TooManyRules` or `Unavailable`.
    pub async fn put_rule(
        &self,
        new: &NewAccessRule,
        by: &str,
        now: Timestamp,
    ) -> Result<Arc<AccessRule>, RegistryError> {
        rules::check_by(by)?;
        rules::check_access(&new.spec)?;
        let (name, new, by) = (new.name.clone(), new.clone(), by.to_owned());
        self.order(&name, move |state| access::put_rule(state, &new, &by, now)).await
    }

    /// Removes an access rule; returns what it was.
    ///
    /// Fails with `NoRule` or `Unavailable`.
    pub async fn remove_rule(&self, name: &RuleName) -> Result<Arc<AccessRule>, RegistryError> {
        let wanted = name.clone();
        self.order(name, move |state| access::remove_rule(state, &wanted)).await
    }

    /// How a user session was ended, if it was and its time is not over yet.
    pub fn ended(&self, session: &str) -> Option<Arc<EndedSession>> {
        self.shared.view.ended(session)
    }

    /// Ends a user session for good. Ended twice, the first end stays.
    ///
    /// Fails with `Invalid`, `TooManyEnded` or `Unavailable`.
    pub async fn end_session(&self, ended: EndedSession) -> Result<Arc<EndedSession>, RegistryError> {
        rules::check_ended(&ended)?;
        let session = ended.session.clone();
        self.order(&session, move |state| access::end_session(state, &ended)).await
    }

    /// Forgets the ended sessions whose time is over, many in one commit.
    pub async fn forget_sessions(&self, now: Timestamp) -> Result<(), RegistryError> {
        let over = self.shared.view.all_ended().into_iter().filter(|ended| ended.until <= now);
        let over: Vec<String> = over.map(|ended| ended.session.clone()).collect();
        for sessions in over.chunks(QUEUE) {
            let sessions = sessions.to_vec();
            self.send(order(move |draft| {
                let mut forget = |session| {
                    draft.take(session, |state| access::forget_session(state, session, now)).map(drop)
                };
                sessions.iter().try_for_each(&mut forget)
            }))
            .await?;
        }
        Ok(())
    }

    async fn order<
        T: Kind<Name: Clone + Send + 'static> + Send + Sync + 'static,
        E: From<NotWritten> + Send + 'static,
    >(
        &self,
        name: &T::Name,
        decide: impl FnOnce(&State) -> Result<Change<T>, E> + Send + 'static,
    ) -> Result<Arc<T>, E> {
        let name = name.clone();
        self.send(order(move |draft| draft.take(&name, decide))).await
    }

    /// Sends an order, if there is room in the queue, and waits for its answer.
    async fn send<T, E: From<NotWritten>>(
        &self,
        (order, answer): (Order, oneshot::Receiver<Result<T, E>>),
    ) -> Result<T, E> {
        self.orders()?.try_send(order).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => {
                NotWritten(format!("{QUEUE} changes wait already; nothing was changed, try again"))
            }
            mpsc::error::TrySendError::Closed(_) => stopped(),
        })?;
        answer.await.unwrap_or_else(|_| Err(stopped().into()))
    }

    fn orders(&self) -> Result<&mpsc::Sender<Order>, NotWritten> {
        self.shared.writer.as_ref().map(|(orders, _)| orders).ok_or_else(stopped)
    }
}

/// An order that works on a draft, and where its answer comes.
fn order<T: Send + 'static, E: From<NotWritten> + Send + 'static>(
    work: impl FnOnce(&mut Draft<'_>) -> Result<T, E> + Send + 'static,
) -> (Order, oneshot::Receiver<Result<T, E>>) {
    let (answer, answered) = oneshot::channel();
    let order: Order = Box::new(move |draft| {
        let outcome = work(draft);
        Box::new(move |written| {
            // Who asked may have gone; what was written stays.
            let _ = answer.send(written.map_err(E::from).and(outcome));
        })
    });
    (order, answered)
}

fn stopped() -> NotWritten {
    NotWritten("its writer has stopped; restart the gateway, whose log says why".into())
}

/// A new token and what is kept of it.
fn join(by: &str, now: Timestamp, life: Duration) -> Result<(JoinToken, JoinRecord), RegistryError> {
    let unavailable = |error: &dyn std::fmt::Display| {
        RegistryError::Unavailable(format!("a token cannot be made: {error}; nothing was changed, try again"))
    };
    let token = JoinToken::generate().map_err(|error| unavailable(&error))?;
    let hash = token::hash(token.reveal()).ok_or_else(|| unavailable(&"a new token is not well formed"))?;
    let expires = now.checked_add(life).map_err(|_| RegistryError::Invalid {
        field: "the life of the token".into(),
        why: "ends beyond the end of time; make it shorter".into(),
    })?;
    Ok((token, JoinRecord { hash, created: now, expires, by: by.into(), used: None }))
}

#[cfg(test)]
mod tests;
