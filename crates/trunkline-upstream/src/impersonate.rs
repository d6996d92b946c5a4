//! The last fields of a request: who it is for. Nothing touches the fields after this. Either an identity under our own credential,
//! or the token that the client brought for this API server, and then nothing of ours.
//!
//! Kubernetes, "User impersonation": `Impersonate-User` once, `Impersonate-Group` per group, `Impersonate-Uid`,
//! `Impersonate-Extra-<key>` with the key percent-encoded.

use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use trunkline_proto::{ClusterToken, Identity, IdentityMode, RequestId};
use zeroize::Zeroizing;

use crate::allow::Forbidden;

/// Whose a request is, and by what the API server is told.
#[derive(Clone, Copy, Debug)]
pub enum Whose<'a> {
    /// By impersonation.
    Identity(&'a Identity),
    /// By the client's own token for this API server.
    Token(&'a ClusterToken),
}

impl Whose<'_> {
    /// The mode in which it is told so.
    pub fn mode(self) -> IdentityMode {
        match self {
            Self::Identity(_) => IdentityMode::Impersonate,
            Self::Token(_) => IdentityMode::PassThrough,
        }
    }
}

/// Writes a client's own token and the request's id into `headers`.
pub(crate) fn pass_through(
    headers: &mut HeaderMap,
    token: &ClusterToken,
    request: RequestId,
) -> Result<(), Forbidden> {
    let bearer = Zeroizing::new(format!("Bearer {}", token.reveal()));
    let mut bearer = HeaderValue::from_str(&bearer).map_err(|_| Forbidden::Unprintable)?;
    bearer.set_sensitive(true);
    headers.insert(AUTHORIZATION, bearer);
    name_request(headers, request)
}

fn name_request(headers: &mut HeaderMap, request: RequestId) -> Result<(), Forbidden> {
    let id = HeaderValue::from_str(&request.to_string()).map_err(|_| Forbidden::Unprintable)?;
    headers.insert("audit-id", id);
    Ok(())
}

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
    name_request(headers, request)
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

    #[test]
    fn t02_whatever_fields_come_a_token_that_goes_through_stands_alone() {
        let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
        let token = ClusterToken::parse("aa.bb.cc").unwrap();
        for case in 0..20_000 {
            let theirs: HeaderMap = (0..numbers.below(12)).map(|_| any_field(&mut numbers)).collect();
            let mut headers = trunkline_proto::headers::request_fields(&theirs, case % 2 == 0);
            pass_through(&mut headers, &token, RequestId::random()).unwrap();
            let shown: Vec<_> = headers.get_all(AUTHORIZATION).iter().collect();
            assert_eq!(shown, ["Bearer aa.bb.cc"], "{theirs:?}");
            assert_eq!(headers.get_all("audit-id").iter().count(), 1, "{theirs:?}");
            for name in headers.keys() {
                let folded = name.as_str().replace('_', "-");
                let identity = ["impersonate-", "x-remote-"].iter().any(|begun| folded.starts_with(begun));
                assert!(!identity, "{name}: {theirs:?}");
            }
            assert!(!format!("{headers:?}").contains("aa.bb.cc"), "a token is shown by no Debug");
        }
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
