//! A tab of a browser: its WebSockets, and the live socket's messages.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use http::header;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::browser::{Browser, ORIGIN};
use crate::client::Client;
use crate::wait::within;

/// How long a tab waits for what it expects.
const PATIENCE: Duration = Duration::from_secs(15);
/// Where the live socket is.
const LIVE: &str = "/trunkline/v1/live";

/// A WebSocket to the front door.
pub type WebSocket = WebSocketStream<TlsStream<TcpStream>>;

impl Client {
    /// Opens a WebSocket with these fields; the status of the answer when that is a no.
    pub async fn websocket(&self, path: &str, fields: &[(&str, &str)]) -> Result<WebSocket, u16> {
        let mut request = format!("wss://localhost{path}").into_client_request().unwrap();
        request.headers_mut().extend(self.fields().clone());
        for (name, value) in fields {
            let name: http::HeaderName = name.parse().unwrap();
            request.headers_mut().append(name, value.parse().unwrap());
        }
        let io = self.connect(b"http/1.1").await.unwrap();
        match client_async(request, io).await {
            Ok((socket, _)) => Ok(socket),
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(error) => panic!("{path}: {error}"),
        }
    }
}

impl Browser {
    /// Opens a WebSocket as a page of `origin` does, offering these protocols.
    pub async fn websocket(
        &self,
        path: &str,
        origin: Option<&str>,
        protocols: &[&str],
    ) -> Result<WebSocket, u16> {
        let (cookie, protocols) = (self.cookie(), protocols.join(", "));
        let mut fields: Vec<(&str, &str)> = origin.map(|origin| ("origin", origin)).into_iter().collect();
        if !self.cookies.is_empty() {
            fields.push((header::COOKIE.as_str(), &cookie));
        }
        if !protocols.is_empty() {
            fields.push((header::SEC_WEBSOCKET_PROTOCOL.as_str(), &protocols));
        }
        self.client.websocket(path, &fields).await
    }

    /// Opens the live socket as a page of ours does.
    pub async fn tab(&mut self) -> Tab {
        let csrf = format!("trunkline.csrf.{}", self.csrf().await);
        let socket = self.websocket(LIVE, Some(ORIGIN), &["trunkline.live.v1", &csrf]).await;
        Tab::new(socket.unwrap())
    }
}

/// A live socket, and what came of each of its streams.
#[derive(Debug)]
pub struct Tab {
    socket: WebSocket,
    next: u32,
    waiting: HashMap<u32, Vec<Value>>,
    /// Whether credit is given back for what comes.
    pub giving: bool,
    /// How it was closed: code and reason.
    pub closed: Option<(u16, String)>,
}

impl Tab {
    /// One by a socket that is open.
    pub fn new(socket: WebSocket) -> Self {
        Self { socket, next: 1, waiting: HashMap::new(), giving: true, closed: None }
    }

    /// The live socket of somebody with a certificate or a token.
    pub async fn of(client: &Client) -> Self {
        let fields = [(header::SEC_WEBSOCKET_PROTOCOL.as_str(), "trunkline.live.v1")];
        Self::new(client.websocket(LIVE, &fields).await.unwrap())
    }

    /// Says something, whatever it is.
    pub async fn say(&mut self, message: &Value) {
        self.say_text(&message.to_string()).await;
    }

    /// Says a text.
    pub async fn say_text(&mut self, text: &str) {
        let _ = self.socket.send(Message::text(text)).await;
    }

    /// Opens a stream. Its number.
    pub async fn open(&mut self, path: &str) -> u32 {
        let number = self.next;
        self.next += 1;
        self.say(&json!({"open": number, "path": path})).await;
        number
    }

    /// The next message about a stream.
    pub async fn hear(&mut self, stream: u32) -> Value {
        loop {
            let waiting = self.waiting.entry(stream).or_default();
            if !waiting.is_empty() {
                return waiting.remove(0);
            }
            let read = within(&format!("a word about stream {stream}"), PATIENCE, self.read()).await;
            assert!(read, "closed before a word about stream {stream}: {:?}", self.closed);
        }
    }

    /// Waits until a stream has begun, and holds that it did well.
    pub async fn begun(&mut self, stream: u32) {
        let begun = self.hear(stream).await;
        assert_eq!(begun["status"], 200, "{begun}");
        assert_eq!(begun["begun"], stream, "{begun}");
    }

    /// The next lines of a stream.
    pub async fn lines(&mut self, stream: u32) -> Vec<String> {
        let message = self.hear(stream).await;
        let data = message["data"].as_array().unwrap_or_else(|| panic!("no lines: {message}"));
        data.iter().map(|line| line.as_str().unwrap().to_owned()).collect()
    }

    /// How a stream ends, whatever comes before.
    pub async fn end(&mut self, stream: u32) -> Value {
        loop {
            let message = self.hear(stream).await;
            if message.get("ended").is_some() {
                return message;
            }
        }
    }

    /// Reads until the other end closes: code and reason.
    pub async fn until_closed(&mut self) -> (u16, String) {
        within("the socket is closed", PATIENCE, async { while self.read().await {} }).await;
        self.closed.clone().expect("closed with a code")
    }

    /// Reads one message; false at the end.
    async fn read(&mut self) -> bool {
        match self.socket.next().await {
            Some(Ok(Message::Text(text))) => {
                let message: Value = serde_json::from_str(&text).unwrap();
                let number = ["begun", "lines", "ended"].iter().find_map(|kind| message[kind].as_u64());
                let number = u32::try_from(number.unwrap()).unwrap();
                if let Some(bytes) = message["bytes"].as_u64().filter(|_| self.giving) {
                    self.say(&json!({"more": number, "bytes": bytes})).await;
                }
                self.waiting.entry(number).or_default().push(message);
                true
            }
            Some(Ok(Message::Close(frame))) => {
                let CloseFrame { code, reason } = frame.expect("a close frame says why");
                self.closed = Some((code.into(), reason.to_string()));
                true
            }
            Some(Ok(_)) => true,
            Some(Err(_)) | None => false,
        }
    }
}
