//! The token that is shown to the gateway: read from its file whenever it is needed, and renewed shortly before it ends.

use std::path::Path;
use std::time::Duration;

use http::HeaderValue;
use jiff::Timestamp;

use super::tokens::{Kept, claims_of};
use super::{SignIn, nobody};
use crate::exit::Failure;
use crate::profile::Proof;

/// How long before its end a token is renewed.
const BEFORE: Duration = Duration::from_secs(60);
/// The longest token, in bytes.
const MAX: u64 = 16 * 1024;

/// Where a token is found.
#[derive(Clone, Debug)]
pub(crate) struct Bearer {
    proof: Proof,
    gateway: String,
}

/// A token as it is now. It has no `Debug`: it is a secret.
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) ends: Option<Timestamp>,
}

impl Bearer {
    /// Of a sign-in by token; none of another.
    pub(crate) fn of(sign_in: &SignIn) -> Option<Self> {
        match &sign_in.proof {
            Some(proof @ (Proof::TokenFile(_) | Proof::Tokens(_))) => {
                Some(Self { proof: proof.clone(), gateway: sign_in.gateway.clone() })
            }
            Some(Proof::Certificate { .. }) | None => None,
        }
    }

    /// The token.
    ///
    /// # Errors
    /// When there is none that is good: then nobody is signed in.
    pub(crate) async fn token(&self) -> anyhow::Result<Token> {
        match &self.proof {
            Proof::TokenFile(path) => in_file(path),
            Proof::Tokens(path) => self.kept(path).await,
            Proof::Certificate { certificate, .. } => {
                Err(nobody(&format!("{} is no token", certificate.display())).into())
            }
        }
    }

    /// The field that shows it.
    pub(crate) async fn authorization(&self) -> anyhow::Result<HeaderValue> {
        let token = self.token().await?;
        let mut value = HeaderValue::try_from(format!("Bearer {}", token.text))
            .map_err(|_| nobody("your token holds something that no token does"))?;
        value.set_sensitive(true);
        Ok(value)
    }

    async fn kept(&self, path: &Path) -> anyhow::Result<Token> {
        let kept = Kept::load(path).map_err(|error| self.ended(&format!("{error:#}")))?;
        let good = |kept: Kept| Token { text: kept.token, ends: kept.ends };
        if kept.lasts(BEFORE) {
            return Ok(good(kept));
        }
        let still = kept.lasts(Duration::ZERO);
        match Kept::renew(path, BEFORE).await {
            Ok(Some(renewed)) => Ok(good(renewed)),
            // It is good for a little longer; maybe the issuer comes back.
            Ok(None) | Err(_) if still => Ok(good(kept)),
            Ok(None) => {
                let at = kept.ends.map(|ends| format!(" at {ends:.0}")).unwrap_or_default();
                Err(self.ended(&format!("your sign-in at {} ended{at}", self.gateway)).into())
            }
            Err(error) => {
                let why = trunkline_runtime::chain(error.as_ref());
                Err(self.ended(&format!("your sign-in ended and could not be renewed: {why}")).into())
            }
        }
    }

    fn ended(&self, why: &str) -> Failure {
        nobody(why).next(format!("trunkline login {}", self.gateway))
    }
}

/// The token of a file that somebody else keeps good.
pub(super) fn in_file(path: &Path) -> anyhow::Result<Token> {
    let shown = path.display();
    let next = format!("put a good token into {shown}");
    let wrong = |why: String| nobody(&format!("{shown}: {why}")).next(next.clone());
    let size = std::fs::metadata(path).map_err(|error| wrong(error.to_string()))?.len();
    if size > MAX + 1 {
        return Err(wrong(format!("it is longer than {MAX} bytes")).into());
    }
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let text = text.trim().to_owned();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(wrong("it holds no token".into()).into());
    }
    let ends = claims_of(&text).ends;
    if let Some(ends) = ends.filter(|ends| *ends <= Timestamp::now()) {
        return Err(wrong(format!("its token ended at {ends:.0}")).into());
    }
    Ok(Token { text, ends })
}
