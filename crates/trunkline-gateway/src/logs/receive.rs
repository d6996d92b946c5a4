//! A batch from an agent: may it come, is there room for it, and its bytes.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;
use trunkline_proto::{ClusterUid, Lane, LogAck, LogBatch, MAX_BATCH_BYTES, MAX_DATASETS};
use trunkline_runtime::Body;
use trunkline_tunnel::json;

use super::standing::MAX_DAYS;
use super::unpack::{Says, before_a_day, look};
use super::{Logs, Source};
use crate::bucket::{Bucket, Rate};
use crate::metrics::Reason;
use crate::tunnels::Live;

/// How much memory the bytes of all batches may take.
pub(super) const BYTES: usize = 256 * 1024 * 1024;
/// How much of it one cluster's may take: two of the longest.
pub(super) const BYTES_OF_ONE: usize = 2 * MAX_BATCH_BYTES;
/// How long a batch waits for room.
const WAIT: Duration = Duration::from_secs(10);
/// How long nothing of a batch may come.
const SILENCE: Duration = Duration::from_secs(20);
/// How long all of it may take.
const WHOLE: Duration = Duration::from_secs(600);
/// How much text one cluster may hand in, in bytes: a second, and at once.
const TEXT: Rate = Rate { per_second: 32 * 1024 * 1024, burst: 512 * 1024 * 1024 };
/// How many records.
const RECORDS: Rate = Rate { per_second: 200_000, burst: 4_000_000 };
/// How many clusters' rates are remembered; those at rest are forgotten first.
const REMEMBERED: usize = 20_000;

/// How much each cluster handed in lately.
#[derive(Debug, Default)]
pub(super) struct Rates(Mutex<HashMap<ClusterUid, [Bucket; 2]>>);

impl Rates {
    /// A batch of so much came.
    ///
    /// # Errors
    /// When to come again, if that is too much.
    fn take(&self, uid: ClusterUid, says: Says) -> Result<(), Duration> {
        let (mut all, now) = (self.0.lock().unwrap_or_else(PoisonError::into_inner), Instant::now());
        if all.len() >= REMEMBERED {
            all.retain(|_, buckets| buckets.iter().any(|bucket| !bucket.is_full(now)));
        }
        let [text, records] = all.entry(uid).or_default();
        let wait = text.debt(TEXT, now).max(records.debt(RECORDS, now));
        if !wait.is_zero() {
            return Err(wait);
        }
        text.charge(TEXT, says.inflated as u64, now);
        records.charge(RECORDS, says.records, now);
        Ok(())
    }
}

/// When records come again whose days are too many.
const DAYS_AGAIN: Duration = Duration::from_secs(60);

/// A no that another try does not change.
struct No(StatusCode, String);

impl Logs {
    /// Answers a session's request that hands a batch in.
    pub(crate) async fn receive(
        &self,
        live: &Live,
        batch: LogBatch,
        request: Request<Incoming>,
    ) -> Response<Body> {
        let answered = match self.may_come(live, &batch, &request) {
            Ok(length) => self.read_and_take_in(live, batch, request, length).await,
            Err(no) => Err(no),
        };
        match answered {
            Ok(ack) => json(StatusCode::OK, &ack),
            Err(No(status, why)) => {
                self.put_off("Refused");
                json(status, &why)
            }
        }
    }

    /// How long the batch is, if it may come.
    fn may_come(&self, live: &Live, batch: &LogBatch, request: &Request<Incoming>) -> Result<usize, No> {
        let no = |why: String| Err(No(StatusCode::BAD_REQUEST, why));
        if live.lane() != Lane::Logs {
            return no("batches come on links of the logs lane".into());
        }
        if batch.dataset.is_reserved() {
            return no(format!(
                "the dataset {} is the gateway's own; give yours another name",
                batch.dataset
            ));
        }
        if !self.shared.standing.admits(live.identity.uid, &batch.dataset) {
            return no(format!(
                "{} is one dataset too many: a cluster has {MAX_DATASETS} at the most; one that brought nothing for a day is forgotten",
                batch.dataset
            ));
        }
        let Some(length) = request.body().size_hint().exact() else {
            return Err(No(StatusCode::LENGTH_REQUIRED, "a batch says how long it is".into()));
        };
        usize::try_from(length).ok().filter(|length| *length <= MAX_BATCH_BYTES).ok_or_else(|| {
            No(StatusCode::PAYLOAD_TOO_LARGE, format!("a batch has {MAX_BATCH_BYTES} bytes at the most"))
        })
    }

    async fn read_and_take_in(
        &self,
        live: &Live,
        batch: LogBatch,
        request: Request<Incoming>,
        length: usize,
    ) -> Result<LogAck, No> {
        let source = Source {
            cluster: live.cluster.clone(),
            uid: live.identity.uid,
            slot: live.identity.slot,
            dataset: batch.dataset,
            spool: batch.spool,
        };
        let Some(place) = self.shared.bytes.take(source.uid, length, WAIT).await else {
            self.put_off("NoRoom");
            return Ok(later("the gateway has no room for this batch now: others came first"));
        };
        let bytes = read(request.into_body(), length).await?;
        let logs = self.clone();
        let taken = self.shared.tasks.spawn(async move {
            let _place = place;
            logs.look_and_take_in(&source, bytes).await
        });
        // It ends with the link that it came by.
        AbortOnDropHandle::new(taken).await.unwrap_or_else(|_| {
            self.put_off("Panic");
            Ok(later("the gateway failed at the batch"))
        })
    }

    async fn look_and_take_in(&self, source: &Source, bytes: Bytes) -> Result<LogAck, No> {
        let unread = |bad| No(StatusCode::BAD_REQUEST, format!("the batch cannot be read: {bad}"));
        let says = look(source, &bytes).map_err(unread)?;
        if let Err(wait) = self.shared.rates.take(source.uid, says) {
            self.put_off("Rate");
            let ack = later("this cluster hands in more than one may");
            return Ok(LogAck { retry_after_ms: Some(milliseconds(wait)), ..ack });
        }
        let admits = |day| self.shared.standing.admits_day(source.uid, &source.dataset, day);
        let admitted = before_a_day(source, &bytes, admits).map_err(unread)?;
        let all = admitted == bytes.len();
        let ack = self.take_in(source, bytes.slice(..admitted), says).await;
        if all || !ack.why.is_empty() {
            return Ok(ack);
        }
        self.put_off("Days");
        let why = format!(
            "the records of this dataset were spooled on more than {MAX_DAYS} days, as the agent's clock says; a day of which nothing \
             came for a day is forgotten"
        );
        Ok(LogAck { retry_after_ms: Some(milliseconds(DAYS_AGAIN)), why, ..ack })
    }

    /// Counts a batch, or a part of one, that is to come again.
    pub(super) fn put_off(&self, reason: &'static str) {
        self.shared.metrics.logs_put_off.get_or_create(&Reason { reason }).inc();
    }
}

/// Reads a body that says how long it is.
async fn read(mut body: Incoming, length: usize) -> Result<Bytes, No> {
    let no = |why: &str| No(StatusCode::BAD_REQUEST, why.into());
    let reading = async {
        let mut bytes = BytesMut::with_capacity(length);
        loop {
            match tokio::time::timeout(SILENCE, body.frame()).await {
                Ok(Some(Ok(frame))) => bytes.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data)),
                Ok(Some(Err(_))) => return Err(no("the batch broke off")),
                Ok(None) => return Ok(bytes.freeze()),
                Err(_) => {
                    return Err(No(
                        StatusCode::REQUEST_TIMEOUT,
                        "nothing of the batch came for too long".into(),
                    ));
                }
            }
        }
    };
    let late = || No(StatusCode::REQUEST_TIMEOUT, "the batch did not come in time".into());
    tokio::time::timeout(WHOLE, reading).await.map_err(|_| late())?
}

/// Nothing is said of the batch but that it may come again.
fn later(why: &str) -> LogAck {
    // Not all of them in the same moment.
    let retry_after_ms = Some(1000 + u64::from(rand::random::<u16>()) % 4000);
    LogAck { through: 0, retry_after_ms, why: why.into() }
}

pub(super) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_cluster_hands_in_so_much_and_others_do_not_feel_it() {
        let (rates, one, other) = (Rates::default(), ClusterUid::random(), ClusterUid::random());
        let batch = Says { inflated: 16 * 1024 * 1024, records: 50_000 };
        let at_once = (0..1000).take_while(|_| rates.take(one, batch).is_ok()).count();
        assert!((32..=40).contains(&at_once), "{at_once}");
        assert!(rates.take(other, batch).is_ok());
        let wait = rates.take(one, batch).unwrap_err();
        tokio::time::advance(wait).await;
        assert!(rates.take(one, batch).is_ok());
    }
}
