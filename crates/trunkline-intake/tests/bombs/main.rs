//! T25: bodies that are small and inflate to a lot. A process of its own, since it measures how much memory that takes.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panic anywhere")]

#[path = "../intake/rig.rs"]
#[expect(dead_code, reason = "the other tests use more of it")]
mod rig;

use std::io::Write as _;

use rig::{NDJSON, Rig, gzip, pairs};

/// How much the process may grow by one of them, in KiB.
const GROWTH: usize = 32 * 1024;
const MIB: usize = 1024 * 1024;

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut to = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    to.write_all(bytes).unwrap();
    to.finish().unwrap()
}

/// zstd with a window of this logarithm, which says so whatever its length.
fn zstd_with(window: u32, bytes: &[u8]) -> Vec<u8> {
    let mut to = zstd::stream::write::Encoder::new(Vec::new(), 19).unwrap();
    to.window_log(window).unwrap();
    to.write_all(bytes).unwrap();
    to.finish().unwrap()
}

/// `piece`, again and again, so many MiB.
fn much(piece: &[u8], mib: usize) -> Vec<u8> {
    piece.repeat(mib * MIB / piece.len())
}

/// What each is called, and what it inflates to.
fn contents() -> Vec<(&'static str, Vec<u8>)> {
    let nested = format!("{{\"index\":{{}}}}\n{{\"a\":{}}}\n", "[".repeat(200_000));
    let fields: String = (0..20_000).map(|n| format!("\"{n}\":0,")).collect();
    let document = format!("{{\"a\":\"{}\"}}", "x".repeat(280));
    vec![
        ("zeros", vec![0; 512 * MIB]),
        ("empty lines", much(b"\n", 200)),
        ("blanks", much(b" \n", 100)),
        ("one document without an end", [b"{\"index\":{}}\n{\"a\":\"".to_vec(), much(b"x", 300)].concat()),
        ("one action without an end", much(b"{\"index\":", 100)),
        ("the smallest pairs", much(b"{\"index\":{}}\n{}\n", 64)),
        ("the smallest refusals", much(b"{\"delete\":{}}\n", 64)),
        (
            "pairs with ids",
            much(format!("{{\"index\":{{\"_id\":\"{}\"}}}}\n{{}}\n", "i".repeat(512)).as_bytes(), 64),
        ),
        ("long refusals", much(&pairs(["x".repeat(1000).as_str()]), 64)),
        ("lists in lists", much(nested.as_bytes(), 100)),
        ("fields and fields", much(&pairs([format!("{{{fields}\"z\":0}}").as_str()]), 100)),
        ("ordinary records, a great many", much(&pairs([document.as_str()]), 200)),
        ("ordinary records, as many as may be", much(&pairs([document.as_str()]), 22)),
    ]
}

fn otlp_contents() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let json = "application/json";
    let protobuf = "application/x-protobuf";
    let wrapped = |records: Vec<u8>| {
        let field = |bytes: Vec<u8>| {
            let (mut length, mut message) = (bytes.len(), vec![0x12]);
            while length >= 0x80 {
                message.push(length as u8 | 0x80);
                length >>= 7;
            }
            message.push(length as u8);
            [message, bytes].concat()
        };
        let mut outer = field(field(records));
        outer[0] = 0x0a;
        outer
    };
    vec![
        ("empty records of protobuf", protobuf, wrapped(much(&[0x12, 0], 20))),
        (
            "empty values in a list of protobuf",
            protobuf,
            wrapped(
                [
                    vec![0x12, 0x80, 0x80, 0x40, 0x2a, 0xfc, 0xff, 0x3f, 0x2a, 0xf8, 0xff, 0x3f],
                    much(&[0x0a, 0], 1),
                ]
                .concat(),
            ),
        ),
        ("empty resources of protobuf", protobuf, much(&[0x0a, 0], 20)),
        ("zeros as protobuf", protobuf, vec![0; 200 * MIB]),
        (
            "empty records of JSON",
            json,
            [
                b"{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[".to_vec(),
                much(b"{},", 20),
                b"{}]}]}]}".to_vec(),
            ]
            .concat(),
        ),
        (
            "empty resources of JSON",
            json,
            [b"{\"resourceLogs\":[".to_vec(), much(b"{},", 20), b"{}]}".to_vec()].concat(),
        ),
        ("lists in lists of JSON", json, [b"{\"resourceLogs\":".to_vec(), much(b"[", 20)].concat()),
        (
            "empty attributes of JSON",
            json,
            [
                b"{\"resourceLogs\":[{\"resource\":{\"attributes\":[".to_vec(),
                much(b"{},", 20),
                b"{}]}}]}".to_vec(),
            ]
            .concat(),
        ),
    ]
}

/// Resident memory of this process, in KiB, now and at its peak since the last call.
fn memory() -> (usize, usize) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    };
    let now = (field("VmRSS:"), field("VmHWM:"));
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    now
}

#[tokio::test]
async fn t25_no_body_takes_more_memory_than_its_share_whatever_it_inflates_to() {
    let rig = Rig::new().await;
    let mut bombs = Vec::new();
    for (name, content) in contents() {
        bombs.push((format!("gzip of {name}"), "/_bulk", "gzip", NDJSON.to_owned(), gzip(&content)));
        if content.len() <= 200 * MIB {
            bombs.push((
                format!("deflate of {name}"),
                "/_bulk",
                "deflate",
                NDJSON.to_owned(),
                deflate(&content),
            ));
            let packed = zstd::encode_all(&content[..], 3).unwrap();
            bombs.push((format!("zstd of {name}"), "/_bulk", "zstd", NDJSON.to_owned(), packed));
        }
    }
    let ten = (0..10).fold(much(b"\n", 100), |inner, _| gzip(&inner));
    bombs.push(("gzip ten times".into(), "/_bulk", "gzip", NDJSON.to_owned(), ten));
    let members = gzip(b"").repeat(200_000);
    bombs.push(("empty members of gzip".into(), "/_bulk", "gzip", NDJSON.to_owned(), members));
    for window in [23, 24, 27] {
        let packed = zstd_with(window, &much(b"\n", 64));
        bombs.push((
            format!("zstd with a window of 2^{window}"),
            "/_bulk",
            "zstd",
            NDJSON.to_owned(),
            packed,
        ));
    }
    for (name, media, content) in otlp_contents() {
        let fields = format!("User-Agent: test\r\nContent-Type: {media}\r\n");
        bombs.push((format!("gzip of {name}"), "/v1/logs", "gzip", fields.clone(), gzip(&content)));
        bombs.push((format!("plain {name}"), "/v1/logs", "identity", fields, content));
    }
    assert!(bombs.len() >= 45, "{}", bombs.len());
    let mut shipper = rig.shipper().await;
    // Whatever is taken once and for all is taken before it is measured.
    assert_eq!(shipper.bulk(&pairs(["{}"])).await.items(), [201]);
    let mut over = Vec::new();
    for (name, path, encoding, fields, body) in &bombs {
        let spool = rig.spool("logs");
        spool.ack(spool.status().last).unwrap();
        let (before, _) = memory();
        let fields = format!("{fields}Content-Encoding: {encoding}\r\n");
        let mut shipper = rig.shipper().await;
        let answer = shipper.ask(&format!("POST {path}"), &fields, body).await;
        let (_, peak) = memory();
        let (status, growth) = (answer.map_or(0, |answer| answer.status), peak.saturating_sub(before));
        println!("{growth:>6} KiB  {status}  {name} ({} bytes)", body.len());
        // The shipper's own copy of what it sends, and of the answer, is in the same process.
        if growth > GROWTH + 2 * body.len() / 1024 {
            over.push((name, growth));
        }
    }
    assert!(over.is_empty(), "more than {GROWTH} KiB: {over:?}");
}
