//! The Manager's files: what `make ui` built, in the binary, so that a gateway needs nothing beside it and no network.
//!
//! Invariants:
//! - a name is looked up as it is and nothing of it is decoded, so that no name leads out of the list;
//! - without a build there is one page, which says how to make one;
//! - whatever has its content's hash in its name may be kept for ever, and nothing else.

/// A file of the Manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File {
    /// What it is, for `Content-Type`.
    pub kind: &'static str,
    /// What is in it.
    pub bytes: &'static [u8],
    /// The same in Brotli (RFC 7932), where that is shorter.
    pub brotli: Option<&'static [u8]>,
    /// Whether it never changes under its name.
    pub lasting: bool,
}

type Listed = (&'static str, &'static [u8], Option<&'static [u8]>);

const FILES: &[Listed] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

const UNBUILT: File = File {
    kind: "text/html; charset=utf-8",
    bytes: include_bytes!("unbuilt.html"),
    brotli: None,
    lasting: false,
};

/// Whether the Manager is in this binary.
pub fn is_built() -> bool {
    !FILES.is_empty()
}

/// The file of a name such as `assets/index-4f2a.js`.
pub fn file(name: &str) -> Option<File> {
    let at = FILES.binary_search_by(|(listed, ..)| (*listed).cmp(name)).ok()?;
    let (name, bytes, brotli) = FILES.get(at).copied()?;
    Some(File { kind: kind(name), bytes, brotli, lasting: name.starts_with("assets/") })
}

/// The page that all of the Manager's addresses begin with.
pub fn page() -> File {
    file("index.html").unwrap_or(UNBUILT)
}

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        "json" => "application/json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_page_with_or_without_a_build() {
        let page = page();
        assert_eq!(page.kind, "text/html; charset=utf-8");
        let text = std::str::from_utf8(page.bytes).unwrap();
        assert!(text.starts_with("<!doctype html>"), "{text}");
        assert_eq!(is_built(), !text.contains("make ui"), "{text}");
        assert!(!page.lasting);
    }

    #[test]
    fn the_list_is_in_order_and_every_file_is_found_in_it() {
        assert!(FILES.is_sorted_by(|(one, ..), (other, ..)| one < other));
        for (name, bytes, _) in FILES {
            assert_eq!(file(name).unwrap().bytes, *bytes, "{name}");
            assert_ne!(kind(name), "application/octet-stream", "{name} has no kind");
        }
    }

    #[test]
    fn no_name_leads_out_of_the_list() {
        for name in [
            "",
            "/",
            "..",
            "../Cargo.toml",
            "assets",
            "assets/",
            "index.html/",
            "INDEX.HTML",
            "assets/%2e%2e/index.html",
        ] {
            assert_eq!(file(name), None, "{name}");
        }
    }
}
