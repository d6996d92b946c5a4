//! From a path to a dataset and what is asked of it.
//!
//! ```text
//! [/datasets/NAME]/_bulk · /INDEX/_bulk · /INDEX/_doc[/ID] · /INDEX/_create/ID · /v1/logs · and what shippers ask before
//! ```
//!
//! An index is read past: the dataset comes from the door, or from a path that the configuration names.

use http::Method;
use percent_encoding::percent_decode_str;

use crate::refusal::Refusal;

/// The longest name that is said again in an answer, in bytes.
const MAX_NAME: usize = 255;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// To take the records of a `_bulk`.
    Bulk,
    /// To take one document, under this `_id` if there is one.
    Document(Option<String>),
    /// To take OTLP's records.
    Otlp,
    /// Whatever else: a path to be answered, or not.
    Other(Vec<String>),
}

/// Which dataset is meant, by its place among all, and what is asked of it.
pub(crate) fn route(
    method: &Method,
    path: &str,
    of_the_door: usize,
    datasets: &[&str],
) -> Result<(usize, Asked), Refusal> {
    let mut segments: Vec<String> = Vec::new();
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        let unknown = || Refusal::Unknown(path.chars().take(MAX_NAME).collect());
        let segment = percent_decode_str(segment).decode_utf8().map_err(|_| unknown())?;
        segments.push(segment.into_owned());
    }
    let mut dataset = of_the_door;
    if segments.len() > 1 && segments.first().is_some_and(|first| first == "datasets") {
        let name = segments.remove(1);
        segments.remove(0);
        dataset = datasets
            .iter()
            .position(|known| **known == name)
            .ok_or_else(|| Refusal::NoDataset(name.chars().take(64).collect(), datasets.join(", ")))?;
    }
    let names: Vec<&str> = segments.iter().map(String::as_str).collect();
    let put = method == Method::PUT || method == Method::POST;
    let asked = match names.as_slice() {
        ["_bulk"] | [_, "_bulk"] | [_, _, "_bulk"] if put => Asked::Bulk,
        ["v1", "logs"] if method == Method::POST => Asked::Otlp,
        [index, "_doc"] if put && is_index(index) => Asked::Document(None),
        [index, "_doc" | "_create", id] if put && is_index(index) => Asked::Document(Some((*id).to_owned())),
        ["_bulk"] | [_, "_bulk"] | ["v1", "logs"] | [_, "_doc" | "_create", ..] => {
            return Err(Refusal::Method(method.to_string(), path.chars().take(MAX_NAME).collect()));
        }
        _ => Asked::Other(segments),
    };
    Ok((dataset, asked))
}

/// Whether a segment is an index, and no API of its own.
pub(crate) fn is_index(segment: &str) -> bool {
    !segment.starts_with('_') && segment.len() <= MAX_NAME
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(method: &Method, path: &str) -> Result<(usize, Asked), Refusal> {
        route(method, path, 0, &["logs", "audit"])
    }

    #[test]
    fn the_dataset_comes_from_the_path_or_the_door_and_an_index_is_read_past() {
        for (path, dataset, asked) in [
            ("/_bulk", 0, Asked::Bulk),
            ("//x/_bulk/", 0, Asked::Bulk),
            ("/x/_doc/_bulk", 0, Asked::Bulk),
            ("/datasets/audit/_bulk", 1, Asked::Bulk),
            ("/datasets/audit/x/_bulk", 1, Asked::Bulk),
            ("/x/_doc", 0, Asked::Document(None)),
            ("/x/_doc/a%2Fb", 0, Asked::Document(Some("a/b".into()))),
            ("/x/_create/17", 0, Asked::Document(Some("17".into()))),
            ("/v1/logs", 0, Asked::Otlp),
            ("/datasets/audit/v1/logs", 1, Asked::Otlp),
            ("/datasets", 0, Asked::Other(vec!["datasets".into()])),
            ("/", 0, Asked::Other(vec![])),
        ] {
            assert_eq!(drawn(&Method::POST, path), Ok((dataset, asked)), "{path}");
        }
        assert_eq!(route(&Method::PUT, "/_bulk", 1, &["logs", "audit"]), Ok((1, Asked::Bulk)));
        let no = drawn(&Method::POST, "/datasets/other/_bulk").unwrap_err();
        assert_eq!(no.to_string(), "there is no dataset \"other\" here; there are: logs, audit");
        for (method, path) in
            [(Method::GET, "/_bulk"), (Method::DELETE, "/x/_doc/1"), (Method::GET, "/v1/logs")]
        {
            assert!(matches!(drawn(&method, path), Err(Refusal::Method(..))), "{method} {path}");
        }
        assert!(matches!(drawn(&Method::POST, "/%ff/_bulk"), Err(Refusal::Unknown(_))));
    }
}
