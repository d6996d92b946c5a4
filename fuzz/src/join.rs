//! A word, then: `request` and an enrolment's JSON, `token` and a join token, `pem` and a signing request, `der` and the
//! same in DER.
//!
//! What is signed holds the asked-for key and the name that the gateway gives, whatever the request says; a token that
//! has a hash has one spelling.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use trunkline_pki::{AgentIdentity, AgentName, Authority, KeyPin, Validity, check_csr};
use trunkline_proto::EnrolRequest;
use trunkline_registry::bare::token_hash;

use crate::lines::first_line;

static ROOT: LazyLock<Authority> =
    LazyLock::new(|| Authority::new("fuzz", Validity::days(1)).expect("a root"));

/// Takes a request to join.
pub fn join(input: &[u8]) {
    let (word, rest) = first_line(input);
    let text = std::str::from_utf8(rest);
    match (word, text) {
        ("request", _) => {
            let Ok(request) = serde_json::from_slice::<EnrolRequest>(rest) else { return };
            token(request.token.as_deref().unwrap_or_default());
            signing_request(&request.csr);
        }
        ("token", Ok(text)) => token(text),
        ("pem", Ok(text)) => signing_request(text),
        ("der", _) => {
            let begin = "-----BEGIN CERTIFICATE REQUEST-----";
            signing_request(&format!(
                "{begin}\n{}\n-----END CERTIFICATE REQUEST-----\n",
                STANDARD.encode(rest)
            ));
        }
        _ => {}
    }
}

fn token(text: &str) {
    let Some(hash) = token_hash(text) else { return };
    assert!(hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let bytes = URL_SAFE_NO_PAD.decode(&text[4..]).expect("base64url");
    assert_eq!(bytes.len(), 32);
    assert_eq!(text, format!("tlj_{}", URL_SAFE_NO_PAD.encode(bytes)), "a second spelling of a token");
}

fn signing_request(pem: &str) {
    if check_csr(pem).is_err() {
        return;
    }
    let name: AgentName = "spiffe://fuzz.test/cluster/alpha/a0000000-0000-4000-8000-000000000001/slot/1"
        .parse()
        .expect("a name");
    let signed = ROOT.agent_from_csr(pem, &name, Validity::days(1)).expect("what was checked is signed");
    let identity = AgentIdentity::from_certificate(&signed.certificate_der).expect("an agent's certificate");
    assert_eq!(identity.name(), name);
    assert_eq!(KeyPin::of_certificate(&signed.certificate_der).as_ref(), Ok(&signed.pin));
}
