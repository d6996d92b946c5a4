//! An agent's allow-list as JSON, then a stream head: JSON, or after `raw ` the field's own text.
//!
//! Whatever head comes from a gateway, what leaves the agent names exactly one user and the groups that the head has, no
//! name of Kubernetes' own that the agent's list does not have, and never `system:masters`. Or it carries the head's token, and names
//! nobody.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue};
use trunkline_proto::headers::request_fields;
use trunkline_proto::{
    ClusterToken, HEAD_HEADER, Identity, InvalidHead, MAX_HEAD_BYTES, Purpose, StreamHead,
};
use trunkline_upstream::{AllowList, Forbidden, bare};

use crate::lines::{first_line, folded};
use crate::path::decode;

/// Reads a head and acts on it as an agent does.
pub fn head(input: &[u8]) {
    let (list, rest) = first_line(input);
    let Ok(allow) = serde_json::from_str::<AllowList>(list) else { return };
    let value = match rest.strip_prefix(b"raw ") {
        Some(raw) => HeaderValue::from_bytes(raw),
        None => HeaderValue::try_from(URL_SAFE_NO_PAD.encode(rest)),
    };
    let Ok(value) = value else { return };
    let mut headers = HeaderMap::new();
    headers.insert(HEAD_HEADER, value.clone());
    headers.insert("accept", HeaderValue::from_static("application/json"));
    let taken = StreamHead::take(&mut headers);
    assert!(!headers.contains_key(HEAD_HEADER), "a head is left");
    let head = match taken {
        Ok(head) => head,
        Err(fault) => {
            assert_eq!(matches!(fault, InvalidHead::TooLong(_)), value.len() > MAX_HEAD_BYTES);
            return;
        }
    };
    // Written anew it may be longer than it came (escapes, defaults), and then it is not written at all.
    if let Ok(written) = head.encode() {
        let mut again = HeaderMap::new();
        again.insert(HEAD_HEADER, written);
        assert_eq!(StreamHead::take(&mut again).as_ref(), Ok(&head));
    }
    let mut headers = request_fields(&headers, true);
    let identity = match head.purpose {
        Purpose::Kubernetes(identity) => identity,
        Purpose::PassThrough(token) => return passed(&token, &mut headers),
        Purpose::Control | Purpose::Logs(_) => return,
    };
    let credential = HeaderValue::from_static("Bearer own");
    match bare::impersonate(&allow, &identity, Some(credential), &mut headers) {
        Ok(()) => impersonated(&allow, &identity, &headers),
        Err(no) => refused(&allow, &identity, &no),
    }
}

/// What goes through stands alone, and is no two fields.
fn passed(token: &ClusterToken, headers: &mut HeaderMap) {
    bare::pass_through(token, headers).expect("its shape is a field's");
    let text = token.reveal();
    assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)), "{text:?}");
    let shown: Vec<_> =
        headers.get_all("authorization").iter().map(|value| value.as_bytes().to_vec()).collect();
    assert_eq!(shown, [format!("Bearer {text}").into_bytes()]);
    assert!(headers.keys().all(|name| !folded(name).starts_with("impersonate-")));
}

fn impersonated(allow: &AllowList, identity: &Identity, headers: &HeaderMap) {
    let all = |name: &str| -> Vec<&str> {
        headers.get_all(name).iter().map(|value| value.to_str().expect("text")).collect()
    };
    assert_eq!(all("impersonate-user"), [&identity.user]);
    assert_eq!(all("impersonate-group"), identity.groups);
    assert_eq!(all("impersonate-uid"), identity.uid.iter().collect::<Vec<_>>());
    assert_eq!(all("authorization"), ["Bearer own"]);
    assert_eq!(all("audit-id").len(), 1);
    assert!(!identity.user.is_empty());
    for name in std::iter::once(&identity.user).chain(&identity.groups) {
        let own = name.to_lowercase().trim().starts_with("system:");
        assert!(!own || allow.system_names.contains(name) || name == "system:authenticated", "{name:?}");
        assert!(name.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{name:?}");
    }
    for group in &identity.groups {
        assert!(!group.to_lowercase().contains("system:masters") || group.trim().len() > 14, "{group:?}");
        let listed =
            allow.groups.is_empty() || allow.groups.contains(group) || group == "system:authenticated";
        assert!(listed, "{group:?}");
    }
    // As the API server reads them: the key is what stands behind, its escapes undone.
    let mut extra: BTreeMap<Vec<u8>, Vec<&str>> = BTreeMap::new();
    for (name, value) in headers {
        let known = ["impersonate-user", "impersonate-group", "impersonate-uid"];
        if let Some(key) = name.as_str().strip_prefix("impersonate-extra-") {
            extra.entry(decode(key.as_bytes())).or_default().push(value.to_str().expect("text"));
        } else {
            assert!(!folded(name).starts_with("impersonate-") || known.contains(&name.as_str()), "{name}");
        }
    }
    let mut expected: BTreeMap<Vec<u8>, Vec<&str>> = BTreeMap::new();
    for (key, values) in identity.extra.iter().filter(|(_, values)| !values.is_empty()) {
        let values = values.iter().map(String::as_str);
        expected.entry(key.to_ascii_lowercase().into_bytes()).or_default().extend(values);
    }
    assert_eq!(extra, expected);
}

/// Who is plain, in groups that are plain, is refused for nothing.
fn refused(allow: &AllowList, identity: &Identity, no: &Forbidden) {
    let listed = |group: &String| allow.groups.is_empty() || allow.groups.contains(group);
    let plain = is_plain(&identity.user)
        && identity.uid.is_none()
        && identity.extra.is_empty()
        && identity.groups.len() <= 500
        && identity.groups.iter().all(|group| is_plain(group) && listed(group));
    assert!(!plain, "{identity:?} was refused: {no}");
}

fn is_plain(name: &str) -> bool {
    let printable = name.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && name.trim() == name;
    printable && (1..=1024).contains(&name.len()) && !name.to_lowercase().starts_with("system:")
}
