//! Exec: the toy shell's input and output as channels of a WebSocket.
//!
//! Invariants:
//! - the shell runs inside the carrying task: when the client leaves, it ends;
//! - input and output flow independently, each with a short queue, so neither can hold up the other;
//! - the answer is chosen before the upgrade: who offers no protocol of ours gets a 400 that says what would do.

use std::pin::pin;
use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use futures_util::{SinkExt as _, StreamExt as _};
use http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message, Role, WebSocketConfig};
use tokio_tungstenite::{WebSocketStream, tungstenite};
use tracing::debug;
use trunkline_runtime::{Body, Tasks, empty};

use crate::SampleCluster;
use crate::identity::Refusal;
use crate::logs::container;
use crate::route::Query;
use crate::shell::Shell;

pub(crate) type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// The longest WebSocket message, in bytes.
const MESSAGE_LIMIT: usize = 1024 * 1024;
/// How many chunks of input, and of output, may wait.
pub(crate) const QUEUE: usize = 8;
/// The best first.
const PROTOCOLS: [&str; 2] = ["v5.channel.k8s.io", "v4.channel.k8s.io"];
/// How long a client may take to answer the closing of its WebSocket.
const FAREWELL: Duration = Duration::from_secs(5);
const STDIN: u8 = 0;
/// With the number of a channel as its payload: that channel is closed (v5).
const CLOSE: u8 = 255;

/// Answers `pods/{name}/exec`.
pub(crate) fn answer(
    cluster: &SampleCluster,
    pod: &Value,
    query: &Query,
    request: &mut Request<Incoming>,
    tasks: &Tasks,
) -> Result<Response<Body>, Refusal> {
    container(pod, query)?;
    let command: Vec<String> = query.all("command").map(String::from).collect();
    if command.is_empty() {
        return Err(Refusal::bad_request("you must specify at least 1 command for the container"));
    }
    let (response, socket) = upgrade(request, &PROTOCOLS)?;
    let ((input, stdin), (output, outputs)) = (mpsc::channel(QUEUE), mpsc::channel(QUEUE));
    let shell = Shell::new(&cluster.state.name, pod, query.on("tty"), stdin, output);
    let input = query.on("stdin").then_some(input);
    tasks.spawn_until_stopped(async move {
        let Some(socket) = socket.await else { return };
        if let Err(error) = carry(socket, shell.run(&command), input, outputs).await {
            debug!(%error, "exec ended early");
        }
    });
    Ok(response)
}

/// The answer that agrees to a WebSocket with one of `protocols`, and the WebSocket to come.
pub(crate) fn upgrade(
    request: &mut Request<Incoming>,
    protocols: &[&'static str],
) -> Result<(Response<Body>, impl Future<Output = Option<Socket>> + use<>), Refusal> {
    let headers = request.headers();
    let text = |name: header::HeaderName| {
        headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    };
    let offered =
        headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    let offered: Vec<&str> = offered.flat_map(|line| line.split(',')).map(str::trim).collect();
    let protocol = protocols.iter().find(|protocol| offered.contains(protocol));
    let key = HeaderValue::try_from(derive_accept_key(text(header::SEC_WEBSOCKET_KEY).as_bytes()));
    let is_websocket = text(header::UPGRADE).eq_ignore_ascii_case("websocket");
    let (Some(protocol), true, Ok(key)) = (protocol, is_websocket, key) else {
        let ours = protocols.join(" or ");
        return Err(Refusal::bad_request(format!("the sample speaks this by WebSocket only, {ours}")));
    };
    let mut response = Response::new(empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    response.headers_mut().extend([
        (header::CONNECTION, HeaderValue::from_static("Upgrade")),
        (header::UPGRADE, HeaderValue::from_static("websocket")),
        (header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol)),
        (header::SEC_WEBSOCKET_ACCEPT, key),
    ]);
    let upgrade = hyper::upgrade::on(request);
    let limits =
        WebSocketConfig::default().max_message_size(Some(MESSAGE_LIMIT)).max_frame_size(Some(MESSAGE_LIMIT));
    Ok((response, async move {
        let stream = TokioIo::new(upgrade.await.ok()?);
        Some(WebSocketStream::from_raw_socket(stream, Role::Server, Some(limits)).await)
    }))
}

async fn carry(
    socket: Socket,
    shell: impl Future<Output = ()>,
    mut input: Option<mpsc::Sender<Bytes>>,
    mut outputs: mpsc::Receiver<(u8, Bytes)>,
) -> Result<(), tungstenite::Error> {
    let (mut sink, mut stream) = socket.split();
    let reads = async {
        while let Some(message) = stream.next().await {
            let Message::Binary(mut bytes) = message? else { continue };
            let channel = (!bytes.is_empty()).then(|| bytes.split_to(1)[0]);
            match (channel, &input) {
                (Some(STDIN), Some(stdin)) => drop(stdin.send(bytes).await),
                (Some(CLOSE), _) if *bytes == [STDIN] => input = None,
                _ => {}
            }
        }
        Ok(())
    };
    let writes = async {
        while let Some((channel, bytes)) = outputs.recv().await {
            let mut message = BytesMut::with_capacity(bytes.len() + 1);
            message.put_u8(channel);
            message.put(bytes);
            sink.send(Message::Binary(message.freeze())).await?;
        }
        sink.send(Message::Close(Some(CloseFrame { code: CloseCode::Normal, reason: "".into() }))).await
    };
    let mut reads = pin!(reads);
    tokio::select! {
        ended = &mut reads => ended,
        // Bytes left unread would reset the connection before the last output has arrived.
        (ended, ()) = async { tokio::join!(writes, shell) } => timeout(FAREWELL, reads).await.unwrap_or(ended),
    }
}
