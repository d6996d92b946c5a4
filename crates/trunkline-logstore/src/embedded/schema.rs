//! What an index holds of a document, and under which format that is known.
//!
//! Everything is found by the inverted index; values are counted from it as well, so that no text stands in a column. The
//! columns are a document's time and the two halves of its id: what it is put in order by. The whole document is stored.

use tantivy::schema::{FAST, Field, IndexRecordOption, STORED, Schema, TextFieldIndexing, TextOptions};
use tantivy::store::{Compressor, ZstdCompressor};
use tantivy::{IndexSettings, TantivyDocument};
use trunkline_logs::{DocumentId, Facet};

use super::record::Kept;
use super::tokenizer::WORDS;

/// The version of this schema.
const SCHEMA: u32 = 1;
/// How many bytes of documents are compressed together: more is smaller, and slower to read one from.
const BLOCK: usize = 32 * 1024;

/// The column of the time.
pub(super) const TIME: &str = "time";
/// The columns of the id's halves, the first first.
pub(super) const ID: [&str; 2] = ["id0", "id1"];

/// The fields of an index.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    time: Field,
    id: [Field; 2],
    /// The id, of documents that have one of their shipper's.
    pub(super) own_id: Field,
    pub(super) uid: Field,
    pub(super) cluster: Field,
    pub(super) dataset: Field,
    facets: [Field; Facet::ALL.len()],
    pub(super) terms: Field,
    pub(super) message: Field,
    pub(super) source: Field,
}

/// The name of the format: of ours and of tantivy's. What was written under another is not opened.
pub(super) fn format() -> String {
    format!("index-{SCHEMA}.{}", tantivy::INDEX_FORMAT_VERSION)
}

pub(super) fn settings() -> IndexSettings {
    IndexSettings {
        docstore_compression: Compressor::Zstd(ZstdCompressor { compression_level: Some(3) }),
        docstore_blocksize: BLOCK,
        ..IndexSettings::default()
    }
}

/// The schema and its fields.
pub(super) fn schema() -> (Schema, Fields) {
    let mut schema = Schema::builder();
    let indexed = |tokenizer: &str, record| {
        TextFieldIndexing::default().set_tokenizer(tokenizer).set_fieldnorms(false).set_index_option(record)
    };
    let whole = TextOptions::default().set_indexing_options(indexed("raw", IndexRecordOption::Basic));
    let words =
        TextOptions::default().set_indexing_options(indexed(WORDS, IndexRecordOption::WithFreqsAndPositions));
    let fields = Fields {
        time: schema.add_i64_field(TIME, FAST),
        id: ID.map(|name| schema.add_u64_field(name, FAST)),
        own_id: schema.add_text_field("own_id", whole.clone()),
        uid: schema.add_text_field("uid", whole.clone()),
        cluster: schema.add_text_field("cluster", whole.clone()),
        dataset: schema.add_text_field("dataset", whole.clone()),
        facets: Facet::ALL.map(|facet| schema.add_text_field(facet.name(), whole.clone())),
        terms: schema.add_text_field("terms", whole),
        message: schema.add_text_field("message", words),
        source: schema.add_text_field("source", STORED),
    };
    (schema.build(), fields)
}

impl Fields {
    pub(super) fn facet(&self, facet: Facet) -> Field {
        self.facets[facet as usize]
    }

    /// The document as it goes into an index.
    pub(super) fn document(&self, kept: &Kept) -> TantivyDocument {
        let mut document = TantivyDocument::new();
        document.add_i64(self.time, kept.time);
        for (field, half) in self.id.into_iter().zip(halves(kept.id)) {
            document.add_u64(field, half);
        }
        if kept.is_known_by_id {
            document.add_text(self.own_id, kept.id.to_string());
        }
        document.add_text(self.uid, kept.place.uid.to_string());
        document.add_text(self.cluster, &kept.said.cluster.id);
        document.add_text(self.dataset, kept.place.dataset.as_str());
        for facet in Facet::ALL {
            if let Some(value) = kept.said.trunkline.facet(facet) {
                document.add_text(self.facet(facet), value);
            }
        }
        for term in &kept.said.trunkline.terms {
            document.add_text(self.terms, term);
        }
        document.add_text(self.message, &kept.said.message);
        document.add_text(self.source, &kept.source);
        document
    }
}

/// The halves of an id; they compare as its bytes do.
pub(super) fn halves(id: DocumentId) -> [u64; 2] {
    let whole = u128::from_be_bytes(id.0);
    [(whole >> 64) as u64, whole as u64]
}

/// The id of two halves.
pub(super) fn whole([first, second]: [u64; 2]) -> DocumentId {
    DocumentId((u128::from(first) << 64 | u128::from(second)).to_be_bytes())
}
