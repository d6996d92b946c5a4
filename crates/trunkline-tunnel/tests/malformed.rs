//! Frames that break the mux's rules, at either end of a link: a session ends for a reason or goes on, and nothing panics,
//! hangs or holds what is not there (CVE-2026-32314, CVE-2026-31814, CVE-2024-32984).
//!
//! Seeded; `TRUNKLINE_PROVE=1` asks for the full number. In a process of its own, since it counts panics.

#![allow(clippy::unwrap_used, reason = "a test may fail by panic anywhere")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use rand::rngs::StdRng;
use rand::{Rng as _, RngCore as _, SeedableRng as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use trunkline_proto::{CloseReason, Limits};
use trunkline_runtime::{Tasks, full};
use trunkline_tunnel::{Role, Session, serve};

/// How long what is over may take to be over.
const SOON: Duration = Duration::from_secs(20);
/// Frames on one link, if it lives so long.
const FRAMES: usize = 300;

/// The kinds of frames.
const DATA: u8 = 0;
const WINDOW: u8 = 1;
const PING: u8 = 2;
const GO_AWAY: u8 = 3;
/// Flags.
const SYN: u16 = 1;

static PANICS: AtomicUsize = AtomicUsize::new(0);

fn count_panics() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            PANICS.fetch_add(1, Ordering::Relaxed);
            before(info);
        }));
    });
}

fn links(bounded: usize, full: usize) -> usize {
    let proving = std::env::var_os("TRUNKLINE_PROVE").is_some_and(|value| value == "1");
    if proving { full } else { bounded }
}

fn header(version: u8, kind: u8, flags: u16, stream: u32, length: u32) -> Vec<u8> {
    let mut frame = vec![version, kind];
    frame.extend(flags.to_be_bytes());
    frame.extend(stream.to_be_bytes());
    frame.extend(length.to_be_bytes());
    frame
}

fn data(flags: u16, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap();
    [header(0, DATA, flags, stream, length), payload.to_vec()].concat()
}

/// A frame that is right in most of it, so that what is wrong is reached.
fn any_frame(random: &mut StdRng) -> Vec<u8> {
    if random.random_ratio(1, 200) {
        let mut noise = vec![0; random.random_range(1..40)];
        random.fill_bytes(&mut noise);
        return noise;
    }
    let version = if random.random_ratio(1, 100) { random.random() } else { 0 };
    let kind = if random.random_ratio(1, 100) { random.random() } else { random.random_range(0..3) };
    let flags = if random.random_ratio(1, 20) {
        random.random()
    } else {
        [0, 0, 1, 1, 2, 4, 8, 3, 5][random.random_range(0..9)]
    };
    let stream = if random.random_ratio(1, 20) { random.random() } else { random.random_range(0..12) };
    let length = match random.random_range(0..10) {
        0 => random.random(),
        1 => u32::MAX,
        2 => 0,
        3 => 256 * 1024,
        4 => i32::MAX as u32 + 1,
        _ => random.random_range(0..64),
    };
    let mut frame = header(version, kind, flags, stream, length);
    if kind == DATA && length < 1024 {
        let mut payload = vec![0; length as usize];
        random.fill_bytes(&mut payload);
        // What an HTTP server reads may be HTTP.
        if random.random_ratio(1, 3) {
            payload.splice(.., *b"GET / HTTP/1.1\r\nhost: x\r\n\r\n");
            frame = header(version, kind, flags, stream, payload.len() as u32);
        }
        frame.extend(payload);
    }
    frame
}

/// One end of a link with a session on it that answers, and the other end as bytes.
fn victim(role: Role, tasks: &Tasks) -> (Session, DuplexStream) {
    let (near, far) = tokio::io::duplex(64 * 1024);
    let (session, inbound) = Session::start(near, role, Limits::DEFAULT, tasks);
    session.allow(Limits::DEFAULT);
    let answer = |_: Request<Incoming>| std::future::ready(Response::new(full("ok")));
    tasks.spawn(serve(inbound, answer));
    (session, far)
}

async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(SOON, future).await.unwrap_or_else(|_| panic!("not within {SOON:?}: {what}"))
}

/// Says all of it while what comes is read, and says how many frames were taken.
async fn say(link: DuplexStream, frames: &[Vec<u8>]) -> usize {
    let (mut read, mut write) = tokio::io::split(link);
    let hearing = async {
        let mut heard = vec![0; 64 * 1024];
        while let Ok(1..) = read.read(&mut heard).await {}
    };
    let saying = async {
        let mut taken = 0;
        for frame in frames {
            if write.write_all(frame).await.is_err() {
                break;
            }
            taken += 1;
        }
        let _ = write.shutdown().await;
        taken
    };
    tokio::join!(saying, hearing).0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t30_malformed_frames_end_a_session_or_nothing_and_never_panic() {
    count_panics();
    let links = links(4_000, 100_000);
    let (mut frames, mut by_rule) = (0, 0);
    for seed in 0..links {
        let mut random = StdRng::seed_from_u64(seed as u64);
        let role = if seed % 2 == 0 { Role::Door } else { Role::Dialler };
        let tasks = Tasks::new();
        let (session, far) = victim(role, &tasks);
        let said: Vec<Vec<u8>> = (0..FRAMES).map(|_| any_frame(&mut random)).collect();
        // The victim opens a stream of its own meanwhile; what becomes of it is told, whatever that is.
        let opening = async { session.open().await.is_ok() };
        let (taken, _) =
            within(&format!("link {seed}"), async { tokio::join!(say(far, &said), opening) }).await;
        frames += taken;
        let reason = within(&format!("the end of link {seed}"), session.ended()).await;
        by_rule += usize::from(matches!(reason, CloseReason::Protocol(_)));
        within(&format!("the tasks of link {seed}"), tasks.shut_down()).await;
        assert_eq!(PANICS.load(Ordering::Relaxed), 0, "link {seed}");
    }
    println!("{links} links, {frames} frames taken, {by_rule} ended by a broken rule, 0 panics");
    assert!(by_rule > links / 4);
}

#[tokio::test]
async fn t31_credit_that_overflows_and_data_beyond_credit_end_the_session() {
    count_panics();
    // Credit as often as it takes to wrap whatever counts it.
    for length in [u32::MAX, i32::MAX as u32, i32::MAX as u32 + 1, u32::MAX - 256 * 1024 + 1] {
        let tasks = Tasks::new();
        let (session, mut far) = victim(Role::Door, &tasks);
        far.write_all(&header(0, WINDOW, SYN, 1, length)).await.unwrap();
        for _ in 0..1000 {
            if far.write_all(&header(0, WINDOW, 0, 1, length)).await.is_err() {
                break;
            }
        }
        // It may stay on the link as long as it likes.
        let reason = within("the end", session.ended()).await;
        assert!(matches!(reason, CloseReason::Protocol(_)), "{length}: {reason}");
        within("the tasks", tasks.shut_down()).await;
    }
    // More than a stream was ever allowed to send, to one who does not read.
    let tasks = Tasks::new();
    let (near, mut far) = tokio::io::duplex(64 * 1024);
    let (session, _inbound) = Session::start(near, Role::Door, Limits::DEFAULT, &tasks);
    far.write_all(&data(SYN, 1, b"")).await.unwrap();
    let mut sent = 0;
    while sent < 8 * 1024 * 1024 && far.write_all(&data(0, 1, &[0; 16 * 1024])).await.is_ok() {
        sent += 16 * 1024;
    }
    let reason = within("the end", session.ended()).await;
    assert!(matches!(reason, CloseReason::Protocol(_)), "{reason}");
    assert!(sent < 1024 * 1024, "{sent} bytes were taken");
    assert_eq!(PANICS.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn t31_a_frame_that_promises_gigabytes_ends_the_session_before_a_byte_of_it() {
    count_panics();
    for length in [u32::MAX, 1 << 30, 64 * 1024 * 1024] {
        let tasks = Tasks::new();
        let (session, mut far) = victim(Role::Door, &tasks);
        far.write_all(&header(0, DATA, SYN, 1, length)).await.unwrap();
        let reason = within("the end", session.ended()).await;
        assert!(matches!(reason, CloseReason::Protocol(_)), "{length}: {reason}");
    }
    assert_eq!(PANICS.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn t32_what_the_other_end_says_last_ends_every_wait() {
    count_panics();
    // Each of these with requests under way in both directions; none may wait for ever.
    let mut last_words: Vec<Vec<u8>> = (0..3).map(|code| header(0, GO_AWAY, 0, 0, code)).collect();
    last_words.extend([
        Vec::new(),
        header(0, PING, 1, 0, 7),
        header(9, 0, 0, 0, 0),
        header(0, DATA, 8, 2, 0),
    ]);
    for words in last_words {
        let tasks = Tasks::new();
        let (session, mut far) = victim(Role::Door, &tasks);
        far.write_all(&data(SYN, 1, b"GET / HTTP/1.1\r\n")).await.unwrap();
        let mut opened = within("a stream", session.open()).await.unwrap();
        tokio::join!(
            async {
                let mut heard = Vec::new();
                let _ = within("the stream's end", opened.read_to_end(&mut heard)).await;
            },
            async {
                far.write_all(&words).await.unwrap();
                drop(far);
            }
        );
        within("the session's end", session.ended()).await;
        within("the tasks", tasks.shut_down()).await;
    }
    assert_eq!(PANICS.load(Ordering::Relaxed), 0);
}
