//! The spool as everybody uses it: open, append, read, acknowledge.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use bytes::Bytes;
use tokio::sync::{Semaphore, oneshot, watch};
use trunkline_runtime::{Tasks, step_aside};

use crate::chunk::{CHUNK, ChunkHead};
use crate::commit;
use crate::epoch::Epoch;
use crate::error::{NeverWritten, OpenError, ReadError, Refused};
use crate::folder::Folder;
use crate::queue::{Order, Queue};
use crate::record::{MAX_RECORD, NewRecord};
use crate::settings::{Full, Settings};
use crate::status::{Gap, Status};
use crate::store::{self, Store};
use crate::view::Shared;
use crate::walk::Walk;

/// A spool in a folder. Clones share it; when the last of them and of its writers and readers is gone, what waits is written
/// and the folder is free for another.
#[derive(Clone, Debug)]
pub struct Spool {
    kept: Arc<Kept>,
}

/// Hands records in. Clones share the queue.
#[derive(Clone, Debug)]
pub struct Writer {
    kept: Arc<Kept>,
}

/// Yields chunks in order.
#[derive(Debug)]
pub struct Reader {
    walk: Walk,
    synced: watch::Receiver<u64>,
    /// Keeps the spool open.
    _kept: Arc<Kept>,
}

/// Where records were put that are durable now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The sequence of the call's first record.
    pub first: u64,
    /// That of its last.
    pub last: u64,
}

/// A chunk as it lies in the spool and travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChunkAt {
    /// What it says about itself.
    pub head: ChunkHead,
    /// All of it: what [`Chunk::decode`](crate::Chunk::decode) takes.
    pub bytes: Bytes,
    /// The life in which it was written: with its sequences it stands for its records, and for no others, ever.
    pub epoch: Epoch,
    /// What is missing right before it.
    pub gap: Option<Gap>,
}

/// An open spool.
#[derive(Debug)]
struct Kept {
    folder: Folder,
    shared: Arc<Shared>,
    synced: watch::Receiver<u64>,
    queue: Arc<Queue>,
    room: Arc<Semaphore>,
    queue_bytes: usize,
    /// How many bytes one call may bring.
    most: usize,
    refuses: bool,
    /// Taken only when the spool is dropped.
    thread: Option<JoinHandle<()>>,
    /// Held as long as the spool is open.
    lock: Option<File>,
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.queue.close();
        if let Some(thread) = self.thread.take() {
            // Whoever waited for what it did was told.
            let _ = thread.join();
        }
        // A process that is being started just now has this file open as well, until it is another program.
        if let Some(lock) = &self.lock {
            let _ = lock.unlock();
        }
    }
}

impl Spool {
    /// Opens the spool in a folder, makes it if there is none. For this process alone. Stops with `tasks`: what waits is
    /// written then, and everything after is refused. Reads the newest segment: some milliseconds.
    ///
    /// # Errors
    /// When the folder is another process's or another version's, or cannot be used. It is as it was.
    pub fn open(folder: &Path, settings: Settings, tasks: &Tasks) -> Result<Self, OpenError> {
        let at = |path: &Path| {
            let path = path.to_owned();
            move |source| OpenError::Io { path, source }
        };
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(at(folder))?;
        let folder = fs::canonicalize(folder).map_err(at(folder))?;
        let path = folder.join("lock");
        let opened = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
        let lock = opened.map_err(at(&path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OpenError::InUse(folder)),
            Err(TryLockError::Error(source)) => return Err(at(&path)(source)),
        }
        Self::start(Folder::Real(folder), settings, tasks, Some(lock))
    }

    pub(crate) fn start(
        folder: Folder,
        settings: Settings,
        tasks: &Tasks,
        lock: Option<File>,
    ) -> Result<Self, OpenError> {
        let quarter = usize::try_from(settings.cap / 4).unwrap_or(usize::MAX);
        let queue = Arc::new(Queue::new(settings.linger, CHUNK.min(quarter)));
        let (queue_bytes, refuses) = (settings.queue_bytes, settings.full == Full::Refuse);
        let store = Store::open(folder, settings)?;
        let (shared, synced, folder) = (store.shared().clone(), store.synced(), store.folder().clone());
        let (ends, mut ended) = oneshot::channel::<()>();
        let thread = {
            let queue = queue.clone();
            std::thread::Builder::new().name("spool".into()).spawn(move || {
                step_aside();
                commit::run(store, &queue);
                drop(ends);
            })
        };
        let thread = thread.map_err(|source| OpenError::Io { path: folder.path().to_owned(), source })?;
        let (token, closing) = (tasks.token(), queue.clone());
        tasks.spawn(async move {
            tokio::select! {
                () = token.cancelled() => {
                    closing.close();
                    let _ = ended.await;
                }
                _ = &mut ended => {}
            }
        });
        let kept = Kept {
            folder,
            shared,
            synced,
            queue,
            room: Arc::new(Semaphore::new(queue_bytes)),
            queue_bytes,
            most: queue_bytes.min(quarter),
            refuses,
            thread: Some(thread),
            lock,
        };
        Ok(Self { kept: Arc::new(kept) })
    }

    /// Where records are handed in.
    pub fn writer(&self) -> Writer {
        Writer { kept: self.kept.clone() }
    }

    /// A reader that begins behind what was acknowledged. One is enough.
    pub fn reader(&self) -> Reader {
        let walk = Walk::new(self.kept.folder.clone(), self.kept.shared.clone());
        Reader { walk, synced: self.kept.synced.clone(), _kept: self.kept.clone() }
    }

    /// All records through this one may go. It becomes durable within some hundred milliseconds: forgotten, it only repeats
    /// work.
    ///
    /// # Errors
    /// When no such record was ever written; nothing goes then.
    pub fn ack(&self, through: u64) -> Result<(), NeverWritten> {
        let full = {
            let mut view = self.kept.shared.view();
            if through > view.last {
                return Err(NeverWritten { through, last: view.last });
            }
            if through <= view.acked {
                return Ok(());
            }
            view.ack(through);
            view.full
        };
        self.kept.queue.settle(full);
        Ok(())
    }

    /// How it is now. Cheap: it does not look at the disk.
    pub fn status(&self) -> Status {
        self.kept.shared.status()
    }
}

impl Writer {
    /// Keeps these records, all or none of them; answers once they are durable. Waits while the queue is full.
    ///
    /// Who drops the future before its answer does not know whether they are kept.
    ///
    /// # Errors
    /// Says why none of them is kept.
    pub async fn append(&self, records: Vec<NewRecord>) -> Result<Receipt, Refused> {
        let kept = &self.kept;
        if records.is_empty() {
            return Err(Refused::Nothing);
        }
        if let Some(bytes) = records.iter().map(|record| record.bytes.len()).find(|bytes| *bytes > MAX_RECORD)
        {
            return Err(Refused::TooLong { what: "a record", bytes, most: MAX_RECORD });
        }
        let size = records.iter().map(NewRecord::size).sum();
        if size > kept.most {
            return Err(Refused::TooLong { what: "all records of one call", bytes: size, most: kept.most });
        }
        kept.may_come()?;
        // It is no more than the queue holds, and that is less than 4 GiB.
        let permits = size.min(kept.queue_bytes) as u32;
        let room = kept.room.clone().acquire_many_owned(permits).await.map_err(|_| Refused::Closed)?;
        // It may have become full meanwhile.
        kept.may_come()?;
        let (answer, answered) = oneshot::channel();
        kept.queue.put(Order { records, size, answer, room })?;
        answered.await.unwrap_or(Err(Refused::Closed))
    }
}

impl Kept {
    fn may_come(&self) -> Result<(), Refused> {
        let view = self.shared.view();
        if self.refuses && view.full { Err(store::full(view.bytes(), self.shared.cap)) } else { Ok(()) }
    }
}

impl Reader {
    /// The next chunk; waits for one. None when the spool is closed and all was read. May be dropped while it waits: then
    /// nothing was read.
    ///
    /// # Errors
    /// When the disk cannot be read; the reader is where it was.
    pub async fn next(&mut self) -> Result<Option<ChunkAt>, ReadError> {
        loop {
            self.synced.mark_unchanged();
            if !self.walk.at_end()
                && let Some(chunk) = self.step().await?
            {
                return Ok(Some(chunk));
            }
            if self.synced.changed().await.is_err() {
                return Ok(None);
            }
        }
    }

    /// The next chunk if there is one now. May be dropped while it waits for the disk: then nothing was read.
    ///
    /// # Errors
    /// As [`Reader::next`].
    pub async fn next_if_there(&mut self) -> Result<Option<ChunkAt>, ReadError> {
        if self.walk.at_end() { Ok(None) } else { self.step().await }
    }

    /// One step, on a copy: whoever drops this has not moved the reader.
    async fn step(&mut self) -> Result<Option<ChunkAt>, ReadError> {
        let mut walk = self.walk.clone();
        let stepped = tokio::task::spawn_blocking(move || {
            let chunk = walk.step();
            (walk, chunk)
        });
        let (walk, chunk) = stepped.await.map_err(io::Error::other)?;
        self.walk = walk;
        Ok(chunk?)
    }

    /// Goes back to what was not acknowledged.
    pub fn rewind(&mut self) {
        self.walk.rewind();
    }
}
