//! A handshake in memory: bytes go to and fro until both ends have nothing more to say.

use std::sync::Arc;

use rustls::{
    AlertDescription, ClientConfig, ClientConnection, Error, HandshakeKind, ServerConfig, ServerConnection,
};
use rustls_pki_types::{CertificateDer, ServerName};

/// How a handshake ended at both ends.
pub(crate) struct Outcome {
    pub(crate) client: ClientConnection,
    pub(crate) server: ServerConnection,
    pub(crate) client_error: Option<Error>,
    pub(crate) server_error: Option<Error>,
}

/// Dials `localhost` with one configuration and answers with the other.
pub(crate) fn shake(client: Arc<ClientConfig>, server: Arc<ServerConfig>) -> Outcome {
    shake_with("localhost", client, server)
}

/// Dials a name with one configuration and answers with the other.
pub(crate) fn shake_with(
    name: &'static str,
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
) -> Outcome {
    let name = ServerName::try_from(name).unwrap();
    let mut outcome = Outcome {
        client: ClientConnection::new(client, name).unwrap(),
        server: ServerConnection::new(server).unwrap(),
        client_error: None,
        server_error: None,
    };
    while outcome.client.wants_write() || outcome.server.wants_write() {
        let mut flight = Vec::new();
        while outcome.client.wants_write() {
            outcome.client.write_tls(&mut flight).unwrap();
        }
        let error = hear(&flight, |bytes| {
            outcome.server.read_tls(bytes).unwrap();
            outcome.server.process_new_packets().map(drop)
        });
        outcome.server_error = outcome.server_error.or(error);

        let mut flight = Vec::new();
        while outcome.server.wants_write() {
            outcome.server.write_tls(&mut flight).unwrap();
        }
        let error = hear(&flight, |bytes| {
            outcome.client.read_tls(bytes).unwrap();
            outcome.client.process_new_packets().map(drop)
        });
        outcome.client_error = outcome.client_error.or(error);
    }
    outcome
}

/// Hands over a flight until it is used up or an error is found in it.
fn hear(mut flight: &[u8], mut take: impl FnMut(&mut &[u8]) -> Result<(), Error>) -> Option<Error> {
    while !flight.is_empty() {
        if let Err(error) = take(&mut flight) {
            return Some(error);
        }
    }
    None
}

impl Outcome {
    /// Whether both ends are content.
    pub(crate) fn is_accepted(&self) -> bool {
        let errors = [&self.client_error, &self.server_error];
        let open = !self.client.is_handshaking() && !self.server.is_handshaking();
        open && errors.iter().all(|error| error.is_none())
    }

    /// The alert by which the one who dialled was turned away.
    pub(crate) fn alert(&self) -> Option<AlertDescription> {
        match &self.client_error {
            Some(Error::AlertReceived(alert)) => Some(*alert),
            Some(_) | None => None,
        }
    }

    /// The certificate that the one who dialled was shown.
    pub(crate) fn shown_by_door(&self) -> CertificateDer<'static> {
        self.client.peer_certificates().unwrap()[0].clone().into_owned()
    }

    /// The certificate that the door was shown.
    pub(crate) fn shown_to_door(&self) -> Option<CertificateDer<'static>> {
        self.server.peer_certificates().map(|chain| chain[0].clone().into_owned())
    }

    /// Whether the door went through the whole handshake.
    pub(crate) fn kind(&self) -> Option<HandshakeKind> {
        self.server.handshake_kind()
    }
}
