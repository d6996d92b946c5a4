//! The token endpoint: a code or a refresh token becomes tokens (RFC 6749, section 4.1.3 and 6).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::error::plain;
use crate::{Answer, Fetch, OidcError, Pkce, Provider};

/// The longest token that is taken, in bytes.
const MAX_TOKEN: usize = 16 * 1024;

/// Who asks a provider: a client that it knows.
#[derive(Clone)]
pub struct OidcClient {
    /// Its id.
    pub id: String,
    /// Its secret, of one that can keep one.
    pub secret: Option<Zeroizing<String>>,
}

impl std::fmt::Debug for OidcClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OidcClient").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What a provider gave.
#[derive(Clone, Deserialize)]
pub struct Tokens {
    /// Says who somebody is.
    #[serde(default)]
    pub id_token: String,
    /// Gets a new one, if it may.
    pub refresh_token: Option<String>,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens(hidden)")
    }
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_description: String,
}

impl OidcClient {
    /// A code, brought by a browser, becomes tokens.
    ///
    /// # Errors
    /// When the provider is not reached or refuses.
    pub async fn exchange_code(
        &self,
        fetch: &Fetch,
        provider: &Provider,
        code: &str,
        redirect: &str,
        pkce: &Pkce,
    ) -> Result<Tokens, OidcError> {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect),
            ("code_verifier", &pkce.verifier),
        ];
        self.tokens(fetch, provider, &form).await
    }

    /// A refresh token becomes new tokens. The answer may hold no new refresh token: then the one before stays.
    ///
    /// # Errors
    /// When the provider is not reached or refuses.
    pub async fn refresh(
        &self,
        fetch: &Fetch,
        provider: &Provider,
        refresh_token: &str,
    ) -> Result<Tokens, OidcError> {
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        self.tokens(fetch, provider, &form).await
    }

    pub(crate) async fn tokens(
        &self,
        fetch: &Fetch,
        provider: &Provider,
        form: &[(&str, &str)],
    ) -> Result<Tokens, OidcError> {
        let url = provider.token()?;
        let (form, authorization) = self.signed(form);
        let tokens: Tokens = read(url.as_str(), &fetch.post(url, form, authorization).await?)?;
        let wrong = |why: &str| OidcError::Answer { url: url.as_str().to_owned(), why: why.into() };
        if tokens.id_token.is_empty() {
            return Err(wrong("it holds no id_token; is the scope openid asked for?"));
        }
        if tokens.id_token.len().max(tokens.refresh_token.as_ref().map_or(0, String::len)) > MAX_TOKEN {
            return Err(wrong("a token is longer than 16 KiB"));
        }
        Ok(tokens)
    }

    /// A form with who sends it: a secret goes into `Authorization` (RFC 6749, section 2.3.1).
    pub(crate) fn signed(&self, form: &[(&str, &str)]) -> (String, Option<HeaderValue>) {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(form);
        let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let Some(secret) = &self.secret else {
            body.append_pair("client_id", &self.id);
            return (body.finish(), None);
        };
        let pair = Zeroizing::new(format!("{}:{}", encoded(&self.id), encoded(secret)));
        let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair.as_bytes()))).ok();
        if let Some(value) = &mut value {
            value.set_sensitive(true);
        }
        (body.finish(), value)
    }
}

/// Reads an answer of JSON, or the OAuth error in it.
pub(crate) fn read<T: serde::de::DeserializeOwned>(url: &str, answer: &Answer) -> Result<T, OidcError> {
    if answer.status.is_success() {
        // Not with the error's words: they may hold a piece of the answer.
        return serde_json::from_slice(&answer.body).map_err(|_| OidcError::Answer {
            url: url.to_owned(),
            why: "it is not the JSON that is due".into(),
        });
    }
    match serde_json::from_slice::<Refusal>(&answer.body) {
        Ok(refusal) if !refusal.error.is_empty() => Err(OidcError::Refused {
            error: plain(&refusal.error),
            description: plain(&refusal.error_description),
        }),
        _ => Err(OidcError::Status { url: url.to_owned(), status: answer.status }),
    }
}
