//! Signing in on another device: a code is printed, somebody types it in a browser anywhere.

use std::time::{Duration, Instant};

use trunkline_oidc::Polled;

use super::issuer::Issuer;
use crate::cmd::say;
use crate::exit::{Exit, Failure};
use crate::sign_in::Kept;
use crate::words::clip;

/// How much less often is asked when the issuer wants that (RFC 8628, section 3.5).
const SLOWER: Duration = Duration::from_secs(5);

pub(super) async fn sign_in(issuer: &Issuer) -> anyhow::Result<Kept> {
    let code = issuer.client.device_code(&issuer.fetch, &issuer.provider, &issuer.scopes).await?;
    say(&format!("open {} in a browser", clip(&code.verification_uri, 500)));
    say(&format!("and type there: {}", clip(&code.user_code, 50)));
    if let Some(complete) = &code.verification_uri_complete {
        say(&format!("or open {}", clip(complete, 500)));
    }
    let (began, mut every) = (Instant::now(), code.interval());
    while began.elapsed() < code.life() {
        tokio::time::sleep(every).await;
        match issuer.client.device_tokens(&issuer.fetch, &issuer.provider, &code).await? {
            Polled::Done(tokens) => return Ok(issuer.keep(tokens)),
            Polled::SlowDown => every += SLOWER,
            Polled::Pending => {}
        }
    }
    Err(Failure::new(Exit::TimedOut, "nobody typed the code in time").next("trunkline login, again").into())
}
