//! A certificate's DER.
//!
//! Who a certificate names stands in it, byte for byte; one is never an agent's and a client's at once; and a name has no
//! character that could be taken for something else downstream.

use rustls_pki_types::CertificateDer;
use trunkline_pki::{AgentIdentity, AgentName, ClientIdentity, KeyPin};

/// Reads identities from a certificate.
pub fn certificate(input: &[u8]) {
    let der = CertificateDer::from(input);
    let holds = |text: &str| input.windows(text.len()).any(|window| window == text.as_bytes());
    let agent = AgentIdentity::from_certificate(&der);
    let client = ClientIdentity::from_certificate(&der);
    assert!(agent.is_err() || client.is_err(), "{agent:?} and {client:?}");
    let pin = KeyPin::of_certificate(&der);
    if let Ok(pin) = &pin {
        assert_eq!(pin.to_string().parse::<KeyPin>().as_ref(), Ok(pin));
    }
    if let Ok(agent) = &agent {
        assert!(pin.is_ok());
        assert!(holds(&agent.san()), "{} does not stand in it", agent.san());
        assert_eq!(agent.san().parse::<AgentName>(), Ok(agent.name()));
        assert!(!agent.cluster.is_management());
    }
    if let Ok(client) = &client {
        assert!(pin.is_ok());
        assert!(client.groups.len() <= 500);
        for name in std::iter::once(&client.user).chain(&client.groups) {
            assert!(!name.is_empty() && !name.chars().any(char::is_control), "{name:?}");
            assert!(holds(name), "{name:?} does not stand in it");
        }
    }
}
