//! ID tokens: from a token to who its issuer says its bearer is (OpenID Connect Core 1.0, section 3.1.3.7).
//!
//! ```text
//! iss → Issuer ── keys.rs: the issuer's keys, followed ── signature ── claims.rs: times, audience, names
//! ```
//!
//! Invariants:
//! - an issuer says who its own people are and nobody else's: the token's `iss` chooses it among the configured ones;
//! - a key is used with the one family of algorithms that it is of, and only with those that are allowed;
//! - what was verified is remembered by hash, no longer than the token is good, and only while the issuer's keys stay
//!   what they were.

mod claims;
mod issuer;
mod keys;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tracing::warn;
use trunkline_runtime::Tasks;

use super::jwt::Jwt;
use super::principal::Principal;
use super::remembered::{Hash, Remembered};
use super::why::{Denied, Why};
use crate::config::{AuthnConfig, GatewayConfigError};
use crate::metrics::Metrics;

pub(crate) use claims::principal as bearer;
pub(crate) use issuer::Issuer;

/// The most verified tokens that are remembered.
const MOST: usize = 10_000;

/// The configured issuers. Clones share them.
#[derive(Clone)]
pub(crate) struct Issuers {
    issuers: Arc<[Issuer]>,
    verified: Arc<Remembered<Verified>>,
}

/// A token that was verified.
#[derive(Clone)]
struct Verified {
    principal: Arc<Principal>,
    issuer: usize,
    /// Which of the issuer's sets of keys it was verified with.
    keys: u64,
}

impl Issuers {
    /// The issuers of a configuration; their files are read here, and nobody is asked.
    pub(super) fn new(
        config: &AuthnConfig,
        metrics: &Metrics,
        tasks: &Tasks,
    ) -> Result<Self, GatewayConfigError> {
        let issuers = config.issuers.iter().map(|issuer| Issuer::new(issuer, metrics, tasks));
        let issuers = issuers.collect::<Result<Vec<_>, _>>()?;
        Ok(Self { issuers: issuers.into(), verified: Arc::new(Remembered::new(MOST)) })
    }

    /// Whether the files that a configuration names are usable.
    pub(crate) fn check(config: &AuthnConfig) -> Result<(), GatewayConfigError> {
        Self::new(config, &Metrics::default(), &Tasks::new()).map(drop)
    }

    /// Follows the keys of all issuers, until told to stop.
    pub(super) fn follow(&self, tasks: &Tasks) {
        for at in 0..self.issuers.len() {
            let issuers = self.issuers.clone();
            tasks.spawn_until_stopped(async move {
                if let Some(issuer) = issuers.get(at) {
                    issuer.follow().await;
                }
            });
        }
    }

    /// The issuer of this name; the only one there is, for none.
    pub(crate) fn named(&self, name: Option<&str>) -> Option<&Issuer> {
        match (name, &*self.issuers) {
            (Some(name), issuers) => issuers.iter().find(|issuer| issuer.name() == name),
            (None, [only]) => Some(only),
            (None, _) => None,
        }
    }

    /// All issuers.
    pub(crate) fn all(&self) -> &[Issuer] {
        &self.issuers
    }

    /// Whether one calls itself this.
    pub(super) fn has(&self, url: &str) -> bool {
        self.issuers.iter().any(|issuer| issuer.url() == url)
    }

    /// Who bears a token.
    pub(super) async fn principal(&self, token: &str, jwt: &Jwt<'_>) -> Result<Principal, Denied> {
        let url = jwt.issuer()?;
        let found = self.issuers.iter().enumerate().find(|(_, issuer)| issuer.url() == url);
        let Some((at, issuer)) = found else {
            return Err(Why::Issuer(url.chars().take(200).filter(|c| !c.is_control()).collect()).into());
        };
        let hash = Hash::of(token);
        if let Some(known) = self.verified.get(&hash) {
            let current = known.issuer == at && known.keys == issuer.keys().generation();
            let ended =
                known.principal.expires.is_some_and(|ends| ends + issuer.leeway() <= SystemTime::now());
            if current && !ended {
                return Ok((*known.principal).clone());
            }
        }
        let keys = issuer.keys().verify(jwt).await?;
        let principal = issuer.principal(&jwt.claims, SystemTime::now())?;
        let lasts = principal.expires.and_then(|ends| ends.duration_since(SystemTime::now()).ok());
        let kept = Verified { principal: Arc::new(principal.clone()), issuer: at, keys };
        self.verified.keep(hash, kept, lasts.unwrap_or(Duration::ZERO));
        Ok(principal)
    }

    /// Who a token of an issuer's own answer is of; it must hold this nonce.
    pub(super) async fn fresh(&self, issuer: &Issuer, token: &str, nonce: &str) -> Result<Principal, Denied> {
        if token.len() > super::MAX_TOKEN {
            return Err(Why::TooLong.into());
        }
        let jwt = Jwt::read(token)?;
        if jwt.issuer()? != issuer.url() {
            return Err(Why::Issuer("another than was asked".into()).into());
        }
        issuer.keys().verify(&jwt).await?;
        let held = super::jwt::text(&jwt.claims, "nonce")?;
        if !trunkline_oidc::same(held, nonce) {
            return Err(Why::Claim { claim: "nonce".into(), what: "is not this sign-in's" }.into());
        }
        Ok(issuer.principal(&jwt.claims, SystemTime::now())?)
    }
}

/// Says that an issuer is away, once for each time.
fn away(name: &str, why: &str) {
    warn!(issuer = name, why, "an issuer's keys are not to be had; the last good ones stay in use");
}
