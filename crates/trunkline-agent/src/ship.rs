//! From the spools to the gateway: one batch of each spool at a time, by the logs lane, as fast as the line carries without making
//! API requests wait.
//!
//! A batch is chunks of one life of the spool, as they lie there. The gateway answers once the store has said yes, with the sequence through
//! which records may go; whatever happens to the link, the answer or either process before, they are handed in again,
//! and the store knows them by their place.
//!
//! Invariants:
//! - nothing goes from a spool before the gateway's yes;
//! - a spool that is not taken holds up none but itself;
//! - no link is dialled while the tunnel is down, and none is kept when there is nothing to ship.

mod batch;
mod pace;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{Method, Request, StatusCode, header};
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::{debug, info, warn};
use trunkline_proto::{
    ControlCall, Dataset, HEAD_HEADER, InvalidHead, LOGS_PATH, LogAck, LogBatch, SpoolEpoch, StatusReport,
    StreamHead,
};
use trunkline_runtime::{Tasks, boxed, chain, limited};
use trunkline_spool::{ChunkAt, Reader, Spool};
use trunkline_tunnel::{Backoff, CallError, ExchangeError, Session, call};

use crate::metrics::{DatasetLabel, Metrics};
use crate::uplink::{LogsLane, NoLane, Uplink};
use batch::Batch;
use pace::Pace;

/// How long one batch may take, from its first byte to the answer: the gateway gives one up after ten minutes. A link that is dead is
/// noticed within seconds.
const DEADLINE: Duration = Duration::from_secs(900);
/// The longest answer, in bytes.
const MAX_ANSWER: usize = 64 * 1024;
/// How often what waits is told.
const REPORT: Duration = Duration::from_secs(5);
/// The longest pause that a gateway may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Ships what is in the spools. Clones share the line.
#[derive(Clone)]
pub(crate) struct Shipping {
    lane: LogsLane,
    pace: Arc<Pace>,
    /// Batches on their way.
    under_way: Arc<AtomicUsize>,
    metrics: Metrics,
}

/// Why a batch was not taken.
#[derive(Debug, thiserror::Error)]
enum NotTaken {
    #[error(transparent)]
    Lane(#[from] NoLane),
    #[error("the batch cannot be sent")]
    Head(#[from] InvalidHead),
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    #[error("the gateway did not answer within {} s", DEADLINE.as_secs())]
    TimedOut,
    #[error("the gateway answered {0}: {1}")]
    Refused(StatusCode, String),
    #[error("the gateway's answer does not parse")]
    Answer,
}

impl Shipping {
    pub(crate) fn new(uplink: &Uplink, metrics: Metrics) -> Self {
        Self { lane: LogsLane::new(uplink), pace: Arc::new(Pace::new()), under_way: Arc::default(), metrics }
    }

    /// Starts a task for each spool, and what keeps the line.
    pub(crate) fn start(
        &self,
        spools: Vec<(Dataset, Spool)>,
        report: watch::Sender<StatusReport>,
        tasks: &Tasks,
    ) {
        tasks.spawn_until_stopped(self.lane.clone().let_go_when_idle());
        tasks.spawn_until_stopped(report_for_ever(spools.clone(), report));
        tasks.spawn_until_stopped(self.clone().watch_the_line());
        // Records may wait; the look at the other lane's round trip must not.
        let aside = tasks.aside();
        for (dataset, spool) in spools {
            aside.spawn_until_stopped(self.clone().ship(dataset, spool));
        }
    }

    /// Ships one spool until it is closed.
    async fn ship(self, dataset: Dataset, spool: Spool) {
        let label = DatasetLabel { dataset: dataset.to_string() };
        let mut reader = spool.reader();
        let mut ahead = None;
        let mut backoff = Backoff::default();
        let mut is_well = true;
        let mut known_lost = 0;
        loop {
            // The more are under way, the smaller: they share the line.
            let want = || self.pace.batch() / (1 + self.under_way.load(Ordering::Relaxed));
            let batch = match Batch::gather(&mut reader, &mut ahead, want).await {
                Ok(Some(batch)) => batch,
                Ok(None) => return,
                Err(error) => {
                    warn!(%dataset, why = chain(&error), "the spool cannot be read; trying again");
                    tokio::time::sleep(backoff.pause()).await;
                    continue;
                }
            };
            let head = LogBatch { dataset: dataset.clone(), spool: SpoolEpoch(*batch.epoch.as_bytes()) };
            // The spool counts each of them once, however often they are passed.
            let lost = spool.status().lost;
            if lost > known_lost {
                warn!(%dataset, records = lost - known_lost, "records are missing from the spool");
                self.metrics.records_missing.get_or_create(&label).inc_by(lost - known_lost);
                known_lost = lost;
            }
            self.lane.tunnel_is_up().await;
            let (first, last) = batch.sequences();
            let pause = match self.hand_in(&head, &batch).await {
                Ok(ack) => {
                    let through = ack.through.min(last);
                    if through >= first {
                        if let Err(error) = spool.ack(through) {
                            warn!(%dataset, %error, "the gateway's answer is for another spool");
                        }
                        self.metrics.batches.get_or_create(&label).inc();
                        self.metrics.records_shipped.get_or_create(&label).inc_by(through - first + 1);
                        self.metrics.bytes_shipped.get_or_create(&label).inc_by(batch.bytes as u64);
                        backoff.reset();
                    }
                    if through == last {
                        if !is_well {
                            info!(%dataset, "records are taken again");
                        }
                        is_well = true;
                        continue;
                    }
                    let asked = ack.retry_after_ms.map_or(Duration::ZERO, Duration::from_millis);
                    (asked.min(LONGEST_PAUSE), ack.why)
                }
                Err(error) => (Duration::ZERO, chain(&error)),
            };
            self.metrics.batches_not_taken.get_or_create(&label).inc();
            if is_well {
                warn!(%dataset, why = pause.1, "records are not taken; trying again");
            } else {
                debug!(%dataset, why = pause.1, "records are not taken; trying again");
            }
            is_well = false;
            again(&mut reader, &mut ahead);
            tokio::time::sleep(pause.0.max(backoff.pause())).await;
        }
    }

    async fn hand_in(&self, head: &LogBatch, batch: &Batch) -> Result<LogAck, NotTaken> {
        let (session, epoch) = self.lane.session().await?;
        self.under_way.fetch_add(1, Ordering::Relaxed);
        let _under_way = UnderWay(self.under_way.clone());
        let request = Request::builder()
            .method(Method::POST)
            .uri(LOGS_PATH)
            .header(header::HOST, "trunkline")
            .header(header::CONTENT_LENGTH, batch.bytes)
            .header(HEAD_HEADER, StreamHead::logs(epoch, head.clone()).encode()?)
            .body(batch.body(&self.pace))
            .map_err(|_| NotTaken::Answer)?;
        let exchange = async {
            let answer = session.request(request).await?;
            let status = answer.status();
            let body = limited(boxed(answer.into_body()), MAX_ANSWER).await.ok().flatten();
            Ok::<_, NotTaken>((status, body.ok_or(NotTaken::Answer)?))
        };
        let (status, body) =
            tokio::time::timeout(DEADLINE, exchange).await.map_err(|_| NotTaken::TimedOut)??;
        if !status.is_success() {
            let said = String::from_utf8_lossy(&body).chars().take(500).collect();
            return Err(NotTaken::Refused(status, said));
        }
        serde_json::from_slice(&body).map_err(|_| NotTaken::Answer)
    }

    /// Asks for the other lane's round trip while records are on their way.
    async fn watch_the_line(self) {
        let mut on: Option<Session> = None;
        loop {
            tokio::time::sleep(self.pace.pause()).await;
            let Some((session, epoch)) = self.lane.api() else { continue };
            // Of a link that is new it is known before records leave what its round trip is.
            if on.as_ref().is_none_or(|before| !before.is_same(&session)) {
                self.pace.begin_anew();
                on = Some(session.clone());
            } else if self.under_way.load(Ordering::Relaxed) == 0 {
                continue;
            }
            let asked = Instant::now();
            match call::<_, ()>(&session, ControlCall::Ping, epoch, &()).await {
                // What was not answered in time is the longest round trip of all.
                Ok(()) | Err(CallError::TimedOut) => self.pace.sample(asked.elapsed()),
                // A link that broke says nothing of the line.
                Err(error) => debug!(%error, "a ping beside records was not answered"),
            }
            self.metrics.pace.set(i64::try_from(self.pace.rate()).unwrap_or(i64::MAX));
        }
    }
}

/// Tells what waits in the spools.
async fn report_for_ever(spools: Vec<(Dataset, Spool)>, report: watch::Sender<StatusReport>) {
    loop {
        let newest: Vec<_> = spools
            .iter()
            .map(|(dataset, spool)| trunkline_intake::report(dataset, &spool.status()))
            .collect();
        report.send_if_modified(|last| {
            let changed = last.logs != newest;
            last.logs = newest;
            changed
        });
        tokio::time::sleep(REPORT).await;
    }
}

/// Goes back to what was not acknowledged.
fn again(reader: &mut Reader, ahead: &mut Option<ChunkAt>) {
    *ahead = None;
    reader.rewind();
}

/// A batch on its way.
struct UnderWay(Arc<AtomicUsize>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
