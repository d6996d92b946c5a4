//! Reading OTLP's log records (`ExportLogsServiceRequest`), as protobuf and as JSON, and making a document of each.
//!
//! The messages are read where they lie, one record at a time, in whatever order their fields come: a request of 24 MiB
//! would be gigabytes as objects. A record that is none, or breaks a limit, is rejected by itself and counted in the answer;
//! so are all records of a resource or scope that breaks one, unread. A request whose frame does not hold spoils as a whole.
//!
//! Invariant: what is written and looked at is at most a small multiple of the body; what is copied is in the request's
//! budget. A resource costs once, and not once for each of its records.
//!
//! ```text
//! {"@timestamp": …, "message": body, "severity_text": …, "severity_number": …, "trace.id": …, "span.id": …,
//!  "attributes": {…}, "resource": {…}, "scope": {"name": …, "version": …}, "event.name": …}
//! ```

mod any;
mod record;
mod origin;
mod wire;
mod protobuf;
mod json;
mod answer;

use http::HeaderMap;
use http::header::CONTENT_TYPE;

use crate::batch::Batch;
use crate::body::{MAX_WHOLE, field};
use crate::bulk::MAX_ITEMS;
use crate::look::{Fault, look};
use crate::refusal::Refusal;
use origin::{Origin, Part, joined};

pub(crate) use answer::{accepted, refused};

/// How many bytes of text one request may be written as: most signs of a body are one in the text, and none is more than six.
const MAX_WRITTEN: usize = 4 * MAX_WHOLE;

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
    /// How many bytes of text were written and looked at: of records, and of what their origins say.
    written: usize,
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
    let mut records = Records { batch, rejected: Vec::new(), items: 0, text: Vec::new(), written: 0 };
    match form {
        Form::Protobuf => protobuf::read(body, &mut records)?,
        Form::Json => json::read(body, &mut records)?,
    }
    Ok(records)
}

impl Records {
    /// What a resource or a scope says, written once for all of its records.
    fn part(&mut self, part: Result<Part, RecordFault>) -> Result<Result<Part, Fault>, Refusal> {
        match part {
            Ok(part) => {
                self.wrote(part.length())?;
                Ok(Ok(part))
            }
            Err(RecordFault::Document(fault)) => Ok(Err(fault)),
            Err(RecordFault::Form) => Err(Refusal::Malformed("a resource or a scope is none of OTLP".into())),
        }
    }

    /// One record more, good or not; it is read only if its origin can be kept.
    fn add<'a>(
        &mut self,
        read: impl FnOnce() -> Result<record::Record<'a>, RecordFault>,
        origin: &Origin,
    ) -> Result<(), Refusal> {
        self.items += 1;
        if self.items > MAX_ITEMS {
            return Err(Refusal::TooMany);
        }
        self.batch.item(0)?;
        if let Err(fault) = self.keep(read, origin)? {
            match self.rejected.iter_mut().find(|(known, _)| known.reason() == fault.reason()) {
                Some((_, times)) => *times += 1,
                None => self.rejected.push((fault, 1)),
            }
        }
        Ok(())
    }

    /// Keeps a record, or says why it cannot be kept.
    fn keep<'a>(
        &mut self,
        read: impl FnOnce() -> Result<record::Record<'a>, RecordFault>,
        origin: &Origin,
    ) -> Result<Result<(), RecordFault>, Refusal> {
        let (parts, record) =
            match origin.parts().map_err(RecordFault::from).and_then(|parts| Ok((parts, read()?))) {
                Ok(read) => read,
                Err(fault) => return Ok(Err(fault)),
            };
        self.text.clear();
        record.write(&mut self.text);
        self.wrote(self.text.len())?;
        match look(&self.text).and_then(|fields| joined(&self.text, fields, parts)) {
            Ok(document) => self.batch.push(None, &document)?,
            Err(fault) => return Ok(Err(fault.into())),
        }
        Ok(Ok(()))
    }

    fn wrote(&mut self, bytes: usize) -> Result<(), Refusal> {
        self.written += bytes;
        if self.written > MAX_WRITTEN { Err(Refusal::TooMuch) } else { Ok(()) }
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
