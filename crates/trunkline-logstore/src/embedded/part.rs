//! A part: one index of one day, in a folder of its own.
//!
//! A day begins with part 0, and goes on in another when that is so large that bytes could not be reclaimed well: what goes
//! when there is no room is the oldest part. The commit's payload says through which record of which spool it holds all of
//! its day, so that a record is never in two commits.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tantivy::directory::MmapDirectory;
use tantivy::index::{SegmentId, SegmentMeta};
use tantivy::merge_policy::LogMergePolicy;
use tantivy::tokenizer::TokenizerManager;
use tantivy::{Index, IndexReader, IndexWriter, ReloadPolicy, Searcher, SegmentReader, Term};
use trunkline_logs::{Day, DocumentId};
use trunkline_spool::Epoch;

use super::scan::Segment;
use super::schema::{Fields, schema, settings};
use super::tokenizer::{WORDS, Words};
use super::zones::{Zones, times};

/// How many blocks of documents each segment keeps inflated for those who read it.
const BLOCKS: usize = 2;
/// From how many documents on a segment is not merged any more while its day is written.
const LARGE: usize = 500_000;
/// How many documents are merged at once when its day is over.
const WHOLE: u64 = 4_000_000;

/// Which part of which day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct PartName {
    pub(super) day: Day,
    pub(super) number: u32,
}

/// An open part.
pub(super) struct Part {
    pub(super) name: PartName,
    folder: PathBuf,
    index: Index,
    reader: IndexReader,
    fields: Fields,
    zones: Mutex<HashMap<SegmentId, Arc<Zones>>>,
    bytes: AtomicU64,
}

impl fmt::Display for PartName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number {
            0 => write!(f, "{}", self.day),
            number => write!(f, "{}.{number}", self.day),
        }
    }
}

impl PartName {
    /// The part of the folder of this name.
    pub(super) fn named(text: &str) -> Option<Self> {
        let (day, number) = text.split_once('.').unwrap_or((text, "0"));
        let name = Self { day: Day::named(day)?, number: number.parse().ok()? };
        (name.to_string() == text).then_some(name)
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Part({})", self.name)
    }
}

impl Part {
    /// Opens a part in the folder of all parts, or makes it.
    pub(super) fn open(parts: &Path, name: PartName) -> tantivy::Result<Self> {
        let folder = parts.join(name.to_string());
        fs::create_dir_all(&folder)?;
        let (schema, fields) = schema();
        let tokenizers = TokenizerManager::default();
        tokenizers.register(WORDS, Words);
        let directory = MmapDirectory::open(&folder)?;
        let index = Index::builder()
            .schema(schema)
            .settings(settings())
            .tokenizers(tokenizers)
            .open_or_create(directory)?;
        let reader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .doc_store_cache_num_blocks(BLOCKS)
            .try_into()?;
        let bytes = bytes(&folder)?.into();
        Ok(Self { name, folder, index, reader, fields, zones: Mutex::default(), bytes })
    }

    pub(super) fn fields(&self) -> &Fields {
        &self.fields
    }

    /// A writer. There may be one at a time.
    pub(super) fn writer(&self, memory: usize) -> tantivy::Result<IndexWriter> {
        let options = tantivy::indexer::IndexWriterOptions::builder()
            .num_worker_threads(1)
            .num_merge_threads(1)
            .memory_budget_per_thread(memory)
            .build();
        let writer = self.index.writer_with_options(options)?;
        let mut merging = LogMergePolicy::default();
        merging.set_max_docs_before_merge(LARGE);
        writer.set_merge_policy(Box::new(merging));
        Ok(writer)
    }

    /// Through which record of this spool the part holds all of its day; 0 if none.
    pub(super) fn through(&self, spool: Epoch) -> tantivy::Result<u64> {
        let payload = self.index.load_metas()?.payload;
        Ok(payload.and_then(|payload| read_payload(&payload, spool)).unwrap_or(0))
    }

    /// Shows what was committed to whoever begins to search.
    pub(super) fn reload(&self) -> tantivy::Result<()> {
        self.reader.reload()?;
        let searcher = self.reader.searcher();
        let there: Vec<SegmentId> =
            searcher.segment_readers().iter().map(SegmentReader::segment_id).collect();
        let mut zones = self.zones.lock().unwrap_or_else(PoisonError::into_inner);
        zones.retain(|segment, _| there.contains(segment));
        self.bytes.store(bytes(&self.folder)?, Ordering::Relaxed);
        Ok(())
    }

    pub(super) fn searcher(&self) -> Searcher {
        self.reader.searcher()
    }

    /// The smallest segments, as many as may be merged into one, if there are several.
    pub(super) fn small_segments(&self) -> tantivy::Result<Vec<SegmentId>> {
        let mut metas = self.index.searchable_segment_metas()?;
        metas.sort_unstable_by_key(SegmentMeta::num_docs);
        let mut documents = 0;
        let small = metas.iter().take_while(|meta| {
            documents += u64::from(meta.num_docs());
            documents <= WHOLE
        });
        let small: Vec<_> = small.map(SegmentMeta::id).collect();
        Ok(if small.len() > 1 { small } else { Vec::new() })
    }

    /// A segment as a search goes through it; none if it holds nothing of this time.
    pub(super) fn segment(
        &self,
        reader: &SegmentReader,
        from: i64,
        to: i64,
    ) -> tantivy::Result<Option<Segment>> {
        let times = times(reader)?;
        if times.min_value() >= to || times.max_value() < from {
            return Ok(None);
        }
        let id = reader.segment_id();
        let known = self.zones.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned();
        let zones = match known {
            Some(zones) => zones,
            None => {
                let zones = Arc::new(Zones::of(reader.max_doc(), times.as_ref()));
                self.zones.lock().unwrap_or_else(PoisonError::into_inner).insert(id, zones.clone());
                zones
            }
        };
        Ok(Some(Segment { reader: reader.clone(), zones, times }))
    }

    /// Whether there is a document with this id of its shipper's.
    pub(super) fn has(&self, id: DocumentId) -> tantivy::Result<bool> {
        let term = Term::from_field_text(self.fields.own_id, &id.to_string());
        for segment in self.searcher().segment_readers() {
            if segment.inverted_index(self.fields.own_id)?.get_term_info(&term)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(super) fn documents(&self) -> u64 {
        self.searcher().num_docs()
    }

    /// What its files took when it was committed last.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

/// What a commit says: through which record of which spool it holds all of its day.
pub(super) fn payload(spool: Epoch, through: u64) -> String {
    format!("{spool} {through}")
}

fn read_payload(payload: &str, spool: Epoch) -> Option<u64> {
    let (of, through) = payload.split_once(' ')?;
    (of.parse() == Ok(spool)).then(|| through.parse().ok())?
}

/// The bytes that a folder's files take.
fn bytes(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        // A file may go while it is looked at.
        bytes += entry?.metadata().map_or(0, |file| file.len());
    }
    Ok(bytes)
}
