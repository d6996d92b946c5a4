//! Clients that do too much of what is allowed, and others who must not feel it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Request;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use trunkline_runtime::{Tasks, empty};
use trunkline_tests::{Client, Rig, count, frame, within};

use super::scene::{QUIET, Scene};

const SOON: Duration = Duration::from_secs(20);
/// How much a flood may make the process grow, in bytes.
const GROWTH: u64 = 150 * 1024 * 1024;

/// A request's head as HPACK with no table: pseudo-fields by index and literals.
fn head(path: &str) -> Vec<u8> {
    let mut block = vec![0x82, 0x87, 0x04, u8::try_from(path.len()).unwrap()];
    block.extend_from_slice(path.as_bytes());
    block.extend_from_slice(&[0x01, 9]);
    block.extend_from_slice(b"localhost");
    block
}

/// Frames that each are allowed, and are too many.
struct Flood {
    name: &'static str,
    bytes: Vec<u8>,
    /// How many frames that is.
    frames: usize,
    /// Whether the flooder reads what it is answered.
    reads: bool,
}

impl Flood {
    fn of(name: &'static str, frames: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let frames: Vec<Vec<u8>> = frames.into_iter().collect();
        Self { name, frames: frames.len(), bytes: frames.concat(), reads: true }
    }

    fn unread(mut self) -> Self {
        self.reads = false;
        self
    }

    /// Says it on one connection, as far as it is let, and how much that was of it.
    async fn once(&self, client: &Client) -> usize {
        let Ok(stream) = client.connect(b"h2").await else { return 0 };
        let (mut read, mut write) = tokio::io::split(stream);
        let mut said = 0;
        let saying = async {
            let preface = [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(4, 0, 0, &[])].concat();
            let _ = write.write_all(&preface).await;
            for piece in self.bytes.chunks(16 * 1024) {
                // One that does not read is not waited for either.
                let written = tokio::time::timeout(Duration::from_secs(2), write.write_all(piece)).await;
                if !matches!(written, Ok(Ok(()))) {
                    break;
                }
                said += piece.len();
            }
            let _ = write.shutdown().await;
        };
        let hearing = async {
            let mut heard = [0; 16 * 1024];
            while self.reads && matches!(read.read(&mut heard).await, Ok(1..)) {}
        };
        let _ = tokio::time::timeout(SOON, async { tokio::join!(saying, hearing) }).await;
        self.frames * said / self.bytes.len().max(1)
    }
}

fn floods() -> Vec<Flood> {
    let path = "/clusters/alpha/flood";
    let headers = |stream| frame(1, 0x5, stream, &head(path));
    let open = |stream| frame(1, 0x4, stream, &head(path));
    let stream = |n: u32| 2 * n + 1;
    // One large value into the table, then named again and again by one byte.
    let mut bomb = head(path);
    bomb.extend_from_slice(&[0x40, 1, b'x', 0x7f, 0x81, 0x1e]);
    bomb.extend_from_slice(&[b'v'; 4000]);
    bomb.extend_from_slice(&[0xbe; 12_000]);
    // The same with cookies, which some count by the piece.
    let mut cookies = head(path);
    cookies.extend_from_slice(&[0x40, 6]);
    cookies.extend_from_slice(b"cookie");
    cookies.extend_from_slice(&[0x7f, 0x81, 0x1e]);
    cookies.extend_from_slice(&[b'c'; 4000]);
    cookies.extend_from_slice(&[0xbe; 12_000]);
    let many = |n: u32| {
        let mut block = head(path);
        for at in 0..3000u32 {
            block.extend_from_slice(&[0, 5]);
            block.extend_from_slice(format!("x{at:04}").as_bytes());
            block.extend_from_slice(&[1, b'y']);
        }
        block.truncate(16_000 / 9 * 9 + head(path).len());
        frame(1, 0x5, stream(n), &block[..block.len().min(16_384)])
    };
    vec![
        Flood::of(
            "opened and reset at once",
            (0..20_000).flat_map(|n| [headers(stream(n)), frame(3, 0, stream(n), &[0, 0, 0, 8])]),
        ),
        Flood::of(
            "a window of nothing, so that we reset",
            (0..5_000).flat_map(|n| [open(stream(n)), frame(8, 0, stream(n), &[0; 4])]),
        ),
        Flood::of(
            "data on a stream that is closed, so that we reset",
            (0..5_000).flat_map(|n| [headers(stream(n)), frame(0, 0, stream(n), &[0])]),
        ),
        Flood::of("pings", (0..50_000).map(|_| frame(6, 0, 0, &[0; 8]))),
        Flood::of("pings whose answers nobody reads", (0..200_000).map(|_| frame(6, 0, 0, &[0; 8]))).unread(),
        Flood::of("settings", (0..50_000).map(|_| frame(4, 0, 0, &[]))),
        Flood::of("settings whose answers nobody reads", (0..200_000).map(|_| frame(4, 0, 0, &[]))).unread(),
        Flood::of("empty data", std::iter::once(open(1)).chain((0..50_000).map(|_| frame(0, 0, 1, &[])))),
        Flood::of(
            "continuation without end",
            std::iter::once(frame(1, 0, 1, &head(path)))
                .chain((0..20_000).map(|_| frame(9, 0, 1, &[0, 1, b'x', 1, b'y']))),
        ),
        Flood::of("a head that unpacks to fifty megabytes", [frame(1, 0x5, 1, &bomb)]),
        Flood::of("cookies that unpack to fifty megabytes", [frame(1, 0x5, 1, &cookies)]),
        Flood::of("heads of a thousand fields", (0..200).map(many)),
        Flood::of("priorities", (0..50_000).map(|n| frame(2, 0, 2 * (n % 1000) + 1, &[0, 0, 0, 0, 1]))),
        Flood::of("window updates", (0..50_000).map(|_| frame(8, 0, 0, &[0, 0, 0, 1]))),
        Flood::of("frames of unknown kinds", (0..50_000).map(|_| frame(0x77, 0, 0, &[0; 8]))),
    ]
}

/// Asks again and again while `flooding`; how long each answer took, the shortest first.
async fn others(name: &str, client: &Client, flooding: impl Fn() -> bool) -> Vec<Duration> {
    let mut other = client.http2().await;
    let mut took = Vec::new();
    while flooding() {
        let began = Instant::now();
        let reply = within(name, SOON, other.get("/clusters/alpha/api")).await;
        assert_eq!(reply.unwrap().status, 200, "{name}");
        took.push(began.elapsed());
    }
    took.sort();
    took
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t26_t27_floods_of_frames_take_neither_memory_nor_others_time() {
    let seconds = count(1, 20);
    let lasts = Duration::from_secs(seconds.times as u64);
    let mut scene = Scene::raise(&["alpha"], QUIET, None).await;
    let _agent = scene.start_agent("alpha").await;
    let client = scene.client();
    let p99 = |took: &[Duration]| took[(took.len() * 99 / 100).min(took.len() - 1)];
    let began = Instant::now();
    let idle = others("nothing", &client, || began.elapsed() < lasts).await;
    println!("each for {seconds} s; idle, p99 is {:?}", p99(&idle));
    let before = scene.gateway.rss_bytes();
    for flood in floods() {
        let (flood, flooder, tasks) = (Arc::new(flood), client.clone().from([127, 0, 5, 5]), Tasks::new());
        let saying = flood.clone();
        let flooding = tasks.spawn(async move {
            let (began, mut frames) = (Instant::now(), 0);
            while began.elapsed() < lasts {
                frames += saying.once(&flooder).await;
            }
            frames as f64 / began.elapsed().as_secs_f64()
        });
        let took = others(flood.name, &client, || !flooding.is_finished()).await;
        let rate = flooding.await.unwrap();
        let grown = scene.gateway.rss_bytes().saturating_sub(before);
        let worst = took.last().copied().unwrap_or_default();
        println!(
            "{}: {rate:.0} frames/s offered; others' p99 {:?}, at worst {worst:?}; grown by {} KiB",
            flood.name,
            p99(&took),
            grown / 1024
        );
        assert!(worst < Duration::from_secs(2), "{}: another client waited {worst:?}", flood.name);
        assert!(grown < GROWTH, "{}: the gateway grew by {grown} bytes", flood.name);
    }
    assert!(scene.gateway.runs());
}

#[tokio::test]
async fn t28_many_who_never_finish_their_handshake_keep_nobody_out() {
    let rig = Rig::start().await;
    let mut silent = Vec::new();
    for door in [rig.front(), rig.tunnel_door(0)] {
        for _ in 0..400 {
            let mut stream = TcpStream::connect(door).await.unwrap();
            stream.write_all(&[0x16, 3, 1, 2, 0, 1]).await.unwrap();
            silent.push(stream);
        }
    }
    let client = rig.client();
    for _ in 0..10 {
        let reply = within("an answer", Duration::from_secs(3), client.get("/clusters/alpha/api")).await;
        assert_eq!(reply.status, 200);
    }
    let request = Request::get("/clusters/alpha/api").body(empty()).unwrap();
    assert_eq!(client.send(request).await.status, 200);
}
