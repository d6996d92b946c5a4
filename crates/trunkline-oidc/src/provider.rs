//! What a provider says of itself (OpenID Connect Discovery 1.0), and where a browser is sent.

use serde::Deserialize;

use crate::error::plain;
use crate::{Answer, Endpoint, Fetch, OidcError};

/// Where the document stands, after the issuer's URL.
const WELL_KNOWN: &str = "/.well-known/openid-configuration";

/// A provider, as it describes itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// What it calls itself; the `iss` of its tokens.
    pub issuer: String,
    /// Where browsers are sent, if it does that.
    authorization: Option<Endpoint>,
    /// Where codes and refresh tokens become tokens.
    token: Option<Endpoint>,
    /// Where a device asks for a code, if it offers that (RFC 8628).
    device: Option<Endpoint>,
    /// Where its keys are.
    keys: Endpoint,
    /// Whether an answer to a browser names the issuer (RFC 9207).
    pub names_itself: bool,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    jwks_uri: String,
    authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    device_authorization_endpoint: Option<String>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// What a browser is sent to a provider with.
#[derive(Clone, Copy, Debug)]
pub struct Authorization<'a> {
    /// The client.
    pub client_id: &'a str,
    /// Where the provider sends the browser back to.
    pub redirect: &'a str,
    /// What is asked for; `openid` is among it.
    pub scopes: &'a [String],
    /// What ties the answer to the question.
    pub state: &'a str,
    /// What ties the token to the question.
    pub nonce: &'a str,
    /// The PKCE challenge (RFC 7636, S256).
    pub challenge: &'a str,
}

impl Provider {
    /// Asks an issuer to describe itself.
    ///
    /// # Errors
    /// When it is not reached, or describes somebody else, or with endpoints that are not asked.
    pub async fn discover(fetch: &Fetch, issuer: &str) -> Result<Self, OidcError> {
        let at = Endpoint::new(&format!("{}{WELL_KNOWN}", issuer.trim_end_matches('/')))?;
        let answer = fetch.get(&at).await?;
        let wrong = |why: String| OidcError::Answer { url: at.as_str().to_owned(), why };
        let document: Document =
            serde_json::from_slice(&answer.body).map_err(|error| wrong(error.to_string()))?;
        if document.issuer != issuer {
            return Err(OidcError::OtherIssuer { asked: issuer.to_owned(), says: plain(&document.issuer) });
        }
        let optional = |url: Option<String>| url.as_deref().map(Endpoint::new).transpose();
        Ok(Self {
            issuer: document.issuer,
            authorization: optional(document.authorization_endpoint)?,
            token: optional(document.token_endpoint)?,
            device: optional(document.device_authorization_endpoint)?,
            keys: Endpoint::new(&document.jwks_uri)?,
            names_itself: document.authorization_response_iss_parameter_supported,
        })
    }

    /// Reads its keys, as a JWK set.
    ///
    /// # Errors
    /// When they are not to be had.
    pub async fn keys(&self, fetch: &Fetch) -> Result<Answer, OidcError> {
        fetch.get(&self.keys).await
    }

    /// The URL that a browser is sent to.
    ///
    /// # Errors
    /// When browsers are not signed in there.
    pub fn authorization_url(&self, authorization: &Authorization<'_>) -> Result<String, OidcError> {
        let Authorization { client_id, redirect, scopes, state, nonce, challenge } = *authorization;
        let endpoint = self.authorization.as_ref().ok_or_else(|| self.lacks("sign-in by browser"))?;
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("response_type", "code")
            .append_pair("client_id", client_id)
            .append_pair("redirect_uri", redirect)
            .append_pair("scope", &scopes.join(" "))
            .append_pair("state", state)
            .append_pair("nonce", nonce)
            .append_pair("code_challenge", challenge)
            .append_pair("code_challenge_method", "S256")
            .finish();
        Ok(endpoint.with_query(&query))
    }

    pub(crate) fn token(&self) -> Result<&Endpoint, OidcError> {
        self.token.as_ref().ok_or_else(|| self.lacks("tokens"))
    }

    pub(crate) fn device(&self) -> Result<&Endpoint, OidcError> {
        self.device.as_ref().ok_or_else(|| self.lacks("device codes"))
    }

    fn lacks(&self, what: &'static str) -> OidcError {
        OidcError::NotOffered { issuer: self.issuer.clone(), what }
    }
}
