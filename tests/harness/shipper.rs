//! A log shipper that says what a test wants it to say.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::wait::within;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Sends a body to an intake, and gives the answer's status and body; none if there was no whole answer.
pub async fn hand_in(to: SocketAddr, path: &str, kind: &str, body: &[u8]) -> Option<(u16, String)> {
    hand_in_with(to, path, &format!("content-type: {kind}\r\n"), body).await
}

/// The same with these fields of the head, each with its end of line.
pub async fn hand_in_with(to: SocketAddr, path: &str, fields: &str, body: &[u8]) -> Option<(u16, String)> {
    within("an answer of the intake", PATIENCE, async {
        let mut tcp = TcpStream::connect(to).await.ok()?;
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: intake\r\nuser-agent: test\r\nconnection: close\r\n{fields}\
             content-length: {}\r\n\r\n",
            body.len()
        );
        tcp.write_all(head.as_bytes()).await.ok()?;
        tcp.write_all(body).await.ok()?;
        let mut heard = Vec::new();
        tcp.read_to_end(&mut heard).await.ok()?;
        let heard = String::from_utf8(heard).ok()?;
        let (head, body) = heard.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
    })
    .await
}
