//! T21: bodies that are bad in every way we know, 2,000 and more. Each bad item is refused by itself, in its place and with a
//! reason; those beside it are kept as they came; nothing of an action is kept; a body that spoils leaves nothing.

use std::collections::HashSet;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use serde_json::Value;
use trunkline_logs::{MAX_DEPTH, MAX_FIELDS, MAX_RECORD_BYTES};

use crate::rig::{Answer, NDJSON, Rig, Shipper};

const SEED: u64 = 21;
/// Bodies made by rules, of some items each; bodies that spoil; bodies with bytes changed.
const RULED: usize = 1200;
const SPOILED: usize = 400;
const MUTATED: usize = 800;

/// Actions whose documents are kept, full of what is not a shipper's to say.
const ACTIONS: &[&str] = &[
    r#"{"index":{}}"#,
    r#"{"create":{"_index":"evil","_type":"evil","_id":"a1"}}"#,
    r#"{"create":{"pipeline":"evil","routing":"evil","require_alias":true,"dynamic_templates":{"a":"evil"}}}"#,
    r#"  {"index" : {"_index":"trunkline-logs.evil.2026-11-27", "op_type":"create", "version":7} }  "#,
    r#"{"index":{"_index":"evil","_index":"evil2","if_seq_no":1,"cluster":{"id":"evil"}}}"#,
    r#"{"create":{"_id":17,"list":[[["evil"]]]}}"#,
    "{\"create\":{\"_index\":\"evil\u{2028}{}\"}}",
    "{\"index\":{}}\r",
];

/// Lines that are skipped between pairs.
const BLANK: &[&[u8]] = &[b"", b" ", b"\r", b"\t\t"];

/// Documents that are kept.
const GOOD: &[&str] = &[
    r#"{"n":1}"#,
    "{}",
    r#"  {"cluster":{"id":"other"},"trunkline":{"sequence":1},"@timestamp":"never","_id":"x","_index":"y"}"#,
    r#"{"a":1,"a":2,"a":{"a":[]}}"#,
    "{\"text\":\"line\u{2028}separator\u{2029}and\u{85}next\"}",
    r#"{"":"","\u0000":"\u0000\n\r\t"}"#,
    r#"{"big":123456789012345678901234567890,"small":1e-300,"minus":-0.0}"#,
    r#"{"quoted":"{\"index\":{}}\n{}"}"#,
    r#"{"index":{"_index":"a document that looks like an action"}}"#,
];

/// Documents that are not.
const BAD: &[&[u8]] = &[
    b"",
    b"   ",
    b"\r",
    b"[]",
    b"[{}]",
    b"7",
    b"-1.5e3",
    b"null",
    b"true",
    b"\"text\"",
    b"plain text",
    b"{",
    b"}",
    b"{]",
    b"{\"a\"}",
    b"{\"a\":}",
    b"{\"a\":1,}",
    b"{,\"a\":1}",
    b"{a:1}",
    b"{'a':1}",
    b"{\"a\":01}",
    b"{\"a\":+1}",
    b"{\"a\":.5}",
    b"{\"a\":1.}",
    b"{\"a\":NaN}",
    b"{\"a\":Infinity}",
    b"{\"a\":1e999}",
    b"{\"a\":undefined}",
    b"{\"a\":tru}",
    b"{\"a\":1}{\"b\":2}",
    b"{\"a\":1} x",
    b"{\"a\":1}\0",
    b"{\"a\":\"\\x\"}",
    b"{\"a\":\"\\u12\"}",
    b"{\"a\":\"\\ud800\"}",
    b"{\"a\":\"\\udc00\\ud800\"}",
    b"{\"a\":\"tab\there\"}",
    b"{\"a\":\"nul\0here\"}",
    b"{\"a\":\"cr\rhere\"}",
    b"{\"a\":\"\xff\"}",
    b"{\"\xc3\x28\":1}",
    b"{\"a\":\"\xed\xa0\x80\"}",
    b"{\"a\":\"\xf5\x80\x80\x80\"}",
    b"\xef\xbb\xbf{\"a\":1}",
    b"\xff\xfe{\0\"\0a\0\"\0:\x001\0}\0",
    b"{\"a\":1/*comment*/}",
    b"// comment",
    b"<xml/>",
    b"\x1f\x8b\x08\x00",
    b"{\"a\":\"unterminated}",
];

/// Lines in an action's place that spoil a body.
const SPOILERS: &[&[u8]] = &[
    b"[]",
    b"7",
    b"null",
    b"\"index\"",
    b"text",
    b"{",
    b"{}",
    b"{\"put\":{}}",
    b"{\"INDEX\":{}}",
    b"{\"message\":\"hello\"}",
    b"{\"index\"}",
    b"{\"index\":7}",
    b"{\"index\":[]}",
    b"{\"index\":\"x\"}",
    b"{\"index\":null}",
    b"{\"index\":{}}{}",
    b"{\"index\":{},\"create\":{}}",
    b"{\"index\":{},\"index\":{}}",
    b"{\"index\":{\"_id\":[\"x\"]}}",
    b"{\"index\":{\"_id\":{}}}",
    b"{\"index\":{\"_id\":\"1\",\"_id\":\"2\"}}",
    b"{\"index\":{\"a\":\"\xff\"}}",
    b"\xef\xbb\xbf{\"index\":{}}",
    "{\"index\":{}}\u{2028}{\"a\":1}".as_bytes(),
    "{\"index\":{}}\u{85}{\"a\":1}".as_bytes(),
    b"{\"index\":{}}\r{\"a\":1}",
    b"{\"index\":{}}\x0b{\"a\":1}",
    b"{\"index\":{}}\0",
];

/// What becomes of a body's items: their statuses, and the texts that are kept.
#[derive(Default)]
struct Case {
    body: Vec<u8>,
    statuses: Vec<u64>,
    kept: Vec<String>,
}

impl Case {
    fn line(&mut self, line: &[u8]) {
        self.body.extend_from_slice(line);
        self.body.push(b'\n');
    }

    fn good(&mut self, action: &str, document: &str) {
        self.line(action.as_bytes());
        self.line(document.as_bytes());
        self.statuses.push(201);
        self.kept.push(document.to_owned());
    }

    fn bad(&mut self, action: &str, document: &[u8]) {
        self.line(action.as_bytes());
        self.line(document);
        self.statuses.push(400);
    }

    /// A few items of every kind.
    fn by_rule(rng: &mut StdRng) -> Self {
        let mut case = Self::default();
        for n in 0..rng.random_range(1..8) {
            for _ in 0..rng.random_range(0..2) {
                case.line(BLANK.choose(rng).unwrap());
            }
            let action = *ACTIONS.choose(rng).unwrap();
            match rng.random_range(0..10) {
                0..4 => case.good(action, GOOD.choose(rng).unwrap()),
                4 => case.good(action, &format!("{{\"n\":{n},\"at\":{}}}", rng.random::<u32>())),
                5..8 => case.bad(action, BAD.choose(rng).unwrap()),
                8 => case.bad(action, &too_much(rng)),
                _ => case.of_no_use(rng),
            }
        }
        case
    }

    /// An item whose action cannot be done.
    fn of_no_use(&mut self, rng: &mut StdRng) {
        match rng.random_range(0..4) {
            0 => {
                self.line(b"{\"delete\":{\"_index\":\"evil\",\"_id\":\"1\"}}");
                self.statuses.push(400);
            }
            1 => self.bad(
                r#"{"update":{"_id":"1","retry_on_conflict":3}}"#,
                b"{\"doc\":{\"evil\":1},\"doc_as_upsert\":true}",
            ),
            2 => self.bad(r#"{"create":{"_id":""}}"#, b"{\"evil\":1}"),
            _ => self.bad(&format!("{{\"create\":{{\"_id\":\"{}\"}}}}", "x".repeat(600)), b"{\"evil\":1}"),
        }
    }
}

/// A document that is beyond one limit.
fn too_much(rng: &mut StdRng) -> Vec<u8> {
    match rng.random_range(0..4) {
        0 => format!("{}{{}}{}", "{\"a\":".repeat(MAX_DEPTH), "}".repeat(MAX_DEPTH)).into_bytes(),
        1 => format!("{{\"a\":{}{}}}", "[".repeat(5000), "]".repeat(5000)).into_bytes(),
        2 => {
            let fields: Vec<_> = (0..=MAX_FIELDS).map(|n| format!("\"{n}\":{n}")).collect();
            format!("{{{}}}", fields.join(",")).into_bytes()
        }
        _ => format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_RECORD_BYTES)).into_bytes(),
    }
}

async fn hand_in(rig: &Rig, shipper: &mut Shipper, body: &[u8]) -> (Answer, Vec<String>) {
    let spool = rig.spool("logs");
    spool.ack(spool.status().last).unwrap();
    let answer = shipper.ask("POST /_bulk", NDJSON, body).await.expect("an answer");
    let texts = rig.texts().await;
    (answer, texts)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t21_a_bad_item_is_refused_by_itself_and_nothing_of_an_action_is_kept() {
    let rig = Rig::new().await;
    let mut shipper = rig.shipper().await;
    let mut rng = StdRng::seed_from_u64(SEED);
    let mut cases: Vec<Case> = (0..RULED).map(|_| Case::by_rule(&mut rng)).collect();
    // Each by itself between two good ones.
    for bad in BAD {
        let mut case = Case::default();
        case.good(ACTIONS[0], GOOD[0]);
        case.bad(ACTIONS[1], bad);
        case.good(ACTIONS[2], GOOD[1]);
        cases.push(case);
    }
    for (at, case) in cases.iter().enumerate() {
        let (answer, kept) = hand_in(&rig, &mut shipper, &case.body).await;
        let said = || {
            format!(
                "case {at} of seed {SEED}: {:?}",
                String::from_utf8_lossy(&case.body).chars().take(2000).collect::<String>()
            )
        };
        assert_eq!((answer.status, answer.items()), (200, case.statuses.clone()), "{}", said());
        assert_eq!(kept, case.kept, "{}", said());
        for item in answer.json()["items"].as_array().unwrap() {
            let (_, item) = item.as_object().unwrap().iter().next().unwrap();
            assert_eq!(item["_index"], "logs");
            let reason = item["error"]["reason"].as_str().unwrap_or_default();
            assert_eq!(item["status"] == 400, reason.len() > 10, "{item}");
        }
    }
    println!("{} bodies", cases.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t21_a_body_that_spoils_leaves_nothing_and_says_which_line() {
    let rig = Rig::new().await;
    let mut shipper = rig.shipper().await;
    let mut rng = StdRng::seed_from_u64(SEED + 1);
    for at in 0..SPOILED {
        let mut case = Case::by_rule(&mut rng);
        match SPOILERS.get(at % (SPOILERS.len() + 2)) {
            Some(spoiler) => case.line(spoiler),
            // An action without its document; a last line without its end.
            None if at % 2 == 0 => case.line(ACTIONS[0].as_bytes()),
            None => case.body.extend_from_slice(b"{\"index\":{}}\n{}"),
        }
        let after = rng.random_range(0..3);
        if at % (SPOILERS.len() + 2) < SPOILERS.len() {
            for _ in 0..after {
                case.good(ACTIONS[0], GOOD[0]);
            }
        }
        let (answer, kept) = hand_in(&rig, &mut shipper, &case.body).await;
        let text = String::from_utf8_lossy(&case.body).chars().take(2000).collect::<String>();
        assert_eq!((answer.status, kept.len()), (400, 0), "case {at}: {text:?}");
        let reason = answer.reason();
        assert!(reason.contains("line") && !reason.contains("evil"), "{reason}");
    }
    assert_eq!(
        shipper.bulk(b"{\"index\":{}}\n{}\n").await.items(),
        [201],
        "the connection is as good as before"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t21_whatever_is_changed_in_a_body_only_lines_of_it_that_are_objects_are_kept() {
    let rig = Rig::new().await;
    let mut shipper = rig.shipper().await;
    let mut rng = StdRng::seed_from_u64(SEED + 2);
    let (mut refused, mut answered) = (0, 0);
    for at in 0..MUTATED {
        let mut body = Case::by_rule(&mut rng).body;
        for _ in 0..rng.random_range(1..4) {
            let place = rng.random_range(0..body.len());
            match rng.random_range(0..5) {
                0 => body[place] = rng.random(),
                1 => drop(body.remove(place)),
                2 => body.insert(place, *b"\n\r{}\"\\,:[]\0\xe2".choose(&mut rng).unwrap()),
                3 => body.truncate(place + 1),
                _ => {
                    let end = rng.random_range(place..body.len());
                    body.extend_from_within(place..end);
                }
            }
        }
        let (answer, kept) = hand_in(&rig, &mut shipper, &body).await;
        let text = String::from_utf8_lossy(&body).chars().take(2000).collect::<String>();
        let lines: HashSet<&[u8]> =
            body.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)).collect();
        for document in &kept {
            assert!(lines.contains(document.as_bytes()), "case {at}: {document:?} is no line of {text:?}");
            assert!(serde_json::from_str::<Value>(document).unwrap().is_object());
        }
        let good = answer.items().iter().filter(|status| **status == 201).count();
        assert_eq!(good, kept.len(), "case {at}: {text:?}");
        match answer.status {
            200 => answered += 1,
            status => {
                assert_eq!((status, kept.len()), (400, 0), "case {at}: {text:?}");
                refused += 1;
            }
        }
    }
    assert!(refused > 100 && answered > 100, "{refused} refused, {answered} answered");
}
