//! One issuer: how it is set up, and who its claims make of somebody.

use std::path::Path;
use std::time::{Duration, SystemTime};

use jsonwebtoken::Algorithm;
use serde_json::{Map, Value};
use trunkline_oidc::{Fetch, OidcClient, OidcError, Provider};
use trunkline_runtime::{Tasks, chain};
use zeroize::Zeroizing;

use super::claims;
use super::keys::Keys;
use crate::authn::principal::Principal;
use crate::authn::why::Why;
use crate::config::{GatewayConfigError, IssuerConfig};
use crate::metrics::Metrics;

/// The longest secret of a client, in bytes.
const MAX_SECRET: usize = 4096;

/// The longest file of roots, in bytes.
const MAX_ROOTS: u64 = 64 * 1024;

/// One issuer.
pub(crate) struct Issuer {
    config: IssuerConfig,
    client: OidcClient,
    fetch: Fetch,
    /// PEM of the roots of its certificate, where they are not the public ones.
    roots: Option<String>,
    keys: Keys,
}

impl Issuer {
    pub(super) fn new(
        config: &IssuerConfig,
        metrics: &Metrics,
        tasks: &Tasks,
    ) -> Result<Self, GatewayConfigError> {
        let wrong = |field: &str, why: String| GatewayConfigError::Authn {
            field: format!("issuers: {}: {field}", config.name),
            why,
        };
        let roots = config.ca.as_deref().map(roots).transpose().map_err(|why| wrong("ca", why))?;
        let fetch = Fetch::new(roots.as_ref().map(String::as_bytes), tasks);
        let fetch = fetch.map_err(|error| wrong("ca", chain(&error)))?;
        let secret = config.client_secret_file.as_deref().map(secret).transpose();
        let secret = secret.map_err(|why| wrong("client_secret_file", why))?;
        let client = OidcClient { id: config.client_id.clone(), secret };
        let keys = Keys::new(config, fetch.clone(), metrics.clone());
        Ok(Self { config: config.clone(), client, fetch, roots, keys })
    }

    pub(crate) fn name(&self) -> &str {
        &self.config.name
    }

    pub(crate) fn url(&self) -> &str {
        &self.config.url
    }

    pub(crate) fn config(&self) -> &IssuerConfig {
        &self.config
    }

    pub(super) fn keys(&self) -> &Keys {
        &self.keys
    }

    pub(super) fn leeway(&self) -> Duration {
        Duration::from_secs(self.config.leeway_seconds)
    }

    /// The gateway's own client there.
    pub(crate) fn client(&self) -> &OidcClient {
        &self.client
    }

    pub(crate) fn fetch(&self) -> &Fetch {
        &self.fetch
    }

    /// PEM of the roots of its certificate, where they are not the public ones.
    pub(crate) fn roots(&self) -> Option<&str> {
        self.roots.as_deref()
    }

    /// What it says of itself, asked now if it was not before.
    pub(crate) async fn provider(&self) -> Result<Provider, OidcError> {
        self.keys.provider().await
    }

    pub(super) async fn follow(&self) {
        self.keys.follow().await;
    }

    /// Who verified claims make of their bearer.
    pub(super) fn principal(&self, claims: &Map<String, Value>, now: SystemTime) -> Result<Principal, Why> {
        claims::principal(&self.config, claims, now)
    }
}

fn roots(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let length = std::fs::metadata(path).map_err(|error| format!("{shown}: {error}"))?.len();
    if length > MAX_ROOTS {
        return Err(format!("{shown} is longer than {MAX_ROOTS} bytes"));
    }
    std::fs::read_to_string(path).map_err(|error| format!("{shown}: {error}"))
}

fn secret(path: &Path) -> Result<Zeroizing<String>, String> {
    let shown = path.display();
    let bytes = std::fs::read(path).map(Zeroizing::new).map_err(|error| format!("{shown}: {error}"))?;
    let text = std::str::from_utf8(&bytes).map(str::trim).unwrap_or_default();
    if text.is_empty() || text.len() > MAX_SECRET {
        return Err(format!("{shown} holds no secret of 1 to {MAX_SECRET} bytes of text"));
    }
    Ok(Zeroizing::new(text.to_owned()))
}

/// The algorithms that a key of this type and curve is used with.
pub(super) fn fits(algorithm: Algorithm, kty: &str, curve: &str) -> bool {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    match algorithm {
        RS256 | RS384 | RS512 | PS256 | PS384 | PS512 => kty == "RSA",
        ES256 => kty == "EC" && curve == "P-256",
        ES384 => kty == "EC" && curve == "P-384",
        EdDSA => kty == "OKP" && curve == "Ed25519",
        // With a shared secret: a public key must never be one.
        _ => false,
    }
}
