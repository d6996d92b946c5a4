//! Tokens that `login` got, in a file of their own: read whole, replaced whole, its owner's alone.
//!
//! Invariant: whoever renews holds the lock beside the file, and looks again before asking: of many kubectls that run at
//! once, one asks the issuer.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use trunkline_oidc::{Fetch, OidcClient, Provider};
use trunkline_runtime::Tasks;

use crate::{profile, write};

/// The largest file, in bytes.
const MAX: u64 = 256 * 1024;
/// How long another renewal is waited for.
const TURN: Duration = Duration::from_secs(20);
/// How often is looked whether it is one's turn.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What a file of tokens holds.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Kept {
    /// What is shown to the gateway.
    pub(crate) token: String,
    /// Until when it is good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ends: Option<Timestamp>,
    /// How it is renewed, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) renewal: Option<Renewal>,
}

/// How a token is renewed: at its issuer.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Renewal {
    /// The issuer's URL.
    pub(crate) issuer: String,
    /// The command line's client there.
    pub(crate) client_id: String,
    /// PEM of the roots of its certificate, where they are not public.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) roots: Option<String>,
    /// What a new token is got with.
    pub(crate) refresh_token: String,
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept").field("ends", &self.ends).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Renewal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Renewal").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

impl Kept {
    /// Reads a file of tokens.
    pub(crate) fn load(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let size = std::fs::metadata(path).with_context(|| format!("cannot read {shown}"))?.len();
        if size > MAX {
            bail!("{shown} is longer than {MAX} bytes; it is no file of tokens");
        }
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {shown}"))?;
        // Not with the parser's words: they may hold a piece of a token.
        serde_json::from_slice(&bytes).map_err(|_| anyhow::anyhow!("{shown} holds no tokens"))
    }

    /// Writes it.
    pub(crate) fn save(&self, path: &Path) -> anyhow::Result<()> {
        let json = serde_json::to_vec(self).context("the tokens cannot be written as JSON")?;
        write::replace(path, &json)
    }

    /// Whether it is good for that long from now.
    pub(crate) fn lasts(&self, at_least: Duration) -> bool {
        let now = Timestamp::now();
        self.ends.is_none_or(|ends| now.checked_add(at_least).is_ok_and(|then| then < ends))
    }

    /// Renews it, unless somebody else did meanwhile. None where there is nothing to renew it with.
    pub(crate) async fn renew(path: &Path, at_least: Duration) -> anyhow::Result<Option<Self>> {
        let _turn = turn(path).await?;
        let mut kept = Self::load(path)?;
        if kept.lasts(at_least) {
            return Ok(Some(kept));
        }
        let Some(renewal) = kept.renewal.take() else { return Ok(None) };
        let fetch = Fetch::new(renewal.roots.as_ref().map(String::as_bytes), &Tasks::new())?;
        let provider = Provider::discover(&fetch, &renewal.issuer).await?;
        let client = OidcClient { id: renewal.client_id.clone(), secret: None };
        let tokens = client.refresh(&fetch, &provider, &renewal.refresh_token).await?;
        let refresh_token = tokens.refresh_token.unwrap_or_else(|| renewal.refresh_token.clone());
        let renewed = Self {
            ends: claims_of(&tokens.id_token).ends,
            token: tokens.id_token,
            renewal: Some(Renewal { refresh_token, ..renewal }),
        };
        renewed.save(path)?;
        Ok(Some(renewed))
    }
}

/// Waits until nobody else renews. Whoever holds this does.
async fn turn(path: &Path) -> anyhow::Result<File> {
    let path = path.with_extension("lock");
    let shown = path.display();
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    let file = options.open(&path).with_context(|| format!("cannot open {shown}"))?;
    let began = Instant::now();
    while file.try_lock().is_err() {
        if began.elapsed() > TURN {
            bail!("another command holds {shown} for more than {} s", TURN.as_secs());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(file)
}

/// What is read of a token that its issuer gave us over TLS, or that a file holds: the gateway judges it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TokenClaims {
    /// Until when it is good, if it says so.
    pub(crate) ends: Option<Timestamp>,
    /// The nonce that it was asked for with.
    pub(crate) nonce: Option<String>,
}

/// The claims of a token; none of what is no JWT.
pub(crate) fn claims_of(token: &str) -> TokenClaims {
    #[derive(Deserialize)]
    struct Claims {
        exp: Option<f64>,
        nonce: Option<String>,
    }
    let read = || {
        let bytes = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
        serde_json::from_slice::<Claims>(&bytes).ok()
    };
    let Some(claims) = read() else { return TokenClaims::default() };
    // Beyond all years it is no end.
    let ends = claims.exp.and_then(|exp| Timestamp::from_second(exp as i64).ok());
    TokenClaims { ends, nonce: claims.nonce }
}

/// Where the tokens of a gateway lie, by the name it has here.
pub(crate) fn file_of(name: &str) -> anyhow::Result<PathBuf> {
    let config = profile::path()?;
    let folder = config.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = std::path::absolute(folder).context("the profile's folder is no path")?;
    // A name may hold anything; a file's name here does not.
    let file: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
    Ok(folder.join("tokens").join(format!("{}.json", file.chars().take(200).collect::<String>())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tokens_end_is_read_and_nothing_of_what_is_no_token() {
        let token = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(r#"{"exp": 1800000000, "nonce": "n"}"#));
        let claims = claims_of(&token);
        assert_eq!(claims.ends, Timestamp::from_second(1_800_000_000).ok());
        assert_eq!(claims.nonce.as_deref(), Some("n"));
        for other in ["", "opaque", "a.b.c", "e30.bm9qc29u.x"] {
            assert_eq!(claims_of(other), TokenClaims::default(), "{other}");
        }
    }

    #[test]
    fn tokens_are_shown_to_nobody() {
        let renewal = Renewal {
            issuer: "https://id.test".into(),
            client_id: "cli".into(),
            roots: None,
            refresh_token: "s3cret".into(),
        };
        let kept = Kept { token: "s3cret".into(), ends: None, renewal: Some(renewal.clone()) };
        assert!(!format!("{kept:?} {renewal:?}").contains("s3cret"));
    }
}
