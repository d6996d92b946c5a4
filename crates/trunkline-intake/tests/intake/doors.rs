//! Who is let in, by which door, and that doors close in order.

use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::ServerName;
use serde_json::json;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use trunkline_pki::dev::DevPki;
use trunkline_pki::{Validity, upstream_tls};

use crate::rig::{NDJSON, Rig, Shipper, pairs, request};

#[tokio::test]
async fn without_the_token_nothing_is_taken_or_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("token");
    std::fs::write(&path, "correct-horse-battery").unwrap();
    let rig = Rig::with(&json!({"token_files": [path]})).await;
    let body = pairs(["{}"]);
    for (fields, status) in [
        (String::new(), 401),
        ("Authorization: Bearer correct-horse-batterx\r\n".into(), 401),
        ("Authorization: Bearer correct-horse-battery\r\n".into(), 200),
    ] {
        let mut shipper = rig.shipper().await;
        for line in ["POST /_bulk", "GET /", "POST /v1/logs", "GET /anything"] {
            let json = "Content-Type: application/json\r\n";
            let answer = shipper.ask(line, &format!("{json}{fields}"), &body).await.unwrap();
            if status == 401 {
                assert_eq!(answer.status, 401, "{line} {fields}");
                assert!(answer.field("www-authenticate").is_some());
            } else {
                assert_ne!(answer.status, 401, "{line}");
            }
        }
    }
    assert_eq!(rig.kept().await.len(), 1);
    let refused = "trunkline_intake_requests_refused_total{dataset=\"logs\",reason=\"token\"}";
    assert_eq!(rig.metric(refused), 8);
}

#[tokio::test]
async fn a_dataset_is_chosen_by_path_or_by_port_and_by_nothing_else() {
    let datasets = json!([{"name": "logs"}, {"name": "audit", "listen": "127.0.0.1:0"}, {"name": "os"}]);
    let rig = Rig::with(&json!({ "datasets": datasets })).await;
    let body = b"{\"create\":{\"_index\":\"os\"}}\n{}\n";
    let mut shipper = rig.shipper().await;
    let mut other = Shipper::of(TcpStream::connect(rig.intake.addresses()[1]).await.unwrap());
    for line in
        ["POST /_bulk", "POST /os/_bulk", "POST /datasets/audit/_bulk", "POST /datasets/audit/os/_bulk"]
    {
        assert_eq!(shipper.ask(line, NDJSON, body).await.unwrap().items(), [201], "{line}");
    }
    assert_eq!(shipper.ask("POST /datasets/audit/os/_doc", NDJSON, b"{}").await.unwrap().status, 201);
    assert_eq!(other.bulk(body).await.items(), [201]);
    let answer = shipper.ask("POST /datasets/nope/_bulk", NDJSON, body).await.unwrap();
    assert_eq!(answer.status, 404);
    assert_eq!(answer.reason(), "there is no dataset \"nope\" here; there are: logs, audit, os");
    let mut counts = Vec::new();
    for dataset in ["logs", "audit", "os"] {
        counts.push(rig.kept_in(dataset).await.len());
    }
    assert_eq!(counts, [2, 4, 0]);
    assert!(rig.dir.path().join("audit").is_dir());
}

#[tokio::test]
async fn over_tls_the_same_is_taken_and_plain_text_is_not() {
    let (dir, pki) = (tempfile::tempdir().unwrap(), DevPki::in_memory().unwrap());
    let issued = pki.front.front_server(&["localhost"], Validity::days(1)).unwrap();
    let files = issued.write_to(dir.path(), "intake").unwrap();
    let tls = json!({"certificate": files.certificate, "key": files.key});
    let rig = Rig::with(&json!({ "tls": tls })).await;
    let roots = pki.front.certificate_pem();
    let client = upstream_tls(Some(roots.as_bytes()), None, &[b"h2", b"http/1.1"]).unwrap();
    let tcp = TcpStream::connect(rig.address()).await.unwrap();
    let connector = TlsConnector::from(Arc::new(client));
    let stream = connector.connect(ServerName::try_from("localhost").unwrap(), tcp).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    assert_eq!(Shipper::of(stream).bulk(&pairs(["{}"])).await.items(), [201]);
    let answer = rig.shipper().await.ask("POST /_bulk", NDJSON, &pairs(["{}"])).await;
    assert!(answer.is_none(), "plain text at a door with TLS: {answer:?}");
}

#[tokio::test]
async fn draining_answers_what_is_under_way_and_takes_nothing_more() {
    let rig = Rig::new().await;
    let (mut idle, mut busy) = (rig.shipper().await, rig.shipper().await);
    assert_eq!(idle.bulk(&pairs(["{}"])).await.items(), [201]);
    let whole = request("POST /_bulk", NDJSON, &pairs(["{\"a\":1}"; 10]));
    let (first, rest) = whole.split_at(whole.len() - 20);
    busy.write(first).await;
    crate::rig::eventually("it is under way", || rig.intake.status()[0].requests == 2).await;
    let finish = async {
        assert!(idle.answer().await.is_none(), "an idle connection is closed");
        busy.write(rest).await;
        let answer = busy.answer().await.unwrap();
        assert_eq!((answer.items().len(), answer.field("connection")), (10, Some("close")));
    };
    let (drained, ()) = tokio::join!(rig.intake.drain(Duration::from_secs(10)), finish);
    assert!(drained);
    assert!(TcpStream::connect(rig.address()).await.is_err(), "the port is closed");
    assert_eq!(rig.kept().await.len(), 11);
    rig.tasks.shut_down().await;
}

#[tokio::test]
async fn whoever_stops_without_draining_leaves_nothing_running() {
    let rig = Rig::new().await;
    let mut shipper = rig.shipper().await;
    assert_eq!(shipper.bulk(&pairs(["{}"])).await.items(), [201]);
    rig.tasks.shut_down().await;
    assert_eq!(rig.tasks.alive(), 0);
    assert!(shipper.answer().await.is_none());
}
