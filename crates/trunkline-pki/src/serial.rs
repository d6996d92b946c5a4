//! A certificate's serial number, in the one form in which two of them are compared.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The most hexadecimal digits a serial may have: RFC 5280 allows 20 bytes.
const MAX_DIGITS: usize = 40;

/// A certificate's serial number: lower-case hexadecimal without leading zeros.
///
/// Reading one accepts what `openssl x509 -serial` and browsers print: upper case, and colons between bytes.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Serial(Arc<str>);

/// Why a text is not a [`Serial`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "not a certificate serial: use 1 to 40 hexadecimal digits, as `openssl x509 -noout -serial` prints them"
)]
pub struct InvalidSerial;

impl Serial {
    /// The serial whose big-endian bytes these are.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Self::from_digits(&hex)
    }

    /// The serial of these lower-case digits, its leading zeros dropped.
    fn from_digits(digits: &str) -> Self {
        let significant = digits.trim_start_matches('0');
        Self(if significant.is_empty() { "0" } else { significant }.into())
    }
}

impl FromStr for Serial {
    type Err = InvalidSerial;

    fn from_str(text: &str) -> Result<Self, InvalidSerial> {
        let digits = text.split(':').collect::<String>().to_ascii_lowercase();
        let colons_fit = !text.contains(':') || text.split(':').all(|byte| byte.len() == 2);
        let is_hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
        if colons_fit && is_hex && (1..=MAX_DIGITS).contains(&digits.len()) {
            Ok(Self::from_digits(&digits))
        } else {
            Err(InvalidSerial)
        }
    }
}

impl TryFrom<String> for Serial {
    type Error = InvalidSerial;

    fn try_from(text: String) -> Result<Self, InvalidSerial> {
        text.parse()
    }
}

impl From<Serial> for String {
    fn from(serial: Serial) -> Self {
        serial.0.as_ref().into()
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_reads_the_same_however_a_tool_prints_it() {
        let expected: Serial = "ab01".parse().unwrap();
        for same in ["AB01", "ab:01", "AB:01", "00ab01", "00:AB:01"] {
            assert_eq!(same.parse::<Serial>().unwrap(), expected, "{same}");
        }
        assert_eq!(Serial::from_bytes(&[0, 0xab, 1]), expected);
        assert_eq!(expected.to_string(), "ab01");
    }

    #[test]
    fn zero_keeps_one_digit() {
        assert_eq!(Serial::from_bytes(&[0]).to_string(), "0");
        assert_eq!("000".parse::<Serial>().unwrap(), Serial::from_bytes(&[]));
    }

    #[test]
    fn what_is_no_serial_is_refused() {
        for bad in ["", ":", "0x1f", "xyz", "a b", "a:b", "ab::01", "ab:01:", &"a".repeat(41)] {
            assert!(bad.parse::<Serial>().is_err(), "{bad:?}");
        }
    }
}
