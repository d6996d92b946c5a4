//! What must hold of a path that is let through, however a server on the way reads it.

use trunkline_proto::path::PathFacts;

/// Checks what was read of a path against every way of reading it that is known.
pub(crate) fn check(path: &str, facts: PathFacts) {
    assert!(path.starts_with('/'), "{path:?}");
    for reading in readings(path.as_bytes()) {
        let climbs = reading.split(|byte| *byte == b'/').any(|part| part == b"." || part == b"..");
        assert!(!climbs, "{path:?} can be read as {:?}", String::from_utf8_lossy(&reading));
    }
    let raw: Vec<&str> = path.split('/').skip(1).collect();
    let kubernetes = match (facts.application, facts.node_proxy) {
        (false, _) => raw.as_slice(),
        (true, true) => &raw[..5],
        (true, false) => &raw[..7],
    };
    if !facts.application {
        // What the API server reads is what was looked at: the same segments, each a name.
        let decoded = decode(path.as_bytes());
        let read: Vec<&[u8]> = decoded.split(|byte| *byte == b'/').skip(1).collect();
        assert_eq!(read.len(), raw.len(), "{path:?}");
        assert!(!is_proxied(&read), "{path:?} leads to an application");
        assert!(
            path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\' && byte != b';'),
            "{path:?}"
        );
    }
    let whole = kubernetes.len() == raw.len();
    for (at, segment) in kubernetes.iter().enumerate() {
        assert!(!segment.is_empty() || (whole && at + 1 == raw.len()), "{path:?} has an empty segment");
    }
    assert!(!facts.node_proxy || facts.application, "{path:?}");
    assert_eq!(
        facts.node_proxy,
        matches!(raw.as_slice(), ["api", "v1", "nodes", _, "proxy", ..]),
        "{path:?}"
    );
}

fn is_proxied(segments: &[&[u8]]) -> bool {
    match segments {
        [b"api", b"v1", b"nodes", _, b"proxy", ..] => true,
        [b"api", b"v1", b"namespaces", _, kind, _, b"proxy", ..] => *kind == b"pods" || *kind == b"services",
        _ => false,
    }
}

/// The path as servers read it that decode escapes, take `\` for `/`, or cut parameters off a segment.
fn readings(path: &[u8]) -> [Vec<u8>; 4] {
    let decoded = decode(path);
    let slashed: Vec<u8> = decoded.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect();
    let bare = without_parameters(&decoded);
    [path.to_vec(), decoded, slashed, bare]
}

fn without_parameters(path: &[u8]) -> Vec<u8> {
    let bare = path.split(|byte| *byte == b'/').map(|part| part.split(|byte| *byte == b';').next());
    bare.map(Option::unwrap_or_default).collect::<Vec<_>>().join(&b'/')
}

/// Escapes undone, once.
pub(crate) fn decode(text: &[u8]) -> Vec<u8> {
    let digit = |at: usize| text.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let (mut decoded, mut at) = (Vec::with_capacity(text.len()), 0);
    while let Some(byte) = text.get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push((high * 16 + low) as u8);
                at += 3;
            }
            _ => {
                decoded.push(*byte);
                at += 1;
            }
        }
    }
    decoded
}
