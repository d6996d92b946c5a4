//! Load: clients with connections of their own that send requests one after another.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use http::Request;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use trunkline_runtime::Tasks;

use crate::roles::Rig;
use crate::stats::percentile;

type Nothing = Empty<bytes::Bytes>;

/// A client with one front connection.
#[derive(Debug)]
pub struct Client {
    sender: SendRequest<Nothing>,
}

impl Client {
    /// Opens the connection.
    pub async fn connect(
        front: SocketAddr,
        tls: &Arc<rustls::ClientConfig>,
        tasks: &Tasks,
    ) -> anyhow::Result<Self> {
        let tcp = TcpStream::connect(front).await?;
        tcp.set_nodelay(true)?;
        let tls = TlsConnector::from(tls.clone()).connect(ServerName::try_from("localhost")?, tcp).await?;
        let (sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(tls)).await.context("no HTTP")?;
        tasks.spawn_until_stopped(async move {
            let _ = connection.await;
        });
        Ok(Self { sender })
    }

    /// Sends a GET and returns the answer, its body unread.
    pub async fn get(&mut self, path: &str) -> anyhow::Result<hyper::Response<Incoming>> {
        self.sender.ready().await?;
        let request = Request::get(path).header("host", "localhost").body(Nothing::new())?;
        let response = self.sender.send_request(request).await?;
        ensure!(response.status().is_success(), "{path} answered {}", response.status());
        Ok(response)
    }

    /// Sends a GET, reads the whole answer, whatever it is, and says its status.
    pub async fn status(&mut self, path: &str) -> anyhow::Result<u16> {
        self.sender.ready().await?;
        let request = Request::get(path).header("host", "localhost").body(Nothing::new())?;
        let (head, mut body) = self.sender.send_request(request).await?.into_parts();
        while let Some(frame) = body.frame().await {
            frame?;
        }
        Ok(head.status.as_u16())
    }

    /// Sends a GET and gives the answer, which is JSON.
    pub async fn json(&mut self, path: &str) -> anyhow::Result<serde_json::Value> {
        let body = self.get(path).await?.into_body().collect().await?.to_bytes();
        serde_json::from_slice(&body).with_context(|| path.to_owned())
    }

    /// Sends a GET and reads the whole answer; says how many bytes there were.
    pub async fn read(&mut self, path: &str) -> anyhow::Result<u64> {
        let mut body = self.get(path).await?.into_body();
        let mut bytes = 0;
        while let Some(frame) = body.frame().await {
            bytes += frame?.data_ref().map_or(0, |data| data.len() as u64);
        }
        Ok(bytes)
    }
}

/// Sends `requests` in all over the clients, each as fast as it can; returns the latencies and the clients.
pub async fn flat_out(
    clients: Vec<Client>,
    path: &'static str,
    requests: usize,
    tasks: &Tasks,
) -> anyhow::Result<(Vec<Duration>, Vec<Client>)> {
    let each = requests / clients.len();
    run(clients, tasks, move |mut client| async move {
        let mut latencies = Vec::with_capacity(each);
        for _ in 0..each {
            let began = Instant::now();
            client.read(path).await?;
            latencies.push(began.elapsed());
        }
        Ok((latencies, client))
    })
    .await
}

/// Each client sends a request every `pause` for `time`, all out of step; returns the latencies and the clients.
pub async fn paced(
    clients: Vec<Client>,
    path: &'static str,
    pause: Duration,
    time: Duration,
    tasks: &Tasks,
) -> anyhow::Result<(Vec<Duration>, Vec<Client>)> {
    let count = u32::try_from(clients.len())?;
    let mut nth = 0;
    let start = tokio::time::Instant::now();
    run(clients, tasks, move |mut client| {
        let offset = pause * nth / count;
        nth += 1;
        async move {
            let mut ticks = tokio::time::interval_at(start + offset, pause);
            let mut latencies = Vec::new();
            while start.elapsed() < time {
                ticks.tick().await;
                let began = Instant::now();
                client.read(path).await?;
                latencies.push(began.elapsed());
            }
            Ok((latencies, client))
        }
    })
    .await
}

/// p50 and p99 of eight clients that each send a small request every 20 ms for `time`, in ms.
pub async fn small_requests(rig: &Rig, time: Duration, tasks: &Tasks) -> anyhow::Result<(f64, f64)> {
    let mut clients = Vec::new();
    for _ in 0..8 {
        clients.push(Client::connect(rig.gateway.address, &rig.client, tasks).await?);
    }
    let pause = Duration::from_millis(20);
    let (mut latencies, _clients) = paced(clients, "/clusters/alpha/small", pause, time, tasks).await?;
    let mut at = |percent| percentile(&mut latencies, percent).as_secs_f64() * 1e3;
    Ok((at(50.0), at(99.0)))
}

async fn run<W, F>(
    clients: Vec<Client>,
    tasks: &Tasks,
    mut work: W,
) -> anyhow::Result<(Vec<Duration>, Vec<Client>)>
where
    W: FnMut(Client) -> F,
    F: Future<Output = anyhow::Result<(Vec<Duration>, Client)>> + Send + 'static,
{
    let running: Vec<_> = clients.into_iter().map(|client| tasks.spawn(work(client))).collect();
    let (mut latencies, mut clients) = (Vec::new(), Vec::new());
    for one in running {
        let (more, client) = one.await??;
        latencies.extend(more);
        clients.push(client);
    }
    Ok((latencies, clients))
}
