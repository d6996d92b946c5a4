//! Reading OTLP's log records (`ExportLogsServiceRequest`), as protobuf and as JSON, and making a document of each.
//!
//! The messages are read where they lie, one record at a time, in whatever order their fields come: a request of 24 MiB
//! would be gigabytes as objects. A record that is none, or breaks a limit, is rejected by itself and counted in the answer;
//! a request whose frame does not hold spoils as a whole.
//!
//! ```text
//! {"@timestamp": …, "message": body, "severity_text": …, "severity_number": …, "trace.id": …, "span.id": …,
//!  "attributes": {…}, "resource": {…}, "scope": {"name": …, "version": …}, "event.name": …}
//! ```

mod any;
mod record;
mod wire;
mod protobuf;
mod json;
mod answer;

use http::HeaderMap;
use http::header::CONTENT_TYPE;

use crate::batch::Batch;
use crate::body::field;
use crate::bulk::MAX_ITEMS;
use crate::look::{Fault, look};
use crate::refusal::Refusal;

pub(crate) use answer::{accepted, refused};

/// How a request is written, and so its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Protobuf,
    Json,
}

/// Why a record is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RecordFault {
    /// It is none.
    #[error("it is not an OTLP log record")]
    Form,
    /// Its document cannot be kept.
    #[error(transparent)]
    Document(#[from] Fault),
}

/// Records that are being read.
pub(crate) struct Records {
    pub(crate) batch: Batch,
    /// How many are rejected, and why the first of them.
    pub(crate) rejected: Vec<(RecordFault, u64)>,
    items: usize,
    text: Vec<u8>,
}

impl Form {
    /// What a request says.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        match field(headers, CONTENT_TYPE).as_str() {
            "application/x-protobuf" | "application/protobuf" => Ok(Self::Protobuf),
            "application/json" => Ok(Self::Json),
            other => Err(Refusal::Media(other.chars().take(64).collect())),
        }
    }
}

/// Reads a request.
pub(crate) fn read(form: Form, body: &[u8], batch: Batch) -> Result<Records, Refusal> {
    let mut records = Records { batch, rejected: Vec::new(), items: 0, text: Vec::new() };
    match form {
        Form::Protobuf => protobuf::read(body, &mut records)?,
        Form::Json => json::read(body, &mut records)?,
    }
    Ok(records)
}

impl Records {
    /// One record more, good or not.
    fn add(
        &mut self,
        read: Result<record::Record<'_>, RecordFault>,
        origin: &record::Origin,
    ) -> Result<(), Refusal> {
        self.items += 1;
        if self.items > MAX_ITEMS {
            return Err(Refusal::TooMany);
        }
        self.batch.item(0)?;
        let looked = read.and_then(|record| {
            self.text.clear();
            record.write(origin, &mut self.text);
            Ok(look(&self.text)?)
        });
        match looked {
            Ok(()) => self.batch.push(None, &self.text)?,
            Err(fault) => {
                match self.rejected.iter_mut().find(|(known, _)| known.reason() == fault.reason()) {
                    Some((_, times)) => *times += 1,
                    None => self.rejected.push((fault, 1)),
                }
            }
        }
        Ok(())
    }
}

impl RecordFault {
    /// The reason, for metrics.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Form => "not_otlp",
            Self::Document(Fault::TooMuch(_)) => "too_large",
            Self::Document(_) => "not_json",
        }
    }
}

#[cfg(test)]
mod tests;
