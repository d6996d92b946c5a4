//! Bodies that do not come whole: nothing of them is kept, and nobody is told that it is.

use crate::rig::{NDJSON, Rig, Shipper, gzip, pairs, request};

#[tokio::test]
async fn a_body_that_is_cut_anywhere_leaves_nothing() {
    let rig = Rig::new().await;
    let body = pairs(["{\"a\":1}", "{\"a\":2}", "{\"a\":3}"]);
    let packed = gzip(&body);
    let mut cases = 0;
    for (fields, body) in
        [(NDJSON.to_owned(), &body), (format!("{NDJSON}Content-Encoding: gzip\r\n"), &packed)]
    {
        let whole = request("POST /_bulk", &fields, body);
        let head = whole.len() - body.len();
        for end in (head..whole.len()).step_by(3) {
            let mut shipper = rig.shipper().await;
            shipper.write(&whole[..end]).await;
            drop(shipper);
            cases += 1;
        }
    }
    // Chunks whose last one never comes, and one that is half.
    for cut in ["5\r\n{\"ind", "", "ffffffff\r\n"] {
        let head =
            format!("POST /_bulk HTTP/1.1\r\nHost: intake\r\n{NDJSON}Transfer-Encoding: chunked\r\n\r\n");
        let chunk = format!("{head}{:x}\r\n{}\r\n{cut}", body.len(), String::from_utf8_lossy(&body));
        let mut shipper = rig.shipper().await;
        shipper.write(chunk.as_bytes()).await;
        drop(shipper);
        cases += 1;
    }
    crate::rig::eventually("all of them were noticed", || rig.intake.status()[0].requests >= cases).await;
    // One that is whole, so that all others have been done with.
    let answer = rig.shipper().await.bulk(&pairs(["{\"whole\":1}"])).await;
    assert_eq!(answer.items(), [201]);
    assert_eq!(rig.texts().await, ["{\"whole\":1}"]);
}

#[tokio::test]
async fn a_compressed_body_that_ends_early_or_late_is_refused_as_a_whole() {
    let rig = Rig::new().await;
    let body = pairs(["{\"a\":1}"; 50]);
    let zstd = zstd::encode_all(&body[..], 3).unwrap();
    let packed = gzip(&body);
    let mut wrong = packed.clone();
    let at = wrong.len() - 6;
    wrong[at] ^= 1;
    for (encoding, body) in [
        ("gzip", packed[..packed.len() - 1].to_vec()),
        ("gzip", packed[..20].to_vec()),
        ("gzip", wrong),
        ("gzip", [packed.clone(), b"more".to_vec()].concat()),
        ("gzip", body.clone()),
        ("gzip", Vec::new()),
        ("deflate", packed),
        ("zstd", zstd[..zstd.len() - 1].to_vec()),
        ("zstd", [zstd, b"more".to_vec()].concat()),
        ("zstd", Vec::new()),
    ] {
        let fields = format!("{NDJSON}Content-Encoding: {encoding}\r\n");
        let answer = rig.shipper().await.ask("POST /_bulk", &fields, &body).await.unwrap();
        assert_eq!(answer.status, 400, "{encoding}, {} bytes", body.len());
        assert!(!answer.reason().is_empty());
    }
    assert_eq!(rig.texts().await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_waited_for_a_while() {
    let rig = Rig::new().await;
    let whole = request("POST /_bulk", NDJSON, &pairs(["{\"a\":1}"; 10]));
    let mut shipper: Shipper = rig.shipper().await;
    shipper.write(&whole[..whole.len() - 10]).await;
    // The clock runs by itself while nothing happens.
    let answer = shipper.answer().await.unwrap();
    assert_eq!((answer.status, answer.reason().as_str()), (408, "the body did not come within its time"));
    assert_eq!(rig.spool("logs").status().last, 0);
}
