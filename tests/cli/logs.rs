//! `trunkline logs`: what is asked, what is printed, and what is told of a tail.

use http::Method;
use serde_json::{Value, json};

use crate::desk::Desk;

fn record(at: u64, message: &str) -> Value {
    json!({
        "at": format!("{at}.id"), "time": "2026-11-27T03:15:00.250Z", "cluster": "prod-eu", "message": message,
        "facets": {"namespace": "shop", "pod": "web-0", "level": "error"}, "source": {"message": message},
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_lines_for_people_the_oldest_first_and_drive_no_terminal() {
    let desk = Desk::signed_in().await;
    let found = json!({"items": [record(2, "second\u{1b}[2J"), record(1, "first")]});
    desk.gateway.order("/logs?", 200, found);
    let shown = desk
        .run(&["logs", "app:web error", "--cluster", "prod-eu,prod-us", "-l", "env=prod", "--since", "2h"])
        .await
        .well();
    let lines: Vec<&str> = shown.stdout.lines().collect();
    assert_eq!(
        lines,
        [
            "2026-11-27T03:15:00.250Z prod-eu shop/web-0 error: first",
            "2026-11-27T03:15:00.250Z prod-eu shop/web-0 error: second[2J",
        ]
    );
    let messages = desk.run(&["logs", "-o", "message"]).await.well();
    assert_eq!(messages.stdout, "first\nsecond[2J\n");
    let json = desk.run(&["logs", "-o", "json", "--limit", "1"]).await.well();
    let first: Value = serde_json::from_str(json.stdout.lines().next().unwrap()).unwrap();
    assert_eq!(first["message"], "first");
    assert!(!json.stdout.contains('\u{1b}'));
    desk.run(&["logs", "--since", "soon"]).await.ended(2, &["how long ago"]);
    desk.run(&["logs", "--follow", "--until", "1h"]).await.ended(2, &["cannot be used with"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn values_are_counted_and_so_are_records_over_time() {
    let desk = Desk::signed_in().await;
    let top = json!({"field": "app", "values": [{"value": "web", "count": 7}, {"value": "db", "count": 2}], "with": 9});
    desk.gateway.order("/logs/top?", 200, top);
    let shown = desk.run(&["logs", "error", "--top", "app"]).await.well();
    let words: Vec<_> = shown.stdout.split_whitespace().collect();
    assert_eq!(words, ["RECORDS", "VALUE", "7", "web", "2", "db"]);
    assert!(shown.stderr.contains("9 records say something of app"), "{}", shown.stderr);
    let slice =
        |minute: u32, count: u64| json!({"begins": format!("2026-11-27T03:{minute}:00Z"), "count": count});
    desk.gateway.order("/logs/histogram?", 200, json!({"slices": [slice(15, 10), slice(16, 5)]}));
    let shown = desk.run(&["logs", "--histogram"]).await.well();
    let bars: Vec<usize> = shown.stdout.lines().map(|line| line.matches('#').count()).collect();
    assert_eq!(bars, [50, 25]);
}

#[tokio::test(flavor = "multi_thread")]
async fn how_records_get_on_is_a_line_for_each_dataset_and_one_for_the_store() {
    let desk = Desk::signed_in().await;
    let item = |why: &str| {
        json!({
            "cluster": "prod-eu", "dataset": "logs", "records": 100, "rate": 12.5, "lagMs": 340, "deadLetters": 1,
            "waiting": 9, "spoolBytes": 50, "spoolCap": 100, "lost": 0, "why": why,
        })
    };
    let store =
        json!({"kind": "embedded", "records": 100, "bytes": 5000, "oldestDay": "2026-11-20", "waiting": 3});
    desk.gateway.order(
        "/logs/status",
        200,
        json!({"items": [item(""), item("connection refused")], "store": store}),
    );
    let shown = desk.run(&["logs", "--status"]).await.well();
    let lines: Vec<&str> = shown.stdout.lines().collect();
    assert!(lines[0].starts_with("CLUSTER") && lines.len() == 3, "{lines:?}");
    for word in ["prod-eu", "12.5", "340", "50 %", "ok"] {
        assert!(lines[1].contains(word), "{word}: {}", lines[1]);
    }
    assert!(lines[2].contains("connection refused"), "{}", lines[2]);
    assert!(shown.stderr.contains("store: embedded, 100 records"), "{}", shown.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_prints_what_is_there_then_what_comes_each_once_and_says_what_was_passed_over() {
    let desk = Desk::signed_in().await;
    desk.gateway.order("/logs?", 200, json!({"items": [record(2, "second"), record(1, "first")]}));
    let event = |record: Value| {
        let mut event = record;
        event["type"] = "record".into();
        event
    };
    let passed = json!({"type": "passedOver", "records": 17});
    desk.gateway.order_events("/logs/tail", &[event(record(2, "second")), passed, event(record(3, "third"))]);
    let mut tail = desk.start(&["logs", "-f", "-o", "message"]);
    for message in ["first", "second", "third"] {
        assert_eq!(tail.prints().await, message);
    }
    tail.says("17 records came too fast").await;
    tail.interrupt();
    assert_eq!(tail.ends().await.0, Some(130));
    assert!(!desk.gateway.asked(&Method::GET, "/logs/tail?").is_empty());
}
