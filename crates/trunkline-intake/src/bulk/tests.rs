use serde_json::{Value, json};
use trunkline_logs::Entry;

use super::*;
use crate::budget::Budget;

fn batch() -> Batch {
    Batch::new(Budget::new(64 * 1024 * 1024).begin_at_once([127, 0, 0, 1].into()).unwrap(), 17)
}

fn read(body: &[u8], piece: usize) -> Result<(Vec<Entry>, Vec<Item>), Refusal> {
    let mut bulk = Bulk::new(batch());
    for piece in body.chunks(piece.max(1)) {
        bulk.more(piece)?;
    }
    let read = bulk.finish()?;
    let (records, _held) = read.batch.into_records();
    let entries = records.into_iter().map(|record| Entry::decode(record.bytes).unwrap());
    Ok((entries.collect(), read.items))
}

#[test]
fn pairs_are_read_alike_however_the_body_is_cut_into_pieces() {
    let body = "{\"index\":{}}\n{\"a\":1}\n\n \r\n{\"create\":{\"_id\":\"x\"}}\r\n{\"b\":\"\u{2028}\"}\r\n{\"delete\":{\"_id\":\"1\"}}\n\
        {\"update\":{\"_id\":\"2\"}}\n{\"doc\":{}}\n{\"index\":{}}\nnope\n{\"index\":{}}\n{\"c\":3}\n";
    for piece in [1, 2, 3, 7, 50, 1000] {
        let (entries, items) = read(body.as_bytes(), piece).unwrap();
        let texts: Vec<_> =
            entries.iter().map(|entry| String::from_utf8_lossy(&entry.json).into_owned()).collect();
        assert_eq!(texts, ["{\"a\":1}", "{\"b\":\"\u{2028}\"}", "{\"c\":3}"], "in pieces of {piece}");
        assert_eq!(entries[1].own_id, Some(OwnId::of("x")));
        assert_eq!((entries[0].own_id, entries[0].received), (None, 17));
        let faults: Vec<_> = items.iter().map(|item| (item.op, item.fault.map(ItemFault::reason))).collect();
        let expected = [
            (Op::Index, None),
            (Op::Create, None),
            (Op::Delete, Some("operation")),
            (Op::Update, Some("operation")),
            (Op::Index, Some("not_json")),
            (Op::Index, None),
        ];
        assert_eq!(faults, expected);
    }
}

#[test]
fn a_line_that_is_too_long_is_refused_by_itself_and_not_kept() {
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(3 * MAX_RECORD_BYTES));
    let most = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_RECORD_BYTES - 8));
    let body =
        format!("{{\"index\":{{}}}}\n{long}\n{{\"index\":{{}}}}\n{most}\r\n{{\"index\":{{}}}}\n{{}}\n");
    for piece in [1000, 1 << 20, 1 << 24] {
        let (entries, items) = read(body.as_bytes(), piece).unwrap();
        assert_eq!(entries.len(), 2);
        assert_eq!(items[0].fault, Some(Fault::from(TooMuch::Bytes(long.len())).into()), "{piece}");
        assert_eq!((items[1].fault, items[2].fault), (None, None));
    }
}

#[test]
fn what_spoils_a_request_is_told_with_its_line() {
    for (body, why) in [
        ("", "there is no record"),
        ("\n\n", "there is no record"),
        ("{\"index\":{}}\n{}", "terminated by a newline"),
        ("{\"index\":{}}", "terminated by a newline"),
        ("{\"index\":{}}\n", "line 1 has no document"),
        (
            "{\"index\":{}}\n{}\n{\"message\":\"x\"}\n",
            "line [3], expected index, create, update or delete, but found [message], at column 10",
        ),
        ("{\"index\":{}}\u{2028}{}\n", "line [1]"),
        ("{\"index\":{}}\r{}\n", "line [1]"),
        (&format!("{{\"index\":{{\"_id\":\"{}\"}}}}\n{{}}\n", "x".repeat(MAX_ACTION)), "16384 bytes"),
    ] {
        let refusal = read(body.as_bytes(), 5).unwrap_err();
        assert!(refusal.to_string().contains(why), "{body:?}: {refusal}");
        assert_eq!(refusal.status().as_u16(), 400);
    }
}

#[test]
fn an_id_is_kept_as_its_hash_or_refused() {
    let line = |id: &str| format!("{{\"create\":{{\"_id\":\"{id}\"}}}}\n{{}}\n");
    let body = line("") + &line(&"x".repeat(MAX_ID)) + &line(&"x".repeat(MAX_ID + 1));
    let (entries, items) = read(body.as_bytes(), 1000).unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(items[0].fault, Some(ItemFault::Id(0)));
    assert_eq!(items[2], Item { op: Op::Create, id: None, fault: Some(ItemFault::Id(MAX_ID + 1)) });
}

#[test]
fn there_is_an_end_to_items_and_to_memory() {
    let body = "{\"index\":{}}\n{}\n".repeat(MAX_ITEMS + 1);
    assert_eq!(read(body.as_bytes(), 1 << 16).unwrap_err(), Refusal::TooMany);
    let (entries, _) = read(&body.as_bytes()[16..], 1 << 16).unwrap();
    assert_eq!(entries.len(), MAX_ITEMS);
    let document = format!("{{\"a\":\"{}\"}}", "x".repeat(100_000));
    let body = format!("{{\"index\":{{}}}}\n{document}\n").repeat(520);
    assert_eq!(read(body.as_bytes(), 1 << 16).unwrap_err(), Refusal::TooMuch);
}

#[test]
fn each_item_is_answered_in_its_place() {
    let body = "{\"index\":{}}\n{}\n{\"create\":{\"_id\":\"a\\\"b\"}}\n[]\n{\"create\":{\"_id\":\"c\"}}\n{}\n{\"index\":{}}\n{}\n";
    let (_, items) = read(body.as_bytes(), 100).unwrap();
    let receipt = trunkline_spool::Receipt { first: 41, last: 43 };
    let took = std::time::Duration::from_millis(3);
    let answer = answer(&items, Some(receipt), &trunkline_logs::Dataset::unnamed(), took);
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let good =
        |id: &str| json!({"_index": "logs", "_id": id, "_version": 1, "result": "created", "status": 201});
    let bad = json!({"_index": "logs", "_id": "a\"b", "status": 400, "error":
        {"type": "document_parsing_exception", "reason": "the document is JSON, but not an object"}});
    let items = json!([{"index": good("41")}, {"create": bad}, {"create": good("c")}, {"index": good("43")}]);
    assert_eq!(answer, json!({"errors": true, "took": 3, "items": items}));
}
