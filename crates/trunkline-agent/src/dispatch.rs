//! What becomes of a request on a stream: a control call is answered here, a Kubernetes request goes upstream.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info};
use trunkline_proto::{
    ClusterId, ControlCall, Drain, Epoch, LinkWish, Purpose, RequestId, StreamHead, Trust,
};
use trunkline_runtime::{Body, Copied, Tasks, boxed, chain, copy_both_ways};
use trunkline_tunnel::{json, read_json};
use trunkline_upstream::{Upstream, Whose};

use crate::metrics::{Metrics, Reason};
use crate::pass::Pass;
use crate::refusal::Refusal;

/// What answering the requests of one session takes. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Dispatch {
    pub(crate) cluster: ClusterId,
    pub(crate) upstream: Upstream,
    pub(crate) tasks: Tasks,
    pub(crate) metrics: Metrics,
    pub(crate) pass: Pass,
    /// The epoch the gateway gave, once it did.
    pub(crate) epoch: tokio::sync::watch::Receiver<Option<Epoch>>,
    /// Cancelled when the gateway asks to open elsewhere.
    pub(crate) move_on: CancellationToken,
    /// How many links the gateway wishes for.
    pub(crate) wish: tokio::sync::watch::Sender<u16>,
}

/// How long a request waits for the epoch: the gateway may send one before this end has read the welcome.
const EPOCH_DEADLINE: Duration = Duration::from_secs(5);

impl Dispatch {
    /// Answers one request.
    ///
    /// An answer that comes before the request was read to its end says `Connection: close`: this end will not read
    /// the rest, so the opener must not send another request behind it.
    pub(crate) async fn answer(self, request: Request<Incoming>) -> Response<Body> {
        let read_all = Arc::new(AtomicBool::new(request.body().is_end_stream()));
        let request = request.map(|body| Noted { body, read_all: read_all.clone() });
        let mut response = self.answer_noted(request).await;
        if !read_all.load(Ordering::Relaxed) && response.status() != StatusCode::SWITCHING_PROTOCOLS {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    async fn answer_noted(self, mut request: Request<Noted>) -> Response<Body> {
        let answered = match StreamHead::take(request.headers_mut()) {
            Ok(StreamHead { purpose: Purpose::Control, .. }) => self.control(request).await,
            Ok(StreamHead { purpose: Purpose::Kubernetes(identity), request: id, epoch }) => {
                self.kubernetes(request, Whose::Identity(&identity), id, epoch).await
            }
            Ok(StreamHead { purpose: Purpose::PassThrough(token), request: id, epoch }) => {
                self.kubernetes(request, Whose::Token(&token), id, epoch).await
            }
            // Records go up, never down.
            Ok(StreamHead { purpose: Purpose::Logs(_), .. }) => Err(Refusal::UnknownCall),
            Err(error) => Err(Refusal::Head(error)),
        };
        answered.unwrap_or_else(|refusal| {
            info!(reason = refusal.reason(), detail = chain(&refusal), "request refused");
            self.metrics.refusals.get_or_create(&Reason { reason: refusal.reason().to_owned() }).inc();
            refusal.answer(&self.cluster)
        })
    }

    async fn check_epoch(&self, theirs: Epoch) -> Result<(), Refusal> {
        let mut epoch = self.epoch.clone();
        let granted = tokio::time::timeout(EPOCH_DEADLINE, epoch.wait_for(Option::is_some)).await;
        let ours = granted.ok().and_then(Result::ok).and_then(|epoch| *epoch).unwrap_or_default();
        if ours == theirs { Ok(()) } else { Err(Refusal::Epoch { ours, theirs }) }
    }

    async fn control(&self, request: Request<Noted>) -> Result<Response<Body>, Refusal> {
        let call = ControlCall::from_path(request.uri().path()).ok_or(Refusal::UnknownCall)?;
        match call {
            ControlCall::Ping => {}
            ControlCall::Drain => {
                let drain: Drain = read_json(request.into_body()).await.map_err(|_| Refusal::UnknownCall)?;
                info!(why = drain.message, "the gateway asks to open elsewhere");
                self.move_on.cancel();
            }
            ControlCall::Links => {
                let wish: LinkWish =
                    read_json(request.into_body()).await.map_err(|_| Refusal::UnknownCall)?;
                self.wish.send_replace(wish.api);
            }
            ControlCall::Trust => {
                // Roots that come from files are for those who write the files.
                let Pass::Issued(issued) = &self.pass else { return Err(Refusal::UnknownCall) };
                let trust: Trust = read_json(request.into_body()).await.map_err(|_| Refusal::UnknownCall)?;
                issued.trust(&trust).await.map_err(Refusal::Roots)?;
            }
            ControlCall::Hello | ControlCall::Status | ControlCall::Renew => {
                return Err(Refusal::UnknownCall);
            }
        }
        Ok(json(StatusCode::OK, &()))
    }

    async fn kubernetes(
        &self,
        mut request: Request<Noted>,
        whose: Whose<'_>,
        id: RequestId,
        epoch: Epoch,
    ) -> Result<Response<Body>, Refusal> {
        self.metrics.requests.inc();
        self.check_epoch(epoch).await?;
        let wants = request.headers().get(header::UPGRADE).cloned();
        let below = wants.as_ref().map(|_| hyper::upgrade::on(&mut request));
        let mut response = self.upstream.send(request.map(boxed), whose, id).await?;
        match (response.status(), below) {
            (StatusCode::SWITCHING_PROTOCOLS, Some(below)) => {
                let above = hyper::upgrade::on(&mut response);
                self.tasks.spawn_until_stopped(async move {
                    let (Ok(below), Ok(above)) = tokio::join!(below, above) else { return };
                    let copied = Copied::default();
                    let ended = copy_both_ways(TokioIo::new(below), TokioIo::new(above), &copied).await;
                    debug!(request = %id, sent = copied.forth(), received = copied.back(),
                           clean = ended.is_ok(), "upgrade over");
                });
                Ok(response)
            }
            _ => {
                strip_hop_fields(&mut response);
                Ok(response)
            }
        }
    }
}

/// A request's body; notes when it was read to its end.
struct Noted {
    body: Incoming,
    read_all: Arc<AtomicBool>,
}

impl http_body::Body for Noted {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if frame.is_none() || self.body.is_end_stream() {
            self.read_all.store(true, Ordering::Relaxed);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Removes what belongs to the hop between API server and agent; the next hop frames for itself.
fn strip_hop_fields(response: &mut Response<Body>) {
    let headers = response.headers_mut();
    for field in [header::CONNECTION, header::TRANSFER_ENCODING, header::UPGRADE, header::TE, header::TRAILER]
    {
        headers.remove(field);
    }
    headers.remove("keep-alive");
}
