//! A fake HTTP proxy: CONNECT, with or without TLS and basic authentication.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use trunkline_runtime::{Door, Tasks};

use crate::Paper;

/// How a fake proxy behaves.
#[derive(Clone, Debug, Default)]
pub struct ProxyRules {
    /// Speak TLS under the rig's upstream root.
    pub tls: bool,
    /// Ask for this `Authorization` value, e.g. `Basic dTpw`.
    pub credentials: Option<String>,
    /// Answer this status line instead of connecting, e.g. `403 Forbidden`.
    pub refuse: Option<&'static str>,
}

/// A fake proxy at work.
#[derive(Clone, Debug)]
pub struct ConnectProxy {
    address: SocketAddr,
    rules: ProxyRules,
    connected: Arc<AtomicUsize>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl ConnectProxy {
    /// Starts one.
    pub async fn start(paper: &Paper, rules: ProxyRules, tasks: &Tasks) -> Self {
        let door = Door::bind("fake proxy", ([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = door.address().unwrap();
        let proxy = Self { address, rules, connected: Arc::default(), asked: Arc::default() };
        let acceptor = proxy.rules.tls.then(|| TlsAcceptor::from(paper.upstream_tls(&[b"http/1.1"])));
        let (serving, family) = (proxy.clone(), tasks.clone());
        tasks.spawn_until_stopped(async move {
            loop {
                let (tcp, _) = door.accept().await;
                let (proxy, acceptor) = (serving.clone(), acceptor.clone());
                family.spawn_until_stopped(async move {
                    match acceptor {
                        Some(acceptor) => {
                            if let Ok(tls) = acceptor.accept(tcp).await {
                                proxy.serve(tls).await;
                            }
                        }
                        None => proxy.serve(tcp).await,
                    }
                });
            }
        });
        proxy
    }

    /// Its URL; `credentials` are `user:password@` or nothing.
    pub fn url(&self, credentials: &str) -> String {
        let scheme = if self.rules.tls { "https" } else { "http" };
        format!("{scheme}://{credentials}localhost:{}", self.address.port())
    }

    /// How many tunnels it has made.
    pub fn connected(&self) -> usize {
        self.connected.load(Ordering::Relaxed)
    }

    /// The heads of all requests so far.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    async fn serve<S: AsyncRead + AsyncWrite + Unpin>(&self, mut stream: S) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) if head.len() < 16 * 1024 => head.push(byte),
                _ => return,
            }
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        self.asked.lock().unwrap().push(head.clone());
        let authorised = self.rules.credentials.as_ref().is_none_or(|wanted| {
            head.lines().any(|line| {
                line.split_once(": ").is_some_and(|(name, value)| {
                    name.eq_ignore_ascii_case("proxy-authorization") && value == wanted
                })
            })
        });
        if !authorised {
            let no = b"HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\ncontent-length: 0\r\n\r\n";
            let _ = stream.write_all(no).await;
            return;
        }
        if let Some(refuse) = self.rules.refuse {
            let _ =
                stream.write_all(format!("HTTP/1.1 {refuse}\r\ncontent-length: 0\r\n\r\n").as_bytes()).await;
            return;
        }
        let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let Ok(mut tcp) = TcpStream::connect(target).await else { return };
        let _ = stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await;
        self.connected.fetch_add(1, Ordering::Relaxed);
        let _ = tokio::io::copy_bidirectional(&mut stream, &mut tcp).await;
    }
}
