//! What became of each item, as Elasticsearch says it.

use std::fmt::Write as _;
use std::time::Duration;

use trunkline_logs::Dataset;
use trunkline_spool::Receipt;

use super::{Item, ItemFault};
use crate::look::Fault;

/// The answer to a request whose good items are kept from the first sequence of the receipt on; none if it had no good one.
pub(crate) fn answer(items: &[Item], receipt: Option<Receipt>, dataset: &Dataset, took: Duration) -> String {
    let mut text = String::with_capacity(64 + 112 * items.len());
    let errors = items.iter().any(|item| item.fault.is_some());
    let mut sequence = receipt.map_or(0, |receipt| receipt.first);
    // Writing to a String does not fail.
    let _ = write!(text, r#"{{"errors":{errors},"took":{},"items":["#, took.as_millis());
    for (at, item) in items.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let _ = write!(text, r#"{comma}{{"{}":{{"_index":"{dataset}""#, item.op);
        match (&item.id, item.fault) {
            (Some(id), _) => {
                let _ = write!(text, r#","_id":{}"#, quoted(id));
            }
            (None, None) => {
                let _ = write!(text, r#","_id":"{sequence}""#);
            }
            (None, Some(_)) => {}
        }
        match item.fault {
            None => {
                text.push_str(r#","_version":1,"result":"created","status":201}}"#);
                sequence += 1;
            }
            Some(fault) => {
                let (kind, reason) = (fault.kind(), quoted(&fault.to_string()));
                let _ = write!(text, r#","status":400,"error":{{"type":"{kind}","reason":{reason}}}}}}}"#);
            }
        }
    }
    text.push_str("]}");
    text
}

impl ItemFault {
    /// What Elasticsearch calls it.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Document(Fault::TooMuch(_)) | Self::Op(_) | Self::Id(_) => "illegal_argument_exception",
            Self::Document(_) => "document_parsing_exception",
        }
    }

    /// The reason, for metrics.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Document(Fault::TooMuch(_)) => "too_large",
            Self::Document(_) => "not_json",
            Self::Op(_) => "operation",
            Self::Id(_) => "id",
        }
    }
}

/// A text as JSON.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
