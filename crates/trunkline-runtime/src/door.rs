//! A listening socket whose accept loop outlives every bad connection.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tracing::warn;

/// How long a connection may be silent before the kernel asks, and between its questions.
const PROBE_AFTER: Duration = Duration::from_secs(15);
/// How many questions without an answer end a connection.
const PROBES: u32 = 3;
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
    pub async fn bind(name: &'static str, address: SocketAddr) -> Result<Self, BindError> {
        let listener =
            TcpListener::bind(address).await.map_err(|source| BindError { address, name, source })?;
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

/// Sets what every connection of ours needs: small frames do not wait for each other (Nagle), and a dead other end is
/// noticed although nothing is said. A kernel that cannot is no reason to fail.
pub fn tune(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
    let keepalive =
        TcpKeepalive::new().with_time(PROBE_AFTER).with_interval(PROBE_AFTER).with_retries(PROBES);
    let _ = SockRef::from(stream).set_tcp_keepalive(&keepalive);
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
