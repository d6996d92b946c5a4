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

    /// Numbers that look random and are the same every time (xorshift).
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, end: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            usize::try_from(self.0 % end as u64).unwrap()
        }
    }

    /// A field of a client's: a name that we write, or nearly, or another one.
    fn any_field(numbers: &mut Numbers) -> (HeaderName, HeaderValue) {
        const BEGINNINGS: &[&str] = &[
            "impersonate-",
            "x-remote-",
            "x-forwarded-",
            "x-trunkline-",
            "proxy-",
            "audit-",
            "kubectl-",
            "x-",
            "",
        ];
        const ENDINGS: &[&str] = &[
            "user",
            "group",
            "uid",
            "extra-scopes",
            "extra-a%2fb",
            "authorization",
            "cookie",
            "id",
            "for",
            "head",
            "accept",
            "new",
            "connection",
            "sec-websocket-protocol",
            "content-type",
        ];
        let mut name = format!("{}{}", BEGINNINGS[numbers.below(9)], ENDINGS[numbers.below(15)]);
        if numbers.below(3) == 0 {
            name = name.replacen('-', "_", 1 + numbers.below(3));
        }
        if numbers.below(3) == 0 {
            name = name.to_uppercase();
        }
        let values = [
            "evil",
            "system:masters",
            "root",
            "base64url.bearer.authorization.k8s.io.ZXZpbA, evil",
            "application/json",
        ];
        (name.parse().unwrap(), HeaderValue::from_static(values[numbers.below(5)]))
    }

    #[test]
    fn t02_whatever_fields_come_the_identity_that_leaves_is_ours() {
        let proving = std::env::var_os("TRUNKLINE_PROVE").is_some_and(|value| value == "1");
        let cases = if proving { 10_000_000 } else { 50_000 };
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
        let groups: Vec<String> = ["dev", "ops", "blue"].map(str::to_owned).into();
        for case in 0..cases {
            let theirs: HeaderMap = (0..numbers.below(12)).map(|_| any_field(&mut numbers)).collect();
            let mut headers = trunkline_proto::headers::request_fields(&theirs, case % 2 == 0);
            let groups = groups[..numbers.below(4)].to_vec();
            let identity = Identity { user: "jane".into(), groups: groups.clone(), ..Identity::default() };
            let own = HeaderValue::from_static("Bearer own");
            impersonate(&mut headers, &identity, Some(own), RequestId::random()).unwrap();
            let all = |name: &str| headers.get_all(name).iter().cloned().collect::<Vec<_>>();
            assert_eq!(all("impersonate-user"), ["jane"], "{theirs:?}");
            assert_eq!(all("impersonate-group"), groups, "{theirs:?}");
            assert_eq!(all("authorization"), ["Bearer own"], "{theirs:?}");
            assert_eq!(all("audit-id").len(), 1, "{theirs:?}");
            for name in headers.keys() {
                let folded = name.as_str().replace('_', "-");
                let identity = ["impersonate-", "x-remote-"].iter().any(|begun| folded.starts_with(begun));
                assert!(
                    !identity || matches!(name.as_str(), "impersonate-user" | "impersonate-group"),
                    "{name}: {theirs:?}"
                );
            }
        }
        println!("{cases} heads");
    }
}
