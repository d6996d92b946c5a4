//! Copying bytes both ways between the two ends of an upgraded request.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// The buffer of one direction, in bytes.
const COPY_BUFFER: usize = 16 * 1024;

/// How many bytes went each way so far.
#[derive(Debug, Default)]
pub struct Copied {
    forth: AtomicU64,
    back: AtomicU64,
}

impl Copied {
    /// Bytes from the first end to the second.
    pub fn forth(&self) -> u64 {
        self.forth.load(Ordering::Relaxed)
    }

    /// Bytes from the second end to the first.
    pub fn back(&self) -> u64 {
        self.back.load(Ordering::Relaxed)
    }
}

/// Which end broke, and how.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// The first end.
    #[error("the first end broke")]
    First(#[source] io::Error),
    /// The second end.
    #[error("the second end broke")]
    Second(#[source] io::Error),
}

/// Copies until both ends have said all, or either breaks. `copied` is right at any moment, also when the future is
/// dropped.
///
/// An end that closes its sending side is passed on as such; the other direction goes on.
pub async fn copy_both_ways<A, B>(a: A, b: B, copied: &Copied) -> Result<(), Broken>
where
    A: AsyncRead + AsyncWrite,
    B: AsyncRead + AsyncWrite,
{
    let (mut a_read, mut a_write) = tokio::io::split(a);
    let (mut b_read, mut b_write) = tokio::io::split(b);
    let forth = copy_one_way((&mut a_read, Broken::First), (&mut b_write, Broken::Second), &copied.forth);
    let back = copy_one_way((&mut b_read, Broken::Second), (&mut a_write, Broken::First), &copied.back);
    tokio::try_join!(forth, back).map(|_| ())
}

/// Copies one way; each end comes with the name of its breaking.
async fn copy_one_way<R, W>(
    (from, from_broke): (&mut R, fn(io::Error) -> Broken),
    (to, to_broke): (&mut W, fn(io::Error) -> Broken),
    count: &AtomicU64,
) -> Result<(), Broken>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut buffer = vec![0; COPY_BUFFER];
    loop {
        let read = from.read(&mut buffer).await.map_err(from_broke)?;
        if read == 0 {
            return to.shutdown().await.map_err(to_broke);
        }
        to.write_all(&buffer[..read]).await.map_err(to_broke)?;
        to.flush().await.map_err(to_broke)?;
        count.fetch_add(read as u64, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_end_that_broke_is_named() {
        let (client, front) = tokio::io::duplex(64);
        let (back, mut upstream) = tokio::io::duplex(64);
        drop(client);
        upstream.write_all(b"nobody hears this").await.unwrap();
        let ended = copy_both_ways(front, back, &Copied::default()).await;
        assert!(matches!(ended, Err(Broken::First(_))), "{ended:?}");
    }

    #[tokio::test]
    async fn what_one_end_says_the_other_hears_and_a_half_close_is_passed_on() {
        let (mut client, front) = tokio::io::duplex(64);
        let (back, mut upstream) = tokio::io::duplex(64);
        let copied = Copied::default();
        let copying = copy_both_ways(front, back, &copied);
        let talk = async move {
            client.write_all(b"ping").await.unwrap();
            client.shutdown().await.unwrap();
            let mut heard = Vec::new();
            upstream.read_to_end(&mut heard).await.unwrap();
            upstream.write_all(b"answer").await.unwrap();
            drop(upstream);
            let mut answer = Vec::new();
            client.read_to_end(&mut answer).await.unwrap();
            (heard, answer)
        };
        let (ended, (heard, answer)) = tokio::join!(copying, talk);
        ended.unwrap();
        assert_eq!((heard.as_slice(), answer.as_slice()), (&b"ping"[..], &b"answer"[..]));
        assert_eq!((copied.forth(), copied.back()), (4, 6));
    }
}
