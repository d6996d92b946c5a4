//! What an interactive session showed: an asciicast v2 file beside the log, written while the session goes on.
//!
//! What is said goes to a bounded buffer; a task writes and syncs it at least once a second, so that a crash loses no
//! more. While the session goes on the file is called `<id>.cast.part`; when it ends, `<id>.cast`, and its hash goes into
//! the chain with the session's last record.
//!
//! Invariants:
//! - a session is never carried on unrecorded: when the file cannot be written, is as long as it may be, or the session
//!   cannot be followed, there is a fault, and whoever records must cut;
//! - every line of the file is whole JSON, whatever bytes the session said.

mod cast;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tokio::sync::{Notify, watch};
use trunkline_api::AuditRecording;
use trunkline_runtime::Tasks;

use crate::chain::sync_folder;
use crate::line::Hash;
use crate::log::AuditLog;
use crate::metrics::Metrics;
use crate::repair;
use cast::Text;

/// How long what was said may lie before it is written and synced.
const LATEST: Duration = Duration::from_millis(500);
/// From how many bytes on it is written at once, and how many may wait: then the session waits.
const EAGER: usize = 64 * 1024;
const ROOM: usize = 1024 * 1024;

/// The session that is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The request's id; the recording's as well.
    pub id: String,
    /// What is recorded, for people.
    pub title: String,
}

/// Why a session cannot go on being recorded: it is to be cut.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordingFault {
    /// There is nowhere to keep it.
    #[error("sessions cannot be recorded: the gateway has no data folder")]
    NotKept,
    /// It is as long as it may be.
    #[error("the recording of the session is {bytes} bytes long, which is the most")]
    Full {
        /// The most.
        bytes: u64,
    },
    /// The system said no.
    #[error("the session cannot be recorded: {0}")]
    Disk(String),
    /// What is said cannot be told from the bytes.
    #[error("the session cannot be recorded: {0}")]
    NotFollowed(&'static str),
}

/// A recording under way. Clones share it; it ends with [`Recording::finish`], or when the last is dropped.
#[derive(Clone, Debug)]
pub struct Recording {
    shared: Arc<Shared>,
    outcome: watch::Receiver<Option<Result<AuditRecording, RecordingFault>>>,
    /// Ends it when the last clone goes.
    _end: Arc<End>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// There is something to write; it is to be written now.
    stirred: Notify,
    hurry: Notify,
    began: Instant,
    most: u64,
    metrics: Metrics,
}

#[derive(Debug)]
struct State {
    pending: Vec<u8>,
    bytes: u64,
    hasher: Sha256,
    output: Text,
    errors: Text,
    input: Text,
    fault: Option<RecordingFault>,
    closed: bool,
    /// Who waits for room.
    wakers: Vec<Waker>,
}

#[derive(Debug)]
struct End(Arc<Shared>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl AuditLog {
    /// Begins to record a session. Its task is one of `tasks`.
    pub fn record(&self, session: &Session, tasks: &Tasks) -> Result<Recording, RecordingFault> {
        let (log, most) = self.recording_folder().ok_or(RecordingFault::NotKept)?;
        let no_id = || RecordingFault::Disk(format!("{:?} is no id", session.id));
        let live = repair::live(log, &session.id).ok_or_else(no_id)?;
        let finished = repair::finished(log, &session.id).ok_or_else(no_id)?;
        let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&live);
        let file = opened.map_err(|error| disk(&error))?;
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                pending: Vec::new(),
                bytes: 0,
                hasher: Sha256::new(),
                output: Text::default(),
                errors: Text::default(),
                input: Text::default(),
                fault: None,
                closed: false,
                wakers: Vec::new(),
            }),
            stirred: Notify::new(),
            hurry: Notify::new(),
            began: Instant::now(),
            most,
            metrics: self.metrics().clone(),
        });
        shared.add(|_| Some(cast::header(&session.title, Timestamp::now())))?;
        let (tell, outcome) = watch::channel(None);
        let paper = Paper { file, live, finished, id: session.id.clone() };
        let kept = (self.clone(), shared.clone());
        tasks.spawn(async move {
            let (_log, shared) = kept;
            shared.metrics.recordings_open.inc();
            let written = shared.write(paper).await;
            shared.metrics.recordings_open.dec();
            tell.send_replace(Some(written));
        });
        Ok(Recording { _end: Arc::new(End(shared.clone())), shared, outcome })
    }
}

impl Recording {
    /// The session said something to who sits before it.
    pub fn output(&self, bytes: &[u8]) -> Result<(), RecordingFault> {
        self.shared.event('o', |state| state.output.take(bytes))
    }

    /// The session said something by its standard error; it is shown with the rest.
    pub fn error_output(&self, bytes: &[u8]) -> Result<(), RecordingFault> {
        self.shared.event('o', |state| state.errors.take(bytes))
    }

    /// Somebody typed something.
    pub fn input(&self, bytes: &[u8]) -> Result<(), RecordingFault> {
        self.shared.event('i', |state| state.input.take(bytes))
    }

    /// The terminal has another size.
    pub fn resize(&self, columns: u16, rows: u16) -> Result<(), RecordingFault> {
        self.shared.event('r', |_| format!("{columns}x{rows}"))
    }

    /// The session cannot be followed any more.
    pub fn lose(&self, why: &'static str) -> RecordingFault {
        self.shared.fail(RecordingFault::NotFollowed(why))
    }

    /// Why the session is to be cut, if it is.
    pub fn fault(&self) -> Option<RecordingFault> {
        self.shared.state().fault.clone()
    }

    /// Ready when there is room for more of what is said.
    pub fn poll_room(&self, cx: &mut Context<'_>) -> Poll<Result<(), RecordingFault>> {
        let mut state = self.shared.state();
        if let Some(fault) = &state.fault {
            return Poll::Ready(Err(fault.clone()));
        }
        if state.pending.len() < ROOM {
            return Poll::Ready(Ok(()));
        }
        if !state.wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
            state.wakers.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Ends the recording, and tells what its file is once it is durable: for the session's last record. Also of one that
    /// was cut.
    ///
    /// # Errors
    /// When the file could not be written.
    pub async fn finish(&self) -> Result<AuditRecording, RecordingFault> {
        self.shared.close();
        let mut outcome = self.outcome.clone();
        match outcome.wait_for(Option::is_some).await.map(|outcome| outcome.clone()) {
            Ok(Some(outcome)) => outcome,
            _ => Err(RecordingFault::Disk("the gateway ends".into())),
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn event(&self, kind: char, text: impl FnOnce(&mut State) -> String) -> Result<(), RecordingFault> {
        let time = self.began.elapsed();
        self.add(|state| {
            let text = text(state);
            (!text.is_empty()).then(|| cast::event(time, kind, &text))
        })
    }

    fn add(&self, line: impl FnOnce(&mut State) -> Option<String>) -> Result<(), RecordingFault> {
        let mut state = self.state();
        if let Some(fault) = &state.fault {
            return Err(fault.clone());
        }
        if state.closed {
            return Ok(());
        }
        let Some(line) = line(&mut state) else { return Ok(()) };
        if state.bytes + line.len() as u64 > self.most {
            drop(state);
            return Err(self.fail(RecordingFault::Full { bytes: self.most }));
        }
        state.put(&line);
        self.stirred.notify_one();
        if state.pending.len() >= EAGER {
            self.hurry.notify_one();
        }
        Ok(())
    }

    /// Remembers the first fault, and wakes who waits for room.
    fn fail(&self, fault: RecordingFault) -> RecordingFault {
        let mut state = self.state();
        if state.fault.is_none() {
            self.metrics.recordings_failed.inc();
        }
        let fault = state.fault.get_or_insert(fault).clone();
        state.wakers.drain(..).for_each(Waker::wake);
        fault
    }

    fn close(&self) {
        let mut state = self.state();
        if !state.closed {
            let time = self.began.elapsed();
            for (kind, text) in
                [('o', state.output.end()), ('o', state.errors.end()), ('i', state.input.end())]
            {
                // A few bytes of a character that never came whole, within the bound or not.
                if !text.is_empty() && state.fault.is_none() {
                    state.put(&cast::event(time, kind, &text));
                }
            }
            state.closed = true;
        }
        self.stirred.notify_one();
        self.hurry.notify_one();
    }

    /// Writes what is said until it is over.
    async fn write(&self, mut paper: Paper) -> Result<AuditRecording, RecordingFault> {
        loop {
            self.stirred.notified().await;
            let _ = tokio::time::timeout(LATEST, self.hurry.notified()).await;
            let (pending, closed) = {
                let mut state = self.state();
                (std::mem::take(&mut state.pending), state.closed)
            };
            if !pending.is_empty() {
                paper = paper.write(pending).await.map_err(|fault| self.fail(fault))?;
                self.state().wakers.drain(..).for_each(Waker::wake);
            }
            // Nothing is taken after that.
            if closed {
                break;
            }
        }
        let (sha256, bytes) = {
            let state = self.state();
            (Hash::from(state.hasher.clone()).to_string(), state.bytes)
        };
        let id = paper.id.clone();
        paper.finish().await.map_err(|fault| self.fail(fault))?;
        Ok(AuditRecording { id, sha256, bytes })
    }
}

impl State {
    fn put(&mut self, line: &str) {
        self.pending.extend_from_slice(line.as_bytes());
        self.hasher.update(line.as_bytes());
        self.bytes += line.len() as u64;
    }
}

/// The file of a recording.
#[derive(Debug)]
struct Paper {
    file: File,
    live: PathBuf,
    finished: PathBuf,
    id: String,
}

impl Paper {
    async fn write(self, bytes: Vec<u8>) -> Result<Self, RecordingFault> {
        self.apart(move |paper| {
            paper.file.write_all(&bytes)?;
            paper.file.sync_data()
        })
        .await
    }

    async fn finish(self) -> Result<(), RecordingFault> {
        let finished = self.apart(|paper| {
            fs::rename(&paper.live, &paper.finished)?;
            paper.finished.parent().map_or(Ok(()), sync_folder)
        });
        finished.await.map(drop)
    }

    /// Does what waits for the disk on a thread that may wait.
    async fn apart(
        mut self,
        work: impl FnOnce(&mut Self) -> io::Result<()> + Send + 'static,
    ) -> Result<Self, RecordingFault> {
        let done = tokio::task::spawn_blocking(move || work(&mut self).map(|()| self)).await;
        match done {
            Ok(written) => written.map_err(|error| disk(&error)),
            Err(_) => Err(RecordingFault::Disk("the gateway ends".into())),
        }
    }
}

fn disk(error: &io::Error) -> RecordingFault {
    RecordingFault::Disk(error.to_string())
}

#[cfg(test)]
mod tests;
