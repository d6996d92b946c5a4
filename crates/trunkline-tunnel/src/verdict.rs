//! What the mux library says of the other end, read from the frames it writes.
//!
//! When the other end breaks a rule, the library tells it so by a GoAway frame with an error and goes on, and leaves hanging up
//! to the one that broke the rule. So the frames that leave are looked through for that verdict; payloads are skipped.

/// A frame's header: version, kind, flags (2), stream (4), length or code (4).
const HEADER: usize = 12;
const DATA: u8 = 0;
const GO_AWAY: u8 = 3;

/// Follows the frames that leave, however they are split.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    header: [u8; HEADER],
    have: usize,
    payload_left: usize,
    broken: bool,
}

impl Verdict {
    /// Bytes that leave.
    pub(crate) fn follow(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.payload_left > 0 {
                let skipped = self.payload_left.min(bytes.len());
                self.payload_left -= skipped;
                bytes = &bytes[skipped..];
                continue;
            }
            let taken = (HEADER - self.have).min(bytes.len());
            self.header[self.have..self.have + taken].copy_from_slice(&bytes[..taken]);
            self.have += taken;
            bytes = &bytes[taken..];
            if self.have == HEADER {
                self.have = 0;
                let [_, kind, _, _, _, _, _, _, number @ ..] = self.header;
                let number = u32::from_be_bytes(number);
                match kind {
                    DATA => self.payload_left = number as usize,
                    GO_AWAY => self.broken |= number != 0,
                    _ => {}
                }
            }
        }
    }

    /// Whether the library found that the other end broke a rule.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, number: u32, payload: &[u8]) -> Vec<u8> {
        [&[0, kind, 0, 0, 0, 0, 0, 1][..], &number.to_be_bytes(), payload].concat()
    }

    #[test]
    fn an_error_is_found_among_other_frames_however_they_are_split() {
        // A payload that looks like the verdict is none.
        let looks_like = frame(GO_AWAY, 1, &[]);
        let good = [frame(DATA, 12, &looks_like), frame(1, 7, &[]), frame(2, 3, &[]), frame(GO_AWAY, 0, &[])]
            .concat();
        for size in 1..=good.len() {
            let mut verdict = Verdict::default();
            good.chunks(size).for_each(|piece| verdict.follow(piece));
            assert!(!verdict.is_broken(), "{size}");
            frame(GO_AWAY, 1, &[]).chunks(size).for_each(|piece| verdict.follow(piece));
            assert!(verdict.is_broken(), "{size}");
        }
    }
}
