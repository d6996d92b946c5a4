//! A listening socket whose accept loop outlives every bad connection.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tracing::warn;

/// How long a connection may be silent before the kernel asks, and between its questions.
const PROBE_AFTER: Duration = Duration::from_secs(15);
/// How many questions without an answer end a connection.
const PROBES: u32 = 3;
/// Connections that the kernel keeps until they are accepted; it may be set to fewer (`net.core.somaxconn`).
const QUEUE: u32 = 4096;
/// How long to wait after an accept failed for want of file descriptors or memory.
const BREATHER: Duration = Duration::from_millis(50);

/// A bound listening socket.
#[derive(Debug)]
pub struct Door {
    name: &'static str,
    listener: TcpListener,
}

/// Why an address could not be bound.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot listen on {address} for the {name}: is another process there, or the address not this machine's?"
)]
pub struct BindError {
    /// The address asked for.
    pub address: SocketAddr,
    /// What it was for.
    pub name: &'static str,
    #[source]
    source: io::Error,
}

impl Door {
    /// Binds `address`; `name` says what for, in errors and logs.
    #[expect(clippy::unused_async, reason = "awaited like the runtime's own, whose place it takes")]
    pub async fn bind(name: &'static str, address: SocketAddr) -> Result<Self, BindError> {
        let listener = listen(address).map_err(|source| BindError { address, name, source })?;
        Ok(Self { name, listener })
    }

    /// The address that was bound; tells the port when 0 was asked for.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// The next connection. Errors of a single connection are passed over; want of resources is waited out.
    pub async fn accept(&self) -> (TcpStream, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok((stream, from)) => {
                    tune(&stream);
                    return (stream, from);
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    warn!(door = self.name, %error, "accept failed; trying again");
                    tokio::time::sleep(BREATHER).await;
                }
            }
        }
    }
}

/// As the runtime's own bind, with a queue that a burst of connections fits into.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(QUEUE)
}

/// Sets what every connection of ours needs: small frames do not wait for each other (Nagle), and a dead other end is
/// noticed although nothing is said. A kernel that cannot is no reason to fail.
pub fn tune(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
    let keepalive =
        TcpKeepalive::new().with_time(PROBE_AFTER).with_interval(PROBE_AFTER).with_retries(PROBES);
    let _ = SockRef::from(stream).set_tcp_keepalive(&keepalive);
}

/// How many files the process may have open, sockets included; 1,024 where the system does not say.
pub fn open_files_limit() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let soft = limits.lines().find_map(|line| line.strip_prefix("Max open files")?.split_whitespace().next());
    match soft {
        Some("unlimited") => usize::MAX,
        soft => soft.and_then(|soft| soft.parse().ok()).unwrap_or(1024),
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_taken_address_is_named_in_the_error() {
        let first = Door::bind("front door", ([127, 0, 0, 1], 0).into()).await.unwrap();
        let taken = first.address().unwrap();
        let error = Door::bind("tunnel door", taken).await.unwrap_err().to_string();
        assert!(error.contains(&taken.to_string()) && error.contains("tunnel door"), "{error}");
    }
}
