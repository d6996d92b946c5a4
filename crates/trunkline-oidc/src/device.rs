//! Signing in on another device (RFC 8628): a code here, a browser anywhere, and asking until it is done.

use std::time::Duration;

use serde::Deserialize;

use crate::grant::read;
use crate::{Fetch, OidcClient, OidcError, Provider, Tokens};

/// How often is asked when the provider does not say.
const EVERY: u64 = 5;
/// Bounds for what it says: seconds between questions, and seconds in all.
const MOST_BETWEEN: u64 = 60;
const MOST_IN_ALL: u64 = 30 * 60;

/// What somebody types elsewhere, and what is asked with meanwhile.
#[derive(Clone, Deserialize)]
pub struct DeviceCode {
    device_code: String,
    /// What to type.
    pub user_code: String,
    /// Where to type it.
    pub verification_uri: String,
    /// The same with the code in it, if there is such a page.
    pub verification_uri_complete: Option<String>,
    expires_in: u64,
    #[serde(default = "every")]
    interval: u64,
}

fn every() -> u64 {
    EVERY
}

/// How far a sign-in elsewhere is.
#[derive(Debug)]
pub enum Polled {
    /// Not done; ask again later.
    Pending,
    /// Not done; ask again later, and from now on 5 s less often.
    SlowDown,
    /// Done.
    Done(Tokens),
}

impl std::fmt::Debug for DeviceCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeviceCode").field("verification_uri", &self.verification_uri).finish_non_exhaustive()
    }
}

impl DeviceCode {
    /// How long to wait between questions.
    pub fn interval(&self) -> Duration {
        Duration::from_secs(self.interval.clamp(1, MOST_BETWEEN))
    }

    /// How long it may take in all.
    pub fn life(&self) -> Duration {
        Duration::from_secs(self.expires_in.clamp(1, MOST_IN_ALL))
    }
}

impl OidcClient {
    /// Asks for a code.
    ///
    /// # Errors
    /// When the provider is not reached, refuses, or offers none.
    pub async fn device_code(
        &self,
        fetch: &Fetch,
        provider: &Provider,
        scopes: &[String],
    ) -> Result<DeviceCode, OidcError> {
        let url = provider.device()?;
        let (form, authorization) = self.signed(&[("scope", &scopes.join(" "))]);
        read(url.as_str(), &fetch.post(url, form, authorization).await?)
    }

    /// Asks whether it is done.
    ///
    /// # Errors
    /// When the provider is not reached, or refuses for good.
    pub async fn device_tokens(
        &self,
        fetch: &Fetch,
        provider: &Provider,
        code: &DeviceCode,
    ) -> Result<Polled, OidcError> {
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("device_code", code.device_code.as_str()),
        ];
        match self.tokens(fetch, provider, &form).await {
            Ok(tokens) => Ok(Polled::Done(tokens)),
            Err(OidcError::Refused { error, .. }) if error == "authorization_pending" => Ok(Polled::Pending),
            Err(OidcError::Refused { error, .. }) if error == "slow_down" => Ok(Polled::SlowDown),
            Err(error) => Err(error),
        }
    }
}
