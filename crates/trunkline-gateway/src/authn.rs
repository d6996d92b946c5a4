//! Who is asking: from what a request shows to a principal.
//!
//! ```text
//! shown.rs ─┬─ token ── ours? sessions.rs ── a configured issuer's? oidc.rs ── else, a service account's? review.rs
//!           ├─ cookie ─ sessions.rs             (the gateway's own paths only)
//!           ├─ certificate, as Kubernetes reads it: CN = user, O = groups
//!           └─ beside one of them, a token for the cluster: cluster_token.rs, never a word on who asks
//!                                      ↑
//! browser.rs (code + PKCE), local.rs (passwords) begin sessions
//! ```
//!
//! Invariants:
//! - one thing that a request shows decides; a bad one is refused, and nothing else is tried;
//! - no `system:` name comes of a token, a session or a service account, and none of ours that we did not give;
//! - secrets are compared and kept by hash, and stand in no log, no error and no answer but the one that gives them.

mod browser;
mod cluster_token;
mod jwt;
mod local;
mod names;
mod oidc;
mod principal;
mod remembered;
mod review;
mod sessions;
mod shown;
mod why;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use http::{HeaderMap, Method, header};
use rustls_pki_types::CertificateDer;
use trunkline_pki::ClientIdentity;
use trunkline_proto::ClusterToken;
use trunkline_runtime::Tasks;
use trunkline_upstream::Upstream;

use crate::config::{AuthnConfig, GatewayConfigError};
use crate::metrics::{Metrics, Reason};
use crate::refusal::Refusal;
use browser::Browsers;
use review::Reviews;
use shown::Shown;

pub(crate) use browser::{Begun, LASTS as LOGIN_LASTS, Returned};
pub(crate) use cluster_token::Claimed;
pub(crate) use jwt::Jwt;
pub use local::{FirstRun, LocalFileError};
pub(crate) use local::{Local, LocalError, LocalUser};
pub(crate) use names::is_ours;
pub(crate) use oidc::{Issuers, bearer};
pub(crate) use principal::{How, Principal};
pub(crate) use remembered::Hash;
pub(crate) use sessions::{Given, Sessions};
pub(crate) use shown::{
    CLUSTER_TOKEN, LOGIN_COOKIE, SESSION_COOKIE, bearers, cookie, websocket_protocol, websocket_protocols,
};
pub(crate) use why::{Denied, Why};

/// The longest token that is looked at, in bytes.
const MAX_TOKEN: usize = 16 * 1024;
/// The field in which a browser shows that a page of ours asks.
const CSRF: &str = "x-trunkline-csrf";
/// The same among the protocols of a WebSocket.
const CSRF_PROTOCOL: &str = "trunkline.csrf.";
/// Where issuers send browsers back to.
pub(crate) const CALLBACK: &str = "/trunkline/v1/auth/callback";

/// Where a request goes, as far as it matters for what it may show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// To a cluster.
    Kubernetes,
    /// To the gateway itself, where browsers come with their session.
    Own,
    /// To a cluster, by the way that pages of ours take: with their session.
    Pages,
}

/// Finds out who asks. Clones share it.
#[derive(Clone)]
pub(crate) struct Authn {
    inner: Arc<Inner>,
}

struct Inner {
    issuers: Issuers,
    reviews: Option<Reviews>,
    sessions: Sessions,
    local: Option<Local>,
    browsers: Browsers,
    /// Where issuers send browsers back to, as a URL.
    redirect: String,
    /// Whom the tokens are for that sign in here.
    audiences: BTreeSet<String>,
    metrics: Metrics,
}

/// What finding out takes.
pub(crate) struct AuthnParts<'a> {
    pub(crate) config: &'a AuthnConfig,
    pub(crate) data: Option<&'a Path>,
    /// Whether nobody could sign in as an admin but by a certificate of the gateway's own papers.
    pub(crate) alone: bool,
    pub(crate) management: Option<Upstream>,
    /// The front door's URL.
    pub(crate) front: &'a str,
    pub(crate) metrics: Metrics,
    pub(crate) tasks: &'a Tasks,
}

impl Authn {
    /// Reads what the configuration names, and makes the first-run code where nobody could sign in otherwise. Asks no
    /// issuer: see [`Authn::follow`].
    pub(crate) fn new(parts: AuthnParts<'_>) -> Result<(Self, Option<FirstRun>), GatewayConfigError> {
        let AuthnParts { config, data, alone, management, front, metrics, tasks } = parts;
        let issuers = Issuers::new(config, &metrics, tasks)?;
        let accounts = &config.service_accounts;
        let management = management.filter(|_| accounts.enabled.unwrap_or(true));
        let reviews = management.map(|upstream| Reviews::new(upstream, &accounts.audiences, metrics.clone()));
        let (local, first) = match data.filter(|_| config.has_local_users(data.is_some())) {
            Some(data) => {
                let (local, first) = Local::open(data, alone)?;
                (Some(local), first)
            }
            None => (None, None),
        };
        let sessions = Sessions::new(&config.sessions, metrics.clone());
        let browsers = Browsers::new().map_err(|_| GatewayConfigError::from(LocalFileError::Randomness))?;
        let redirect = format!("{front}{CALLBACK}");
        let audiences = config.own_audiences();
        let inner = Inner { issuers, reviews, sessions, local, browsers, redirect, audiences, metrics };
        Ok((Self { inner: Arc::new(inner) }, first))
    }

    /// Follows the issuers' keys.
    pub(crate) fn follow(&self, tasks: &Tasks) {
        self.inner.issuers.follow(tasks);
    }

    /// Who asks, none for whoever shows nothing; and the token that was brought for the cluster.
    pub(crate) async fn principal(
        &self,
        method: &Method,
        headers: &HeaderMap,
        certificate: Option<&ClientIdentity>,
        place: Place,
    ) -> Result<(Option<Principal>, Option<ClusterToken>), Refusal> {
        self.find(method, headers, certificate, place).await.map_err(|denied| self.refusal(denied))
    }

    async fn find(
        &self,
        method: &Method,
        headers: &HeaderMap,
        certificate: Option<&ClientIdentity>,
        place: Place,
    ) -> Result<(Option<Principal>, Option<ClusterToken>), Denied> {
        let (shown, cluster_token) = Shown::by(headers, place)?;
        let who = match shown {
            Shown::Token(token) => Some(self.of_token(&token).await?),
            Shown::Cookie(cookie) => {
                let known = self.inner.sessions.of_cookie(&cookie)?;
                check_page(method, headers, &known.csrf, place)?;
                Some(known.principal)
            }
            Shown::Nothing => certificate.map(Principal::of_certificate),
        };
        Ok((who, cluster_token))
    }

    async fn of_token(&self, token: &str) -> Result<Principal, Denied> {
        if let Some(known) = self.inner.sessions.of_token(token) {
            return Ok(known?);
        }
        if !jwt::looks_like(token) {
            return Err(Why::Unknown.into());
        }
        let jwt = Jwt::read(token)?;
        let issuer = jwt.issuer()?;
        match &self.inner.reviews {
            Some(reviews) if !self.inner.issuers.has(issuer) => {
                let principal = reviews.principal(token, &jwt).await?;
                // A yes is remembered: whether the token has ended meanwhile, its own claim says.
                let ended = principal.has_ended(SystemTime::now());
                if ended { Err(Why::NotAuthenticated.into()) } else { Ok(principal) }
            }
            _ => self.inner.issuers.principal(token, &jwt).await,
        }
    }

    /// Whether a sign-in is still good by which somebody came in before.
    pub(crate) fn is_good(&self, principal: &Principal) -> bool {
        let own = matches!(principal.how, How::Web | How::Local);
        !principal.has_ended(SystemTime::now()) && (!own || self.inner.sessions.holds(&principal.session))
    }

    /// Goes on by a sign-in by which somebody came in before: a session of ours was used again.
    pub(crate) fn go_on(&self, principal: &Principal) -> Result<(), Refusal> {
        if !self.is_good(principal) {
            return Err(self.refusal(Why::Session.into()));
        }
        self.inner.sessions.was_used(&principal.session);
        Ok(())
    }

    /// Forgets a session that the gateway itself keeps. That nobody comes in by a sign-in that was ended, whatever its kind, is
    /// the registry's word.
    pub(crate) fn forget(&self, principal: &Principal) {
        if matches!(principal.how, How::Web | How::Local) {
            self.inner.sessions.end_one(&principal.session);
        }
    }

    /// A no as the refusal it is, counted.
    pub(crate) fn refusal(&self, denied: Denied) -> Refusal {
        let count = |reason| self.inner.metrics.sign_ins_refused.get_or_create(&Reason { reason }).inc();
        match denied {
            Denied::Refused(why) => {
                count(why.word());
                let text = why.to_string();
                match why {
                    Why::Csrf | Why::NoOrigin => Refusal::AccessDenied { why: text },
                    _ => Refusal::Unauthenticated { why: text },
                }
            }
            Denied::Unavailable(why) => {
                count("Unavailable");
                Refusal::SignInUnavailable { why }
            }
        }
    }

    /// Whom the tokens are for that sign in here, as far as that is written down.
    pub(crate) fn audiences(&self) -> &BTreeSet<String> {
        &self.inner.audiences
    }

    pub(crate) fn issuers(&self) -> &Issuers {
        &self.inner.issuers
    }

    pub(crate) fn takes_service_accounts(&self) -> bool {
        self.inner.reviews.is_some()
    }

    pub(crate) fn sessions(&self) -> &Sessions {
        &self.inner.sessions
    }

    pub(crate) fn local(&self) -> Option<&Local> {
        self.inner.local.as_ref()
    }

    /// Begins a sign-in by browser, at an issuer by its name, or at the only one.
    pub(crate) async fn begin(&self, issuer: Option<&str>, page: Option<&str>) -> Result<Begun, Denied> {
        let unknown = || Why::Issuer(issuer.unwrap_or("none is named").chars().take(64).collect());
        let found = self.inner.issuers.named(issuer).ok_or_else(unknown)?;
        self.inner.browsers.begin(found, page, &self.inner.redirect).await
    }

    /// Finishes a sign-in by browser: its session, and the page to come out at.
    pub(crate) async fn finish(&self, returned: &Returned<'_>) -> Result<(Given, String), Denied> {
        let inner = &self.inner;
        let (who, page) = inner.browsers.finish(&inner.issuers, returned, &inner.redirect).await?;
        let given = inner.sessions.begin(who.user, who.groups, How::Web);
        Ok((given.map_err(|error| Denied::Unavailable(error.to_string()))?, page))
    }
}

/// Whether it is a page of ours that asks with a browser's session. That the page is of no other origin is seen before,
/// of every request; here it must say of which it is, and show what only our pages can read: in a field, or among the
/// protocols of a WebSocket, since a browser's sends no fields of a page's choice.
fn check_page(method: &Method, headers: &HeaderMap, csrf: &str, place: Place) -> Result<(), Why> {
    let upgrade = headers.contains_key(header::UPGRADE);
    if method.is_safe() && !upgrade {
        return Ok(());
    }
    if !headers.contains_key(header::ORIGIN) && !headers.contains_key("sec-fetch-site") {
        return Err(Why::NoOrigin);
    }
    let shown = match (upgrade, place) {
        // There it takes a ticket, which is got by a method that is not safe.
        (true, Place::Pages) => return Ok(()),
        (true, _) => websocket_protocol(headers, CSRF_PROTOCOL),
        (false, _) => headers.get(CSRF).and_then(|value| value.to_str().ok()),
    };
    if trunkline_oidc::same(shown.unwrap_or_default(), csrf) { Ok(()) } else { Err(Why::Csrf) }
}

/// Reads the identity out of a certificate that TLS verified.
pub(crate) fn identity(
    certificates: Option<&[CertificateDer<'_>]>,
) -> Result<Option<ClientIdentity>, Refusal> {
    match certificates.and_then(<[_]>::first) {
        None => Ok(None),
        Some(certificate) => ClientIdentity::from_certificate(certificate)
            .map(Some)
            .map_err(|error| Refusal::Unauthenticated { why: error.to_string() }),
    }
}

/// The refusal of whoever shows nothing.
pub(crate) fn nothing_shown() -> Refusal {
    Refusal::Unauthenticated {
        why: "the request shows no token and the connection no client certificate; run trunkline login, or give \
              kubectl --token, or client-certificate and client-key"
            .into(),
    }
}
