//! T25: bodies that are small and inflate to a lot. A process of its own, since it measures how much memory that takes.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panic anywhere")]
#![allow(clippy::print_stdout, reason = "a process says what was measured, and where it listens")]

#[path = "../intake/rig.rs"]
#[expect(dead_code, reason = "the other tests use more of it")]
mod rig;

use std::io::{BufRead as _, BufReader, Lines, Read as _, Write as _};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};

use rig::{NDJSON, Rig, Shipper, gzip, pairs};
use tokio::net::TcpStream;

/// How much the process may grow by one of them, in KiB.
const GROWTH: usize = 32 * 1024;
const MIB: usize = 1024 * 1024;

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut to = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
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
        ("zeros", vec![0; 100 * MIB]),
        ("empty lines", much(b"\n", 30)),
        ("blanks", much(b"      \n", 30)),
        ("one document without an end", [b"{\"index\":{}}\n{\"a\":\"".to_vec(), much(b"x", 60)].concat()),
        ("one action without an end", much(b"{\"index\":", 60)),
        ("the smallest pairs", much(b"{\"index\":{}}\n{}\n", 30)),
        ("the smallest refusals", much(b"{\"delete\":{}}\n", 30)),
        (
            "pairs with ids",
            much(format!("{{\"index\":{{\"_id\":\"{}\"}}}}\n{{}}\n", "i".repeat(512)).as_bytes(), 30),
        ),
        ("long refusals", much(&pairs(["x".repeat(1000).as_str()]), 30)),
        ("lists in lists", much(nested.as_bytes(), 30)),
        ("fields and fields", much(&pairs([format!("{{{fields}\"z\":0}}").as_str()]), 30)),
        ("ordinary records, a great many", much(&pairs([document.as_str()]), 30)),
        ("ordinary records, as many as may be", much(&pairs([document.as_str()]), 17)),
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
        ("zeros as protobuf", protobuf, vec![0; 64 * MIB]),
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

/// The environment variable that makes this test the intake's process.
const SERVES: &str = "TRUNKLINE_INTAKE_SERVES";

/// An intake in a process of its own, so that only its memory is measured.
struct Process {
    child: Child,
    /// Held, since whoever prints to nobody ends.
    _lines: Lines<BufReader<ChildStdout>>,
    address: SocketAddr,
    /// What it had before the first of them, in KiB.
    before: usize,
}

impl Process {
    async fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", TEST, "--nocapture"])
            .env(SERVES, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines.find_map(|line| line.unwrap().split_once("listens on ")?.1.parse().ok()).unwrap();
        let mut process = Self { child, _lines: lines, address, before: 0 };
        // Whatever is taken once and for all is taken before it is measured.
        let mut shipper = process.shipper().await;
        assert_eq!(shipper.bulk(&pairs(["{}"; 100])).await.items().len(), 100);
        process.before = process.memory("VmRSS:");
        process
    }

    async fn shipper(&self) -> Shipper {
        Shipper::of(TcpStream::connect(self.address).await.unwrap())
    }

    /// A line of its status in KiB, and forgets what its peak was.
    fn memory(&self, name: &str) -> usize {
        let folder = format!("/proc/{}", self.child.id());
        let status = std::fs::read_to_string(format!("{folder}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        std::fs::write(format!("{folder}/clear_refs"), "5").unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves until whoever started this process is gone.
async fn serve() {
    let rig = Rig::new().await;
    println!("it listens on {}", rig.address());
    let ended = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    let _ = ended.await;
}

const TEST: &str = "t25_no_body_takes_more_memory_than_its_share_whatever_it_inflates_to";

#[tokio::test]
async fn t25_no_body_takes_more_memory_than_its_share_whatever_it_inflates_to() {
    if std::env::var_os(SERVES).is_some() {
        return serve().await;
    }
    let mut over = Vec::new();
    let (mut bombs, mut most) = (0, 0);
    for (name, path, encoding, fields, body) in all() {
        // A process for each: what one gave back, the next would take without growing.
        let process = Process::start().await;
        let fields = format!("{fields}Content-Encoding: {encoding}\r\n");
        let answer = process.shipper().await.ask(&format!("POST {path}"), &fields, &body).await;
        let growth = process.memory("VmHWM:").saturating_sub(process.before);
        let status = answer.map_or(0, |answer| answer.status);
        println!("{growth:>6} KiB  {status}  {name} ({} bytes)", body.len());
        (bombs, most) = (bombs + 1, most.max(growth));
        if growth > GROWTH {
            over.push((name, growth));
        }
    }
    println!("{bombs} bombs, the most of them takes {most} KiB");
    assert!(bombs >= 45 && over.is_empty(), "{bombs} bombs; more than {GROWTH} KiB: {over:?}");
}

/// What is sent: its name, path, encoding, fields and body.
fn all() -> impl Iterator<Item = (String, &'static str, &'static str, String, Vec<u8>)> {
    let bulk = |name: String, encoding, body| (name, "/_bulk", encoding, NDJSON.to_owned(), body);
    let mut bombs = Vec::new();
    for (name, content) in contents() {
        bombs.push(bulk(format!("gzip of {name}"), "gzip", gzip(&content)));
        if bombs.len() < 12 {
            bombs.push(bulk(format!("deflate of {name}"), "deflate", deflate(&content)));
        }
        bombs.push(bulk(format!("zstd of {name}"), "zstd", zstd::encode_all(&content[..], 3).unwrap()));
    }
    let ten = (0..10).fold(much(b"\n", 30), |inner, _| gzip(&inner));
    bombs.push(bulk("gzip ten times".into(), "gzip", ten));
    bombs.push(bulk("empty members of gzip".into(), "gzip", gzip(b"").repeat(200_000)));
    for window in [23, 24, 27] {
        let packed = zstd_with(window, &much(b"\n", 30));
        bombs.push(bulk(format!("zstd with a window of 2^{window}"), "zstd", packed));
    }
    for (name, media, content) in otlp_contents() {
        let fields = format!("User-Agent: test\r\nContent-Type: {media}\r\n");
        bombs.push((format!("gzip of {name}"), "/v1/logs", "gzip", fields.clone(), gzip(&content)));
        bombs.push((format!("plain {name}"), "/v1/logs", "identity", fields, content));
    }
    bombs.into_iter()
}
