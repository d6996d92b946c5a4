//! The size of the parts in one byte, then a stream of server-sent events.
//!
//! What is read does not depend on how the bytes come in, and is what a reader of whole lines reads.

use std::cell::RefCell;

use bytes::Bytes;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use trunkline::bare;
use trunkline_api::ClusterEvent;

thread_local! {
    static RUNTIME: RefCell<Runtime> =
        RefCell::new(Builder::new_current_thread().enable_time().build().expect("a runtime"));
}

/// Reads a stream of events.
pub fn events(input: &[u8]) {
    let Some((size, bytes)) = input.split_first() else { return };
    let parts: Vec<_> = bytes.chunks(usize::from(*size).max(1)).map(Bytes::copy_from_slice).collect();
    let whole = vec![Bytes::copy_from_slice(bytes)];
    let read = run::<Value>(parts.clone());
    assert_eq!(read, run::<Value>(whole.clone()), "it depends on the parts");
    assert_eq!(read, by_lines(bytes));
    assert_eq!(run::<ClusterEvent>(parts), run::<ClusterEvent>(whole), "it depends on the parts");
}

fn run<T: serde::de::DeserializeOwned>(parts: Vec<Bytes>) -> (Vec<T>, bool) {
    RUNTIME.with_borrow(|runtime| runtime.block_on(bare::events(parts)))
}

/// The events of a whole stream (HTML standard, "Interpreting an event stream"), as far as the gateway uses them.
fn by_lines(bytes: &[u8]) -> (Vec<Value>, bool) {
    let (mut events, mut data) = (Vec::new(), Vec::<&[u8]>::new());
    let mut lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    // What stands behind the last line break is no line.
    lines.pop();
    for line in lines {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if let Some(text) = line.strip_prefix(b"data:") {
            data.push(text.strip_prefix(b" ").unwrap_or(text));
        } else if line.is_empty() {
            let data = std::mem::take(&mut data);
            // Lines of data that are all empty are no event here.
            if data.iter().any(|line| !line.is_empty()) {
                match serde_json::from_slice(&data.join(&b'\n')) {
                    Ok(event) => events.push(event),
                    Err(_) => return (events, false),
                }
            }
        }
    }
    (events, true)
}
