//! The exchange with a cluster: request out, answer back, both streaming.

mod answer;
mod farewell;
mod recording;
mod upgrade;

use bytes::Bytes;
use http::uri::Uri;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body::Frame;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use trunkline_audit::{Protocol, Recording};
use trunkline_proto::headers::request_fields;
use trunkline_proto::{
    CloseReason, ClusterToken, ClusterUid, Epoch, HEAD_HEADER, Identity, IdentityMode, Purpose, StreamHead,
};
use trunkline_runtime::{Body, BodyError, Tasks, boxed};
use trunkline_tunnel::ExchangeError;
use trunkline_upstream::Upstream;

use crate::access_log::Entry;
use crate::audited::Audited;
use crate::fair::{Paced, Share};
use crate::refusal::Refusal;
use crate::route::{Kind, Route};
use crate::tunnels::{Live, Tunnels};
use crate::under_way::Cut;

pub(crate) use answer::keep_inside;
pub(crate) use farewell::Place;

pub(crate) use recording::ToRecord;

/// How often a request of which nothing was sent is tried on another stream or session.
const ROUNDS: usize = 8;

/// What an exchange takes. Clones share it.
#[derive(Clone)]
pub(crate) struct Proxy {
    pub(crate) audited: Audited,
    pub(crate) tasks: Tasks,
    pub(crate) tunnels: Tunnels,
    pub(crate) management: Option<Upstream>,
}

/// Whose a request is, as the cluster is told.
#[derive(Debug)]
pub(crate) enum Whose {
    /// By impersonation.
    Identity(Identity),
    /// By the client's own token for the cluster.
    Token(ClusterToken),
}

impl Whose {
    /// As the gateway's own last hop takes it.
    fn here(&self) -> trunkline_upstream::Whose<'_> {
        match self {
            Self::Identity(identity) => trunkline_upstream::Whose::Identity(identity),
            Self::Token(token) => trunkline_upstream::Whose::Token(token),
        }
    }

    fn mode(&self) -> IdentityMode {
        match self {
            Self::Identity(_) => IdentityMode::Impersonate,
            Self::Token(_) => IdentityMode::PassThrough,
        }
    }
}

/// As whom a request goes on, and to which registration of its cluster.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) whose: Whose,
    pub(crate) uid: Option<ClusterUid>,
    /// The session that is to be recorded, if it is.
    pub(crate) record: Option<ToRecord>,
}

/// The way a request went.
pub(crate) enum Way {
    /// Through a tunnel.
    Tunnel(Arc<Live>),
    /// Straight to the management cluster.
    Direct,
}

impl Way {
    /// Why what went this way was cut, where somebody cut it on purpose.
    fn cut(&self) -> Option<Cut> {
        let Self::Tunnel(live) = self else { return None };
        match live.session.closed()? {
            CloseReason::Locked => Some(Cut::new("ClusterLocked", "the cluster was locked")),
            CloseReason::Removed => {
                Some(Cut::new("ClusterRemoved", "the cluster was removed from the fleet"))
            }
            CloseReason::Revoked => Some(Cut::new("AgentRevoked", "the agent's certificate was revoked")),
            _ => None,
        }
    }
}

impl Proxy {
    /// Sends a request to its cluster and passes the answer on. The entry leaves with the answer. What is under way is cut
    /// when the entry says so.
    pub(crate) async fn exchange(
        &self,
        mut request: Request<Body>,
        route: &Route,
        mut admitted: Admitted,
        mut entry: Box<Entry>,
    ) -> Result<Response<Body>, (Refusal, Box<Entry>)> {
        let upgrade = match upgrade::asked(&request) {
            Ok(upgrade) => upgrade,
            Err(refusal) => return Err((refusal, entry)),
        };
        let below = upgrade.as_ref().map(|_| hyper::upgrade::on(&mut request));
        let record = admitted.record.take();
        let received = Arc::new(Received::default());
        let (parts, body) = request.into_parts();
        let mut outward = Request::new(paced(Counted { body, received: received.clone() }, &entry));
        *outward.method_mut() = parts.method;
        *outward.uri_mut() = Uri::from(route.path.clone());
        *outward.headers_mut() = request_fields(&parts.headers, route.facts.application);
        if let Some(token) = &upgrade {
            outward.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
            outward.headers_mut().insert(header::UPGRADE, token.clone());
        }
        let sending = async {
            match &self.management {
                Some(upstream) if route.cluster.is_management() => upstream
                    .send(outward, admitted.whose.here(), entry.request)
                    .await
                    .map(|response| (response, Way::Direct))
                    .map_err(Refusal::Management),
                _ => self.send_through_tunnel(outward, route, admitted, &entry).await,
            }
        };
        let sent = tokio::select! {
            biased;
            cut = entry.leave() => Err(Refusal::Cut { cut }),
            sent = sending => sent,
        };
        entry.received = received.bytes();
        let (response, way) = match sent {
            Ok(sent) => sent,
            // The exchange failed because the client hung up within its own request.
            Err(_) if received.broke.load(Ordering::Relaxed) => return Err((Refusal::ClientGone, entry)),
            Err(refusal) => return Err((refusal, entry)),
        };
        match (response.status(), upgrade, below) {
            (StatusCode::SWITCHING_PROTOCOLS, Some(token), Some(below)) => {
                let recording = match record.map(|record| self.record(&record, &response)).transpose() {
                    Ok(recording) => recording,
                    Err(refusal) => return Err((refusal, entry)),
                };
                let ends = upgrade::Ends { below, way, recording };
                upgrade::join(&self.tunnels, response, &token, ends, entry, route)
            }
            (StatusCode::SWITCHING_PROTOCOLS, ..) => {
                Err((refused_answer(route, "it switched protocols although nobody asked"), entry))
            }
            (_, Some(_), _) => upgrade::declined(response, entry, route).await,
            (_, None, _) => answer::pass_on(response, route, way, &self.tunnels, entry, received),
        }
    }

    fn record(&self, record: &ToRecord, response: &Response<Body>) -> Result<(Recording, Protocol), Refusal> {
        record.begin(self.audited.log(), &self.tasks, response.headers())
    }

    async fn send_through_tunnel(
        &self,
        mut request: Request<Body>,
        route: &Route,
        Admitted { whose, uid, .. }: Admitted,
        entry: &Entry,
    ) -> Result<(Response<Body>, Way), Refusal> {
        request.headers_mut().insert(header::HOST, HeaderValue::from_static("kubernetes"));
        let registered = whose.mode();
        let purpose = match whose {
            Whose::Identity(identity) => Purpose::Kubernetes(identity),
            Whose::Token(token) => Purpose::PassThrough(token),
        };
        let mut head = StreamHead { request: entry.request, epoch: Epoch::default(), purpose };
        let user = entry.share.as_ref().map(Share::user).cloned().unwrap_or_default();
        for _ in 0..ROUNDS {
            // Nothing of the request is given away until there is a stream for it.
            let (live, stream) =
                self.tunnels.reserve((&route.cluster, uid, &user), route.kind == Kind::Upgrade).await?;
            if live.mode != registered {
                return Err(Refusal::OtherMode {
                    cluster: route.cluster.clone(),
                    runs: live.mode,
                    registered,
                });
            }
            head.epoch = live.epoch;
            let encoded = head.encode().map_err(|error| Refusal::BadHead { why: error.to_string() })?;
            request.headers_mut().insert(HEAD_HEADER, encoded);
            match stream.request(request).await {
                Ok(response) => return Ok((response.map(boxed), Way::Tunnel(live))),
                Err(ExchangeError::Unsent(unsent)) => request = *unsent,
                Err(source) => {
                    let cluster = route.cluster.clone();
                    return Err(match Way::Tunnel(live).cut() {
                        Some(cut) => Refusal::ClusterClosed { cluster, cut },
                        None => Refusal::TunnelLost { cluster, source },
                    });
                }
            }
        }
        Err(Refusal::ClusterBusy { cluster: route.cluster.clone(), why: "kept streams were closed".into() })
    }
}

/// A body at the pace of its user and cluster, where they have one.
fn paced<B>(body: B, entry: &Entry) -> Body
where
    B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    match entry.share.as_ref().and_then(Share::pace) {
        Some(pace) => boxed(Paced::new(body, Some(pace))),
        None => boxed(body),
    }
}

fn refused_answer(route: &Route, why: impl Into<String>) -> Refusal {
    Refusal::AnswerRefused { cluster: route.cluster.clone(), why: why.into() }
}

/// What came of a client's body.
#[derive(Debug, Default)]
struct Received {
    bytes: AtomicU64,
    broke: AtomicBool,
}

impl Received {
    fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

/// A client's body on its way out, counted.
struct Counted {
    body: Body,
    received: Arc<Received>,
}

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => {
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                self.received.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
            }
            Some(Err(_)) => self.received.broke.store(true, Ordering::Relaxed),
            None => {}
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}
