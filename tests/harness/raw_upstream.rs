//! An upstream that answers with bytes written by hand, for answers that no HTTP library would send.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use trunkline_runtime::{Door, Tasks};
use trunkline_upstream::UpstreamConfig;

use crate::Paper;
use crate::script::REVIEWS;

/// What is answered to a request: the bytes, and whether the upstream stays afterwards or hangs up.
type Answering = Arc<dyn Fn(&str) -> (Vec<u8>, bool) + Send + Sync>;

/// An upstream that answers with bytes and keeps what else it hears.
#[derive(Clone, Debug)]
pub struct RawUpstream {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<Conversation>>>,
}

/// One connection: what it said up to the end of the first head, and what came behind.
#[derive(Clone, Debug, Default)]
pub struct Conversation {
    /// The first request's head.
    pub head: String,
    /// Everything behind that head.
    pub rest: Vec<u8>,
}

impl RawUpstream {
    /// An upstream that answers `answer` to every request but the agent's own. With `stays` it goes on
    /// reading; else it hangs up after the answer.
    pub async fn start(paper: &Paper, tasks: &Tasks, answer: impl Into<Vec<u8>>, stays: bool) -> Self {
        let answer = answer.into();
        Self::answering(paper, tasks, move |_| (answer.clone(), stays)).await
    }

    /// An upstream that answers what a function makes of a request's head, and stays afterwards if that says so.
    pub async fn answering(
        paper: &Paper,
        tasks: &Tasks,
        answer: impl Fn(&str) -> (Vec<u8>, bool) + Send + Sync + 'static,
    ) -> Self {
        paper.write("token", "the-agents-own-token");
        let door = Door::bind("raw upstream", ([127, 0, 0, 1], 0).into()).await.unwrap();
        let raw = Self { address: door.address().unwrap(), heard: Arc::default() };
        let answer: Answering = Arc::new(answer);
        let (heard, family) = (raw.heard.clone(), tasks.clone());
        tasks.spawn_until_stopped(async move {
            loop {
                let (mut tcp, _) = door.accept().await;
                let (answer, heard) = (answer.clone(), heard.clone());
                family.spawn_until_stopped(async move {
                    let mut bytes = Vec::new();
                    let end = loop {
                        match tcp.read_buf(&mut bytes).await {
                            Ok(1..) => {}
                            Ok(0) | Err(_) => return,
                        }
                        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                            break at + 4;
                        }
                    };
                    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
                    // The agent's own questions: the version, how many nodes there are, and its rights.
                    let own = ["GET /version ", "GET /api/v1/nodes?limit=1 ", &format!("POST {REVIEWS} ")];
                    if own.iter().any(|own| head.starts_with(own)) {
                        let version = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
                        let _ = tcp.write_all(version).await;
                        return;
                    }
                    let (answer, stays) = answer(&head);
                    let at = {
                        let mut heard = heard.lock().unwrap();
                        heard.push(Conversation { head, rest: bytes[end..].to_vec() });
                        heard.len() - 1
                    };
                    let _ = tcp.write_all(&answer).await;
                    if !stays {
                        let _ = tcp.shutdown().await;
                    }
                    let mut more = [0; 4096];
                    while let Ok(read @ 1..) = tcp.read(&mut more).await {
                        heard.lock().unwrap()[at].rest.extend_from_slice(&more[..read]);
                    }
                });
            }
        });
        raw
    }

    /// How an agent reaches it.
    pub fn config(&self, paper: &Paper) -> UpstreamConfig {
        UpstreamConfig {
            server: Some(format!("http://{}", self.address)),
            token_file: Some(paper.path("token")),
            ..UpstreamConfig::default()
        }
    }

    /// The conversations so far, but for the agent's own probes.
    pub fn heard(&self) -> Vec<Conversation> {
        self.heard.lock().unwrap().clone()
    }
}
