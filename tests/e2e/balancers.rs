//! Clients behind a load balancer that says whom it speaks for, and clients who say so themselves.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use trunkline_tests::{Logs, Rig, eventually, within};

const SOON: Duration = Duration::from_secs(15);

/// A PROXY header, version 2, for TCP over IPv4.
fn header(from: [u8; 4], port: u16) -> Vec<u8> {
    let signature = b"\r\n\r\n\0\r\nQUIT\n";
    let [high, low] = port.to_be_bytes();
    let addresses = [&from[..], &[10, 0, 0, 1, high, low, 0x20, 0xfb]].concat();
    [&signature[..], &[0x21, 0x11, 0, 12], &addresses].concat()
}

/// Says `first` at the front door, from an address, and waits until it is hung up on.
async fn hung_up(rig: &Rig, from: [u8; 4], first: &[u8]) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((from, 0).into()).unwrap();
    let mut tcp: TcpStream = socket.connect(rig.front()).await.unwrap();
    tcp.write_all(first).await.unwrap();
    let mut heard = Vec::new();
    let _ = within("hanging up", SOON, tcp.read_to_end(&mut heard)).await;
}

#[tokio::test]
async fn a_listed_balancers_client_is_logged_where_it_comes_from() {
    let logs = Logs::capture();
    let rig = Rig::builder().proxy_from("127.0.0.1/32").start().await;
    let client = rig.client().saying_first(&header([203, 0, 113, 7], 4711));
    let path = "/clusters/alpha/through-a-balancer";
    assert_eq!(client.get(path).await.status, 200);
    assert_eq!(client.http2().await.get(path).await.unwrap().status, 200);
    eventually("two lines", SOON, || logs.access(path).len() == 2).await;
    for line in logs.access(path) {
        assert_eq!(line.field("from"), "203.0.113.7:4711");
    }
}

#[tokio::test]
async fn nobody_behind_a_listed_balancer_comes_in_without_a_header() {
    let rig = Rig::builder().proxy_from("127.0.0.1/32").start().await;
    assert!(rig.client().connect(b"http/1.1").await.is_err());
    assert!(
        rig.client().saying_first(b"PROXY TCP4 203.0.113.7 10.0.0.1 1 2\r\n").connect(b"h2").await.is_err()
    );
    // Half a header, and then nothing: closed within the handshake's time.
    hung_up(&rig, [127, 0, 0, 1], &header([203, 0, 113, 7], 1)[..20]).await;
    hung_up(&rig, [127, 0, 0, 1], b"").await;
    assert_eq!(rig.upstream("alpha").count(), 0);
}

#[tokio::test]
async fn from_anybody_else_a_header_is_a_broken_handshake() {
    let rig = Rig::builder().proxy_from("127.0.0.1/32").start().await;
    let header = header([203, 0, 113, 7], 1);
    assert!(rig.client().from([127, 0, 0, 2]).saying_first(&header).connect(b"http/1.1").await.is_err());
    hung_up(&rig, [127, 0, 0, 2], &header).await;
    let direct = rig.client().from([127, 0, 0, 2]);
    assert_eq!(direct.get("/clusters/alpha/api").await.status, 200, "they come as they are");
}

#[tokio::test]
async fn a_flood_through_a_balancer_pushes_out_its_own_network_and_no_other() {
    let rig = Rig::builder().proxy_from("127.0.0.1/32").start().await;
    let mut silent = Vec::new();
    for at in 0..300_u16 {
        let mut tcp = TcpStream::connect(rig.front()).await.unwrap();
        let [_, last] = at.to_be_bytes();
        tcp.write_all(&header([203, 0, 113, last], at)).await.unwrap();
        silent.push(tcp);
    }
    let other = rig.client().saying_first(&header([198, 51, 100, 1], 1));
    assert_eq!(within("another network's client", SOON, other.get("/clusters/alpha/api")).await.status, 200);
}
