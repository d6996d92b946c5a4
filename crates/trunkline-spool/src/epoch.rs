//! One life of a spool, from when it is opened to its end: 128 random bits, drawn then and never again.
//!
//! (epoch, sequence) never stands for two records. Sequences go on from one life to the next, and alone they would do, were a
//! folder always as it was left: but one that is lost begins anew, and one that is restored from an older copy gives sequences out again that
//! it had given out before. Either way it does so in another life. What an older life left goes under that one's epoch.
//!
//! The checksums of all chunks are seeded with it, so that a chunk of another spool, or of another life, is no chunk of this one: neither in a
//! block of the disk that was another file's before, nor at the other end under a name that is not its own.

use std::fmt;
use std::str::FromStr;

/// A life of a spool. Also which folder it is: that one is drawn when it is made, and no record goes under it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Epoch([u8; 16]);

/// Why a text is no epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an epoch has 32 hexadecimal digits")]
pub struct NoEpoch;

impl Epoch {
    /// A new one.
    pub fn random() -> Self {
        Self(rand::random())
    }

    /// The checksum of what belongs to it.
    pub(crate) fn crc(self, bytes: &[u8]) -> u32 {
        let mut hasher = crc32fast::Hasher::new_with_initial(crc32fast::hash(&self.0));
        hasher.update(bytes);
        hasher.finalize()
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl From<[u8; 16]> for Epoch {
    fn from(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Epoch({self})")
    }
}

impl FromStr for Epoch {
    type Err = NoEpoch;

    fn from_str(text: &str) -> Result<Self, NoEpoch> {
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(NoEpoch);
        }
        u128::from_str_radix(text, 16).map(|bits| Self(bits.to_be_bytes())).map_err(|_| NoEpoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_is_read_as_it_is_written_and_nothing_else_is_one() {
        let epoch = Epoch::from([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255]);
        assert_eq!(epoch.to_string(), "000102030405060708090a0b0c0d0eff");
        assert_eq!(epoch.to_string().parse(), Ok(epoch));
        for bad in ["", "00", "+00102030405060708090a0b0c0d0eff", "g00102030405060708090a0b0c0d0eff"] {
            assert_eq!(bad.parse::<Epoch>(), Err(NoEpoch), "{bad}");
        }
        assert_ne!(Epoch::random(), Epoch::random());
    }
}
