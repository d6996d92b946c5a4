//! Copying bytes both ways between the two ends of an upgraded request.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// The buffer of one direction, in bytes.
pub const COPY_BUFFER: usize = 16 * 1024;

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

/// Copies until both ends have said all, or either breaks. `copied` is right at any moment, also when the future is
/// dropped.
///
/// An end that closes its sending side is passed on as such; the other direction goes on.
pub async fn copy_both_ways<A, B>(a: A, b: B, copied: &Copied) -> io::Result<()>
where
    A: AsyncRead + AsyncWrite,
    B: AsyncRead + AsyncWrite,
{
    let (mut a_read, mut a_write) = tokio::io::split(a);
    let (mut b_read, mut b_write) = tokio::io::split(b);
    let forth = copy_one_way(&mut a_read, &mut b_write, &copied.forth);
    let back = copy_one_way(&mut b_read, &mut a_write, &copied.back);
    tokio::try_join!(forth, back).map(|_| ())
}

async fn copy_one_way<R, W>(from: &mut R, to: &mut W, count: &AtomicU64) -> io::Result<()>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut buffer = vec![0; COPY_BUFFER];
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 {
            return to.shutdown().await;
        }
        to.write_all(&buffer[..read]).await?;
        to.flush().await?;
        count.fetch_add(read as u64, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
