//! A record as it is handed in: an action with its `_id`, and the document.

use std::borrow::Cow;
use std::path::Path;

use serde::Serialize;
use trunkline_logs::MAX_RECORD_BYTES;

use crate::identity::FileId;
use crate::lines::Found;
use crate::place::Place;

/// Said of a record of which something was left out.
const CUT: [&str; 1] = ["truncated"];

/// What is said of every record of a file.
pub(crate) struct About<'a> {
    pub(crate) id: FileId,
    pub(crate) path: &'a Path,
    pub(crate) place: Option<&'a Place>,
    pub(crate) node: &'a str,
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "@timestamp", skip_serializing_if = "Option::is_none")]
    timestamp: Option<&'a str>,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kubernetes: Option<Kubernetes<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<Named<'a>>,
    log: Log<'a>,
}

#[derive(Serialize)]
struct Kubernetes<'a> {
    namespace: &'a str,
    pod: Pod<'a>,
    container: Container<'a>,
    node: Named<'a>,
}

#[derive(Serialize)]
struct Pod<'a> {
    name: &'a str,
    uid: &'a str,
}

#[derive(Serialize)]
struct Container<'a> {
    name: &'a str,
    restart: u32,
}

#[derive(Serialize)]
struct Named<'a> {
    name: &'a str,
}

#[derive(Serialize)]
struct Log<'a> {
    file: LogFile<'a>,
    offset: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    flags: Option<[&'static str; 1]>,
}

#[derive(Serialize)]
struct LogFile<'a> {
    path: Cow<'a, str>,
}

/// Writes a record's two lines, and says whether something of its text had to be left out.
pub(crate) fn write(about: &About<'_>, found: &Found<'_>, out: &mut Vec<u8>) -> serde_json::Result<bool> {
    out.extend_from_slice(
        format!("{{\"create\":{{\"_id\":\"{}-{}\"}}}}\n", about.id, found.start).as_bytes(),
    );
    let text = String::from_utf8_lossy(found.text);
    let begun = out.len();
    document(about, found, &text, found.is_cut, out)?;
    let length = out.len() - begun;
    let mut is_cut = found.is_cut;
    if length > MAX_RECORD_BYTES {
        out.truncate(begun);
        document(about, found, "", true, out)?;
        let room = MAX_RECORD_BYTES.saturating_sub(out.len() - begun);
        out.truncate(begun);
        document(about, found, fitting(&text, room), true, out)?;
        is_cut = true;
    }
    out.push(b'\n');
    Ok(is_cut)
}

fn document(
    about: &About<'_>,
    found: &Found<'_>,
    message: &str,
    is_cut: bool,
    out: &mut Vec<u8>,
) -> serde_json::Result<()> {
    let node = || Named { name: about.node };
    let kubernetes = about.place.map(|place| Kubernetes {
        namespace: &place.namespace,
        pod: Pod { name: &place.pod, uid: &place.uid },
        container: Container { name: &place.container, restart: place.restart },
        node: node(),
    });
    let log = Log {
        file: LogFile { path: about.path.to_string_lossy() },
        offset: found.start,
        flags: is_cut.then_some(CUT),
    };
    let document = Document {
        timestamp: found.time,
        message,
        stream: found.stream.map(|stream| stream.name()),
        host: kubernetes.is_none().then(node),
        kubernetes,
        log,
    };
    serde_json::to_writer(out, &document)
}

/// As much of a text as has room when it is written as JSON.
fn fitting(text: &str, room: usize) -> &str {
    let mut left = room;
    for (at, letter) in text.char_indices() {
        let needs = match letter {
            '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
            '\0'..='\u{1f}' => 6,
            _ => letter.len_utf8(),
        };
        match left.checked_sub(needs) {
            Some(rest) => left = rest,
            None => return text.get(..at).unwrap_or_default(),
        }
    }
    text
}
