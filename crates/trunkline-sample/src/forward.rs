//! Port-forward: SPDY in the messages of a WebSocket, two streams for each forwarded connection, to a page that only
//! seems to be there.
//!
//! Invariants:
//! - nothing is ever dialled: one page is all that can be reached;
//! - one session holds at most [`MAX_FORWARDS`] connections; one more is reset.

use std::collections::HashMap;
use std::future::ready;
use std::io;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http::{Request, Response};
use hyper::body::Incoming;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_util::io::StreamReader;
use tracing::debug;
use trunkline_runtime::{Body, Tasks};

use crate::SampleCluster;
use crate::exec::{QUEUE, Socket, upgrade};
use crate::identity::Refusal;
use crate::kinds::text;
use crate::spdy::{self, Frame};

/// How many connections one session forwards at once.
const MAX_FORWARDS: usize = 64;
/// The longest request head that the page reads, in bytes.
const HEAD_LIMIT: usize = 8 * 1024;

/// Answers `pods/{name}/portforward`.
pub(crate) fn answer(
    cluster: &SampleCluster,
    pod: &Value,
    request: &mut Request<Incoming>,
    tasks: &Tasks,
) -> Result<Response<Body>, Refusal> {
    let (response, socket) = upgrade(request, &["SPDY/3.1+portforward.k8s.io"])?;
    let name = text(pod, "/metadata/name");
    let greeting = format!("hello from sample cluster {}, pod {name}\n", cluster.state.name);
    let port = pod["spec"]["containers"][0]["ports"][0]["containerPort"].to_string();
    let family = tasks.clone();
    tasks.spawn_until_stopped(async move {
        let Some(socket) = socket.await else { return };
        let (frames, queue) = mpsc::channel(QUEUE);
        let (inputs, errors) = (HashMap::new(), HashMap::new());
        let session = Session { greeting, port, tasks: family, inputs, errors, frames };
        if let Err(error) = session.carry(socket, queue).await {
            debug!(%error, "port-forward ended");
        }
    });
    Ok(response)
}

struct Session {
    greeting: String,
    port: String,
    tasks: Tasks,
    /// What the client sends, by data stream.
    inputs: HashMap<u32, mpsc::Sender<Bytes>>,
    /// Error streams that wait for their data stream, by request id.
    errors: HashMap<String, u32>,
    frames: mpsc::Sender<Bytes>,
}

impl Session {
    async fn carry(mut self, socket: Socket, mut queue: mpsc::Receiver<Bytes>) -> io::Result<()> {
        let (mut sink, stream) = socket.split();
        let bytes = stream.filter_map(|message| {
            ready(match message {
                Ok(Message::Binary(bytes)) => Some(Ok(bytes)),
                Ok(_) => None,
                Err(error) => Some(Err(io::Error::other(error))),
            })
        });
        let mut from = spdy::Reader::new(StreamReader::new(bytes));
        let reads = async {
            let mut is_first = true;
            loop {
                match from.next().await? {
                    Frame::Open(stream, headers) => {
                        send(&self.frames, spdy::reply(stream, std::mem::take(&mut is_first))).await?;
                        if !self.open(stream, &headers) {
                            send(&self.frames, spdy::reset(stream)).await?;
                        }
                    }
                    Frame::Data(stream, bytes, fin) => {
                        if let Some(input) = self.inputs.get(&stream) {
                            // A connection that has ended hears nothing.
                            let _ = input.send(bytes).await;
                        }
                        self.inputs.retain(|id, _| !fin || *id != stream);
                    }
                    Frame::Reset(stream) => drop(self.inputs.remove(&stream)),
                    Frame::Ping(id) => send(&self.frames, spdy::pong(id)).await?,
                    Frame::Goaway => return Ok(()),
                    Frame::Other => {}
                }
            }
        };
        let writes = async {
            while let Some(frame) = queue.recv().await {
                sink.send(Message::Binary(frame)).await.map_err(io::Error::other)?;
            }
            Ok(())
        };
        tokio::select! { ended = reads => ended, ended = writes => ended }
    }

    /// Opens a stream; says whether there was room, and a pair to it.
    fn open(&mut self, stream: u32, headers: &HashMap<String, String>) -> bool {
        let header = |name: &str| headers.get(name).cloned().unwrap_or_default();
        self.inputs.retain(|_, input| !input.is_closed());
        if self.inputs.len() + self.errors.len() >= MAX_FORWARDS {
            return false;
        }
        if header("streamtype") == "error" {
            return self.errors.insert(header("requestid"), stream).is_none();
        }
        let Some(error) = self.errors.remove(&header("requestid")) else { return false };
        let (input, heard) = mpsc::channel(QUEUE);
        self.inputs.insert(stream, input);
        let greeting = (header("port") == self.port).then(|| self.greeting.clone());
        let frames = self.frames.clone();
        self.tasks.spawn_until_stopped(async move {
            let (said, failed) = match greeting {
                Some(greeting) => (page(heard, &greeting).await, ""),
                None => (String::new(), "connection refused: the sample pod does not listen there"),
            };
            for (stream, last) in [(stream, said.as_str()), (error, failed)] {
                // When the session is over, nobody listens.
                let _ = send(&frames, spdy::data(stream, last.as_bytes(), true)).await;
            }
        });
        true
    }
}

/// Answers one HTTP request, whatever it asks.
async fn page(mut heard: mpsc::Receiver<Bytes>, greeting: &str) -> String {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") && head.len() < HEAD_LIMIT {
        let Some(bytes) = heard.recv().await else { return String::new() };
        head.extend_from_slice(&bytes);
    }
    let length = greeting.len();
    format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{greeting}")
}

/// Queues a frame; an error says that the session is over.
async fn send(frames: &mpsc::Sender<Bytes>, frame: Bytes) -> io::Result<()> {
    frames.send(frame).await.map_err(|_| io::ErrorKind::BrokenPipe.into())
}
