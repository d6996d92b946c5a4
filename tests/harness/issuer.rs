//! A fake OpenID provider on loopback: its keys are made when it starts, and it misbehaves when told to.
//!
//! Its authorisation endpoint signs everybody in at once, as the person who is set; its token endpoint checks what a
//! provider checks (client, secret, redirect, PKCE), so that a client that sends something wrong is seen.

mod grants;
mod signing;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use trunkline_gateway::IssuerConfig;
use trunkline_runtime::{Body, Door, Tasks, full};

pub use signing::{SignedWith, unsigned};

/// How a fake answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Manner {
    /// As it should.
    #[default]
    Good,
    /// 503.
    Away,
    /// A redirect to where it would answer.
    Redirecting,
    /// More than anybody reads.
    Giant,
    /// Never.
    Silent,
    /// As another issuer.
    Other,
}

/// A fake issuer. Clones are the same one.
#[derive(Clone)]
pub struct FakeIssuer {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

struct State {
    manner: Manner,
    keys: Vec<SignedWith>,
    /// Who signs in, as claims beside the usual.
    person: Value,
    /// For how long ID tokens are good, in seconds.
    life: i64,
    /// Requests so far, by path.
    asked: HashMap<String, usize>,
    codes: HashMap<String, grants::Code>,
    refresh: HashMap<String, grants::Kept>,
    devices: HashMap<String, grants::Device>,
    secret: Option<String>,
    /// Stands in tokens in place of the nonce that was asked for.
    nonce: Option<String>,
    number: u64,
}

impl std::fmt::Debug for FakeIssuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FakeIssuer").field("address", &self.address).finish_non_exhaustive()
    }
}

impl FakeIssuer {
    /// One that signs with ES256, and signs `jane@example.com` in.
    pub async fn start(tasks: &Tasks) -> Self {
        let door = Door::bind("fake issuer", ([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = door.address().unwrap();
        let state = State {
            manner: Manner::Good,
            keys: vec![SignedWith::es256("first")],
            person: json!({"sub": "7", "email": "jane@example.com", "email_verified": true, "groups": ["dev"]}),
            life: 600,
            asked: HashMap::new(),
            codes: HashMap::new(),
            refresh: HashMap::new(),
            devices: HashMap::new(),
            secret: None,
            nonce: None,
            number: 0,
        };
        let fake = Self { address, state: Arc::new(Mutex::new(state)) };
        let (serving, family) = (fake.clone(), tasks.clone());
        tasks.spawn_until_stopped(async move {
            loop {
                let (tcp, _) = door.accept().await;
                let fake = serving.clone();
                family.spawn_until_stopped(async move {
                    let service = service_fn(move |request| {
                        let fake = fake.clone();
                        async move { Ok::<_, std::convert::Infallible>(fake.answer(request).await) }
                    });
                    let http = hyper::server::conn::http1::Builder::new();
                    let _ = http.serve_connection(TokioIo::new(tcp), service).await;
                });
            }
        });
        fake
    }

    /// What it calls itself.
    pub fn url(&self) -> String {
        format!("http://{}/id", self.address)
    }

    /// A gateway's configuration of it, as `corp` with the client `gw`.
    pub fn config(&self) -> IssuerConfig {
        let json = json!({
            "name": "corp", "url": self.url(), "client_id": "gw", "groups_claim": "groups", "username_claim": "email",
        });
        serde_json::from_value(json).unwrap()
    }

    /// From here on it answers like this.
    pub fn behave(&self, manner: Manner) {
        self.lock().manner = manner;
    }

    /// From here on its set of keys is this one; the first of them signs.
    pub fn rotate(&self, keys: Vec<SignedWith>) {
        self.lock().keys = keys;
    }

    /// From here on this is who signs in.
    pub fn person(&self, claims: Value) {
        self.lock().person = claims;
    }

    /// From here on ID tokens are good for so many seconds.
    pub fn tokens_last(&self, seconds: i64) {
        self.lock().life = seconds;
    }

    /// From here on clients must show this secret.
    pub fn ask_for_secret(&self, secret: &str) {
        self.lock().secret = Some(secret.into());
    }

    /// From here on tokens hold this nonce.
    pub fn swap_nonce(&self, nonce: &str) {
        self.lock().nonce = Some(nonce.into());
    }

    /// From here on no refresh token is good.
    pub fn forget_refresh_tokens(&self) {
        self.lock().refresh.clear();
    }

    /// Lets all who wait by device code in.
    pub fn confirm_devices(&self) {
        for device in self.lock().devices.values_mut() {
            device.confirmed = true;
        }
    }

    /// How often something was asked for, by the end of its path.
    pub fn asked(&self, path: &str) -> usize {
        self.lock().asked.get(path).copied().unwrap_or_default()
    }

    /// The claims of a good token for `gw`.
    pub fn claims(&self) -> Value {
        let state = self.lock();
        let mut claims = state.person.clone();
        let now = signing::now();
        claims["iss"] = self.url().into();
        claims["aud"] = "gw".into();
        claims["iat"] = (now - 5).into();
        claims["exp"] = (now + state.life).into();
        claims
    }

    /// A token with these claims, signed as all are.
    pub fn sign(&self, claims: &Value) -> String {
        self.lock().keys[0].sign(claims)
    }

    /// A good token for `gw`.
    pub fn token(&self) -> String {
        self.sign(&self.claims())
    }

    /// The key that signs.
    pub fn key(&self) -> SignedWith {
        self.lock().keys[0].clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let path = request.uri().path().trim_start_matches("/id").to_owned();
        let manner = {
            let mut state = self.lock();
            *state.asked.entry(path.clone()).or_default() += 1;
            state.manner
        };
        match manner {
            Manner::Good | Manner::Other => {}
            Manner::Away => return status(StatusCode::SERVICE_UNAVAILABLE),
            Manner::Redirecting => return redirect(&format!("{}{path}", self.url())),
            Manner::Giant => return Response::new(full(vec![b' '; 300 * 1024])),
            Manner::Silent => std::future::pending().await,
        }
        let query = request.uri().query().unwrap_or_default().to_owned();
        let basic = request.headers().get(header::AUTHORIZATION).cloned();
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let form = grants::pairs(&String::from_utf8_lossy(&body));
        match path.as_str() {
            "/.well-known/openid-configuration" => self.document(manner),
            "/keys" => {
                ok(&json!({"keys": self.lock().keys.iter().map(SignedWith::public).collect::<Vec<_>>()}))
            }
            "/authorize" => self.authorize(&grants::pairs(&query)),
            "/token" => self.token_endpoint(&form, basic.as_ref()),
            "/device" => self.device_endpoint(&form),
            _ => status(StatusCode::NOT_FOUND),
        }
    }

    fn document(&self, manner: Manner) -> Response<Body> {
        let url = self.url();
        let issuer = if manner == Manner::Other { "https://other.test" } else { &url };
        ok(&json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{url}/authorize"),
            "token_endpoint": format!("{url}/token"),
            "device_authorization_endpoint": format!("{url}/device"),
            "jwks_uri": format!("{url}/keys"),
            "authorization_response_iss_parameter_supported": true,
        }))
    }
}

fn ok(value: &Value) -> Response<Body> {
    Response::new(full(value.to_string()))
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(full(""));
    *response.status_mut() = status;
    response
}

fn redirect(to: &str) -> Response<Body> {
    let mut response = status(StatusCode::FOUND);
    response.headers_mut().insert(header::LOCATION, to.parse().unwrap());
    response
}
