//! One stream of a live socket: a GET through the front's phases, its answer as lines at the pace of the page.
//!
//! Of the body one frame is in hand and no more, so that a page that gives no credit slows its own stream, up to the
//! cluster, and nothing else.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Request, Response, header};
use http_body_util::BodyExt as _;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use trunkline_runtime::{Body, empty};

use super::credit::Credit;
use super::lines::{Line, Lines, Longs, Room};
use super::message::{End, Form, Told};
use super::socket::Seat;
use crate::front::{Caller, Front};
use crate::rest::EVENT_STREAM;
use crate::under_way::{Cut, Leave};

/// Lines leave together up to about so many bytes.
const LOT: usize = 64 * 1024;
/// The most that is told of a refusal's body, in bytes, and how long it may take to come.
const REFUSED: usize = 64 * 1024;
const REFUSED_DEADLINE: Duration = Duration::from_secs(10);

/// What is told, with what it holds until then.
pub(super) struct Parcel {
    pub(super) told: Told,
    pub(super) _room: Vec<Room>,
}

impl Parcel {
    pub(super) fn new(told: Told) -> Self {
        Self { told, _room: Vec::new() }
    }
}

/// A stream before its request is made.
pub(super) struct Stream {
    pub(super) front: Front,
    pub(super) caller: Arc<Caller>,
    pub(super) number: u32,
    pub(super) path: PathAndQuery,
    pub(super) form: Form,
    pub(super) credit: Credit,
    pub(super) longs: Longs,
    pub(super) out: mpsc::Sender<Parcel>,
}

impl Stream {
    /// Carries it until it ends, is cut, or is closed by the page.
    pub(super) async fn run(self, seat: Seat, closed: CancellationToken) {
        let end = tokio::select! {
            biased;
            () = closed.cancelled() => return,
            end = self.carry() => end,
        };
        // Whoever hears of the end may open another.
        drop(seat);
        let _ = self.out.send(Parcel::new(Told::Ended { ended: self.number, end })).await;
    }

    async fn carry(&self) -> End {
        // Nothing but the path, and one of two forms, is the page's.
        let mut request = Request::new(empty());
        *request.uri_mut() = self.path.clone().into();
        if let Some(accepts) = self.form.accepts() {
            request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static(accepts));
        }
        let (head, mut body) = ask(self.front.clone(), self.caller.clone(), request).await.into_parts();
        if !head.status.is_success() {
            return End::Refused { status: head.status.as_u16(), body: beginning(body).await };
        }
        let kind = field(&head.headers, header::CONTENT_TYPE);
        if head.headers.contains_key(header::CONTENT_ENCODING) {
            return broken("AnswerRefused", "the answer is in a content coding that nobody asked for");
        }
        let leave = Farewell(head.extensions.get::<Leave>().cloned());
        let mut lines = Lines::new(self.longs.clone(), kind == EVENT_STREAM);
        let begun = Told::Begun { begun: self.number, status: head.status.as_u16(), kind };
        if self.out.send(Parcel::new(begun)).await.is_err() {
            return End::Whole {};
        }
        let mut whole = false;
        loop {
            let next = lines.next().or_else(|| if whole { lines.rest() } else { None });
            let Some(first) = next else {
                if whole {
                    return leave.end();
                }
                match body.frame().await {
                    Some(Ok(frame)) => lines.feed(frame.into_data().unwrap_or_default()),
                    Some(Err(error)) => return leave.end_of_broken(&error.to_string()),
                    None => whole = true,
                }
                continue;
            };
            let sent = async {
                self.credit.any().await;
                let (told, room) = self.lot(first, &mut lines);
                self.out.send(Parcel { told, _room: room }).await
            };
            tokio::select! {
                biased;
                cut = leave.told() => {
                    // The body learns of it when it is asked for more, and so does the access log.
                    let _ = body.frame().now_or_never();
                    return cut.into();
                }
                // The socket is gone.
                sent = sent => if sent.is_err() { return End::Whole {} },
            }
        }
    }

    /// Lines that leave together: the first, and what is there of others within credit and lot.
    fn lot(&self, first: Line, lines: &mut Lines) -> (Told, Vec<Room>) {
        let most = LOT.min(self.credit.left());
        let (mut data, mut rooms, mut bytes, mut cut) = (Vec::new(), Vec::new(), 0, false);
        let mut next = Some(first);
        while let Some(line) = next {
            bytes += line.text.len() + 1;
            cut = line.cut;
            data.push(line.text);
            rooms.push(line.room);
            next = if cut || bytes >= most { None } else { lines.next() };
        }
        self.credit.take(bytes);
        (Told::Lines { lines: self.number, data, bytes, cut }, rooms)
    }
}

/// Asks the front itself. Boxed: what the front answers begins sockets, whose streams ask the front.
fn ask(
    front: Front,
    caller: Arc<Caller>,
    request: Request<Body>,
) -> Pin<Box<dyn Future<Output = Response<Body>> + Send>> {
    Box::pin(async move { front.answer(request, &caller).await })
}

/// How to learn that a stream's request is cut.
struct Farewell(Option<Leave>);

impl Farewell {
    async fn told(&self) -> Cut {
        match self.0.clone() {
            Some(leave) => leave.told().await,
            None => std::future::pending().await,
        }
    }

    fn why(&self) -> Option<Cut> {
        self.0.as_ref().and_then(Leave::why)
    }

    /// The body came to its end: by itself, or since it was cut.
    fn end(&self) -> End {
        self.why().map_or(End::Whole {}, End::from)
    }

    fn end_of_broken(&self, error: &str) -> End {
        self.why().map_or_else(|| broken("CutOff", error), End::from)
    }
}

impl From<Cut> for End {
    fn from(cut: Cut) -> Self {
        broken(cut.reason, &cut.why)
    }
}

fn broken(reason: &str, why: &str) -> End {
    End::Cut { reason: reason.into(), why: why.into() }
}

fn field(headers: &HeaderMap, name: header::HeaderName) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

/// The beginning of a refusal's body, as far as it comes in time.
async fn beginning(mut body: Body) -> String {
    let mut bytes = Vec::new();
    let reading = async {
        while let Some(Ok(frame)) = body.frame().await {
            let data = frame.into_data().unwrap_or_default();
            bytes.extend_from_slice(&data[..data.len().min(REFUSED - bytes.len())]);
            if bytes.len() == REFUSED {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(REFUSED_DEADLINE, reading).await;
    String::from_utf8_lossy(&bytes).into_owned()
}
