//! Slowness as an attack: connections that say nothing, half of something, or one byte now and then, and clients that never
//! read, by the thousand (T28). Who has something to say is served meanwhile, also from the attack's own network.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio_util::sync::CancellationToken;
use trunkline_runtime::Tasks;
use trunkline_tests::{Client, count, eventually, within};

use super::SOON;
use super::scene::{QUIET, Scene};

/// Strangers that both doors have places for, those that are leaving included.
const STRANGERS: u64 = 2 * (2048 + 256);
/// What a gateway may grow by, in bytes: for each stranger, and for each user who takes no end.
const PER_STRANGER: u64 = 48 * 1024;
const PER_USER: u64 = 1024 * 1024;
/// How long an attacker that was hung up on waits before it is back.
const BACK: Duration = Duration::from_secs(3);
/// The beginning of a TLS record that promises more.
const HALF_HELLO: &[u8] = &[0x16, 3, 1, 2, 0, 1, 0];

/// Attackers on a thread of their own, that hold connections and open each again when they are hung up on.
struct Attack {
    over: CancellationToken,
    opened: Arc<AtomicUsize>,
    holding: Arc<AtomicUsize>,
    thread: Option<std::thread::JoinHandle<()>>,
}

async fn connect(from: [u8; 4], to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((from, 0).into())?;
    socket.connect(to).await
}

/// Reads until the other end hangs up.
async fn hold(mut stream: impl tokio::io::AsyncRead + Unpin) {
    let mut heard = [0; 256];
    while let Ok(1..) = stream.read(&mut heard).await {}
}

impl Attack {
    /// `number` connections to the doors from the network 127.0.1.0/24 and four others: silent ones and half hellos,
    /// and one in twenty that finishes its handshake and then says half a head.
    fn begin(scene: &Scene, number: usize) -> Self {
        let (over, opened, holding) = (CancellationToken::new(), Arc::default(), Arc::default());
        let mut attack = Self { over, opened, holding, thread: None };
        let (front, tunnel, stranger) = (scene.front, scene.tunnel, scene.stranger());
        let (over, opened, holding) = (attack.over.clone(), attack.opened.clone(), attack.holding.clone());
        attack.thread = Some(std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let tasks = Tasks::new();
                for at in 0..number {
                    let door = if at % 3 == 2 { tunnel } else { front };
                    let network = if at % 2 == 0 { 1 } else { 2 + (at / 2 % 4) as u8 };
                    let from = [127, 0, network, 1 + (at / 8 % 60) as u8];
                    let (opened, holding) = (opened.clone(), holding.clone());
                    // At the front door alone: the other asks for a certificate first.
                    let shakes = (at % 20 == 0 && door == front).then(|| stranger.clone().from(from));
                    tasks.spawn_until_stopped(async move {
                        loop {
                            holding.fetch_add(1, Ordering::Relaxed);
                            attack_once(at, from, door, shakes.as_ref(), &opened).await;
                            holding.fetch_sub(1, Ordering::Relaxed);
                            tokio::time::sleep(BACK).await;
                        }
                    });
                }
                over.cancelled().await;
                tasks.shut_down().await;
            });
        }));
        attack
    }

    fn end(mut self) {
        self.over.cancel();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

async fn attack_once(
    at: usize,
    from: [u8; 4],
    door: SocketAddr,
    shakes: Option<&Client>,
    opened: &AtomicUsize,
) {
    if let Some(stranger) = shakes {
        if let Ok(mut tls) = stranger.connect(b"http/1.1").await {
            opened.fetch_add(1, Ordering::Relaxed);
            let _ = tls.write_all(b"GET /clusters/alpha/api HTTP/1.1\r\nx: ").await;
            hold(tls).await;
        }
        return;
    }
    if let Ok(mut tcp) = connect(from, door).await {
        opened.fetch_add(1, Ordering::Relaxed);
        if at % 20 < 8 {
            let _ = tcp.write_all(HALF_HELLO).await;
        }
        hold(tcp).await;
    }
}

/// Clients with a good certificate that take no end: bodies byte by byte, and answers that nobody reads.
async fn slow_users(scene: &Scene, number: usize) -> Vec<tokio_rustls::client::TlsStream<TcpStream>> {
    let client = scene.client().from([127, 0, 7, 7]);
    let mut open = Vec::new();
    for at in 0..number {
        let mut tls = client.connect(b"http/1.1").await.unwrap();
        let asked = if at % 2 == 0 {
            "POST /clusters/alpha/collect HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000\r\n\r\nx"
        } else {
            "GET /clusters/alpha/stream/1000000000 HTTP/1.1\r\nhost: localhost\r\n\r\n"
        };
        tls.write_all(asked.as_bytes()).await.unwrap();
        open.push(tls);
    }
    open
}

/// Asks on a new connection.
async fn served(client: &Client) -> (u16, Duration) {
    let began = Instant::now();
    let reply = within("an answer", SOON, async {
        let Ok(mut tls) = client.connect(b"http/1.1").await else { return 0 };
        let asked = b"GET /clusters/alpha/api HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        if tls.write_all(asked).await.is_err() {
            return 0;
        }
        let mut heard = Vec::new();
        let _ = tls.read_to_end(&mut heard).await;
        String::from_utf8_lossy(&heard).split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
    });
    (reply.await, began.elapsed())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t28_silent_half_and_slow_connections_keep_no_client_and_no_agent_out() {
    let (connections, slow, rounds) = (count(4_000, 15_000), count(20, 200), count(40, 100));
    let scene = Scene::raise(&["alpha", "beta"], QUIET, None).await;
    let _alpha = scene.start_agent("alpha").await;
    let elsewhere = scene.client().from([127, 0, 9, 1]);
    let known = scene.client().from([127, 0, 1, 200]);
    for client in [&elsewhere, &known] {
        assert_eq!(served(client).await.0, 200);
    }
    let before = scene.gateway.rss_bytes();
    let mut slow_ones = slow_users(&scene, slow.times).await;
    let attack = Attack::begin(&scene, connections.times);
    eventually("the attack is there", SOON, || {
        attack.opened.load(Ordering::Relaxed) >= connections.times * 95 / 100
    })
    .await;
    let (mut worst, mut grown) = ([Duration::ZERO; 3], 0);
    for round in 0..rounds.times {
        // Each round somebody comes from the attack's network who was never seen there.
        let anew = scene.client().from([127, 0, 1, 100 + (round % 100) as u8]);
        for (at, client) in [&elsewhere, &known, &anew].into_iter().enumerate() {
            let (status, took) = served(client).await;
            assert_eq!(status, 200, "client {at} in round {round}");
            worst[at] = worst[at].max(took);
        }
        if let Some(tls) = slow_ones.get_mut(round % slow.times / 2 * 2) {
            let _ = tls.write_all(b"x").await;
        }
        grown = grown.max(scene.gateway.rss_bytes().saturating_sub(before));
    }
    let began = Instant::now();
    let _beta = scene.start_agent("beta").await;
    let joined = began.elapsed();
    let pushed_out = scene.metric("trunkline_gateway_strangers_pushed_out_total").await;
    println!(
        "{connections} silent or half connections, opened {} times, {} held at last, {pushed_out} pushed out; {slow} slow users;\n\
         {} of {} requests served, at worst elsewhere {:?}, known in the same network {:?}, new there {:?}; an agent joined in \
         {joined:?}; the gateway grew by {} KiB",
        attack.opened.load(Ordering::Relaxed),
        attack.holding.load(Ordering::Relaxed),
        rounds.times * 3,
        rounds.times * 3,
        worst[0],
        worst[1],
        worst[2],
        grown / 1024
    );
    attack.end();
    assert!(pushed_out > 0.0, "the attack was larger than the places are");
    assert!(grown < STRANGERS * PER_STRANGER + slow.times as u64 * PER_USER, "{grown}");
    drop(slow_ones);
}
