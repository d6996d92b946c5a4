//! The size of the parts in one byte, then what a WebSocket carries.
//!
//! Where a frame ends does not depend on how its bytes come in, and is what a reader of whole frames finds.

use trunkline_gateway::bare;

/// Follows frames.
pub fn frames(input: &[u8]) {
    let Some((size, bytes)) = input.split_first() else { return };
    let parts = bytes.chunks(usize::from(*size).max(1));
    let followed = bare::is_between_frames(parts);
    assert_eq!(followed, bare::is_between_frames([bytes]), "it depends on the parts");
    assert_eq!(followed, ends_with_a_frame(bytes));
}

/// Whether `bytes` are whole frames (RFC 6455 §5.2), none of them a close frame.
fn ends_with_a_frame(mut bytes: &[u8]) -> bool {
    while let [first, second, rest @ ..] = bytes {
        let (length, rest) = match (second & 0x7f, rest) {
            (126, [a, b, rest @ ..]) => (u64::from(u16::from_be_bytes([*a, *b])), rest),
            (127, [a, b, c, d, e, f, g, h, rest @ ..]) => {
                (u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]), rest)
            }
            (126 | 127, _) => return false,
            (short, rest) => (u64::from(short), rest),
        };
        let mask = if second & 0x80 == 0 { 0 } else { 4 };
        if first & 0x0f == 8 || (rest.len() as u64) < mask {
            return false;
        }
        let rest = &rest[mask as usize..];
        if (rest.len() as u64) < length {
            return false;
        }
        bytes = &rest[length as usize..];
    }
    bytes.is_empty()
}
