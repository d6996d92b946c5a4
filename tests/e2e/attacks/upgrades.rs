//! Upgrades: whatever a cluster answers, and whatever stands behind the request, no byte gets to it that is not an
//! upgrade's (T3, T4; CVE-2018-1002105, CVE-2020-8559, CVE-2026-2833). What is behind a 101 is never parsed (T47).

use std::time::Duration;

use futures_util::StreamExt as _;
use rand::rngs::StdRng;
use rand::{Rng as _, RngCore as _, SeedableRng as _};
use trunkline_tests::{Client, RawUpstream, Rig, RigBuilder, eventually, rss_bytes, within};

const SOON: Duration = Duration::from_secs(30);
/// What a client that hopes for a left-over pipe says.
const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nhost: x\r\nimpersonate-user: root\r\n\r\n";
const SWITCHING: &str =
    "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";

/// The answers that a hostile or broken API server gives to an upgrade, and whether it stays afterwards.
fn answers() -> Vec<(Vec<u8>, bool)> {
    let mut answers = Vec::new();
    let statuses = [
        102, 103, 199, 200, 201, 202, 203, 204, 205, 206, 226, 300, 301, 302, 303, 304, 305, 307, 308, 400,
        401, 402, 403, 404, 405, 409, 410, 413, 418, 421, 425, 426, 429, 431, 500, 501, 502, 503, 504, 505,
        511, 599, 600, 999,
    ];
    let long = "x".repeat(70_000);
    let endings = [
        "content-length: 0\r\n\r\n".to_owned(),
        "content-length: 2\r\n\r\nno".to_owned(),
        "content-length: 2000\r\n\r\nnot all of it".to_owned(),
        "transfer-encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n".to_owned(),
        "transfer-encoding: chunked\r\n\r\nzz\r\n".to_owned(),
        "\r\nuntil the end".to_owned(),
        format!("content-length: 70000\r\n\r\n{long}"),
        "location: https://evil.example/\r\ncontent-length: 0\r\n\r\n".to_owned(),
    ];
    for status in statuses {
        for (at, ending) in endings.iter().enumerate() {
            let switching = if at % 2 == 0 { "connection: upgrade\r\nupgrade: websocket\r\n" } else { "" };
            // One that stays is not at its end by itself where its length says nothing.
            let stays = matches!(at, 0 | 1 | 3 | 6 | 7) && status >= 200;
            answers.push((format!("HTTP/1.1 {status} X\r\n{switching}{ending}").into_bytes(), stays));
        }
    }
    for fields in [
        "",
        "connection: upgrade\r\n",
        "upgrade: h2c\r\nconnection: upgrade\r\n",
        "upgrade: SPDY/3.1\r\nconnection: upgrade\r\n",
        "upgrade: websocket, SPDY/3.1\r\nconnection: upgrade\r\n",
        "upgrade: websocke\r\nconnection: upgrade\r\n",
        "upgrade: \r\nconnection: upgrade\r\n",
        "upgrade: TLS/1.0\r\nconnection: upgrade\r\ncontent-length: 5\r\n",
    ] {
        for stays in [true, false] {
            for behind in ["", "bytes", "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil"] {
                answers.push((format!("HTTP/1.1 101 Switching\r\n{fields}\r\n{behind}").into_bytes(), stays));
            }
        }
    }
    let mut random = StdRng::seed_from_u64(3);
    for at in 0..110 {
        let mut garbage = vec![0; random.random_range(0..200)];
        random.fill_bytes(&mut garbage);
        let begun: &[u8] =
            [&b""[..], b"HTTP/1.1 ", b"HTTP/1.1 101", b"HTTP/1.1 200 OK\r\n", b"HTTP/2 101\r\n\r\n"][at % 5];
        answers.push(([begun, &garbage].concat(), false));
    }
    answers
}

/// Alpha's agent in front of an upstream that answers by the number at the end of the path.
async fn answering(answers: Vec<(Vec<u8>, bool)>) -> (Rig, RawUpstream) {
    let mut rig = RigBuilder::default().without_agents().start().await;
    let upstream = RawUpstream::answering(&rig.paper, &rig.tasks, move |head| {
        let path = head.split(' ').nth(1).unwrap_or_default();
        let number: Option<usize> = path.rsplit('/').next().and_then(|number| number.parse().ok());
        number
            .and_then(|number| answers.get(number).cloned())
            .unwrap_or_else(|| (b"nobody asked".to_vec(), false))
    })
    .await;
    let mut config = rig.agent_config("alpha");
    config.upstream = upstream.config(&rig.paper);
    rig.start_agent_with("alpha", config).await;
    (rig, upstream)
}

fn head(number: usize, token: &str) -> String {
    format!(
        "GET /clusters/alpha/exec/{number} HTTP/1.1\r\nhost: localhost\r\nconnection: Upgrade\r\nupgrade: {token}\r\n\r\n"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t03_no_answer_to_an_upgrade_but_the_101_leaves_a_pipe_to_the_cluster() {
    let answers = answers();
    let cases = answers.len();
    let (rig, upstream) = answering(answers.clone()).await;
    let client = rig.client();
    let asking = futures_util::stream::iter(answers.iter().enumerate().map(|(number, (answer, _))| {
        let client: &Client = &client;
        async move {
            let mut raw = client.raw().await;
            raw.say(head(number, "websocket") + SMUGGLED).await;
            raw.say(SMUGGLED).await;
            let shown = String::from_utf8_lossy(&answer[..answer.len().min(120)]).into_owned();
            let heard =
                within(&format!("the end of {shown:?}"), Duration::from_secs(12), raw.hear_to_end()).await;
            assert!(heard.starts_with("HTTP/1.1 "), "{shown:?}: {heard}");
            assert!(!heard.starts_with("HTTP/1.1 101"), "{shown:?}: {heard}");
            assert_eq!(heard.matches("HTTP/1.1 ").count(), 1, "{shown:?}: {heard}");
            assert!(!heard.contains("evil"), "{shown:?}: {heard}");
        }
    }));
    asking.buffer_unordered(8).collect::<Vec<()>>().await;
    let heard = upstream.heard();
    // A request whose answer was cut before a byte of it came may have been sent once more, where that is safe.
    let asked: std::collections::BTreeSet<&str> =
        heard.iter().map(|one| one.head.split(' ').nth(1).unwrap_or_default()).collect();
    println!("{cases} answers to {} requests of {} upgrades", heard.len(), asked.len());
    assert_eq!(asked.len(), cases);
    for conversation in &heard {
        assert!(conversation.rest.is_empty(), "{conversation:?}");
        assert_eq!(conversation.head.to_ascii_lowercase().matches("impersonate-user: jane").count(), 1);
        assert!(!conversation.head.contains("smuggled"));
    }
    assert!(cases >= 500);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t04_bytes_behind_an_upgrade_are_held_until_the_101_and_are_never_a_request() {
    let mut random = StdRng::seed_from_u64(4);
    let cases: Vec<(Vec<u8>, bool)> = (0..200)
        .map(|at| {
            let mut behind = match at % 4 {
                0 => SMUGGLED.repeat(1 + at % 7).into_bytes(),
                1 => vec![0x81, 0x85, 1, 2, 3, 4, b'h', b'e', b'l', b'l', b'o'],
                2 => b"0\r\n\r\n".to_vec(),
                _ => vec![0; random.random_range(1..60_000)],
            };
            if at % 4 == 3 {
                random.fill_bytes(&mut behind);
            }
            (behind, at % 2 == 0)
        })
        .collect();
    let declined = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno";
    let answers =
        (0..200).map(|at| (if at % 3 == 0 { declined.to_vec() } else { SWITCHING.into() }, true)).collect();
    let (rig, upstream) = answering(answers).await;
    let client = rig.client();
    let asking = futures_util::stream::iter(cases.iter().enumerate().map(|(number, (behind, at_once))| {
        let (client, upstream): (&Client, &RawUpstream) = (&client, &upstream);
        async move {
            let mut raw = client.raw().await;
            let head = head(number, "websocket").into_bytes();
            if *at_once {
                raw.say([&head[..], behind].concat()).await;
            } else {
                raw.say(head).await;
                raw.say(behind).await;
            }
            let heard = raw.hear_head().await;
            let path = format!("GET /exec/{number} ");
            let rest =
                || upstream.heard().into_iter().filter(|one| one.head.starts_with(&path)).collect::<Vec<_>>();
            if number % 3 == 0 {
                assert!(heard.starts_with("HTTP/1.1 403"), "{heard}");
                assert_eq!(raw.hear_to_end().await, "no");
                assert!(rest().iter().all(|one| one.rest.is_empty()));
            } else {
                assert!(heard.starts_with("HTTP/1.1 101"), "{heard}");
                eventually("the bytes are there", SOON, || rest().iter().any(|one| one.rest == *behind))
                    .await;
            }
            assert_eq!(rest().len(), 1, "one request each");
        }
    }));
    asking.buffer_unordered(8).collect::<Vec<()>>().await;
    assert_eq!(upstream.heard().len(), cases.len());
    println!("{} upgrades with bytes behind them, each one request", cases.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t47_lengths_that_a_cluster_makes_up_in_spdy_cost_the_gateway_nothing() {
    // Frames of SPDY/3.1 that promise up to 16 MiB, and a name-value block of 4 GiB.
    let mut bombs =
        b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: SPDY/3.1\r\n\r\n".to_vec();
    for kind in 1..=9u8 {
        bombs.extend([0x80, 3, 0, kind, 0, 0xff, 0xff, 0xff, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff]);
    }
    bombs.extend([0, 0, 0, 1, 0, 0xff, 0xff, 0xff]);
    let sent = bombs.clone();
    let (rig, _upstream) = answering(vec![(bombs, true)]).await;
    let client = rig.client();
    let before = rss_bytes();
    let mut open = Vec::new();
    for _ in 0..100 {
        let mut raw = client.raw().await;
        raw.say(head(0, "SPDY/3.1")).await;
        let head = raw.hear_head().await;
        assert!(head.starts_with("HTTP/1.1 101"), "{head}");
        let bytes = raw.hear(16 * 9 + 8).await;
        assert!(sent.ends_with(&bytes), "as it was sent");
        open.push(raw);
    }
    let grown = rss_bytes().saturating_sub(before);
    println!("100 upgrades with bombs, grown by {} KiB", grown / 1024);
    assert!(grown < 64 * 1024 * 1024, "{grown}");
}
