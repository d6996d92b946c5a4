//! Why there is no certificate: each cause in words that say what to do.

use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

use rustls::{AlertDescription as Alert, CertificateError as Cert, Error as Tls};
use rustls_pki_types::UnixTime;
use trunkline_pki::{KeyError, KeyPin, TlsError};
use trunkline_proto::{EnrolReason, EnrolRefusal};
use trunkline_tunnel::{DialError, GatewayAddress};

use super::Unfit;
use super::clock::span;
use crate::identity::IdentityError;

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EnrolError {
    #[error("no certificate: the cluster's identity cannot be had")]
    Store(#[from] IdentityError),
    #[error("no certificate: the cluster's identity is not usable")]
    Identity(#[source] TlsError),
    #[error("no certificate: no key for it")]
    Key(#[source] KeyError),
    #[error("no certificate: cannot read the token file {path}; may this process read it?")]
    TokenFile {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error(
        "no certificate: the token file {path} holds no usable token: it must be one line of visible ASCII"
    )]
    NoToken { path: PathBuf },
    #[error("cannot enrol; from a pod, nc -vz {} {} shows whether the gateway can be reached", address.host(), address.port())]
    Unreachable {
        address: GatewayAddress,
        #[source]
        source: DialError,
    },
    #[error("cannot enrol at {address}: {why}")]
    Handshake { address: GatewayAddress, why: String, distrust: bool },
    #[error("cannot enrol at {address}: it did not finish within {seconds} s")]
    TimedOut { address: GatewayAddress, seconds: u64 },
    #[error("cannot enrol at {address}: the link broke; is this a tunnel door?")]
    Broken {
        address: GatewayAddress,
        #[source]
        source: hyper::Error,
    },
    #[error("cannot enrol at {address}: what came back is not usable: {why}; is this a tunnel door?")]
    NoAnswer { address: GatewayAddress, why: String },
    #[error("the gateway at {address} issues no certificate: {refusal}")]
    Refused { address: GatewayAddress, refusal: EnrolRefusal },
    #[error("the certificate that the gateway at {address} issued is not taken")]
    Unfit {
        address: GatewayAddress,
        #[source]
        source: Unfit,
    },
}

impl EnrolError {
    pub(super) fn of_dialling(address: &GatewayAddress, error: DialError, pin: &KeyPin) -> Self {
        let tls = match &error {
            DialError::Tls { source, .. } => tls_error(source),
            _ => None,
        };
        let Some(tls) = tls else { return Self::Unreachable { address: address.clone(), source: error } };
        let why = words(tls, address, pin);
        Self::Handshake { address: address.clone(), why, distrust: no_trust(&error) }
    }

    /// Whether the gateway's certificate stands under nothing that was believed in.
    pub(super) fn is_distrust(&self) -> bool {
        matches!(self, Self::Handshake { distrust: true, .. })
    }

    /// Whether asking again brings the same answer until a person does something.
    pub(crate) fn will_last(&self) -> bool {
        let Self::Refused { refusal, .. } = self else { return false };
        match refusal.reason {
            EnrolReason::TooMany | EnrolReason::Unavailable | EnrolReason::Unknown => false,
            EnrolReason::ClusterUnknown
            | EnrolReason::ClusterLocked
            | EnrolReason::KeyUnknown
            | EnrolReason::TokenUnknown
            | EnrolReason::TokenForOtherCluster
            | EnrolReason::TokenUsed
            | EnrolReason::TokenExpired
            | EnrolReason::AwayTooLong
            | EnrolReason::BadRequest
            | EnrolReason::SlotTooHigh
            | EnrolReason::SlotContended
            | EnrolReason::NotIssuing => true,
        }
    }
}

/// Whether dialling failed since the gateway's certificate is of nobody who is trusted.
pub(crate) fn no_trust(error: &DialError) -> bool {
    let DialError::Tls { source, .. } = error else { return false };
    matches!(
        tls_error(source),
        Some(Tls::InvalidCertificate(Cert::UnknownIssuer | Cert::BadSignature | Cert::Other(_)))
    )
}

fn tls_error(error: &io::Error) -> Option<&Tls> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}

/// What a failed handshake means and what to do.
fn words(error: &Tls, address: &GatewayAddress, pin: &KeyPin) -> String {
    let intercepted = |shown: &str| {
        format!(
            "{shown}, expected was a root with the pin {pin}: TLS is intercepted on the way, or the pin is of another \
             gateway. Set gateway.proxy, exempt {} from inspection, or take the pin from a new registration command",
            address.host()
        )
    };
    match error {
        Tls::InvalidCertificate(Cert::Other(other)) => intercepted(&other.to_string()),
        Tls::InvalidCertificate(Cert::UnknownIssuer | Cert::BadSignature) => {
            intercepted("its certificate was issued by somebody else")
        }
        Tls::InvalidCertificate(Cert::NotValidYetContext { time, not_before }) => dates("from", *not_before, *time),
        Tls::InvalidCertificate(Cert::ExpiredContext { time, not_after }) => dates("until", *not_after, *time),
        Tls::InvalidCertificate(Cert::NotValidForName | Cert::NotValidForNameContext { .. }) => {
            "its certificate is for another name; set gateway.server_name or dial the name it holds".into()
        }
        Tls::AlertReceived(Alert::NoApplicationProtocol) => {
            "nobody enrols there: the gateway has no data folder, is older than this agent, or this is not its tunnel \
             door"
                .into()
        }
        other => format!("the TLS handshake failed ({other})"),
    }
}

fn dates(word: &str, limit: UnixTime, now: UnixTime) -> String {
    let (limit, now) = (limit.as_secs(), now.as_secs());
    let direction = if now < limit { "behind" } else { "ahead" };
    format!(
        "its certificate is good {word} {} and it is {} here, {} off: is this cluster's clock {direction}?",
        moment(limit),
        moment(now),
        span(now.abs_diff(limit))
    )
}

fn moment(seconds: u64) -> String {
    let moment = SystemTime::UNIX_EPOCH.checked_add(std::time::Duration::from_secs(seconds));
    match moment.and_then(|moment| jiff::Timestamp::try_from(moment).ok()) {
        Some(moment) => moment.to_string(),
        None => format!("second {seconds}"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn told(error: Tls) -> EnrolError {
        let address: GatewayAddress = "gw.example:9443".parse().unwrap();
        let pin = format!("sha256:{}", "7f".repeat(32)).parse().unwrap();
        let source = io::Error::new(io::ErrorKind::InvalidData, error);
        EnrolError::of_dialling(&address, DialError::Tls { address: address.clone(), source }, &pin)
    }

    fn at(seconds: u64) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(seconds))
    }

    #[test]
    fn an_intercepted_link_names_the_pin_and_the_way_out() {
        let error = told(Tls::InvalidCertificate(Cert::UnknownIssuer));
        let text = error.to_string();
        assert!(text.contains("gw.example:9443") && text.contains("sha256:7f7f"), "{text}");
        assert!(text.contains("intercepted") && text.contains("gateway.proxy"), "{text}");
        assert!(error.is_distrust());
    }

    #[test]
    fn a_clock_that_is_off_is_blamed() {
        let behind = Cert::NotValidYetContext { time: at(10_000), not_before: at(10_000 + 14 * 60) };
        let text = told(Tls::InvalidCertificate(behind)).to_string();
        assert!(text.contains("14 min off") && text.contains("clock behind?"), "{text}");
        let ahead = Cert::ExpiredContext { time: at(500_000), not_after: at(1_000) };
        let error = told(Tls::InvalidCertificate(ahead));
        assert!(error.to_string().contains("clock ahead?"), "{error}");
        assert!(!error.is_distrust(), "a pin would not help");
    }

    #[test]
    fn a_gateway_that_enrols_nobody_is_named() {
        let text = told(Tls::AlertReceived(Alert::NoApplicationProtocol)).to_string();
        assert!(text.contains("nobody enrols there"), "{text}");
    }

    #[test]
    fn an_address_that_cannot_be_reached_comes_with_a_command_to_try() {
        let address: GatewayAddress = "gw.example:9443".parse().unwrap();
        let pin = format!("sha256:{}", "7f".repeat(32)).parse().unwrap();
        let error = DialError::TimedOut { address: address.clone(), step: "connecting" };
        let error = EnrolError::of_dialling(&address, error, &pin);
        let text = trunkline_runtime::chain(&error);
        assert!(text.contains("nc -vz gw.example 9443") && text.contains("connecting in time"), "{text}");
    }
}
