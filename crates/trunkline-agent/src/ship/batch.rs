//! Chunks that travel together: as many as there are, up to what the line carries in half a second.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use http_body::Frame;
use http_body_util::StreamBody;
use trunkline_proto::{MAX_BATCH_BYTES, MAX_BATCH_CHUNKS, MAX_BATCH_INFLATED};
use trunkline_runtime::{Body, boxed};
use trunkline_spool::{ChunkAt, Epoch, ReadError, Reader};

use super::pace::Pace;

/// The least that a batch may have, in bytes, if there is as much.
const LEAST: usize = 64 * 1024;

/// Chunks of one life of one spool, in order.
#[derive(Debug)]
pub(super) struct Batch {
    chunks: Vec<ChunkAt>,
    /// The life.
    pub(super) epoch: Epoch,
    pub(super) bytes: usize,
    inflated: usize,
}

impl Batch {
    /// Waits for a chunk, and takes those behind it that are there, up to so many bytes as are wanted then. None when the spool was
    /// closed and all was read.
    pub(super) async fn gather(
        reader: &mut Reader,
        ahead: &mut Option<ChunkAt>,
        want: impl FnOnce() -> usize,
    ) -> Result<Option<Self>, ReadError> {
        let first = match ahead.take() {
            Some(chunk) => chunk,
            None => match reader.next().await? {
                Some(chunk) => chunk,
                None => return Ok(None),
            },
        };
        let mut batch = Self { chunks: Vec::new(), epoch: first.epoch, bytes: 0, inflated: 0 };
        batch.push(first);
        let want = want().clamp(LEAST, MAX_BATCH_BYTES);
        while batch.bytes < want {
            // What cannot be read is met again by the next batch, which has nothing in hand to lose.
            let Ok(Some(next)) = reader.next_if_there().await else { break };
            if next.epoch == batch.epoch && batch.has_room_for(&next) {
                batch.push(next);
            } else {
                *ahead = Some(next);
                break;
            }
        }
        Ok(Some(batch))
    }

    /// The first and the last sequence.
    pub(super) fn sequences(&self) -> (u64, u64) {
        let first = self.chunks.first().map_or(0, |chunk| chunk.head.first);
        let last = self.chunks.last().map_or(0, |chunk| chunk.head.last());
        (first, last)
    }

    /// All of it, at the pace.
    pub(super) fn body(&self, pace: &Arc<Pace>) -> Body {
        let chunks: Vec<Bytes> = self.chunks.iter().map(|chunk| chunk.bytes.clone()).collect();
        let left = (chunks.into_iter(), Bytes::new(), pace.clone());
        boxed(StreamBody::new(stream::unfold(left, |(mut chunks, mut rest, pace)| async move {
            while rest.is_empty() {
                rest = chunks.next()?;
            }
            let piece = rest.split_to(pace.take(rest.len()).await);
            Some((Ok::<_, Infallible>(Frame::data(piece)), (chunks, rest, pace)))
        })))
    }

    fn has_room_for(&self, chunk: &ChunkAt) -> bool {
        self.chunks.len() < MAX_BATCH_CHUNKS
            && self.bytes + chunk.bytes.len() <= MAX_BATCH_BYTES
            && self.inflated + chunk.head.inflated() <= MAX_BATCH_INFLATED
    }

    fn push(&mut self, chunk: ChunkAt) {
        self.bytes += chunk.bytes.len();
        self.inflated += chunk.head.inflated();
        self.chunks.push(chunk);
    }
}

#[cfg(test)]
mod tests {
    use trunkline_runtime::Tasks;
    use trunkline_spool::{NewRecord, Settings, Spool};

    use super::*;

    /// A spool with so many chunks of one record each.
    async fn spool_of(chunks: usize, tasks: &Tasks) -> (tempfile::TempDir, Spool) {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path(), Settings::default(), tasks).unwrap();
        for _ in 0..chunks {
            let record = NewRecord { tag: 1, bytes: Bytes::from_static(b"a record") };
            spool.writer().append(vec![record]).await.unwrap();
        }
        (folder, spool)
    }

    #[tokio::test]
    async fn what_lies_there_travels_together() {
        let tasks = Tasks::new();
        let (_folder, spool) = spool_of(20, &tasks).await;
        let (mut reader, mut ahead) = (spool.reader(), None);
        let batch = Batch::gather(&mut reader, &mut ahead, || usize::MAX).await.unwrap().unwrap();
        assert_eq!(batch.sequences(), (1, 20));
        assert_eq!(batch.bytes, batch.chunks.iter().map(|chunk| chunk.bytes.len()).sum::<usize>());
        // A slow line has small ones; none is left out between two of them.
        reader.rewind();
        let record = NewRecord { tag: 1, bytes: rand_text(LEAST).into() };
        spool.writer().append(vec![record]).await.unwrap();
        spool
            .writer()
            .append(vec![NewRecord { tag: 1, bytes: Bytes::from_static(b"a record") }])
            .await
            .unwrap();
        let first = Batch::gather(&mut reader, &mut ahead, || 1).await.unwrap().unwrap();
        let second = Batch::gather(&mut reader, &mut ahead, || 1).await.unwrap().unwrap();
        assert_eq!((first.sequences(), second.sequences()), ((1, 21), (22, 22)));
    }

    #[tokio::test]
    async fn what_cannot_be_read_loses_nothing_of_what_was() {
        let tasks = Tasks::new();
        let (folder, spool) = spool_of(3, &tasks).await;
        drop(spool);
        tasks.shut_down().await;
        // Another life begins another file.
        let tasks = Tasks::new();
        let spool = Spool::open(folder.path(), Settings::default(), &tasks).unwrap();
        let record = NewRecord { tag: 1, bytes: Bytes::from_static(b"a record") };
        spool.writer().append(vec![record]).await.unwrap();
        let mut files: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|f| f.unwrap().path()).collect();
        files.retain(|file| file.extension().is_some_and(|end| end == "seg"));
        files.sort();
        let (newest, kept) = (files.pop().unwrap(), folder.path().join("kept"));
        std::fs::rename(&newest, &kept).unwrap();
        std::fs::create_dir(&newest).unwrap();
        let (mut reader, mut ahead) = (spool.reader(), None);
        let batch = Batch::gather(&mut reader, &mut ahead, || usize::MAX).await.unwrap().unwrap();
        assert_eq!(batch.sequences(), (1, 3));
        assert!(Batch::gather(&mut reader, &mut ahead, || usize::MAX).await.is_err());
        std::fs::remove_dir(&newest).unwrap();
        std::fs::rename(&kept, &newest).unwrap();
        let batch = Batch::gather(&mut reader, &mut ahead, || usize::MAX).await.unwrap().unwrap();
        assert_eq!(batch.sequences(), (4, 4));
    }

    #[tokio::test]
    async fn a_batch_has_no_more_chunks_than_the_gateway_takes() {
        let tasks = Tasks::new();
        let (_folder, spool) = spool_of(1, &tasks).await;
        let (mut reader, mut ahead) = (spool.reader(), None);
        let mut batch = Batch::gather(&mut reader, &mut ahead, || 1).await.unwrap().unwrap();
        let chunk = batch.chunks[0].clone();
        for _ in 1..MAX_BATCH_CHUNKS {
            assert!(batch.has_room_for(&chunk));
            batch.push(chunk.clone());
        }
        assert!(!batch.has_room_for(&chunk));
    }

    /// Text that does not compress.
    fn rand_text(bytes: usize) -> Vec<u8> {
        std::iter::repeat_with(rand::random::<u8>).take(bytes).collect()
    }
}
