//! The live socket: one WebSocket per tab of the Manager, on which everything flows that goes on.
//!
//! ```text
//! tab ══ socket ── stream 1 ── a GET, through all phases ── watch of a cluster
//!           │ └─── stream 2 ── a GET, through all phases ── a pod's log
//!           └── messages: open, more, close / begun, lines, ended
//! ```
//!
//! A browser has six connections to an origin over HTTP/1.1, and a page of a fleet watches more than that. Each stream is
//! a request of its own that the front answers as the socket's sign-in: with an id, records, shares and cuts of its own.
//! Of a stream the page chooses path and query, and nothing else of its head.
//!
//! Invariants:
//! - a stream can do what a GET of the same session under `/trunkline/v1/` can do, and nothing beside;
//! - a page that takes nothing of a stream holds up that stream alone; what waits for a page is bounded;
//! - a stream that is cut says why, and so does a socket.

mod credit;
mod lines;
mod message;
mod socket;
mod stream;

use std::sync::Arc;

use http::{HeaderValue, Request, Response, header};
use tokio::sync::Semaphore;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use trunkline_api::BASE;
use trunkline_runtime::{Body, empty};

use super::{Caller, Front, Head};
use crate::access_log::Entry;
use crate::authn::{Principal, nothing_shown, websocket_protocols};
use crate::places::{Full, Places};
use crate::refusal::Refusal;
use crate::rest::Rest;
use lines::Longs;
use socket::Socket;

/// What is spoken on the socket.
const PROTOCOL: &str = "trunkline.live.v1";
/// How many sockets there may be at once, and of one user.
const MOST: usize = 1024;
const MOST_OF_ONE: usize = 32;

/// The live sockets of a gateway. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    places: Places,
    /// Room for long lines, of all sockets.
    room: Arc<Semaphore>,
}

impl Default for Live {
    fn default() -> Self {
        Self { places: Places::new(MOST, MOST_OF_ONE), room: Longs::of_all() }
    }
}

/// Whether a path is the live socket's.
pub(super) fn serves(path: &str) -> bool {
    path.strip_prefix(BASE) == Some("/live")
}

impl Front {
    /// Opens the live socket of whoever signed in.
    pub(super) fn open_live(
        &self,
        head: Head,
        who: Option<Arc<Principal>>,
        caller: &Arc<Caller>,
        mut entry: Box<Entry>,
    ) -> Response<Body> {
        let mut request = Request::from_parts(head, ());
        let opened = who.ok_or_else(nothing_shown).and_then(|who| {
            let answer = agree(&request)?;
            let place = self.live.places.take(&who.user).map_err(|full| crowded(full, &who.user))?;
            Ok((who, answer, place))
        });
        let (who, answer, place) = match opened {
            Ok(opened) => opened,
            Err(refusal) => return Rest::refuse(&refusal, entry),
        };
        entry.status = answer.status().as_u16();
        entry.reason = "UpgradeLost";
        let upgrade = hyper::upgrade::on(&mut request);
        let longs = Longs::of_one(self.live.room.clone());
        let caller = Arc::new(Caller::within(caller, &who));
        let socket = Socket { front: self.clone(), caller, who, longs, entry, place };
        self.tasks.spawn_until_stopped(socket.run(upgrade));
        answer
    }
}

/// The answer that agrees to a live socket.
fn agree(request: &Request<()>) -> Result<Response<Body>, Refusal> {
    let no = |why: String| Refusal::BadUpgrade { why };
    let mut answer = create_response_with_body(request, empty)
        .map_err(|error| no(format!("this path is opened as a WebSocket: {error}")))?;
    if !websocket_protocols(request.headers()).any(|protocol| protocol == PROTOCOL) {
        return Err(no(format!("among the protocols of the WebSocket must be {PROTOCOL}")));
    }
    answer.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOL));
    Ok(answer)
}

fn crowded(full: Full, user: &str) -> Refusal {
    Refusal::TooManySockets {
        why: match full {
            Full::All(most) => {
                format!("{most} live sockets are open, which is the most; try again later")
            }
            Full::Own(most) => {
                format!("{user} has {most} live sockets open, which is the most of one user; close a tab")
            }
        },
    }
}
