//! Who somebody is to the gateway, and where that is: flags and variables first, then what `login` remembered.

mod bearer;
mod cluster;
mod tokens;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use http::Uri;
use jiff::Timestamp;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use crate::cli::SignInArgs;
use crate::exit::{Exit, Failure};
use crate::profile::{self, Profile, Profiles, Proof};

pub(crate) use bearer::Bearer;
pub(crate) use cluster::{ForCluster, cluster_of};
pub(crate) use tokens::{Kept, Renewal, claims_of, file_of};

/// The largest file of certificates that is read, in bytes.
const MAX_PEM: u64 = 1024 * 1024;

/// A gateway and what to sign in there with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SignIn {
    /// The front door: `https://host` or `https://host:port`, and nothing after it.
    pub(crate) gateway: String,
    /// PEM: the roots of its certificate.
    pub(crate) ca: PathBuf,
    /// What says who somebody is; nothing for whoever only asks how to sign in.
    pub(crate) proof: Option<Proof>,
    /// Whether all of it is remembered: then the gateway's URL is enough to find it again.
    pub(crate) remembered: bool,
}

impl SignIn {
    /// Puts flags, variables and what is remembered together.
    pub(crate) fn find(args: &SignInArgs) -> anyhow::Result<Self> {
        let profiles = Profiles::load(&profile::path()?)?;
        let profile = match &args.gateway {
            None => profiles.find(None),
            Some(wanted) => profiles
                .find(Some(wanted))
                .or_else(|| profiles.find(gateway_url(wanted).ok().as_deref().or(Some(wanted)))),
        };
        let gateway = match (profile, &args.gateway) {
            (Some(profile), _) => profile.gateway.clone(),
            (None, Some(wanted)) => gateway_url(wanted)?,
            (None, None) => return Err(nobody("you are not signed in at a gateway").into()),
        };
        let missing =
            |flag: &str| nobody(&format!("you are not signed in at {gateway}, and {flag} is not given"));
        let ca = args.ca.clone().or_else(|| profile.map(|profile| profile.ca.clone()));
        let ca = ca.ok_or_else(|| missing("--ca"))?;
        let proof = proof(args, profile).map_err(missing)?;
        let same = |profile: &Profile| profile.ca == ca && profile.proof().as_ref() == Some(&proof);
        let remembered = profile.is_some_and(same);
        Ok(Self { gateway: gateway.clone(), ca, proof: Some(proof), remembered })
    }

    /// Until when a certificate is good; no answer for another proof.
    ///
    /// # Errors
    /// When it cannot be read, or has ended: then nobody is signed in.
    pub(crate) fn not_after(&self) -> anyhow::Result<Option<Timestamp>> {
        let Some(Proof::Certificate { certificate, .. }) = &self.proof else { return Ok(None) };
        let pem = read(certificate)?;
        let shown = certificate.display();
        let broken = || nobody(&format!("{shown} holds no certificate"));
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| broken())?;
        let (_, parsed) = x509_parser::parse_x509_certificate(&certificate).map_err(|_| broken())?;
        let ends = Timestamp::from_second(parsed.validity().not_after.timestamp()).unwrap_or(Timestamp::MAX);
        if ends <= Timestamp::now() {
            return Err(nobody(&format!("your certificate {shown} ended at {ends}")).into());
        }
        Ok(Some(ends))
    }
}

/// What says who somebody is: a flag before what is remembered. The flag that is missing, for nothing.
fn proof(args: &SignInArgs, profile: Option<&Profile>) -> Result<Proof, &'static str> {
    if let Some(file) = &args.token_file {
        return Ok(Proof::TokenFile(file.clone()));
    }
    let kept = profile.and_then(Profile::proof);
    if args.certificate.is_none() && args.key.is_none() {
        return kept.ok_or("--certificate");
    }
    let (kept_certificate, kept_key) = match kept {
        Some(Proof::Certificate { certificate, key }) => (Some(certificate), Some(key)),
        _ => (None, None),
    };
    Ok(Proof::Certificate {
        certificate: args.certificate.clone().or(kept_certificate).ok_or("--certificate")?,
        key: args.key.clone().or(kept_key).ok_or("--key")?,
    })
}

/// Nobody is signed in.
pub(crate) fn nobody(why: &str) -> Failure {
    Failure::new(Exit::NotSignedIn, why)
        .next("trunkline login https://GATEWAY --ca CA.pem --certificate ME.pem --key ME.key")
}

/// The text of a PEM file; whoever has none is not signed in.
pub(crate) fn read(path: &Path) -> anyhow::Result<String> {
    let shown = path.display();
    let missing = |error: std::io::Error| nobody(&format!("cannot read {shown}: {error}"));
    if std::fs::metadata(path).map_err(missing)?.len() > MAX_PEM {
        return Err(nobody(&format!("{shown} is larger than {MAX_PEM} bytes; it is no PEM file")).into());
    }
    Ok(std::fs::read_to_string(path).map_err(missing)?)
}

/// A gateway's URL from what was typed: `https://host[:port]`, or the same without `https://`.
pub(crate) fn gateway_url(typed: &str) -> anyhow::Result<String> {
    let wrong = || {
        Failure::new(Exit::Usage, format!("{typed:?} is no gateway; write https://HOST or https://HOST:PORT"))
    };
    let full = if typed.contains("://") { typed.to_owned() } else { format!("https://{typed}") };
    let url: Uri = full.parse().ok().context("").map_err(|_: anyhow::Error| wrong())?;
    let authority = url.authority().ok_or_else(wrong)?.as_str();
    let bare = matches!(url.path(), "" | "/") && url.query().is_none() && !authority.contains('@');
    if url.scheme_str() != Some("https") || !bare || url.host().is_none_or(str::is_empty) {
        return Err(wrong().into());
    }
    Ok(format!("https://{}", authority.to_ascii_lowercase().trim_end_matches(":443")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_is_written_in_one_way_only() {
        for (typed, url) in [
            ("https://gw.test", "https://gw.test"),
            ("https://gw.test/", "https://gw.test"),
            ("https://GW.test:443", "https://gw.test"),
            ("gw.test:8443", "https://gw.test:8443"),
            ("https://[::1]:8443", "https://[::1]:8443"),
        ] {
            assert_eq!(gateway_url(typed).unwrap(), url, "{typed}");
        }
        for wrong in [
            "",
            "http://gw.test",
            "https://",
            "https://user:pw@gw.test",
            "https://gw.test/ui",
            "https://gw.test?x",
            "ftp://gw",
            "a b",
        ] {
            assert!(gateway_url(wrong).is_err(), "{wrong}");
        }
    }
}
