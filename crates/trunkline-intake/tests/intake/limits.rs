//! How much at once, and what happens then.

use std::time::Duration;

use serde_json::json;
use tokio::net::TcpStream;
use trunkline_intake::{MAX_BODY, MAX_ITEMS};

use crate::rig::{NDJSON, Rig, Shipper, eventually, gzip, pairs, request};

#[tokio::test]
async fn connections_beyond_their_number_are_closed_and_counted() {
    let rig = Rig::with(&json!({"limits": {"connections": 3}})).await;
    let mut shippers = Vec::new();
    for _ in 0..3 {
        let mut shipper = rig.shipper().await;
        assert_eq!(shipper.bulk(&pairs(["{}"])).await.items(), [201]);
        shippers.push(shipper);
    }
    let answer = rig.shipper().await.ask("POST /_bulk", NDJSON, &pairs(["{}"])).await;
    assert!(answer.is_none(), "{answer:?}");
    assert_eq!(rig.metric("trunkline_intake_connections_refused_total"), 1);
    assert_eq!(rig.metric("trunkline_intake_connections_open"), 3);
    shippers.pop();
    eventually("the place is free", || rig.metric("trunkline_intake_connections_open") == 2).await;
    assert_eq!(rig.shipper().await.bulk(&pairs(["{}"])).await.items(), [201]);
    assert_eq!(rig.kept().await.len(), 4);
}

#[tokio::test]
async fn requests_beyond_their_number_wait_and_are_told_to_try_again() {
    let rig = Rig::with(&json!({"limits": {"requests": 1}})).await;
    let (mut slow, mut other) = (rig.shipper().await, rig.shipper().await);
    let whole = request("POST /_bulk", NDJSON, &pairs(["{}"; 10]));
    let (first, rest) = whole.split_at(whole.len() - 5);
    slow.write(first).await;
    eventually("it is under way", || rig.intake.status()[0].requests == 1).await;
    let answer = other.bulk(&pairs(["{}"])).await;
    assert_eq!((answer.status, answer.field("retry-after")), (429, Some("2")));
    assert_eq!(answer.json()["error"]["type"], "es_rejected_execution_exception");
    slow.write(rest).await;
    let pair = pairs(["{}"]);
    let (one, two) = tokio::join!(slow.answer(), other.bulk(&pair));
    assert_eq!((one.unwrap().items().len(), two.items()), (10, vec![201]));
}

#[tokio::test]
async fn one_address_leaves_connections_and_requests_for_others() {
    let rig = Rig::with(&json!({"limits": {"connections": 8, "requests": 4}})).await;
    let whole = request("POST /_bulk", NDJSON, &pairs(["{}"; 10]));
    let mut slow = Vec::new();
    for under_way in 1..=3 {
        let mut shipper = rig.shipper().await;
        shipper.write(&whole[..whole.len() - 5]).await;
        slow.push(shipper);
        eventually("it is under way", || rig.intake.status()[0].requests == under_way).await;
    }
    let mut fourth = rig.shipper().await;
    assert_eq!(fourth.bulk(&pairs(["{}"])).await.status, 429, "its address has three of four");
    assert_eq!(rig.shipper_at(2).await.bulk(&pairs(["{}"])).await.items(), [201]);
    for _ in 0..2 {
        let mut shipper = rig.shipper().await;
        assert_eq!(shipper.ask("GET /", "", b"").await.unwrap().status, 200);
        slow.push(shipper);
    }
    let seventh = rig.shipper().await.ask("GET /", "", b"").await;
    assert!(seventh.is_none(), "its address has six of eight: {seventh:?}");
    assert_eq!(rig.shipper_at(2).await.bulk(&pairs(["{}"])).await.items(), [201]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_is_shared_by_all_requests_and_given_back() {
    let rig = Rig::with(&json!({"limits": {"memory_mib": 64}})).await;
    let document = format!("{{\"a\":\"{}\"}}", "x".repeat(200_000));
    let body = pairs(std::iter::repeat_n(document.as_str(), 125));
    let whole = request("POST /_bulk", NDJSON, &body);
    let (first, rest) = whole.split_at(whole.len() - 5);
    let mut holders: Vec<Shipper> = Vec::new();
    for address in [2, 3] {
        let mut shipper = rig.shipper_at(address).await;
        shipper.write(first).await;
        holders.push(shipper);
    }
    let mut third = rig.shipper_at(4).await;
    let answer = third.ask("POST /_bulk", NDJSON, &body).await.unwrap();
    assert_eq!((answer.status, answer.field("retry-after")), (429, Some("2")));
    let small = rig.shipper().await.bulk(&pairs(["{}"])).await;
    assert_eq!(small.items(), [201], "a small one still has room");
    for mut holder in holders {
        holder.write(rest).await;
        assert_eq!(holder.answer().await.unwrap().items().len(), 125);
    }
    assert_eq!(third.ask("POST /_bulk", NDJSON, &body).await.unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_too_long_is_refused_as_sent_and_inflated() {
    let rig = Rig::new().await;
    // Said beforehand: not even read.
    let mut shipper = rig.shipper().await;
    let head =
        format!("POST /_bulk HTTP/1.1\r\nHost: intake\r\nContent-Length: {}\r\n{NDJSON}\r\n", MAX_BODY + 1);
    shipper.write(head.as_bytes()).await;
    shipper.try_write(&vec![b'\n'; MAX_BODY + 1]).await;
    let answer = shipper.answer().await.unwrap();
    assert_eq!(answer.status, 413);
    assert!(answer.reason().contains("MiB"), "{}", answer.reason());
    // Not said beforehand.
    let mut shipper = rig.shipper().await;
    let chunked =
        format!("POST /_bulk HTTP/1.1\r\nHost: intake\r\nTransfer-Encoding: chunked\r\n{NDJSON}\r\n");
    shipper.write(chunked.as_bytes()).await;
    shipper.try_write(format!("{:x}\r\n", MAX_BODY + 1).as_bytes()).await;
    shipper.try_write(&vec![b'\n'; MAX_BODY + 1]).await;
    shipper.try_write(b"\r\n0\r\n\r\n").await;
    assert_eq!(shipper.answer().await.unwrap().status, 413);
    // Inflated: the limit itself is taken.
    let mut shipper = rig.shipper().await;
    let fields = format!("{NDJSON}Content-Encoding: gzip\r\n");
    let mut body = [vec![b' '; 1023], vec![b'\n']].concat().repeat(MAX_BODY / 1024);
    let pair = pairs(["{}"]);
    body[MAX_BODY - pair.len()..].copy_from_slice(&pair);
    assert_eq!(shipper.ask("POST /_bulk", &fields, &gzip(&body)).await.unwrap().items(), [201]);
    body.push(b'\n');
    assert_eq!(shipper.ask("POST /_bulk", &fields, &gzip(&body)).await.unwrap().status, 413);
    assert_eq!(rig.kept().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_has_an_end_to_its_items() {
    let rig = Rig::new().await;
    let mut shipper = rig.shipper().await;
    let fields = format!("{NDJSON}Content-Encoding: gzip\r\n");
    let most = pairs(std::iter::repeat_n("{}", MAX_ITEMS));
    let answer = shipper.ask("POST /_bulk", &fields, &gzip(&most)).await.unwrap();
    assert_eq!(answer.items().len(), MAX_ITEMS);
    let more = pairs(std::iter::repeat_n("{}", MAX_ITEMS + 1));
    let answer = shipper.ask("POST /_bulk", &fields, &gzip(&more)).await.unwrap();
    assert_eq!((answer.status, answer.reason().contains("100000 records")), (413, true));
    assert_eq!(rig.spool("logs").status().last, MAX_ITEMS as u64);
}

#[tokio::test]
async fn a_head_has_an_end() {
    let rig = Rig::new().await;
    for fields in ["X: y\r\n".repeat(200), format!("X: {}\r\n", "y".repeat(300_000))] {
        let answer = rig.shipper().await.ask("POST /_bulk", &fields, b"").await;
        assert!(answer.as_ref().is_none_or(|answer| answer.status == 431), "{answer:?}");
    }
    assert_eq!(rig.intake.status()[0].requests, 0);
}

#[tokio::test(start_paused = true)]
async fn whoever_says_nothing_is_not_waited_for() {
    let rig = Rig::new().await;
    for said in ["", "POST /_bulk HTTP/1.1\r\nHost: int"] {
        let mut shipper = Shipper::of(TcpStream::connect(rig.address()).await.unwrap());
        shipper.write(said.as_bytes()).await;
        // The clock runs by itself while nothing happens.
        let closed = tokio::time::timeout(Duration::from_secs(70), shipper.answer()).await;
        assert!(closed.unwrap().is_none_or(|answer| answer.status == 408), "{said:?}");
    }
}
