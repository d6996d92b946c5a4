//! The last fields of a request: who it is for, and our own credential. Nothing touches the fields after this.
//!
//! Kubernetes, "User impersonation": `Impersonate-User` once, `Impersonate-Group` per group, `Impersonate-Uid`,
//! `Impersonate-Extra-<key>` with the key percent-encoded.

use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use trunkline_proto::{Identity, RequestId};

use crate::allow::Forbidden;

/// Writes the identity, the credential and the request's id into `headers`.
pub(crate) fn impersonate(
    headers: &mut HeaderMap,
    identity: &Identity,
    authorization: Option<HeaderValue>,
    request: RequestId,
) -> Result<(), Forbidden> {
    let value = |text: &str| HeaderValue::from_str(text).map_err(|_| Forbidden::Unprintable);
    headers.insert("impersonate-user", value(&identity.user)?);
    for group in &identity.groups {
        headers.append("impersonate-group", value(group)?);
    }
    if let Some(uid) = &identity.uid {
        headers.insert("impersonate-uid", value(uid)?);
    }
    for (key, values) in &identity.extra {
        let name = format!("impersonate-extra-{}", percent_encoded(key));
        let name = HeaderName::try_from(name).map_err(|_| Forbidden::Unprintable)?;
        for text in values {
            headers.append(name.clone(), value(text)?);
        }
    }
    if let Some(authorization) = authorization {
        headers.insert(AUTHORIZATION, authorization);
    }
    headers.insert("audit-id", value(&request.to_string())?);
    Ok(())
}

/// Lower case, and everything that a field name cannot hold as `%xx`.
fn percent_encoded(key: &str) -> String {
    key.to_ascii_lowercase()
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
            other => format!("%{other:02x}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_identity_stands_in_the_fields_kubernetes_reads() {
        let identity = Identity {
            user: "jane".into(),
            groups: vec!["a".into(), "b".into()],
            extra: [("example.com/scope".to_owned(), vec!["view".to_owned()])].into(),
            ..Identity::default()
        };
        let mut headers = HeaderMap::new();
        let token = HeaderValue::from_static("Bearer t");
        impersonate(&mut headers, &identity, Some(token), RequestId::random()).unwrap();
        assert_eq!(headers["impersonate-user"], "jane");
        assert_eq!(headers.get_all("impersonate-group").iter().count(), 2);
        assert_eq!(headers["impersonate-extra-example.com%2fscope"], "view");
        assert_eq!(headers["authorization"], "Bearer t");
    }
}
