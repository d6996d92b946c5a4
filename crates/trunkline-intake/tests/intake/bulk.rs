//! What is kept of a bulk, and that it is kept when it is answered.

use futures_util::future::join_all;
use serde_json::json;
use trunkline_logs::OwnId;

use crate::rig::{NDJSON, Rig, gzip, pairs, request};

#[tokio::test]
async fn good_items_are_kept_as_they_came_and_bad_ones_are_refused_by_themselves() {
    let rig = Rig::new().await;
    let mut shipper = rig.shipper().await;
    let body = "{\"index\":{\"_index\":\"x\",\"pipeline\":\"p\"}}\n{\"b\": 2,\"a\":\"\\u00e4\", \"a\":1}\n\
        {\"create\":{\"_id\":\"17\"}}\n[1]\n{\"create\":{\"_id\":\"18\"}}\n{}\n{\"delete\":{\"_id\":\"1\"}}\n";
    let answer =
        shipper.ask("POST /x/_bulk?refresh=true&filter_path=items.*.error", NDJSON, body.as_bytes()).await;
    let answer = answer.unwrap();
    assert_eq!((answer.status, answer.items()), (200, vec![201, 400, 201, 400]));
    assert_eq!(answer.json()["items"][1]["create"]["error"]["type"], "document_parsing_exception");
    assert_eq!(answer.json()["items"][2]["create"]["_id"], "18");
    assert_eq!(answer.field("content-type"), Some("application/json"));
    let kept = rig.kept().await;
    assert_eq!(rig.texts().await, ["{\"b\": 2,\"a\":\"\\u00e4\", \"a\":1}", "{}"]);
    assert_eq!((kept[0].own_id, kept[1].own_id), (None, Some(OwnId::of("18"))));
    let status = &rig.intake.status()[0];
    assert_eq!((status.requests, status.records, status.records_refused), (1, 2, 2));
    assert_eq!(rig.metric("trunkline_intake_records_total{dataset=\"logs\"}"), 2);
    let refused = "trunkline_intake_records_refused_total{dataset=\"logs\",reason=\"not_json\"}";
    assert_eq!(rig.metric(refused), 1);
}

#[tokio::test]
async fn a_single_document_is_kept_under_its_id_or_without() {
    let rig = Rig::new().await;
    let mut shipper = rig.shipper().await;
    for line in ["POST /logs/_doc", "PUT /logs/_doc/17", "PUT /logs/_create/18", "POST /logs/_create/a%2Fb"] {
        let answer = shipper.ask(line, NDJSON, b"{\n  \"a\": 1\n}\n").await.unwrap();
        assert_eq!((answer.status, answer.json()["result"].as_str()), (201, Some("created")), "{line}");
    }
    let answer = shipper.ask("POST /logs/_doc", NDJSON, b"[]").await.unwrap();
    assert_eq!((answer.status, answer.reason().as_str()), (400, "the document is JSON, but not an object"));
    let ids: Vec<_> = rig.kept().await.into_iter().map(|entry| entry.own_id).collect();
    assert_eq!(ids, [None, Some(OwnId::of("17")), Some(OwnId::of("18")), Some(OwnId::of("a/b"))]);
}

#[tokio::test]
async fn every_encoding_that_shippers_have_is_inflated() {
    let rig = Rig::new().await;
    let mut shipper = rig.shipper().await;
    let body = pairs(["{\"a\":1}"; 1000]);
    let deflated = {
        use std::io::Write as _;
        let mut to = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        to.write_all(&body).unwrap();
        to.finish().unwrap()
    };
    let members = [gzip(&body[..body.len() / 2]), gzip(&body[body.len() / 2..])].concat();
    for (encoding, body) in [
        ("identity", body.clone()),
        ("gzip", gzip(&body)),
        ("gzip", members),
        ("deflate", deflated),
        ("zstd", zstd::encode_all(&body[..], 3).unwrap()),
    ] {
        let fields = format!("{NDJSON}Content-Encoding: {encoding}\r\n");
        let answer = shipper.ask("POST /_bulk", &fields, &body).await.unwrap();
        assert_eq!((answer.status, answer.items().len()), (200, 1000), "{encoding}");
    }
    let answer =
        shipper.ask("POST /_bulk", &format!("{NDJSON}Content-Encoding: br\r\n"), &body).await.unwrap();
    assert_eq!(answer.status, 415);
    assert_eq!(rig.kept().await.len(), 5000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_answer_comes_after_the_sync() {
    let rig = Rig::new().await;
    let spool = rig.spool("logs");
    let shippers = (0..16).map(|who| {
        let (rig, spool) = (&rig, &spool);
        async move {
            let mut shipper = rig.shipper().await;
            for at in 0..20 {
                let document = json!({"who": who, "at": at}).to_string();
                let answer = shipper.bulk(&pairs([document.as_str(); 3])).await;
                let durable = spool.status().last;
                let sequence = answer.json()["items"][2]["create"]["_id"].as_str().unwrap().parse::<u64>();
                assert!(sequence.unwrap() <= durable, "answered before it was durable");
            }
        }
    });
    join_all(shippers).await;
    assert_eq!(rig.kept().await.len(), 16 * 20 * 3);
}

#[tokio::test]
async fn requests_that_come_in_one_breath_are_answered_in_their_order() {
    let rig = Rig::new().await;
    let mut shipper = rig.shipper().await;
    let one = |document: &str| request("POST /_bulk", NDJSON, &pairs([document]));
    shipper.write(&[one("{\"a\":1}"), one("nope"), one("{\"a\":2}")].concat()).await;
    for status in [201, 400, 201] {
        assert_eq!(shipper.answer().await.unwrap().items(), [status]);
    }
    assert_eq!(rig.texts().await, ["{\"a\":1}", "{\"a\":2}"]);
}
