//! Whom a load balancer speaks for: version 2 of the PROXY protocol (HAProxy's `proxy-protocol.txt`, §2.2), from
//! balancers that are listed, and from nobody else.
//!
//! Invariants:
//! - a listed balancer's connection begins with a header, or is closed: nobody behind it chooses whether there is one;
//! - what anybody else sends is never read as a header: it is the beginning of TLS, and as such broken;
//! - not a byte behind the header is taken.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use ipnet::IpNet;
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// What a header begins with.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// The part of a header whose length is known.
const FIXED: usize = 16;
/// The longest rest of a header, in bytes: addresses and a balancer's own fields.
const MAX_REST: usize = 4096;

/// The balancers that are listened to. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Balancers(Arc<[IpNet]>);

/// Why a header is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HeaderFault {
    #[error("the connection does not begin with a PROXY header (version 2); does the balancer send one?")]
    Signature,
    #[error("the PROXY header is of version {0}, only 2 is understood")]
    Version(u8),
    #[error("the PROXY header's command {0} does not exist")]
    Command(u8),
    #[error("the PROXY header's protocol {0:#04x} is none that comes in at this door")]
    Protocol(u8),
    #[error("the PROXY header is longer than {MAX_REST} bytes")]
    TooLong,
    #[error("the PROXY header is shorter than its addresses")]
    TooShort,
    #[error("the PROXY header's fields do not end where it does")]
    Fields,
    #[error("the PROXY header's source is no host's address")]
    Source,
}

impl Balancers {
    pub(crate) fn new(listed: &[IpNet]) -> Self {
        Self(listed.into())
    }

    /// Where a connection comes from: what its balancer says, or its own address when it comes from none.
    ///
    /// # Errors
    /// When a balancer's header is none.
    pub(super) async fn origin<R>(&self, io: &mut R, from: SocketAddr) -> io::Result<SocketAddr>
    where
        R: AsyncRead + Unpin,
    {
        let address = from.ip().to_canonical();
        if !self.0.iter().any(|listed| listed.contains(&address)) {
            return Ok(from);
        }
        let said = read(io).await?;
        Ok(said.unwrap_or(from))
    }
}

/// Reads a header; none when the balancer speaks for itself, as it does to see whether the door is there.
async fn read<R: AsyncRead + Unpin>(io: &mut R) -> io::Result<Option<SocketAddr>> {
    let wrong = |fault: HeaderFault| io::Error::new(io::ErrorKind::InvalidData, fault);
    let mut fixed = [0; FIXED];
    io.read_exact(&mut fixed).await?;
    let beginning = Beginning::read(&fixed).map_err(wrong)?;
    let mut rest = vec![0; beginning.length];
    io.read_exact(&mut rest).await?;
    beginning.source(&rest).map_err(wrong)
}

/// What the fixed part says.
#[derive(Clone, Copy, Debug)]
struct Beginning {
    speaks_for: Whom,
    length: usize,
}

#[derive(Clone, Copy, Debug)]
enum Whom {
    Itself,
    Tcp4,
    Tcp6,
}

impl Beginning {
    fn read(fixed: &[u8; FIXED]) -> Result<Self, HeaderFault> {
        let (signature, [command, protocol, high, low]) = split(fixed);
        if signature != SIGNATURE {
            return Err(HeaderFault::Signature);
        }
        let speaks_for = match (command >> 4, command & 0xf, protocol) {
            (2, 0, _) | (2, 1, 0x00) => Whom::Itself,
            (2, 1, 0x11) => Whom::Tcp4,
            (2, 1, 0x21) => Whom::Tcp6,
            (2, 1, other) => return Err(HeaderFault::Protocol(other)),
            (2, other, _) => return Err(HeaderFault::Command(other)),
            (other, ..) => return Err(HeaderFault::Version(other)),
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length > MAX_REST {
            return Err(HeaderFault::TooLong);
        }
        Ok(Self { speaks_for, length })
    }

    /// The source: addresses of source and destination, their ports, fields.
    fn source(self, rest: &[u8]) -> Result<Option<SocketAddr>, HeaderFault> {
        let (address, ports): (IpAddr, &[u8]) = match self.speaks_for {
            Whom::Itself => return Ok(None),
            Whom::Tcp4 => {
                let (source, rest) = rest.split_first_chunk::<4>().ok_or(HeaderFault::TooShort)?;
                (Ipv4Addr::from(*source).into(), rest.get(4..).ok_or(HeaderFault::TooShort)?)
            }
            Whom::Tcp6 => {
                let (source, rest) = rest.split_first_chunk::<16>().ok_or(HeaderFault::TooShort)?;
                (Ipv6Addr::from(*source).to_canonical(), rest.get(16..).ok_or(HeaderFault::TooShort)?)
            }
        };
        let ([high, low, _, _], fields) = ports.split_first_chunk::<4>().ok_or(HeaderFault::TooShort)?;
        check_fields(fields)?;
        if address.is_unspecified() || address.is_multicast() {
            return Err(HeaderFault::Source);
        }
        Ok(Some((address, u16::from_be_bytes([*high, *low])).into()))
    }
}

fn split(fixed: &[u8; FIXED]) -> ([u8; 12], [u8; 4]) {
    let [s @ .., command, protocol, high, low] = *fixed;
    (s, [command, protocol, high, low])
}

/// A balancer's own fields, a kind, a length and so many bytes each; they are read over, and have to be whole.
fn check_fields(mut fields: &[u8]) -> Result<(), HeaderFault> {
    while let [_, rest @ ..] = fields {
        let (length, rest) = rest.split_first_chunk::<2>().ok_or(HeaderFault::Fields)?;
        fields = rest.get(usize::from(u16::from_be_bytes(*length))..).ok_or(HeaderFault::Fields)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
