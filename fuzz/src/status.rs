//! `STATUS ABOUT`, then what a gateway answered, or what stands before one.
//!
//! Whoever answers, what a command says has nothing in it that a terminal obeys, is short, and ends the process by the
//! HTTP status. Any text of ours in a `Status` reads back as it was, and a watch's last event is one line.

use http::StatusCode;
use serde_json::Value;
use trunkline::bare::answered_no;
use trunkline_proto::Status;

use crate::lines::first_line;

/// Reads a no.
pub fn status(input: &[u8]) {
    let (line, body) = first_line(input);
    let (code, about) = line.split_once(' ').unwrap_or((line, ""));
    let Ok(code) = StatusCode::from_bytes(code.as_bytes()) else { return };
    let about = Some(about).filter(|about| !about.is_empty());
    said(about, code, body);
    let text = String::from_utf8_lossy(body);
    let (reason, message) = text.split_once('\n').unwrap_or(("Reason", &text));
    let status = Status::failure(code, reason, message).retry_after(5).cause("RequestId", message);
    let status = status.about_cluster(about.unwrap_or("alpha"));
    let read: Value = serde_json::from_str(&status.to_json()).expect("JSON");
    assert_eq!((&read["reason"], &read["message"]), (&Value::from(reason), &Value::from(message)));
    assert_eq!(read["code"], code.as_u16());
    assert_eq!(read["details"]["causes"][0]["message"], message);
    let event = status.to_watch_event();
    assert_eq!(event.find('\n'), Some(event.len() - 1), "an event is one line");
    assert_eq!(serde_json::from_str::<Value>(&event).expect("JSON")["object"], read);
    said(about, code, status.to_json().as_bytes());
}

fn said(about: Option<&str>, code: StatusCode, body: &[u8]) {
    let ended = answered_no(about, code, body);
    for text in [&ended.what, &ended.next] {
        let obeyed = |c: &char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(c) || *c == '\u{feff}';
        assert_eq!(text.chars().find(obeyed), None, "{text:?}");
        assert!(text.chars().count() < 800, "{} characters", text.chars().count());
    }
    let expected = match code.as_u16() {
        401 => 3,
        403 => 4,
        404 => 5,
        504 => 7,
        _ => 1,
    };
    let unauthorized = ended.exit == 3 && String::from_utf8_lossy(body).contains("Unauthorized");
    assert!(ended.exit == expected || unauthorized, "{code} ends with {}", ended.exit);
}
