//! A document as it lies in the spool before the index.
//!
//! ```text
//! flags u8 │ time i64 │ day u32 │ id 16 │ sequence u64 │ spool 16 │ slot u16 │ dataset u8 + text │ uid u8 + text │ source
//! ```
//!
//! Little endian. What the writer decides by stands before the source; everything that is indexed besides is read from the
//! source, in which it stands anyway.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use serde::Deserialize;
use trunkline_logs::{Dataset, Day, Document, DocumentId, Facet, SpoolEpoch};
use trunkline_proto::{ClusterUid, Slot};
use trunkline_spool::{MAX_RECORD, NewRecord, Record};

/// The tag of a spooled record of this form.
const DOCUMENT: u32 = 1;
const KNOWN_BY_ID: u8 = 1;

/// Whose records come in the order of their sequences.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) uid: ClusterUid,
    pub(super) slot: Slot,
    pub(super) spool: SpoolEpoch,
    pub(super) dataset: Dataset,
}

/// A document on its way into the index.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) place: Place,
    pub(super) sequence: u64,
    pub(super) day: Day,
    pub(super) time: i64,
    pub(super) id: DocumentId,
    pub(super) is_known_by_id: bool,
    pub(super) said: Said,
    pub(super) source: String,
}

/// What is indexed of a source.
#[derive(Debug, Deserialize)]
pub(super) struct Said {
    pub(super) message: String,
    pub(super) cluster: Cluster,
    pub(super) trunkline: Ours,
}

#[derive(Debug, Deserialize)]
pub(super) struct Cluster {
    pub(super) id: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Ours {
    level: Option<String>,
    app: Option<String>,
    namespace: Option<String>,
    pod: Option<String>,
    container: Option<String>,
    node: Option<String>,
    pub(super) terms: Vec<String>,
}

/// Why a document cannot be kept, or a record is no document.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoDocument {
    #[error("the document is {0} bytes long, more than {MAX_RECORD}")]
    Long(usize),
    #[error("its record is cut off, or of another version")]
    Record,
    #[error("its source is not one of ours")]
    Source(#[from] serde_json::Error),
}

impl Place {
    pub(super) fn of(document: &Document) -> Self {
        let stamp = &document.stamp;
        Self { uid: stamp.uid, slot: stamp.slot, spool: stamp.spool, dataset: stamp.dataset.clone() }
    }

    /// Its bytes, as a key.
    pub(super) fn put(&self, bytes: &mut impl bytes::BufMut) {
        bytes.put_slice(&self.spool.0);
        bytes.put_u16_le(self.slot.0);
        for text in [self.dataset.as_str(), &self.uid.to_string()] {
            // Both are far shorter.
            bytes.put_u8(text.len() as u8);
            bytes.put_slice(text.as_bytes());
        }
    }

    /// Takes one off the front.
    pub(super) fn take(bytes: &mut Bytes) -> Option<Self> {
        let mut spool = [0; 16];
        bytes.try_copy_to_slice(&mut spool).ok()?;
        let slot = Slot(bytes.try_get_u16_le().ok()?);
        let dataset = text(bytes)?.parse().ok()?;
        Some(Self { uid: text(bytes)?.parse().ok()?, slot, spool: SpoolEpoch(spool), dataset })
    }
}

fn text(bytes: &mut Bytes) -> Option<String> {
    let length = usize::from(bytes.try_get_u8().ok()?);
    let text = (length <= bytes.len()).then(|| bytes.split_to(length))?;
    String::from_utf8(text.into()).ok()
}

/// Whether a document is known by its id, not by its place: dead letters do not come in the order of their sequences, and what a shipper gave
/// an id comes again under another one.
pub(super) fn is_known_by_id(document: &Document) -> bool {
    document.has_own_id || document.stamp.dataset.is_reserved()
}

/// The record of a document that belongs into the index of this day.
///
/// # Errors
/// When it is too long.
pub(super) fn record(document: &Document, day: Day) -> Result<NewRecord, NoDocument> {
    let mut bytes = BytesMut::with_capacity(document.source.len() + 160);
    bytes.put_u8(if is_known_by_id(document) { KNOWN_BY_ID } else { 0 });
    bytes.put_i64_le(document.time);
    bytes.put_u32_le(day.0);
    bytes.put_slice(&document.id.0);
    bytes.put_u64_le(document.stamp.sequence);
    Place::of(document).put(&mut bytes);
    bytes.put_slice(document.source.as_bytes());
    if bytes.len() > MAX_RECORD {
        return Err(NoDocument::Long(bytes.len()));
    }
    Ok(NewRecord { tag: DOCUMENT, bytes: bytes.freeze() })
}

impl Kept {
    /// Whether it is a dead letter.
    pub(super) fn is_letter(&self) -> bool {
        self.place.dataset.is_reserved()
    }

    /// The document of a record.
    pub(super) fn read(record: Record) -> Result<Self, NoDocument> {
        let mut bytes = record.bytes;
        let head = (record.tag == DOCUMENT).then(|| head(&mut bytes)).flatten();
        let (flags, time, day, id, sequence, place) = head.ok_or(NoDocument::Record)?;
        let source = String::from_utf8(bytes.into()).map_err(|_| NoDocument::Record)?;
        let said = serde_json::from_str(&source)?;
        Ok(Self { place, sequence, day, time, id, is_known_by_id: flags & KNOWN_BY_ID != 0, said, source })
    }
}

fn head(bytes: &mut Bytes) -> Option<(u8, i64, Day, DocumentId, u64, Place)> {
    let flags = bytes.try_get_u8().ok()?;
    let time = bytes.try_get_i64_le().ok()?;
    let day = Day(bytes.try_get_u32_le().ok()?);
    let mut id = [0; 16];
    bytes.try_copy_to_slice(&mut id).ok()?;
    let sequence = bytes.try_get_u64_le().ok()?;
    Some((flags, time, day, DocumentId(id), sequence, Place::take(bytes)?))
}

impl Ours {
    pub(super) fn facet(&self, facet: Facet) -> Option<&str> {
        match facet {
            Facet::Level => &self.level,
            Facet::App => &self.app,
            Facet::Namespace => &self.namespace,
            Facet::Pod => &self.pod,
            Facet::Container => &self.container,
            Facet::Node => &self.node,
        }
        .as_deref()
    }
}
