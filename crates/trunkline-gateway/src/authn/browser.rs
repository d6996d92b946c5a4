//! Signing in by browser: an authorisation code with PKCE, bound to the browser that began it.
//!
//! ```text
//! begin:  cookie = secret, issuer, until, page          state, nonce, verifier = MAC(key, cookie)
//! finish: cookie and state fit ── code + verifier → ID token ── nonce fits ── session
//! ```
//!
//! Nothing is kept here meanwhile, so that there is nothing to fill up: all of it is in the browser's cookie, and what is
//! sent to the issuer is drawn from that with a key that only this process has.
//!
//! Invariants: a state fits one cookie; a sign-in takes 10 minutes at the most; who is sent back somewhere is sent to a
//! page of ours.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use trunkline_oidc::{Authorization, OidcError, Pkce, random, same};
use trunkline_runtime::chain;
use zeroize::Zeroizing;

use super::oidc::{Issuer, Issuers};
use super::principal::Principal;
use super::why::{Denied, Why};

/// How long a sign-in may take.
pub(crate) const LASTS: Duration = Duration::from_secs(600);
/// How many codes are exchanged at once.
const AT_ONCE: usize = 64;
/// Where one comes out who asked for no page.
const HOME: &str = "/ui/";

/// Sign-ins by browser.
pub(super) struct Browsers {
    key: EncodingKey,
    places: Semaphore,
}

/// A sign-in that begins.
pub(crate) struct Begun {
    /// Where the browser is sent.
    pub(crate) location: String,
    /// What it keeps meanwhile. Secret.
    pub(crate) cookie: String,
}

/// What came back with the browser.
pub(crate) struct Returned<'a> {
    pub(crate) cookie: &'a str,
    pub(crate) state: &'a str,
    pub(crate) code: &'a str,
    /// The issuer, where it names itself (RFC 9207).
    pub(crate) issuer: Option<&'a str>,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    secret: String,
    issuer: String,
    until: u64,
    page: String,
}

impl Browsers {
    pub(super) fn new() -> Result<Self, OidcError> {
        let key = EncodingKey::from_secret(random()?.as_bytes());
        Ok(Self { key, places: Semaphore::new(AT_ONCE) })
    }

    /// Begins a sign-in at an issuer, to come out at a page.
    pub(super) async fn begin(
        &self,
        issuer: &Issuer,
        page: Option<&str>,
        redirect: &str,
    ) -> Result<Begun, Denied> {
        let page = page.unwrap_or(HOME);
        if !is_own_page(page) {
            return Err(Why::Malformed("return is no page under /ui/").into());
        }
        let provider = issuer.provider().await.map_err(|error| away(issuer, &error))?;
        let until = seconds(SystemTime::now() + LASTS);
        let secret = random().map_err(|error| away(issuer, &error))?.to_string();
        let kept = Kept { secret, issuer: issuer.name().into(), until, page: page.into() };
        // A struct of texts and a number always serialises.
        let cookie = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&kept).unwrap_or_default());
        let pkce = Pkce::of(self.mac("verifier", &cookie)?);
        let location = provider
            .authorization_url(&Authorization {
                client_id: &issuer.client().id,
                redirect,
                scopes: &issuer.config().scopes,
                state: &self.mac("state", &cookie)?,
                nonce: &self.mac("nonce", &cookie)?,
                challenge: &pkce.challenge,
            })
            .map_err(|error| away(issuer, &error))?;
        Ok(Begun { location, cookie })
    }

    /// Finishes a sign-in: who it was, and the page to come out at.
    pub(super) async fn finish(
        &self,
        issuers: &Issuers,
        returned: &Returned<'_>,
        redirect: &str,
    ) -> Result<(Principal, String), Denied> {
        let Returned { cookie, state, code, issuer: named } = *returned;
        if !same(&self.mac("state", cookie)?, state) {
            return Err(Why::State.into());
        }
        // It was made here, since its state was.
        let kept: Option<Kept> =
            URL_SAFE_NO_PAD.decode(cookie).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let kept = kept.filter(|kept| kept.until >= seconds(SystemTime::now())).ok_or(Why::State)?;
        let issuer = issuers.named(Some(&kept.issuer)).ok_or(Why::State)?;
        let _place = self
            .places
            .try_acquire()
            .map_err(|_| Denied::Unavailable("too many sign in at once; begin again".into()))?;
        let provider = issuer.provider().await.map_err(|error| away(issuer, &error))?;
        let fits = named.map_or(!provider.names_itself, |named| named == provider.issuer);
        if !fits {
            return Err(Why::Issuer("another than was asked".into()).into());
        }
        let pkce = Pkce::of(self.mac("verifier", cookie)?);
        let exchange = issuer.client().exchange_code(issuer.fetch(), &provider, code, redirect, &pkce);
        let tokens = exchange.await.map_err(|error| away(issuer, &error))?;
        let principal = issuers.fresh(issuer, &tokens.id_token, &self.mac("nonce", cookie)?).await?;
        Ok((principal, kept.page))
    }

    /// What belongs to a cookie and is known here alone.
    fn mac(&self, what: &str, cookie: &str) -> Result<Zeroizing<String>, Denied> {
        let message = Zeroizing::new(format!("{what}\n{cookie}"));
        jsonwebtoken::crypto::sign(message.as_bytes(), &self.key, Algorithm::HS256)
            .map(Zeroizing::new)
            .map_err(|_| Denied::Unavailable("the gateway cannot sign anybody in now".into()))
    }
}

fn away(issuer: &Issuer, error: &OidcError) -> Denied {
    Denied::Unavailable(format!(
        "the issuer {} does not sign anybody in now: {}",
        issuer.name(),
        chain(error)
    ))
}

fn seconds(when: SystemTime) -> u64 {
    when.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Whether a path is of a page of ours, however a browser may read it.
fn is_own_page(path: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~?=&#%+:@!$,;*".contains(&byte);
    path.len() <= 512
        && path.strip_prefix(HOME).is_some_and(|rest| !rest.starts_with('/'))
        && path.bytes().all(plain)
        && !path.split(['/', '?', '#']).any(|part| part == ".." || part == ".")
        && !path.to_ascii_lowercase().contains("%2e")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t18_nobody_is_sent_to_a_page_of_somebody_else() {
        for good in ["/ui/", "/ui/clusters", "/ui/clusters/prod-eu?tab=pods#x", "/ui/a%20b"] {
            assert!(is_own_page(good), "{good}");
        }
        for bad in [
            "",
            "/",
            "//evil.test/",
            "/ui",
            "https://evil.test/ui/",
            "/ui//evil.test",
            "/ui/../trunkline/v1/auth/logout",
            "/ui/%2e%2e/x",
            "/ui/\\evil.test",
            "/ui/\nset-cookie: x",
            "\\\\evil.test",
            "/trunkline/v1/auth/login",
            "javascript:alert(1)",
            "/ui/./x",
            "/uix/",
            "/ui/é",
            "/ui/ x",
            "/\t/evil.test",
        ] {
            assert!(!is_own_page(bad), "{bad:?}");
        }
        assert!(!is_own_page(&format!("/ui/{}", "a".repeat(600))));
    }

    #[test]
    fn what_is_drawn_from_a_cookie_is_its_own_and_this_process_own() {
        let (one, other) = (Browsers::new().unwrap(), Browsers::new().unwrap());
        let state = one.mac("state", "cookie").unwrap();
        assert_eq!(state.len(), 43);
        assert_eq!(*state, *one.mac("state", "cookie").unwrap());
        for different in
            [one.mac("nonce", "cookie"), one.mac("state", "cookie2"), other.mac("state", "cookie")]
        {
            assert_ne!(*state, *different.unwrap());
        }
    }
}
