//! Whether a chain is whole: every line its hash, every record the one before it, every file its place, every
//! recording its hash.
//!
//! What the files cannot tell is whether something was cut off at the end, or all of it was written anew: that takes a
//! head from elsewhere.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use trunkline_api::{API_VERSION, AuditFault, AuditHead, AuditHeadClaim, AuditRecording, AuditVerdict};

use crate::error::ReadError;
use crate::line::{self, Checked, Hash};
use crate::repair;
use crate::segments::{self, Line, Lines, Segment};

/// How many lines are read between two looks whether anybody still waits.
const LOOK: u64 = 1_024;

/// Verifies a folder that no gateway writes to, such as a copy of one.
pub fn verify(folder: &Path, claim: Option<&AuditHeadClaim>) -> Result<AuditVerdict, ReadError> {
    whole(folder, None, claim, &AtomicBool::new(false))
}

/// Verifies a folder; up to the head and with it, where its gateway runs.
pub(crate) fn whole(
    folder: &Path,
    own: Option<Option<AuditHead>>,
    claim: Option<&AuditHeadClaim>,
    stop: &AtomicBool,
) -> Result<AuditVerdict, ReadError> {
    let is_live = own.is_some();
    let upto = own.as_ref().map(|head| head.as_ref().map_or(0, |head| head.sequence));
    let mut claims: Vec<AuditHeadClaim> = claim.cloned().into_iter().collect();
    claims.extend(own.flatten().map(|head| AuditHeadClaim { sequence: head.sequence, hash: head.hash }));
    let mut walk = Walk { folder, claims, ..Walk::new(folder, stop) };
    let fault = match walk.segments(upto)? {
        Some(fault) => Some(fault),
        None => walk.ends(is_live),
    };
    Ok(AuditVerdict {
        api_version: API_VERSION.into(),
        kind: "AuditVerdict".into(),
        writer: walk.writer.unwrap_or_default(),
        records: walk.records,
        segments: walk.files,
        first: walk.first,
        last: walk.sequence,
        hash: if walk.records > 0 { walk.hash.to_string() } else { String::new() },
        recordings: walk.recordings,
        intact: fault.is_none(),
        fault,
    })
}

/// A walk along a chain: how far it came.
struct Walk<'a> {
    folder: &'a Path,
    stop: &'a AtomicBool,
    /// Records that must be on the way.
    claims: Vec<AuditHeadClaim>,
    writer: Option<String>,
    first: u64,
    sequence: u64,
    hash: Hash,
    records: u64,
    files: u64,
    recordings: u64,
    /// Up to which record the chain itself says that it was removed.
    trimmed: u64,
    /// Recordings that should be there and are not, as long as the chain does not say that they were removed.
    missing: BTreeSet<String>,
}

impl<'a> Walk<'a> {
    fn new(folder: &'a Path, stop: &'a AtomicBool) -> Self {
        Self {
            folder,
            stop,
            claims: Vec::new(),
            writer: None,
            first: 0,
            sequence: 0,
            hash: Hash::NONE,
            records: 0,
            files: 0,
            recordings: 0,
            trimmed: 0,
            missing: BTreeSet::new(),
        }
    }

    /// Walks through the files, to their end or up to a record; gives the first fault.
    fn segments(&mut self, upto: Option<u64>) -> Result<Option<AuditFault>, ReadError> {
        let segments = segments::list(self.folder)?;
        for (place, segment) in segments.iter().enumerate() {
            if upto.is_some_and(|upto| self.sequence >= upto) {
                break;
            }
            if place == 0 {
                self.sequence = segment.first.saturating_sub(1);
                self.first = segment.first;
            } else if segment.first != self.sequence + 1 {
                let why = match segment.first > self.sequence {
                    true => format!("records {} to {} are missing", self.sequence + 1, segment.first - 1),
                    false => format!("record {} was expected to begin here", self.sequence + 1),
                };
                return Ok(Some(self.fault(&segment.name(), 0, why)));
            }
            self.files += 1;
            if let Some(fault) = self.segment(segment, upto, place + 1 == segments.len())? {
                return Ok(Some(fault));
            }
        }
        Ok(None)
    }

    fn segment(
        &mut self,
        segment: &Segment,
        upto: Option<u64>,
        is_last: bool,
    ) -> Result<Option<AuditFault>, ReadError> {
        let mut lines = Lines::open(segment)?;
        for number in 1.. {
            if upto.is_some_and(|upto| self.sequence >= upto) {
                return Ok(None);
            }
            if number % LOOK == 0 && self.stop.load(Ordering::Relaxed) {
                return Err(ReadError::Stopped);
            }
            let wrong = match lines.next()? {
                Line::Whole(line) => match line::check(line) {
                    Ok(checked) => self.step(&checked)?,
                    Err(why) => Some(why),
                },
                Line::Torn(bytes) => Some(format!(
                    "the file ends within a line, after {bytes} bytes of it; a gateway that is running or was killed \
                     leaves such an end, and repairs it at its next start"
                )),
                Line::TooLong => Some("the line is longer than any record".into()),
                Line::End if number == 1 && !is_last => Some("the file is empty".into()),
                Line::End => return Ok(None),
            };
            if let Some(why) = wrong {
                return Ok(Some(self.fault(&segment.name(), number, why)));
            }
        }
        Ok(None)
    }

    /// Takes a record that is whole in itself onto the chain, or says why it does not belong there.
    fn step(&mut self, checked: &Checked) -> io::Result<Option<String>> {
        let link = &checked.link;
        let expected = self.sequence + 1;
        if link.sequence != expected {
            return Ok(Some(format!(
                "record {} stands where {expected} should: records were removed, inserted or moved",
                link.sequence
            )));
        }
        let begins = self.records == 0;
        if (!begins || expected == 1) && checked.previous != self.hash {
            return Ok(Some("the record does not follow the one before it: one of them was replaced".into()));
        }
        if self.writer.get_or_insert_with(|| link.writer.clone()) != &link.writer {
            return Ok(Some(format!("the record is of another chain, {}", link.writer)));
        }
        for claim in self.claims.iter().filter(|claim| claim.sequence == expected) {
            if claim.hash != checked.hash.to_string() {
                return Ok(Some(format!(
                    "the record is not the one of the head, which has the hash {}",
                    claim.hash
                )));
            }
        }
        if let Some(recording) = checked.recording()
            && let Some(why) = self.recording(recording)?
        {
            return Ok(Some(why));
        }
        if let Some((through, recordings)) = checked.trimmed() {
            self.trimmed = self.trimmed.max(through);
            self.missing.retain(|id| !recordings.contains(id));
        }
        (self.sequence, self.hash) = (expected, checked.hash);
        self.records += 1;
        Ok(None)
    }

    fn recording(&mut self, recording: &AuditRecording) -> io::Result<Option<String>> {
        let Some(path) = repair::finished(self.folder, &recording.id) else {
            return Ok(Some("the record names a recording by what is no id".into()));
        };
        match repair::describe(&recording.id, &path) {
            Ok(is) if is == *recording => {
                self.recordings += 1;
                Ok(None)
            }
            Ok(_) => Ok(Some(format!("the recording {} is not as it was recorded", recording.id))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.missing.insert(recording.id.clone());
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// What can be said only when all is read.
    fn ends(&self, is_live: bool) -> Option<AuditFault> {
        let whole = |why: String| Some(self.fault("", 0, why));
        if self.records == 0 && !is_live {
            return whole("there are no records".into());
        }
        if self.first > 1 && self.trimmed + 1 < self.first {
            return whole(format!(
                "records 1 to {} are missing, and no record says that they were removed",
                self.first - 1
            ));
        }
        for claim in &self.claims {
            if claim.sequence > self.sequence {
                return whole(format!(
                    "the chain ends with record {}, but the head says that there was a record {}: its end was cut off",
                    self.sequence, claim.sequence
                ));
            }
            if claim.sequence < self.first {
                return whole(format!(
                    "the head is of record {}, and only records from {} on are kept: give a newer one",
                    claim.sequence, self.first
                ));
            }
        }
        let id = self.missing.first()?;
        whole(format!("the recording {id} is missing, and no record says that it was removed"))
    }

    fn fault(&self, file: &str, line: u64, why: String) -> AuditFault {
        AuditFault { file: file.into(), line, sequence: self.sequence + 1, why }
    }
}
