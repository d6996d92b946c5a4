//! What answers an agent's own requests on a session: the hello, then pings, reports and the wish to drain.

use std::sync::{Arc, OnceLock};

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use tokio::sync::{mpsc, oneshot};
use tracing::debug;
use trunkline_proto::{ControlCall, Hello, Purpose, Rejection, Renewal, StatusReport, StreamHead, Welcome};
use trunkline_runtime::Body;
use trunkline_tunnel::{json, read_json};

use crate::enrolment::Enrolment;
use crate::logs::Logs;
use crate::tunnels::{Live, Tunnels};

/// What answers an agent's requests on one session.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) hello: mpsc::Sender<(Hello, oneshot::Sender<Result<Welcome, Rejection>>)>,
    /// Set once the hello was accepted; before, nothing else is answered.
    pub(super) live: Arc<OnceLock<Arc<Live>>>,
    pub(super) tunnels: Tunnels,
    pub(super) enrolment: Enrolment,
    /// None when this gateway keeps no logs.
    pub(super) logs: Option<Logs>,
}

impl Desk {
    pub(super) async fn answer(self, mut request: Request<Incoming>) -> Response<Body> {
        let call = ControlCall::from_path(request.uri().path());
        match StreamHead::take(request.headers_mut()).map(|head| head.purpose) {
            Ok(Purpose::Control) => {}
            Ok(Purpose::Logs(batch)) => {
                return match (self.live.get(), &self.logs) {
                    (Some(live), Some(logs)) => logs.receive(live, batch, request).await,
                    _ => json(StatusCode::NOT_FOUND, &"this gateway keeps no logs"),
                };
            }
            Ok(Purpose::Kubernetes(_) | Purpose::PassThrough(_)) => {
                return json(StatusCode::BAD_REQUEST, &"this is no API server");
            }
            Err(_) => return json(StatusCode::BAD_REQUEST, &"no stream head"),
        }
        match (call, self.live.get().cloned()) {
            (Some(ControlCall::Hello), None) => self.hello(request).await,
            (Some(ControlCall::Ping), Some(_)) => json(StatusCode::OK, &()),
            (Some(ControlCall::Status), Some(live)) => {
                match read_json::<StatusReport>(request.into_body()).await {
                    Ok(mut report) => {
                        if let Some(logs) = &self.logs {
                            let spools = std::mem::take(&mut report.logs);
                            logs.standing().report(live.identity.uid, live.identity.slot, spools);
                        }
                        report.logs.clear();
                        debug!(cluster = %live.cluster, upstream = ?report.upstream, why = report.message, "status");
                        self.tunnels.report(&live.cluster, report);
                        json(StatusCode::OK, &())
                    }
                    Err(_) => json(StatusCode::BAD_REQUEST, &"the report does not parse"),
                }
            }
            (Some(ControlCall::Renew), Some(live)) => match read_json::<Renewal>(request.into_body()).await {
                Ok(renewal) => match self.enrolment.renew(&live, &renewal).await {
                    Ok(certified) => json(StatusCode::OK, &certified),
                    Err(refusal) => json(StatusCode::FORBIDDEN, &refusal),
                },
                Err(_) => json(StatusCode::BAD_REQUEST, &"the renewal does not parse"),
            },
            (Some(ControlCall::Drain), Some(live)) => {
                debug!(cluster = %live.cluster, epoch = %live.epoch, "the agent drains");
                let session = live.session.clone();
                if session.is_open() {
                    session.drain();
                    self.tunnels.finish_later(session);
                }
                json(StatusCode::OK, &())
            }
            _ => json(StatusCode::NOT_FOUND, &"no such control call now"),
        }
    }

    async fn hello(&self, request: Request<Incoming>) -> Response<Body> {
        let Ok(hello) = read_json::<Hello>(request.into_body()).await else {
            return json(StatusCode::BAD_REQUEST, &"the hello does not parse");
        };
        let (answer, answered) = oneshot::channel();
        if self.hello.send((hello, answer)).await.is_err() {
            return json(StatusCode::CONFLICT, &"hello was said already");
        }
        match answered.await {
            Ok(Ok(welcome)) => json(StatusCode::OK, &welcome),
            Ok(Err(rejection)) => json(StatusCode::FORBIDDEN, &rejection),
            Err(_) => json(StatusCode::CONFLICT, &"hello was said already"),
        }
    }
}
