//! The one who changes the spool's files: writes commits, moves the cursor, lets segments go.
//!
//! Invariants:
//! - a commit counts once its one write is synced; until then nobody else knows of it;
//! - after any failure of a write or a sync the segment is closed at its last synced length, and what was not synced is
//!   written anew, to another file: what the page cache says of the old one is not asked;
//! - a segment goes only after a cursor behind it is durable, or by a limit, counted;
//! - the newest segment never goes: its name says which sequences were given out;
//! - no life writes into a segment that another began.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tracing::{info, warn};

use crate::chunk::{Commit, Encoder};
use crate::cursor::{Cursor, Place};
use crate::epoch::Epoch;
use crate::error::{OpenError, Refused};
use crate::folder::{Folder, Handle};
use crate::record::NewRecord;
use crate::segments::Segment;
use crate::settings::{Full, Settings};
use crate::status::Gap;
use crate::view::Shared;
use crate::{format, recover};

/// When whoever was refused is told to come again: because the spool is full, because of the disk.
const WHEN_FULL: Duration = Duration::from_secs(5);
const WHEN_BROKEN: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Store {
    folder: Folder,
    settings: Settings,
    shared: Arc<Shared>,
    /// This life.
    epoch: Epoch,
    /// The newest synced sequence, for those who wait for it to grow. They hear that it is the last when this is dropped.
    synced: watch::Sender<u64>,
    encoder: Encoder,
    cursor: Cursor,
    /// Where the cursor stands on the disk.
    saved: Place,
    /// The newest segment, if this process began it and nothing failed since.
    growing: Option<Handle>,
    /// Another life's segment that a newer one has taken the place of, and whose file is there yet.
    in_vain: Option<Segment>,
}

impl Store {
    /// Opens the spool in a folder, which nobody else may have open.
    pub(crate) fn open(folder: Folder, settings: Settings) -> Result<Self, OpenError> {
        settings.check()?;
        let identity = format::epoch(&folder)?;
        let path = folder.path().to_owned();
        let opened = (|| {
            let (mut cursor, place) = Cursor::open(&folder, identity)?;
            if let Some(place) = place {
                // It may be in the page cache alone.
                cursor.write(place)?;
            }
            let view = recover::recover(&folder, place)?;
            let shared = Arc::new(Shared::new(identity, settings.cap, view));
            let saved = place.unwrap_or_default();
            let synced = watch::Sender::new(shared.view().last);
            let epoch = Epoch::random();
            let encoder = Encoder::new(epoch)?;
            Ok(Self {
                folder,
                settings,
                shared,
                epoch,
                synced,
                encoder,
                cursor,
                saved,
                growing: None,
                in_vain: None,
            })
        })();
        opened.map_err(|source| OpenError::Io { path, source })
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) fn synced(&self) -> watch::Receiver<u64> {
        self.synced.subscribe()
    }

    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Writes these records, all or none, and syncs them. Gives the sequence of the first.
    pub(crate) fn commit(&mut self, records: &[&NewRecord]) -> Result<u64, Refused> {
        let first = self.shared.view().last + 1;
        let encoded = self.encoder.commit(first, self.settings.now(), records);
        let encoded = encoded.map_err(|error| self.failed(&error))?;
        self.make_room(encoded.bytes.len() as u64)?;
        match self.write(first, &encoded) {
            Ok(()) => Ok(first),
            Err(error) => {
                self.close_segment();
                Err(self.failed(&error))
            }
        }
    }

    fn write(&mut self, first: u64, commit: &Commit) -> io::Result<()> {
        let length = self.shared.view().segments.back().map_or(0, |segment| segment.length);
        let file = match &self.growing {
            Some(file) if length < self.settings.segment() => file.clone(),
            _ => self.begin(first)?,
        };
        let length = self.shared.view().segments.back().map_or(0, |segment| segment.length);
        file.write_at(length, &commit.bytes)?;
        file.sync()?;
        let mut view = self.shared.view();
        let last = commit.heads.last().map_or(first, |head| head.last());
        for head in &commit.heads {
            view.marks.set(head.first, head.at);
        }
        let at = commit.heads.first().map(|head| head.at);
        if let Some(segment) = view.segments.back_mut() {
            segment.length += commit.bytes.len() as u64;
            segment.oldest = segment.oldest.or(at);
            segment.newest = at;
        }
        view.last = last;
        if view.unwritten.take().is_some() {
            info!("the spool can be written again");
        }
        drop(view);
        self.synced.send_replace(last);
        Ok(())
    }

    /// Begins a segment with this sequence, which nobody has been given.
    fn begin(&mut self, first: u64) -> io::Result<Handle> {
        self.growing = None;
        let segment = Segment::new(first, self.epoch);
        // What was begun with it was begun in vain, and holds nothing that was answered. In this life it has the same name.
        let in_vain = self.shared.view().segments.back().copied().filter(|one| one.first == first);
        if let Some(own) = in_vain.filter(|one| one.epoch == self.epoch) {
            self.remove(&own)?;
        }
        let file = self.folder.create(&segment.name())?;
        {
            let mut view = self.shared.view();
            if in_vain.is_some() {
                view.segments.pop_back();
            }
            view.segments.push_back(segment);
        }
        self.in_vain = in_vain.filter(|one| one.epoch != self.epoch).or(self.in_vain);
        self.folder.sync()?;
        // Another life's goes when there is a newer one that lasts.
        if let Some(another) = self.in_vain {
            self.remove(&another)?;
            self.in_vain = None;
        }
        self.growing = Some(file.clone());
        Ok(file)
    }

    /// After a failure: what is behind the synced end of the newest segment is nobody's, and its room is given back.
    fn close_segment(&mut self) {
        let length = self.shared.view().segments.back().map_or(0, |segment| segment.length);
        if let Some(file) = self.growing.take()
            && let Err(error) = file.cut(length)
        {
            // It stays, and is passed over: the next segment begins with its sequence.
            info!(%error, "what was not synced could not be cut off");
        }
    }

    /// Makes sure that so many bytes fit under the cap.
    fn make_room(&mut self, bytes: u64) -> Result<(), Refused> {
        let cap = self.settings.cap;
        if self.shared.view().bytes() + bytes <= cap {
            return Ok(());
        }
        self.settle();
        loop {
            let (taken, only, empty, next) = {
                let view = self.shared.view();
                let begun = view.segments.back().is_some_and(|segment| segment.length > 0);
                (view.bytes(), view.segments.len() == 1 && begun, view.waiting() == 0, view.last + 1)
            };
            if taken + bytes <= cap {
                return Ok(());
            }
            let drops = self.settings.full == Full::DropOldest;
            if only && bytes <= cap && (empty || drops) {
                // The newest segment goes only when there is a newer one.
                self.begin(next).map_err(|error| self.failed(&error))?;
                self.settle();
            } else if !(drops
                && bytes <= cap
                && self.drop_oldest("the cap").map_err(|error| self.failed(&error))?)
            {
                self.shared.view().full = true;
                return Err(full(taken, cap));
            }
        }
    }

    /// Makes the cursor durable, and lets go what is behind it or too old.
    pub(crate) fn settle(&mut self) {
        match self.save().and_then(|()| self.let_all_go()) {
            Ok(()) => self.shared.view().unsettled = None,
            Err(error) => {
                let fault = format!("what may go cannot: {error}");
                let mut view = self.shared.view();
                if view.unsettled.as_ref() != Some(&fault) {
                    warn!(folder = %self.folder.path().display(), fault, "the spool's disk fails; it is tried again");
                }
                view.unsettled = Some(fault);
            }
        }
    }

    fn save(&mut self) -> io::Result<()> {
        let place = {
            let view = self.shared.view();
            Place { acked: view.acked, last: view.last }
        };
        if place != self.saved {
            self.cursor.write(place)?;
            self.saved = place;
            self.shared.view().full = false;
        }
        Ok(())
    }

    fn let_all_go(&mut self) -> io::Result<()> {
        while let Some(segment) = self.acknowledged() {
            self.let_go(segment)?;
        }
        match self.settings.max_age {
            Some(age) => self.let_age(age),
            None => Ok(()),
        }
    }

    /// The oldest segment, if all of it may go.
    fn acknowledged(&self) -> Option<Segment> {
        let view = self.shared.view();
        let (front, next) = (view.segments.front()?, view.segments.get(1)?);
        (next.first <= view.gaps.behind(self.saved.acked) + 1).then_some(*front)
    }

    fn let_age(&mut self, age: Duration) -> io::Result<()> {
        let now = self.settings.now();
        let age = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        loop {
            let (old, only, next) = {
                let view = self.shared.view();
                let newest = view.segments.front().and_then(|segment| segment.newest);
                let old = newest.is_some_and(|newest| newest.saturating_add(age) < now);
                (old, view.segments.len() == 1, view.last + 1)
            };
            if !old {
                return Ok(());
            }
            if only {
                self.begin(next)?;
            }
            self.drop_oldest("their age")?;
        }
    }

    /// Lets the oldest segment go, unless it is the only one, and counts what of it was not acknowledged.
    fn drop_oldest(&mut self, why: &'static str) -> io::Result<bool> {
        let (oldest, next) = {
            let view = self.shared.view();
            let (Some(front), Some(next)) = (view.segments.front(), view.segments.get(1)) else {
                return Ok(false);
            };
            (*front, next.first)
        };
        self.let_go(oldest)?;
        let mut view = self.shared.view();
        view.note(Gap { from: oldest.first, to: next - 1 }, why);
        view.marks.forget(next - 1);
        Ok(true)
    }

    /// Removes a segment's file, if it is there.
    fn remove(&self, segment: &Segment) -> io::Result<()> {
        match self.folder.remove(&segment.name()) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Removes the oldest segment.
    fn let_go(&mut self, oldest: Segment) -> io::Result<()> {
        self.remove(&oldest)?;
        self.folder.sync()?;
        let mut view = self.shared.view();
        view.segments.pop_front();
        view.full = false;
        Ok(())
    }

    /// After a failure to write.
    fn failed(&self, error: &io::Error) -> Refused {
        let mut view = self.shared.view();
        let fault = error.to_string();
        if view.unwritten.as_ref() != Some(&fault) {
            warn!(folder = %self.folder.path().display(), fault, "the spool cannot be written; it is tried again");
        }
        view.unwritten = Some(fault.clone());
        Refused::Disk { why: fault, retry_after: WHEN_BROKEN }
    }
}

/// The refusal of a spool whose cap is reached.
pub(crate) fn full(bytes: u64, cap: u64) -> Refused {
    Refused::Full { bytes, cap, retry_after: WHEN_FULL }
}
