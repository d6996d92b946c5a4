//! Clients that do too much of what is allowed, and others who must not feel it.

use std::time::{Duration, Instant};

use http::Request;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use trunkline_runtime::{Tasks, empty};
use trunkline_tests::{Client, Rig, eventually, frame, rss_bytes, within};

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

/// Opens an HTTP/2 connection, says `bytes` in pieces, and reads until it is hung up on or all is said.
async fn flood(client: &Client, bytes: Vec<u8>) {
    let stream = client.connect(b"h2").await.unwrap();
    let (mut read, mut write) = tokio::io::split(stream);
    let saying = async {
        let preface = [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(4, 0, 0, &[])].concat();
        let _ = write.write_all(&preface).await;
        for piece in bytes.chunks(16 * 1024) {
            if write.write_all(piece).await.is_err() {
                return;
            }
        }
        let _ = write.shutdown().await;
    };
    let hearing = async {
        let mut heard = [0; 16 * 1024];
        while let Ok(1..) = read.read(&mut heard).await {}
    };
    let _ = tokio::time::timeout(SOON, async { tokio::join!(saying, hearing) }).await;
}

/// The floods, by name: frames that each are allowed.
fn floods() -> Vec<(&'static str, Vec<u8>)> {
    let path = "/clusters/alpha/flood";
    let each = |count: u32, make: &dyn Fn(u32) -> Vec<u8>| (0..count).flat_map(make).collect::<Vec<u8>>();
    let headers = |stream| frame(1, 0x5, stream, &head(path));
    let open = |stream| frame(1, 0x4, stream, &head(path));
    let continuation =
        [frame(1, 0, 1, &head(path)), each(20_000, &|_| frame(9, 0, 1, &[0, 1, b'x', 1, b'y']))].concat();
    let mut bomb = head(path);
    // One large value into the table, then named again and again by one byte.
    bomb.extend_from_slice(&[0x40, 1, b'x', 0x7f, 0x81, 0x1e]);
    bomb.extend_from_slice(&[b'v'; 4000]);
    bomb.extend_from_slice(&[0xbe; 12_000]);
    vec![
        (
            "opened and reset at once",
            each(20_000, &|n| [headers(2 * n + 1), frame(3, 0, 2 * n + 1, &[0, 0, 0, 8])].concat()),
        ),
        (
            "window of nothing, so that we reset",
            each(5_000, &|n| [open(2 * n + 1), frame(8, 0, 2 * n + 1, &[0; 4])].concat()),
        ),
        ("pings", each(50_000, &|_| frame(6, 0, 0, &[0; 8]))),
        ("settings", each(50_000, &|_| frame(4, 0, 0, &[]))),
        ("empty data", [open(1), each(50_000, &|_| frame(0, 0, 1, &[]))].concat()),
        ("continuation without end", continuation),
        ("a head that unpacks to fifty megabytes", frame(1, 0x5, 1, &bomb)),
        ("priorities", each(50_000, &|n| frame(2, 0, 2 * (n % 1000) + 1, &[0, 0, 0, 0, 1]))),
        ("window updates", each(50_000, &|_| frame(8, 0, 0, &[0, 0, 0, 1]))),
        ("frames of unknown kinds", each(50_000, &|_| frame(0x77, 0, 0, &[0; 8]))),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t26_t27_floods_of_small_frames_take_neither_memory_nor_others_time() {
    let rig = Rig::start().await;
    let client = rig.client();
    let mut other = client.http2().await;
    assert_eq!(other.get("/clusters/alpha/api").await.unwrap().status, 200);
    let before = rss_bytes();
    for (name, bytes) in floods() {
        let tasks = Tasks::new();
        let flooder = client.clone();
        let flooding = tasks.spawn(async move { flood(&flooder, bytes).await });
        let mut worst = Duration::ZERO;
        while !flooding.is_finished() {
            let began = Instant::now();
            assert_eq!(
                within(name, SOON, other.get("/clusters/alpha/api")).await.unwrap().status,
                200,
                "{name}"
            );
            worst = worst.max(began.elapsed());
        }
        flooding.await.unwrap();
        eventually(name, SOON, || rig.gateway().requests() == 0).await;
        let grown = rss_bytes().saturating_sub(before);
        println!("{name}: others waited at most {worst:?}, grown by {} KiB", grown / 1024);
        assert!(worst < Duration::from_secs(2), "{name}: another client waited {worst:?}");
        assert!(grown < GROWTH, "{name}: the process grew by {grown} bytes");
    }
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
