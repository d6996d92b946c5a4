//! Copying bytes both ways between the two ends of an upgraded request.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// The buffer of one direction, in bytes.
pub const COPY_BUFFER: usize = 16 * 1024;

/// How many bytes went each way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// From the first end to the second.
    pub forth: u64,
    /// From the second end to the first.
    pub back: u64,
}

/// Copies until both ends have said all, or either breaks. The count is right in either case.
///
/// An end that closes its sending side is passed on as such; the other direction goes on.
pub async fn copy_both_ways<A, B>(a: A, b: B) -> (Copied, io::Result<()>)
where
    A: AsyncRead + AsyncWrite,
    B: AsyncRead + AsyncWrite,
{
    let (mut a_read, mut a_write) = tokio::io::split(a);
    let (mut b_read, mut b_write) = tokio::io::split(b);
    let mut copied = Copied::default();
    let forth = copy_one_way(&mut a_read, &mut b_write, &mut copied.forth);
    let back = copy_one_way(&mut b_read, &mut a_write, &mut copied.back);
    let ended = tokio::try_join!(forth, back).map(|_| ());
    (copied, ended)
}

async fn copy_one_way<R, W>(from: &mut R, to: &mut W, count: &mut u64) -> io::Result<()>
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
        *count += read as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_one_end_says_the_other_hears_and_a_half_close_is_passed_on() {
        let (mut client, front) = tokio::io::duplex(64);
        let (back, mut upstream) = tokio::io::duplex(64);
        let copying = copy_both_ways(front, back);
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
        let ((copied, ended), (heard, answer)) = tokio::join!(copying, talk);
        ended.unwrap();
        assert_eq!((heard.as_slice(), answer.as_slice()), (&b"ping"[..], &b"answer"[..]));
        assert_eq!(copied, Copied { forth: 4, back: 6 });
    }
}
