//! What is said on a live socket: text messages of JSON, one object each.
//!
//! A stream is named by a number of the page's choice, that grows from one stream to the next, so that a late word about
//! one stream is never taken for another's.

use serde::{Deserialize, Serialize};

/// What a page says.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(super) enum Said {
    /// Opens a stream: a GET of this path and query.
    Open {
        open: u32,
        path: String,
        #[serde(default, rename = "as")]
        form: Form,
    },
    /// So many bytes more may come of it.
    More { more: u32, bytes: u32 },
    /// It is not wanted any more.
    Close { close: u32 },
}

/// In which form an answer is asked for: all that a page chooses of a request beside its path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Form {
    /// Whatever is served.
    #[default]
    Usual,
    /// Rows with the columns that kubectl shows, where a cluster has them (`Table` of `meta.k8s.io/v1`).
    Table,
}

impl Form {
    /// The field `Accept` for it.
    pub(super) fn accepts(self) -> Option<&'static str> {
        match self {
            Self::Usual => None,
            Self::Table => Some("application/json;as=Table;v=v1;g=meta.k8s.io,application/json"),
        }
    }
}

/// What a page is told.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Told {
    /// The answer is a yes: its status and content type.
    Begun {
        begun: u32,
        status: u16,
        #[serde(rename = "type")]
        kind: String,
    },
    /// Lines of its body, without their ends, and how much of the credit they cost. If `cut`, the last one was longer.
    Lines {
        lines: u32,
        data: Vec<String>,
        bytes: usize,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        cut: bool,
    },
    /// Nothing more comes of it.
    Ended {
        ended: u32,
        #[serde(flatten)]
        end: End,
    },
}

/// How a stream ends.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(super) enum End {
    /// The answer was no yes: its status and the beginning of its body.
    Refused { status: u16, body: String },
    /// It was cut, or broke: a word for programs and a text for people.
    Cut { reason: String, why: String },
    /// It came to its end.
    Whole {},
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(text: &str) -> Option<Said> {
        serde_json::from_str(text).ok()
    }

    #[test]
    fn a_page_opens_gives_and_closes_and_says_nothing_else() {
        let open = |form| Some(Said::Open { open: 7, path: "/x?y".into(), form });
        assert_eq!(said(r#"{"open": 7, "path": "/x?y"}"#), open(Form::Usual));
        assert_eq!(said(r#"{"open": 7, "path": "/x?y", "as": "table"}"#), open(Form::Table));
        assert_eq!(said(r#"{"more": 7, "bytes": 10}"#), Some(Said::More { more: 7, bytes: 10 }));
        assert_eq!(said(r#"{"close": 7}"#), Some(Said::Close { close: 7 }));
        for odd in [
            "",
            "{}",
            "[]",
            "7",
            r#"{"open": 7}"#,
            r#"{"open": -1, "path": "/"}"#,
            r#"{"open": 7.5, "path": "/"}"#,
            r#"{"open": 4294967296, "path": "/"}"#,
            r#"{"open": "7", "path": "/"}"#,
            r#"{"open": 7, "path": "/", "headers": {"x": "y"}}"#,
            r#"{"open": 7, "path": "/", "method": "POST"}"#,
            r#"{"open": 7, "path": "/", "close": 7}"#,
            r#"{"open": 7, "path": "/", "as": "application/vnd.kubernetes.protobuf"}"#,
            r#"{"open": 7, "path": "/", "as": null}"#,
            r#"{"more": 7, "bytes": -1}"#,
            r#"{"close": 7, "why": "x"}"#,
            r#"{"close": 7} {"close": 8}"#,
        ] {
            assert_eq!(said(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_page_is_told_in_one_object_each() {
        let text = |told: Told| serde_json::to_value(&told).unwrap();
        let kind = "application/json".to_owned();
        let begun = text(Told::Begun { begun: 7, status: 200, kind });
        assert_eq!(begun, json!({"begun": 7, "status": 200, "type": "application/json"}));
        let lines = |cut| text(Told::Lines { lines: 7, data: vec!["a".into()], bytes: 2, cut });
        assert_eq!(lines(false), json!({"lines": 7, "data": ["a"], "bytes": 2}));
        assert_eq!(lines(true)["cut"], true);
        let ended = |end| text(Told::Ended { ended: 7, end });
        assert_eq!(ended(End::Whole {}), json!({"ended": 7}));
        let refused = End::Refused { status: 404, body: "x".into() };
        assert_eq!(ended(refused), json!({"ended": 7, "status": 404, "body": "x"}));
        let cut = End::Cut { reason: "ClusterLocked".into(), why: "locked".into() };
        assert_eq!(ended(cut), json!({"ended": 7, "reason": "ClusterLocked", "why": "locked"}));
    }
}
