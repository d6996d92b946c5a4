//! `trunkline login`: finds out how to sign in, does it, asks the gateway who one is there, and remembers where what it
//! takes lies.
//!
//! ```text
//! --certificate, --key   certificate     files of one's own, remembered by their place
//! --token-file           token file
//! --user, --setup        local.rs        a password
//! --device               device.rs       a code, and a browser anywhere
//! else                   browser.rs      a browser here
//! ```

mod browser;
mod device;
mod issuer;
mod local;
mod secret;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jiff::Timestamp;
use trunkline_api::{GatewayStatus, SignInMethods, SignedIn};

use crate::cli::{LoginArgs, SignInArgs};
use crate::cmd::{ask, say};
use crate::exit::{Exit, Failure, of};
use crate::profile::{self, Profile, Profiles, Proof};
use crate::rest::Rest;
use crate::sign_in::{Kept, SignIn, file_of, gateway_url};
use crate::words::clean;

pub(crate) fn run(args: &LoginArgs, given: &SignInArgs) -> anyhow::Result<()> {
    let gateway = gateway_url(&args.url)?;
    let path = profile::path()?;
    let mut profiles = Profiles::load(&path)?;
    let known = profiles.find(Some(&gateway)).map(|profile| profile.ca.clone());
    let ca = match (&given.ca, known) {
        (None, Some(known)) => known,
        (given, _) => file(given.as_deref(), "--ca", "the roots of the gateway's certificate")?,
    };
    let name = args.name.clone().unwrap_or_else(|| gateway.trim_start_matches("https://").to_owned());
    let nobody = SignIn { gateway: gateway.clone(), ca, proof: None, remembered: false };
    let proof = if given.certificate.is_some() || given.key.is_some() {
        certificate(given)?
    } else if let Some(file_of_token) = &given.token_file {
        Proof::TokenFile(file(Some(file_of_token), "--token-file", "a token")?)
    } else {
        let kept = ask("trunkline login, again", sign_in(args, &nobody))?;
        // Under another name until the gateway took them: what was there before stays for that long.
        let at = file_of(&name)?.with_extension("new");
        kept.save(&at)?;
        Proof::Tokens(at)
    };
    let sign_in = SignIn { proof: Some(proof.clone()), ..nobody };
    let who = ask("trunkline login, again", who(&sign_in));
    let proof = match (proof, &who) {
        (Proof::Tokens(new), Ok(_)) => {
            let at = new.with_extension("json");
            std::fs::rename(&new, &at).with_context(|| format!("cannot write {}", at.display()))?;
            Proof::Tokens(at)
        }
        (Proof::Tokens(new), Err(_)) => {
            let _ = std::fs::remove_file(&new);
            Proof::Tokens(new)
        }
        (proof, _) => proof,
    };
    let who = who?;
    profiles.remember(Profile::new(name, gateway, sign_in.ca, proof))?;
    profiles.save(&path)?;
    tell(&sign_in.gateway, &who);
    Ok(())
}

/// Who one is at the gateway, and whether there are clusters.
struct Who {
    user: String,
    groups: Vec<String>,
    ends: Option<Timestamp>,
    /// How many clusters there are, for whoever may ask.
    clusters: Option<u64>,
}

async fn who(sign_in: &SignIn) -> anyhow::Result<Who> {
    let rest = Rest::new(sign_in)?;
    if let Some(ends) = sign_in.not_after()? {
        let status: GatewayStatus = rest.get("/status").await?;
        return Ok(Who {
            user: status.user,
            groups: status.groups,
            ends: Some(ends),
            clusters: Some(status.clusters),
        });
    }
    let who: SignedIn = rest.get("/auth/session").await?;
    // Who is in no role may use clusters and not ask about them.
    let clusters = rest.get::<GatewayStatus>("/status").await.ok().map(|status| status.clusters);
    Ok(Who { user: who.user, groups: who.groups, ends: who.expires, clusters })
}

fn tell(gateway: &str, who: &Who) {
    let groups = if who.groups.is_empty() { "in no group".into() } else { clean(&who.groups.join(", ")) };
    let until = who.ends.map(|ends| format!(", until {ends:.0}")).unwrap_or_default();
    say(&format!("signed in at {gateway} as {} ({groups}){until}", clean(&who.user)));
    match who.clusters {
        Some(0) => say("next:  trunkline clusters register NAME"),
        Some(_) => say("next:  trunkline clusters"),
        None => say(
            "next:  kubectl config set-cluster NAME --server GATEWAY/clusters/NAME; your groups may not list clusters",
        ),
    }
}

/// Signs in by whichever way there is.
async fn sign_in(args: &LoginArgs, nobody: &SignIn) -> anyhow::Result<Kept> {
    let rest = Rest::new(nobody)?;
    let methods = match rest.get::<SignInMethods>("/auth/methods").await {
        Ok(methods) => methods,
        // A gateway that knows of certificates only.
        Err(error) if of(&error).0 == Exit::NotFound => return Err(needs_certificate().into()),
        Err(error) => return Err(error),
    };
    if args.setup || args.user.is_some() {
        return local::sign_in(args, &rest, &methods).await;
    }
    let chosen = match (&args.issuer, methods.issuers.as_slice()) {
        (Some(name), issuers) => issuers.iter().find(|issuer| issuer.name == *name),
        (None, [only]) => Some(only),
        (None, _) => None,
    };
    let Some(chosen) = chosen else { return Err(no_way(args, &methods).into()) };
    let issuer = issuer::Issuer::reach(chosen).await?;
    if args.device { device::sign_in(&issuer).await } else { browser::sign_in(args, &issuer).await }
}

/// No way was named, or one that there is not.
fn no_way(args: &LoginArgs, methods: &SignInMethods) -> Failure {
    let names: Vec<String> = methods.issuers.iter().map(|issuer| clean(&issuer.name)).collect();
    let again = |flag: &str| format!("trunkline login {} {flag}", args.url);
    if let Some(wanted) = &args.issuer {
        let what = format!("the gateway has no issuer {wanted:?}; it has: {}", names.join(", "));
        return Failure::new(Exit::Usage, what);
    }
    if !names.is_empty() {
        let what = format!("the gateway has several issuers: {}", names.join(", "));
        return Failure::new(Exit::Usage, what).next(again("--issuer NAME"));
    }
    if methods.setup {
        let what = "nobody can sign in there yet; the code that the gateway printed when it first started makes you its admin";
        return Failure::new(Exit::NotSignedIn, what).next(again("--setup"));
    }
    if methods.local {
        return Failure::new(Exit::Usage, "the gateway has local users").next(again("--user NAME"));
    }
    needs_certificate()
}

fn needs_certificate() -> Failure {
    Failure::new(
        Exit::Usage,
        "--certificate FILE is missing: your client certificate; the gateway has no other way to sign in",
    )
    .next("trunkline login https://GATEWAY --ca CA.pem --certificate ME.pem --key ME.key")
}

fn certificate(given: &SignInArgs) -> anyhow::Result<Proof> {
    Ok(Proof::Certificate {
        certificate: file(given.certificate.as_deref(), "--certificate", "your client certificate")?,
        key: file(given.key.as_deref(), "--key", "the key of your client certificate")?,
    })
}

/// The full path of a file that must be there: it is remembered for commands in other folders.
fn file(path: Option<&Path>, flag: &str, what: &str) -> anyhow::Result<PathBuf> {
    let path = path.ok_or_else(|| {
        Failure::new(Exit::Usage, format!("{flag} FILE is missing: {what}"))
            .next("trunkline login https://GATEWAY --ca CA.pem --certificate ME.pem --key ME.key")
    })?;
    std::fs::canonicalize(path)
        .map_err(|error| Failure::new(Exit::Usage, format!("{flag} {}: {error}", path.display())).into())
}
