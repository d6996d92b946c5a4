//! The far end of a tunnel by hand: an agent process of which a test decides who it is and when it comes and goes.

use std::net::SocketAddr;
use std::sync::Arc;

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use trunkline_proto::{
    Capability, Certified, CloseReason, ControlCall, EnrolRefusal, Epoch, Hello, InvalidClusterId, Lane,
    Limits, PROTOCOL, Rejection, Renewal, Welcome,
};
use trunkline_runtime::{Body, Tasks, full};
use trunkline_tunnel::{CallError, Dialler, GatewayAddress, Role, Session, call, json, serve};

/// An agent process with one link. It answers pings, takes every change of roots, and answers requests with its number.
#[derive(Debug)]
pub struct FarEnd {
    /// Its session.
    pub session: Session,
    /// What the gateway granted.
    pub welcome: Welcome,
}

/// Why a [`FarEnd`] has no session.
#[derive(Debug)]
pub enum Turned {
    /// The gateway said no to the hello.
    Away(Rejection),
    /// The link did not come up, or broke.
    Lost(String),
}

impl FarEnd {
    /// Dials a tunnel door and says hello as the agent process with the number `instance`.
    ///
    /// # Errors
    /// When the gateway does not let it in.
    pub async fn come(
        door: SocketAddr,
        tls: Arc<ClientConfig>,
        cluster: &str,
        instance: u64,
        tasks: &Tasks,
    ) -> Result<Self, Turned> {
        let hello = Self::hello(cluster, instance).map_err(|error| Turned::Lost(error.to_string()))?;
        Self::come_saying(door, tls, hello, tasks).await
    }

    /// What an agent process says first.
    ///
    /// # Errors
    /// When that is no cluster's name.
    pub fn hello(cluster: &str, instance: u64) -> Result<Hello, InvalidClusterId> {
        Ok(Hello {
            version: PROTOCOL,
            oldest_version: PROTOCOL,
            software: "by hand".into(),
            cluster: cluster.parse()?,
            instance,
            lane: Lane::Api,
            ordinal: 0,
            capabilities: vec![Capability::MoreLinks],
            limits: Limits::DEFAULT,
        })
    }

    /// Dials a tunnel door and says this.
    ///
    /// # Errors
    /// When the gateway does not let it in.
    pub async fn come_saying(
        door: SocketAddr,
        tls: Arc<ClientConfig>,
        hello: Hello,
        tasks: &Tasks,
    ) -> Result<Self, Turned> {
        let instance = hello.instance;
        let lost = |error: &(dyn std::error::Error + 'static)| Turned::Lost(trunkline_runtime::chain(error));
        let server_name = ServerName::try_from("localhost").ok();
        let address: GatewayAddress = door.to_string().parse().map_err(|error| lost(&error))?;
        let dialler = Dialler { proxy: None, server_name };
        let link = dialler.dial(&address, tls).await.map_err(|error| lost(&error))?;
        let (session, inbound) = Session::start(link, Role::Dialler, Limits::DEFAULT, tasks);
        let answering = move |request: Request<Incoming>| std::future::ready(answer(&request, instance));
        tasks.spawn(serve(inbound, answering));
        match call::<_, Welcome>(&session, ControlCall::Hello, Epoch::default(), &hello).await {
            Ok(welcome) => {
                session.allow(welcome.limits);
                let (kept, epoch) = (session.clone(), welcome.epoch);
                tasks.spawn_until_stopped(async move { kept.keep_alive(epoch).await });
                Ok(Self { session, welcome })
            }
            Err(error) => {
                session.close(CloseReason::Shutdown);
                Err(match error {
                    CallError::Refused(_, body) => match serde_json::from_slice(&body) {
                        Ok(rejection) => Turned::Away(rejection),
                        Err(error) => lost(&error),
                    },
                    error => lost(&error),
                })
            }
        }
    }

    /// Asks for the next certificate of its slot.
    ///
    /// # Errors
    /// When the gateway says no; [`None`] when the session brings no answer.
    pub async fn renew(&self, csr: String) -> Result<Certified, Option<EnrolRefusal>> {
        let renewal = Renewal { csr };
        match call(&self.session, ControlCall::Renew, self.welcome.epoch, &renewal).await {
            Ok(certified) => Ok(certified),
            Err(CallError::Refused(_, body)) => Err(serde_json::from_slice(&body).ok()),
            Err(_) => Err(None),
        }
    }

    /// Ends the link.
    pub async fn leave(self) {
        self.session.close(CloseReason::Shutdown);
        self.session.ended().await;
    }
}

fn answer(request: &Request<Incoming>, instance: u64) -> Response<Body> {
    match ControlCall::from_path(request.uri().path()) {
        Some(_) => json(StatusCode::OK, &()),
        None => Response::new(full(instance.to_string())),
    }
}
