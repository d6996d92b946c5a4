//! An issuer's keys: read in advance, followed as they rotate, and kept while the issuer is away.
//!
//! Invariants:
//! - a token never causes more than one question in 10 s, whatever it says, and those who wait for it wait for one;
//! - the last good set stays until there is another good one;
//! - a token names its key, or there is only one that it can be of.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;
use tokio::sync::Mutex;
use tracing::info;
use trunkline_oidc::{Fetch, OidcError, Provider};
use trunkline_runtime::chain;

use super::issuer::fits;
use crate::authn::jwt::Jwt;
use crate::authn::why::{Denied, Why};
use crate::config::IssuerConfig;
use crate::metrics::{IssuerLabels, Metrics};

/// How often the keys are read again: as the issuer says, within these; and when it says nothing.
const OFTEN: Duration = Duration::from_secs(60);
const SELDOM: Duration = Duration::from_secs(3600);
const USUAL: Duration = Duration::from_secs(600);
/// How soon again when it is away: doubled each time, up to the last.
const AWAY: Duration = Duration::from_secs(5);
const LONG_AWAY: Duration = Duration::from_secs(300);
/// How long after one question the next may be because of a token.
const BECAUSE_OF_A_TOKEN: Duration = Duration::from_secs(10);
/// The most keys that are taken of a set.
const MAX_KEYS: usize = 100;

/// The keys of one issuer.
pub(super) struct Keys {
    name: String,
    url: String,
    algorithms: Vec<Algorithm>,
    fetch: Fetch,
    metrics: Metrics,
    current: ArcSwapOption<Set>,
    /// Held by who asks.
    asking: Mutex<Asked>,
}

#[derive(Default)]
struct Asked {
    last: Option<Instant>,
    times: u64,
    away: bool,
}

/// A set of keys, and the provider whose they are.
struct Set {
    provider: Provider,
    keys: Vec<Key>,
    /// Counts the sets that differ.
    generation: u64,
    again: Duration,
}

struct Key {
    id: Option<String>,
    kty: String,
    curve: String,
    /// The one algorithm it is for, if it says so.
    algorithm: Option<String>,
    key: DecodingKey,
    /// As it was read, to see whether a set differs.
    raw: Value,
}

impl Keys {
    pub(super) fn new(config: &IssuerConfig, fetch: Fetch, metrics: Metrics) -> Self {
        Self {
            name: config.name.clone(),
            url: config.url.clone(),
            algorithms: config.allowed(),
            fetch,
            metrics,
            current: ArcSwapOption::empty(),
            asking: Mutex::default(),
        }
    }

    /// Which set is in use; 0 before the first.
    pub(super) fn generation(&self) -> u64 {
        self.current.load().as_ref().map_or(0, |set| set.generation)
    }

    /// Reads the keys again and again.
    pub(super) async fn follow(&self) {
        let mut away = AWAY;
        loop {
            let mut asked = self.asking.lock().await;
            let wait = match self.ask(&mut asked).await {
                Ok(again) => {
                    away = AWAY;
                    again
                }
                Err(_) => {
                    let wait = away;
                    away = (away * 2).min(LONG_AWAY);
                    wait
                }
            };
            drop(asked);
            tokio::time::sleep(wait).await;
        }
    }

    /// What the issuer says of itself.
    pub(super) async fn provider(&self) -> Result<Provider, OidcError> {
        if let Some(set) = &*self.current.load() {
            return Ok(set.provider.clone());
        }
        Provider::discover(&self.fetch, &self.url).await
    }

    /// Whether a token is signed by one of the keys; the generation of its set.
    pub(super) async fn verify(&self, jwt: &Jwt<'_>) -> Result<u64, Denied> {
        if !self.algorithms.contains(&jwt.algorithm) {
            return Err(Why::Algorithm.into());
        }
        if let Some(set) = &*self.current.load()
            && let Some(key) = set.of(jwt)
        {
            return verified(key, jwt, set.generation);
        }
        self.ask_because_of_a_token().await;
        let current = self.current.load();
        let Some(set) = &*current else {
            return Err(Denied::Unavailable(format!(
                "the issuer {} was not reached yet, so that its tokens cannot be judged; try again",
                self.name
            )));
        };
        match set.of(jwt) {
            Some(key) => verified(key, jwt, set.generation),
            None => Err(Why::Key(self.name.clone()).into()),
        }
    }

    async fn ask_because_of_a_token(&self) {
        let mut asked = self.asking.lock().await;
        if asked.last.is_some_and(|last| last.elapsed() < BECAUSE_OF_A_TOKEN) {
            return;
        }
        let _ = self.ask(&mut asked).await;
    }

    /// Asks the issuer for what it says of itself and for its keys; says when to ask again.
    async fn ask(&self, asked: &mut Asked) -> Result<Duration, OidcError> {
        let read = self.read(asked.times + 1).await;
        asked.last = Some(Instant::now());
        let labels = |result| IssuerLabels { issuer: self.name.clone(), result };
        match read {
            Ok(set) => {
                self.metrics.issuer_fetches.get_or_create(&labels("good")).inc();
                if asked.away || asked.times == 0 {
                    info!(issuer = self.name, keys = set.keys.len(), "an issuer's keys are read");
                }
                asked.away = false;
                let again = set.again;
                let same = self.current.load().as_ref().is_some_and(|current| current.is_as(&set));
                if !same {
                    asked.times += 1;
                    self.current.store(Some(Arc::new(set)));
                }
                Ok(again)
            }
            Err(error) => {
                self.metrics.issuer_fetches.get_or_create(&labels("failed")).inc();
                if !asked.away {
                    super::away(&self.name, &chain(&error));
                }
                asked.away = true;
                Err(error)
            }
        }
    }

    async fn read(&self, generation: u64) -> Result<Set, OidcError> {
        let provider = Provider::discover(&self.fetch, &self.url).await?;
        let answer = provider.keys(&self.fetch).await?;
        let wrong =
            |why: &str| OidcError::Answer { url: format!("the keys of {}", self.url), why: why.into() };
        let set: Value = serde_json::from_slice(&answer.body).map_err(|_| wrong("they are no JSON"))?;
        let listed = set["keys"].as_array().ok_or_else(|| wrong("there is no list of keys"))?;
        let keys: Vec<Key> = listed.iter().take(MAX_KEYS).filter_map(Key::read).collect();
        if keys.is_empty() {
            return Err(wrong("there is none among them that is used here"));
        }
        let again = answer.max_age.map_or(USUAL, |age| age.clamp(OFTEN, SELDOM));
        Ok(Set { provider, keys, generation, again })
    }
}

impl Set {
    /// The key that a token is signed with, if it is one of these.
    fn of(&self, jwt: &Jwt<'_>) -> Option<&Key> {
        let mut fitting = self.keys.iter().filter(|key| key.is_for(jwt.algorithm));
        match &jwt.key {
            Some(id) => fitting.find(|key| key.id.as_ref() == Some(id)),
            None => fitting.next().filter(|_| fitting.next().is_none()),
        }
    }

    fn is_as(&self, other: &Self) -> bool {
        self.provider == other.provider
            && self.keys.len() == other.keys.len()
            && self.keys.iter().zip(&other.keys).all(|(one, other)| one.raw == other.raw)
    }
}

impl Key {
    /// A public key for signatures; none of anything else.
    fn read(raw: &Value) -> Option<Self> {
        let text = |name: &str| raw[name].as_str().unwrap_or_default().to_owned();
        let (kty, curve) = (text("kty"), text("crv"));
        if !matches!(kty.as_str(), "RSA" | "EC" | "OKP") || !matches!(raw["use"].as_str(), None | Some("sig"))
        {
            return None;
        }
        // jsonwebtoken reads no JWK whose `alg` it does not know; which are used is said by `fits`.
        let jwk: Jwk = serde_json::from_value(raw.clone()).ok()?;
        let key = DecodingKey::from_jwk(&jwk).ok()?;
        let id = raw["kid"].as_str().map(str::to_owned);
        let algorithm = raw["alg"].as_str().map(str::to_owned);
        Some(Self { id, kty, curve, algorithm, key, raw: raw.clone() })
    }

    fn is_for(&self, algorithm: Algorithm) -> bool {
        let named = self.algorithm.as_ref().is_none_or(|own| own.parse() == Ok(algorithm));
        named && fits(algorithm, &self.kty, &self.curve)
    }
}

fn verified(key: &Key, jwt: &Jwt<'_>, generation: u64) -> Result<u64, Denied> {
    let good = jsonwebtoken::crypto::verify(jwt.signature, jwt.signed.as_bytes(), &key.key, jwt.algorithm);
    if good.unwrap_or(false) { Ok(generation) } else { Err(Why::Signature.into()) }
}
