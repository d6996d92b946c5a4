//! Signing in with a browser here: the issuer sends it back to a port on loopback (RFC 8252, section 7.3).
//!
//! Invariants:
//! - the port is open on 127.0.0.1 alone, and closed after 5 minutes at the most;
//! - an answer counts only with the state that this command sent; anything else that comes is answered and waited past;
//! - the code that comes is worth nothing without the verifier, which never leaves this process but to the issuer.

use std::net::Ipv4Addr;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use trunkline_oidc::{Authorization, Pkce, random, same};

use super::issuer::Issuer;
use crate::cli::LoginArgs;
use crate::cmd::say;
use crate::exit::{Exit, Failure};
use crate::sign_in::{Kept, claims_of};
use crate::words::clip;

/// How long somebody may take.
const PATIENCE: Duration = Duration::from_secs(300);
/// How long one request to the port may take, and how long it may be.
const REQUEST: Duration = Duration::from_secs(5);
const MAX_REQUEST: usize = 16 * 1024;
/// Where the browser comes back to.
const PATH: &str = "/callback";

pub(super) async fn sign_in(args: &LoginArgs, issuer: &Issuer) -> anyhow::Result<Kept> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, args.callback_port)).await.with_context(|| {
        format!("cannot listen on 127.0.0.1:{}; give another --callback-port", args.callback_port)
    })?;
    let redirect = format!("http://127.0.0.1:{}{PATH}", listener.local_addr()?.port());
    let (pkce, state, nonce) = (Pkce::new()?, random()?, random()?);
    let url = issuer.provider.authorization_url(&Authorization {
        client_id: &issuer.client.id,
        redirect: &redirect,
        scopes: &issuer.scopes,
        state: &state,
        nonce: &nonce,
        challenge: &pkce.challenge,
    })?;
    say("sign in with your browser, at");
    say(&url);
    if !args.no_browser {
        open(&url);
    }
    let named = issuer.provider.names_itself.then_some(issuer.provider.issuer.as_str());
    let waited = tokio::time::timeout(PATIENCE, wait(&listener, &state, named)).await;
    let code = waited.map_err(|_| {
        let what = format!("nobody signed in within {} minutes", PATIENCE.as_secs() / 60);
        Failure::new(Exit::TimedOut, what)
            .next("trunkline login --device, where no browser reaches this machine")
    })??;
    drop(listener);
    let tokens =
        issuer.client.exchange_code(&issuer.fetch, &issuer.provider, &code, &redirect, &pkce).await?;
    // Given over TLS by the issuer itself, which is what makes it believed here; the gateway checks the signature.
    if !claims_of(&tokens.id_token).nonce.is_some_and(|held| same(&held, &nonce)) {
        return Err(Failure::new(Exit::Failed, "the issuer's token is of another sign-in").into());
    }
    Ok(issuer.keep(tokens))
}

/// Waits for the browser to come back with our state.
async fn wait(listener: &TcpListener, state: &str, issuer: Option<&str>) -> anyhow::Result<String> {
    loop {
        let (mut stream, _) = listener.accept().await.context("the port was closed")?;
        // One after the other: whoever is slow has 5 s.
        let Ok(Some(target)) = tokio::time::timeout(REQUEST, target(&mut stream)).await else { continue };
        let back = Back::read(&target, state, issuer);
        let (status, text) = match &back {
            Back::Other => ("404 Not Found", "nothing is here"),
            Back::Foreign => ("400 Bad Request", "this sign-in was not begun here"),
            Back::Refused(_) => ("200 OK", "you were not signed in; you may close this page"),
            Back::Code(_) => ("200 OK", "you are signed in; you may close this page"),
        };
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\nconnection: close\r\n\
             cache-control: no-store\r\nreferrer-policy: no-referrer\r\nx-content-type-options: nosniff\r\n\r\n{text}",
            text.len()
        );
        let _ = tokio::time::timeout(REQUEST, async {
            stream.write_all(answer.as_bytes()).await?;
            stream.shutdown().await
        })
        .await;
        match back {
            Back::Code(code) => return Ok(code),
            Back::Refused(error) => {
                let what = format!("the issuer did not sign you in: {}", clip(&error, 200));
                return Err(Failure::new(Exit::NotSignedIn, what).into());
            }
            Back::Other | Back::Foreign => {}
        }
    }
}

/// What came back.
#[derive(Debug, PartialEq, Eq)]
enum Back {
    /// Something else altogether, such as a page's icon.
    Other,
    /// An answer to somebody else's question.
    Foreign,
    /// The issuer's no.
    Refused(String),
    /// What tokens are got with.
    Code(String),
}

impl Back {
    fn read(target: &str, state: &str, issuer: Option<&str>) -> Self {
        let Some(query) = target.strip_prefix(PATH).and_then(|rest| rest.strip_prefix('?')) else {
            return Self::Other;
        };
        let once = |name: &str| {
            let mut found = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name);
            let value = found.next().map(|(_, value)| value.into_owned());
            value.filter(|_| found.next().is_none())
        };
        let ours = once("state").is_some_and(|shown| same(&shown, state));
        let named = issuer.is_none_or(|issuer| once("iss").as_deref() == Some(issuer));
        if !ours || !named {
            return Self::Foreign;
        }
        match (once("error"), once("code")) {
            (Some(error), _) => Self::Refused(error),
            (None, Some(code)) => Self::Code(code),
            (None, None) => Self::Foreign,
        }
    }
}

/// The target of a GET; none of anything else.
async fn target(stream: &mut TcpStream) -> Option<String> {
    let mut heard = Vec::new();
    let mut piece = [0; 1024];
    while !heard.windows(4).any(|four| four == b"\r\n\r\n") {
        let read = stream.read(&mut piece).await.ok().filter(|read| *read > 0)?;
        heard.extend_from_slice(piece.get(..read)?);
        if heard.len() > MAX_REQUEST {
            return None;
        }
    }
    let text = String::from_utf8(heard).ok()?;
    let mut words = text.lines().next()?.split(' ');
    match (words.next(), words.next()) {
        (Some("GET"), Some(target)) => Some(target.to_owned()),
        _ => None,
    }
}

/// Starts a browser: `$BROWSER`, or what the system has for it. Whether one came is seen by what comes back.
fn open(url: &str) {
    let own = std::env::var("BROWSER").ok().filter(|browser| !browser.is_empty());
    let system = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let quiet = Stdio::null;
    let browser = own.as_deref().unwrap_or(system);
    let started = Command::new(browser).arg(url).stdin(quiet()).stdout(quiet()).stderr(quiet()).spawn();
    if started.is_err() && own.is_some() {
        say(&format!("{browser} does not start; open the address yourself"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_answer_to_our_own_question_counts() {
        let read = |target: &str| Back::read(target, "ours", Some("https://id.test"));
        assert_eq!(read("/callback?code=c&state=ours&iss=https%3A%2F%2Fid.test"), Back::Code("c".into()));
        assert_eq!(read("/callback?error=no&state=ours&iss=https://id.test"), Back::Refused("no".into()));
        for foreign in [
            "/callback?code=c&state=theirs&iss=https://id.test",
            "/callback?code=c&iss=https://id.test",
            "/callback?code=c&state=ours",
            "/callback?code=c&state=ours&iss=https://evil.test",
            "/callback?code=c&state=ours&state=ours&iss=https://id.test",
            "/callback?state=ours&iss=https://id.test",
            "/callback?code=c&code=d&state=ours&iss=https://id.test",
        ] {
            assert_eq!(read(foreign), Back::Foreign, "{foreign}");
        }
        for other in ["/favicon.ico", "/", "/callback", "/callbackx?code=c&state=ours"] {
            assert_eq!(read(other), Back::Other, "{other}");
        }
    }
}
