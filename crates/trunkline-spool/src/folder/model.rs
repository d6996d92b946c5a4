//! A disk that keeps what was synced, and of everything else what it likes.
//!
//! Changes are seen at once, as in a page cache, and wait as pending ones until a sync. [`Disk::power_cut`] gives the disk as
//! the machine finds it afterwards: of each pending change nothing, all, or some run of its bytes; of names that were made or
//! removed since the folder was synced any. After a failed sync the cache shows what is not on the disk and never will be.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand::Rng as _;
use rand::rngs::StdRng;

/// A disk. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk(Arc<Mutex<State>>);

/// An open file of it.
#[derive(Clone, Debug)]
pub(crate) struct File {
    disk: Disk,
    number: usize,
}

#[derive(Clone, Debug, Default)]
struct State {
    files: Vec<Content>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    pending_names: Vec<(String, Option<usize>)>,
    /// How many bytes fit.
    room: Option<u64>,
    /// How many changes and syncs go well before the power is cut.
    steps: Option<u64>,
    /// Which change or sync from now on fails, once.
    fails: Option<u64>,
    dead: bool,
    /// How many syncs of files fail.
    failing: u32,
    syncs: u64,
    /// How many bytes were read.
    read: u64,
}

#[derive(Clone, Debug, Default)]
struct Content {
    /// As it is seen.
    seen: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Clone, Debug)]
enum Change {
    Write(usize, Vec<u8>),
    Cut(usize),
}

/// What a power cut leaves of what was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaves {
    Nothing,
    All,
    Anything,
}

impl Disk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Only so many bytes fit from now on.
    pub(crate) fn set_room(&self, room: Option<u64>) {
        self.state().room = room;
    }

    /// The power is cut at the change or sync after `steps` more.
    pub(crate) fn cut_after(&self, steps: u64) {
        self.state().steps = Some(steps);
    }

    /// The change or sync of names after `steps` more fails, once.
    pub(crate) fn fail_after(&self, steps: u64) {
        self.state().fails = Some(steps);
    }

    /// Whether it was.
    pub(crate) fn is_dead(&self) -> bool {
        self.state().dead
    }

    /// The next syncs of files fail.
    pub(crate) fn fail_syncs(&self, count: u32) {
        self.state().failing = count;
    }

    /// How many syncs of files have returned well.
    pub(crate) fn syncs(&self) -> u64 {
        self.state().syncs
    }

    /// How many bytes were read.
    pub(crate) fn read(&self) -> u64 {
        self.state().read
    }

    /// The bytes of all files.
    pub(crate) fn used(&self) -> u64 {
        self.state().used()
    }

    /// The disk after a power cut.
    pub(crate) fn power_cut(&self, leaves: Leaves, luck: &mut StdRng) -> Self {
        let before = self.state().clone();
        let mut after = State { names: before.durable_names, room: before.room, ..State::default() };
        for (name, number) in before.pending_names {
            let kept = match leaves {
                Leaves::Nothing => false,
                Leaves::All => true,
                Leaves::Anything => luck.random(),
            };
            match number {
                _ if !kept => {}
                Some(number) => _ = after.names.insert(name, number),
                None => _ = after.names.remove(&name),
            }
        }
        for mut file in before.files {
            for change in std::mem::take(&mut file.pending) {
                match (leaves, change) {
                    (Leaves::Nothing, _) => {}
                    (Leaves::All, change) => change.apply(&mut file.durable),
                    (Leaves::Anything, change) => {
                        change.torn(luck).into_iter().for_each(|c| c.apply(&mut file.durable))
                    }
                }
            }
            let seen = file.durable.clone();
            after.files.push(Content { seen, durable: file.durable, pending: Vec::new() });
        }
        after.durable_names = after.names.clone();
        Self(Arc::new(Mutex::new(after)))
    }

    /// Changes what lies on the disk, behind everybody's back.
    pub(crate) fn damage(&self, name: &str, damage: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.state();
        let number = state.names[name];
        let file = &mut state.files[number];
        damage(&mut file.durable);
        file.seen = file.durable.clone();
        file.pending.clear();
    }

    /// A copy, that goes its own way.
    pub(crate) fn copy(&self) -> Self {
        Self(Arc::new(Mutex::new(self.state().clone())))
    }

    pub(crate) fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.state().names.keys().cloned().collect())
    }

    pub(crate) fn create(&self, name: &str) -> io::Result<File> {
        let mut state = self.state();
        state.step()?;
        if state.names.contains_key(name) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        if state.room.is_some_and(|room| state.used() >= room) {
            return Err(ErrorKind::StorageFull.into());
        }
        let number = state.files.len();
        state.files.push(Content::default());
        state.names.insert(name.into(), number);
        state.pending_names.push((name.into(), Some(number)));
        Ok(File { disk: self.clone(), number })
    }

    pub(crate) fn open(&self, name: &str) -> io::Result<File> {
        let state = self.state();
        state.alive()?;
        let number = *state.names.get(name).ok_or(ErrorKind::NotFound)?;
        Ok(File { disk: self.clone(), number })
    }

    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        state.step()?;
        state.names.remove(name).ok_or(ErrorKind::NotFound)?;
        state.pending_names.push((name.into(), None));
        Ok(())
    }

    pub(crate) fn sync_names(&self) -> io::Result<()> {
        let mut state = self.state();
        state.step()?;
        state.pending_names.clear();
        state.durable_names = state.names.clone();
        Ok(())
    }
}

impl State {
    fn alive(&self) -> io::Result<()> {
        if self.dead { Err(io::Error::other("the power was cut")) } else { Ok(()) }
    }

    fn step(&mut self) -> io::Result<()> {
        self.alive()?;
        match &mut self.steps {
            Some(0) => self.dead = true,
            Some(steps) => *steps -= 1,
            None => {}
        }
        self.alive()?;
        match self.fails {
            Some(0) => {
                self.fails = None;
                Err(io::Error::other("it failed once"))
            }
            Some(steps) => {
                self.fails = Some(steps - 1);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn used(&self) -> u64 {
        self.names.values().map(|number| self.files[*number].seen.len() as u64).sum()
    }
}

impl File {
    pub(crate) fn length(&self) -> u64 {
        self.disk.state().files[self.number].seen.len() as u64
    }

    pub(crate) fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        let mut state = self.disk.state();
        state.alive()?;
        state.read += into.len() as u64;
        let (seen, at) = (&state.files[self.number].seen, at as usize);
        into.copy_from_slice(seen.get(at..at + into.len()).ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    pub(crate) fn write_at(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.disk.state();
        // What is under way when the power goes may be there in part.
        let cut = state.alive().is_ok() && state.steps == Some(0);
        if !cut {
            state.step()?;
        }
        let at = at as usize;
        let (used, room) = (state.used(), state.room);
        let file = &mut state.files[self.number];
        let grows = (at + bytes.len()).saturating_sub(file.seen.len()) as u64;
        let over = room.map_or(0, |room| (used + grows).saturating_sub(room).min(grows)) as usize;
        let change = Change::Write(at, bytes[..bytes.len() - over].to_vec());
        change.clone().apply(&mut file.seen);
        file.pending.push(change);
        if cut {
            state.step()?;
        }
        if over > 0 { Err(ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    pub(crate) fn cut(&self, length: u64) -> io::Result<()> {
        let mut state = self.disk.state();
        state.step()?;
        let file = &mut state.files[self.number];
        let change = Change::Cut(length as usize);
        change.clone().apply(&mut file.seen);
        file.pending.push(change);
        Ok(())
    }

    pub(crate) fn sync(&self) -> io::Result<()> {
        let mut state = self.disk.state();
        state.step()?;
        let fails = state.failing > 0;
        state.failing = state.failing.saturating_sub(1);
        let file = &mut state.files[self.number];
        let pending = std::mem::take(&mut file.pending);
        if fails {
            return Err(io::Error::other("input/output error"));
        }
        for change in pending {
            change.apply(&mut file.durable);
        }
        state.syncs += 1;
        Ok(())
    }
}

impl Change {
    fn apply(self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(at, new) => {
                let end = at + new.len();
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[at..end].copy_from_slice(&new);
            }
            Self::Cut(length) => bytes.truncate(length),
        }
    }

    /// What a power cut leaves of it.
    fn torn(self, luck: &mut StdRng) -> Option<Self> {
        match (luck.random_range(0..4), self) {
            (0, _) => None,
            (1, change) | (_, change @ Self::Cut(_)) => Some(change),
            (_, Self::Write(at, bytes)) => {
                let begin = if luck.random() { 0 } else { luck.random_range(0..=bytes.len()) };
                let end = luck.random_range(begin..=bytes.len());
                Some(Self::Write(at + begin, bytes[begin..end].to_vec()))
            }
        }
    }
}
