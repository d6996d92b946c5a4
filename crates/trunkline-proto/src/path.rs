//! What a Kubernetes path says, and which paths are not let through.
//!
//! A path travels byte for byte, so every hop must read it alike: what two parsers could read differently is refused
//! (CVE-2019-9901, CVE-2021-29492). Behind the `/proxy/` sub-resource of a pod, service or node stands an
//! application whose paths are its own affair, but for climbing out of it.

/// What a Kubernetes path says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PathFacts {
    /// It leads to an application behind a `/proxy/` sub-resource.
    pub application: bool,
    /// It leads to a node's kubelet: whoever may read there may run code.
    pub node_proxy: bool,
}

/// The object or the list of objects that a Kubernetes path names, as the API server reads it
/// (`RequestInfo` of k8s.io/apiserver). All as it stands in the path: never decoded, never folded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourcePath {
    /// The API group; empty for the core.
    pub group: String,
    /// The resource in the plural, `pods`.
    pub resource: String,
    /// Its sub-resource, `exec`; empty for none.
    pub subresource: String,
    /// The namespace; empty for what has none, and for lists over all.
    pub namespace: String,
    /// The object's name; empty for a list.
    pub name: String,
    /// The path asks for a watch by its old form, `/api/v1/watch/...`.
    pub watch: bool,
}

/// Why a path is not let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathFault {
    /// An empty segment.
    #[error("the path has an empty segment (//)")]
    EmptySegment,
    /// A `.` or `..` segment, in any encoding.
    #[error("the path has a . or .. segment")]
    DotSegment,
    /// An encoded `/`, `\`, `%` or NUL. No name in Kubernetes holds one, and who decodes twice would read another path.
    #[error("the path has an encoded slash, backslash, percent sign or NUL")]
    EncodedSeparator,
    /// A byte that stands for different things in different parsers.
    #[error("the path has a backslash, a semicolon or a byte beyond ASCII")]
    AmbiguousByte,
    /// An encoded letter, digit or one of `-._~`: a name that is spelled so that a rule does not know it.
    #[error("the path escapes a character that needs no escape")]
    NeedlessEscape,
    /// `%` without two hexadecimal digits.
    #[error("the path has a broken percent escape")]
    BrokenEscape,
    /// It does not begin with `/`.
    #[error("the path does not begin with /")]
    NotAbsolute,
    /// It is too long.
    #[error("the path and query are longer than {MAX_PATH} bytes")]
    TooLong,
}

/// The longest path and query, in bytes.
pub const MAX_PATH: usize = 16 * 1024;

/// Reads a path (without its query), or says why it is not let through.
pub fn read_path(path: &str) -> Result<PathFacts, PathFault> {
    let rest = path.strip_prefix('/').ok_or(PathFault::NotAbsolute)?;
    if path.len() > MAX_PATH {
        return Err(PathFault::TooLong);
    }
    let mut facts = PathFacts::default();
    let segments: Vec<&str> = rest.split('/').collect();
    let proxy_at = match segments.as_slice() {
        ["api", "v1", "nodes", _, "proxy", ..] => {
            facts.node_proxy = true;
            Some(4)
        }
        ["api", "v1", "namespaces", _, "pods" | "services", _, "proxy", ..] => Some(6),
        _ => None,
    };
    facts.application = proxy_at.is_some();
    let kubernetes = proxy_at.unwrap_or(segments.len());
    for (at, segment) in segments.iter().enumerate() {
        check_segment(segment)?;
        let last = at + 1 == segments.len();
        if at < kubernetes {
            check_kubernetes_segment(segment, last)?;
        }
    }
    Ok(facts)
}

/// What a path names, of a path that [`read_path`] let through; none for what is no resource, such as `/version` and the
/// paths of discovery.
pub fn read_resource(path: &str) -> Option<ResourcePath> {
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    let (group, rest) = match segments.as_slice() {
        ["api", _, rest @ ..] => ("", rest),
        ["apis", group, _, rest @ ..] => (*group, rest),
        _ => return None,
    };
    let (watch, rest) = match rest {
        ["watch", rest @ ..] => (true, rest),
        _ => (false, rest),
    };
    // A namespace is an object of its own, with two sub-resources, and the place of all others.
    let (namespace, rest) = match rest {
        ["namespaces", namespace, rest @ ..]
            if !rest.is_empty() && !matches!(rest, ["status" | "finalize", ..]) =>
        {
            (*namespace, rest)
        }
        ["namespaces", namespace, ..] => (*namespace, rest),
        _ => ("", rest),
    };
    let at = |place: usize| rest.get(place).copied().unwrap_or_default().to_owned();
    (!at(0).is_empty()).then(|| ResourcePath {
        group: group.to_owned(),
        resource: at(0),
        name: at(1),
        subresource: at(2),
        namespace: namespace.to_owned(),
        watch,
    })
}

/// What holds everywhere.
fn check_segment(segment: &str) -> Result<(), PathFault> {
    let bytes = segment.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte != b'%' {
            decoded.push(byte);
            at += 1;
            continue;
        }
        let hex = bytes.get(at + 1..at + 3).ok_or(PathFault::BrokenEscape)?;
        let digit = |b: u8| char::from(b).to_digit(16).ok_or(PathFault::BrokenEscape);
        let value = digit(hex[0])? * 16 + digit(hex[1])?;
        decoded.push(u8::try_from(value).map_err(|_| PathFault::BrokenEscape)?);
        at += 3;
    }
    if decoded.contains(&0) {
        return Err(PathFault::EncodedSeparator);
    }
    // What stands before a ; is a segment to some servers.
    let bare = decoded.split(|b| *b == b';').next().unwrap_or_default();
    let climbing = decoded.split(|b| matches!(b, b'/' | b'\\')).any(|part| part == b"." || part == b"..");
    if climbing || bare == b"." || bare == b".." {
        return Err(PathFault::DotSegment);
    }
    Ok(())
}

/// What holds for what the API server itself reads.
fn check_kubernetes_segment(segment: &str, last: bool) -> Result<(), PathFault> {
    if segment.is_empty() && !last {
        return Err(PathFault::EmptySegment);
    }
    if segment.bytes().any(|byte| byte == b'\\' || byte == b';' || !byte.is_ascii_graphic()) {
        return Err(PathFault::AmbiguousByte);
    }
    if escapes_what_needs_none(segment) {
        return Err(PathFault::NeedlessEscape);
    }
    let lower = segment.to_ascii_lowercase();
    if ["%2f", "%5c", "%25", "%00"].iter().any(|escape| lower.contains(escape)) {
        return Err(PathFault::EncodedSeparator);
    }
    Ok(())
}

/// Whether an unreserved character (RFC 3986 §2.3) is escaped. No client of Kubernetes does that; the API server would
/// read `%6eodes` as `nodes` where the rules above do not.
fn escapes_what_needs_none(segment: &str) -> bool {
    segment.split('%').skip(1).any(|after| {
        let hex = after.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        hex.is_some_and(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_paths_pass() {
        for path in
            ["/", "/api", "/api/", "/api/v1/namespaces/default/pods/a.b-c/log", "/apis/rbac/x/system%3Aadmin"]
        {
            assert_eq!(read_path(path), Ok(PathFacts::default()), "{path}");
        }
    }

    #[test]
    fn t06_what_two_parsers_could_read_differently_is_refused() {
        use PathFault::*;
        for (path, fault) in [
            ("api", NotAbsolute),
            ("//api", EmptySegment),
            ("/api//v1", EmptySegment),
            ("/api/../v1", DotSegment),
            ("/api/./v1", DotSegment),
            ("/api/%2e%2E/v1", DotSegment),
            ("/api/.%2e", DotSegment),
            ("/api/..;/v1", DotSegment),
            ("/api/a%2fb", EncodedSeparator),
            ("/api/a%5Cb", EncodedSeparator),
            ("/api/a%00", EncodedSeparator),
            ("/api/v1/nodes/n/%70roxy/pods", NeedlessEscape),
            ("/%61pi/v1/node%73/n/proxy", NeedlessEscape),
            ("/api/v1/pods/a%2Db", NeedlessEscape),
            ("/api/a\\b", AmbiguousByte),
            ("/api/a;b", AmbiguousByte),
            ("/api/\u{e9}", AmbiguousByte),
            ("/api/%", BrokenEscape),
            ("/api/%2", BrokenEscape),
            ("/api/%zz", BrokenEscape),
        ] {
            assert_eq!(read_path(path), Err(fault), "{path}");
        }
        assert_eq!(MAX_PATH, 16_384);
        assert_eq!(read_path(&format!("/{}", "a".repeat(MAX_PATH))), Err(TooLong));
        assert_eq!(read_path(&format!("/{}", "a".repeat(MAX_PATH - 1))), Ok(PathFacts::default()));
    }

    #[test]
    fn behind_a_proxy_sub_resource_paths_are_the_applications_own() {
        for path in [
            "/api/v1/namespaces/d/services/http:web:80/proxy/a%2Fb//c;d",
            "/api/v1/namespaces/d/pods/p/proxy",
            "/api/v1/namespaces/d/pods/p/proxy/",
        ] {
            assert_eq!(read_path(path), Ok(PathFacts { application: true, node_proxy: false }), "{path}");
        }
        assert!(read_path("/api/v1/nodes/n/proxy/run").unwrap().node_proxy);
        assert_eq!(
            read_path("/api/v1/namespaces/d/services/w/proxy/a%2f..%2f..%2fsecrets"),
            Err(PathFault::DotSegment)
        );
        assert!(!read_path("/api/v1/namespaces/proxy/pods/proxy").unwrap().application);
        let before = read_path("/api/v1/namespaces/d/pods/p;q/proxy/a;b");
        assert_eq!(before, Err(PathFault::AmbiguousByte));
    }

    #[test]
    fn a_path_names_what_the_api_server_reads_in_it() {
        let read = |path: &str| {
            let ResourcePath { group, resource, subresource, namespace, name, watch } = read_resource(path)?;
            Some(format!(
                "{group}|{resource}|{subresource}|{namespace}|{name}{}",
                if watch { "|w" } else { "" }
            ))
        };
        for (path, named) in [
            ("/api/v1/pods", "|pods|||"),
            ("/api/v1/pods/", "|pods|||"),
            ("/api/v1/nodes/n1", "|nodes|||n1"),
            ("/api/v1/nodes/n1/proxy/pods", "|nodes|proxy||n1"),
            ("/api/v1/namespaces", "|namespaces|||"),
            ("/api/v1/namespaces/d", "|namespaces||d|d"),
            ("/api/v1/namespaces/d/status", "|namespaces|status|d|d"),
            ("/api/v1/namespaces/d/finalize", "|namespaces|finalize|d|d"),
            ("/api/v1/namespaces/d/pods", "|pods||d|"),
            ("/api/v1/namespaces/d/pods/p/exec", "|pods|exec|d|p"),
            ("/api/v1/namespaces/d/services/w:80/proxy/a/b", "|services|proxy|d|w:80"),
            ("/api/v1/watch/namespaces/d/pods/p", "|pods||d|p|w"),
            ("/api/v1/watch/pods", "|pods||||w"),
            ("/apis/apps/v1/namespaces/d/deployments/x/scale", "apps|deployments|scale|d|x"),
            (
                "/apis/rbac.authorization.k8s.io/v1/clusterroles/a",
                "rbac.authorization.k8s.io|clusterroles|||a",
            ),
            ("/apis/apps/v1/watch/deployments", "apps|deployments||||w"),
        ] {
            assert_eq!(read(path).as_deref(), Some(named), "{path}");
        }
        for path in [
            "/",
            "/api",
            "/api/v1",
            "/apis",
            "/apis/apps",
            "/apis/apps/v1",
            "/version",
            "/openapi/v3/apis/apps/v1",
        ] {
            assert_eq!(read(path), None, "{path}");
        }
    }
}
