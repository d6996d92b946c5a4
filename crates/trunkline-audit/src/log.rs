//! The log as everybody uses it: write, read, verify, record.

use std::cmp::Reverse;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{oneshot, watch};
use tracing::{error, info};
use trunkline_api::{
    AuditEvent, AuditHead, AuditHeadClaim, AuditPage, AuditQuery, AuditRecordingFile, AuditVerdict,
};

use crate::chain::{Chain, io_at};
use crate::cursor::Follow;
use crate::error::{NotWritten, OpenError, ReadError, Refused};
use crate::metrics::Metrics;
use crate::queue::Queue;
use crate::retention::Limits;
use crate::writer::{Writer, gauge};
use crate::{query, repair, verify};

/// How long somebody waits for the disk.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often a log that grows is looked at again before a fault is told.
const LOOKS: usize = 2;

/// How a log is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// How many records may wait for the disk; a further one is refused.
    pub queue: usize,
    /// After how many bytes another file begins.
    pub segment_bytes: u64,
    /// How long records and recordings are kept.
    pub age: Duration,
    /// How many bytes of records are kept, and as many of recordings.
    pub bytes: u64,
    /// How long one recording may be, in bytes.
    pub recording_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            queue: 16_384,
            segment_bytes: 64 * 1024 * 1024,
            age: Duration::from_secs(90 * 24 * 3600),
            bytes: 10 * 1024 * 1024 * 1024,
            recording_bytes: 256 * 1024 * 1024,
        }
    }
}

/// An audit log. Clones share it; when the last is dropped, what waits is written and the folder is free for another.
#[derive(Clone)]
pub struct AuditLog {
    metrics: Metrics,
    kept: Option<Arc<Kept>>,
}

/// A log in a folder.
struct Kept {
    folder: PathBuf,
    options: Options,
    queue: Arc<Queue>,
    head: watch::Receiver<Option<AuditHead>>,
    /// Taken only when the log is dropped.
    thread: Option<JoinHandle<()>>,
    /// Held as long as the log is open.
    _lock: File,
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.queue.close();
        if let Some(thread) = self.thread.take() {
            // It has told why it failed, if it did.
            let _ = thread.join();
        }
    }
}

impl AuditLog {
    /// The log in a folder, made if it is not there, for this process alone.
    pub fn open(folder: &Path, options: Options, metrics: Metrics) -> Result<Self, OpenError> {
        let recordings = repair::folder(folder);
        DirBuilder::new().recursive(true).mode(0o700).create(&recordings).map_err(io_at(&recordings))?;
        let path = folder.join("lock");
        let opened = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
        let lock = opened.map_err(io_at(&path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OpenError::InUse(folder.to_owned())),
            Err(TryLockError::Error(source)) => return Err(OpenError::Io { path, source }),
        }
        let (mut chain, torn) = Chain::open(folder, options.segment_bytes)?;
        let repairs: Vec<_> =
            torn.into_iter().chain(repair::finish_all(folder).map_err(io_at(&recordings))?).collect();
        let mut events = Vec::new();
        for repair in repairs {
            info!(
                cut = repair.cut,
                recording = repair.recording.as_ref().map(|recording| &recording.id),
                "the audit log was repaired: a gateway was killed"
            );
            let event = serde_json::to_string(&AuditEvent::Repair(repair)).map_err(io::Error::from);
            events.push((Timestamp::now(), event.map_err(io_at(folder))?));
        }
        if !events.is_empty() {
            let events = events.iter().map(|(time, event)| (*time, event.as_str()));
            chain.append(events).map_err(io_at(folder))?;
        }
        let queue = Arc::new(Queue::new(options.queue));
        let (sender, head) = watch::channel(chain.head());
        let writer = Writer {
            chain,
            folder: folder.to_owned(),
            queue: queue.clone(),
            head: sender,
            metrics: metrics.clone(),
            limits: Limits { age: options.age, bytes: options.bytes },
        };
        let thread = std::thread::Builder::new().name("audit".into()).spawn(move || writer.run());
        let thread = Some(thread.map_err(io_at(folder))?);
        let kept = Kept { folder: folder.to_owned(), options, queue, head, thread, _lock: lock };
        Ok(Self { metrics, kept: Some(Arc::new(kept)) })
    }

    /// A log that is kept nowhere: its events go to the process's own log, under the target `audit`.
    pub fn without_folder() -> Self {
        Self { metrics: Metrics::default(), kept: None }
    }

    /// Takes an event. Wait for what is returned before acting on it, or drop it where its place in the queue is enough.
    pub fn write(&self, event: &AuditEvent) -> Result<Written, Refused> {
        self.put(event, false)
    }

    fn put(&self, event: &AuditEvent, happened: bool) -> Result<Written, Refused> {
        let json = serde_json::to_string(event).map_err(|_| Refused::TooLong { bytes: 0 })?;
        let Some(kept) = &self.kept else {
            info!(target: "audit", phase = event.phase().as_str(), event = json, "audit");
            return Ok(Written { place: None });
        };
        let (answer, answered) = oneshot::channel();
        match kept.queue.put(json, happened, answer) {
            Ok(number) => {
                self.metrics.records_waiting.set(gauge(kept.queue.waiting()));
                let queue = kept.queue.clone();
                Ok(Written { place: Some(Place { number, answered, queue }) })
            }
            Err(refused) => {
                self.metrics.records_refused.inc();
                Err(refused)
            }
        }
    }

    /// As [`AuditLog::write`], for what has happened already and is not undone for want of a record: the queue has as much
    /// room again for it. A refusal is told to the process's own log, with the event.
    pub fn note(&self, event: &AuditEvent) {
        if let Err(refused) = self.put(event, true) {
            let event = serde_json::to_string(event).unwrap_or_default();
            error!(target: "audit", %refused, event, "an event is in no record");
        }
    }

    /// The newest durable record; none without a folder or before the first.
    pub fn head(&self) -> Option<AuditHead> {
        self.kept.as_ref().and_then(|kept| kept.head.borrow().clone())
    }

    /// The records that are asked for. Reads files: not for the runtime's own threads.
    pub fn query(&self, query: &AuditQuery) -> Result<AuditPage, ReadError> {
        let kept = self.kept()?;
        let last = self.head().map_or(0, |head| head.sequence);
        Ok(query::run(&kept.folder, last, query)?)
    }

    /// The records that come, from the one after `query.after` on, or from now on. Keep the log as long as it is
    /// followed.
    pub fn follow(&self, query: &AuditQuery) -> Result<Follow, ReadError> {
        let kept = self.kept()?;
        let after = query.after.unwrap_or_else(|| self.head().map_or(0, |head| head.sequence));
        Ok(Follow::new(&kept.folder, query.clone(), after, kept.head.clone()))
    }

    /// Verifies all up to the newest record, which must be there. Reads all files: not for the runtime's own threads.
    /// Fails with [`ReadError::Stopped`] soon after `stop` is set.
    pub fn verify(
        &self,
        claim: Option<&AuditHeadClaim>,
        stop: &AtomicBool,
    ) -> Result<AuditVerdict, ReadError> {
        let kept = self.kept()?;
        let mut verdict = verify::whole(&kept.folder, Some(self.head()), claim, stop);
        for _ in 0..LOOKS {
            match &verdict {
                Ok(verdict) if verdict.intact => break,
                Err(ReadError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {}
                Err(_) => break,
                // What is old may have been removed meanwhile; then another look finds all well.
                Ok(_) => {}
            }
            verdict = verify::whole(&kept.folder, Some(self.head()), claim, stop);
        }
        verdict
    }

    /// The recordings that are kept, newest first.
    pub fn recordings(&self) -> Result<Vec<AuditRecordingFile>, ReadError> {
        let mut all = Vec::new();
        for entry in fs::read_dir(repair::folder(&self.kept()?.folder))? {
            let entry = entry?;
            let name = entry.file_name();
            let Some((id, finished)) = name.to_str().and_then(repair::id_of) else { continue };
            // It may have been finished or removed since the folder was read.
            let Ok(metadata) = entry.metadata() else { continue };
            let modified = Timestamp::try_from(metadata.modified()?).unwrap_or(Timestamp::UNIX_EPOCH);
            let (request, bytes) = (id.to_owned(), metadata.len());
            all.push(AuditRecordingFile { request, bytes, modified, live: !finished });
        }
        all.sort_by_key(|file| Reverse(file.modified));
        Ok(all)
    }

    /// The file of a request's recording, open for reading. Of one that goes on: as far as it is written.
    pub fn open_recording(&self, request: &str) -> Result<File, ReadError> {
        let folder = &self.kept()?.folder;
        let none = || ReadError::NoRecording(request.to_owned());
        let finished = repair::finished(folder, request).ok_or_else(none)?;
        let live = repair::live(folder, request).ok_or_else(none)?;
        // Finished between two looks: the third finds it.
        for path in [&finished, &live, &finished] {
            match File::open(path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                opened => return Ok(opened?),
            }
        }
        Err(none())
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Where recordings go and how long one may be; none without a folder.
    pub(crate) fn recording_folder(&self) -> Option<(&Path, u64)> {
        self.kept.as_ref().map(|kept| (kept.folder.as_path(), kept.options.recording_bytes))
    }

    fn kept(&self) -> Result<&Kept, ReadError> {
        self.kept.as_deref().ok_or(ReadError::NotKept)
    }
}

impl std::fmt::Debug for AuditLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuditLog").field("folder", &self.kept.as_ref().map(|kept| &kept.folder)).finish()
    }
}

/// An event that has its place in the queue.
#[derive(Debug)]
#[must_use = "await durable(), or drop it where a place in the queue is enough"]
pub struct Written {
    /// None where nothing is kept.
    place: Option<Place>,
}

#[derive(Debug)]
struct Place {
    number: u64,
    answered: oneshot::Receiver<Result<u64, NotWritten>>,
    queue: Arc<Queue>,
}

impl Written {
    /// Waits until the record is durable, at most 5 s. Gives its sequence; 0 where nothing is kept.
    ///
    /// # Errors
    /// When that is not known. The event stays queued then, and is written if the disk takes it later.
    pub async fn durable(self) -> Result<u64, NotWritten> {
        let Some(Place { number, answered, queue }) = self.place else { return Ok(0) };
        queue.hurry(number);
        match tokio::time::timeout(PATIENCE, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(NotWritten("its writer has stopped".into())),
            Err(_) => Err(NotWritten(format!("the disk did not answer within {} s", PATIENCE.as_secs()))),
        }
    }
}
