//! Secrets in every form in which they might lie about, and looking for them.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// What a P-256 private key in PKCS#8 begins with, up to the first byte of its number.
const PKCS8: &[u8] = &[
    0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x6d, 0x30, 0x6b, 0x02, 0x01, 0x01,
    0x04, 0x20,
];
/// How a PEM of one begins; put together, so that this file does not hold it.
const PEM: [&str; 2] = ["PRIVATE", " KEY-----\n"];

/// Secrets in their forms.
#[derive(Debug, Default)]
pub(super) struct Needles {
    needles: Vec<(String, Vec<u8>)>,
    secrets: BTreeSet<String>,
}

impl Needles {
    /// A private key in PEM (PKCS#8): its text, its bytes, and its number alone.
    pub(super) fn key(&mut self, what: &str, pem: &str) {
        let lines: Vec<&str> = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let der = STANDARD.decode(lines.concat()).unwrap();
        let number = der.strip_prefix(PKCS8).expect("a P-256 key")[..32].to_vec();
        // The first lines are the same in every key up to the number, and the last ones are of its public half.
        self.add(what, "text", lines[1].as_bytes().to_vec());
        self.all_forms(what, &number);
    }

    /// A join token: its text, and the bytes behind it.
    pub(super) fn token(&mut self, token: &str) {
        let bytes = URL_SAFE.decode(format!("{}=", &token[4..])).unwrap();
        let what = format!("token {}...", &token[..10]);
        self.add(&what, "text", token.as_bytes()[4..].to_vec());
        self.all_forms(&what, &bytes);
        self.all_forms(&what, token.as_bytes());
    }

    /// A token for a cluster: its signature, which is what makes it good.
    pub(super) fn cluster_token(&mut self, token: &str) {
        let signature = token.rsplit('.').next().unwrap();
        self.all_forms("a token for a cluster", signature.as_bytes());
    }

    /// How many secrets are looked for.
    pub(super) fn secrets(&self) -> usize {
        self.secrets.len()
    }

    /// In how many forms, all together.
    pub(super) fn forms(&self) -> usize {
        self.needles.len()
    }

    /// What of it is in these bytes.
    pub(super) fn found_in(&self, place: &str, bytes: &[u8]) -> Vec<String> {
        // A needle's first four bytes are looked up once for each place, not once for each needle.
        let mut begins = std::collections::HashMap::<&[u8], Vec<&(String, Vec<u8>)>>::new();
        for needle in &self.needles {
            begins.entry(&needle.1[..4]).or_default().push(needle);
        }
        let mut found = BTreeSet::new();
        for at in 0..bytes.len().saturating_sub(3) {
            for (what, needle) in begins.get(&bytes[at..at + 4]).into_iter().flatten() {
                if bytes[at..].starts_with(needle) {
                    found.insert(format!("{what} in {place} at {at}"));
                }
            }
        }
        found.into_iter().collect()
    }

    fn all_forms(&mut self, what: &str, secret: &[u8]) {
        self.add(what, "bytes", secret.to_vec());
        let hex = |upper: bool| {
            secret.iter().fold(String::new(), |mut text, byte| {
                let _ = if upper { write!(text, "{byte:02X}") } else { write!(text, "{byte:02x}") };
                text
            })
        };
        self.add(what, "hex", hex(false).into_bytes());
        self.add(what, "HEX", hex(true).into_bytes());
        // As `{:?}` shows bytes.
        let list: Vec<String> = secret.iter().map(u8::to_string).collect();
        self.add(what, "list", list.join(", ").into_bytes());
        // In base64 it may begin at any of three places; the first and last characters belong to what is beside it.
        for shift in 0..3 {
            let shifted = [&vec![0; shift][..], secret].concat();
            for (form, text) in
                [("base64", STANDARD.encode(&shifted)), ("base64url", URL_SAFE.encode(&shifted))]
            {
                let whole = &text[if shift == 0 { 0 } else { 4 }..shifted.len() / 3 * 4];
                self.add(what, form, whole.as_bytes().to_vec());
            }
        }
    }

    fn add(&mut self, what: &str, form: &str, needle: Vec<u8>) {
        assert!(needle.len() >= 20, "{what} as {form} is too short to be looked for");
        self.secrets.insert(what.to_owned());
        self.needles.push((format!("{what} as {form}"), needle));
    }
}

/// How many private keys are in these bytes, whoever's they are.
pub(super) fn private_keys(bytes: &[u8]) -> usize {
    let count = |needle: &[u8]| bytes.windows(needle.len()).filter(|window| *window == needle).count();
    let begun = count(PEM.concat().as_bytes()) / 2;
    let der = STANDARD.encode(PKCS8);
    begun.max(count(&der.as_bytes()[..44])) + count(PKCS8)
}
