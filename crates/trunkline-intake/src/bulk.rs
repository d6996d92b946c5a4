//! Reading Elasticsearch's `_bulk`: pairs of lines, an action and its document.
//!
//! ```text
//! {"create": {"_index": "…", "_id": "17"}}      of this: that it is index or create, and the _id
//! {"message": "hello"}                          this, as it came
//! ```
//!
//! As Elasticsearch does it: lines end with `\n` and nothing else, empty lines between pairs are skipped, a line that is no action
//! spoils the whole request, and so does a last line without its `\n`. A document that is none is refused by itself. What
//! else an action says is read past: indices, pipelines and routing are not the shipper's to choose.

mod action;
mod answer;

use memchr::memchr;
use trunkline_logs::{MAX_RECORD_BYTES, OwnId, TooMuch};

use crate::batch::Batch;
use crate::body::Reader;
use crate::look::{Fault, look};
use crate::refusal::Refusal;

pub(crate) use action::{Action, Op};
pub(crate) use answer::answer;

/// The most items of a request.
pub const MAX_ITEMS: usize = 100_000;
/// The longest line with an action, in bytes.
const MAX_ACTION: usize = 16 * 1024;
/// The longest `_id`, in bytes; as Elasticsearch has it.
pub(crate) const MAX_ID: usize = 512;

/// One item of a request, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) op: Op,
    /// The `_id` that was asked for; none if it is too long to be said again.
    pub(crate) id: Option<Box<str>>,
    /// Why it is not kept.
    pub(crate) fault: Option<ItemFault>,
}

/// Why an item is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ItemFault {
    /// Its document cannot be kept.
    #[error(transparent)]
    Document(#[from] Fault),
    /// Log records are not changed.
    #[error("a log record is only ever added, with index or create: {0} is not taken")]
    Op(Op),
    /// Its `_id` cannot be one.
    #[error("the _id has {0} bytes: give 1 to {MAX_ID}, or none")]
    Id(usize),
}

/// Reads a request's body, line by line.
pub(crate) struct Bulk {
    batch: Batch,
    items: Vec<Item>,
    /// A line's beginning whose end has not come.
    begun: Vec<u8>,
    /// How much of it was left out of `begun`: it is longer than any line may be.
    left_out: usize,
    counted: usize,
    line: usize,
    expects: Expects,
}

/// What the next line should be.
#[derive(Debug)]
enum Expects {
    Action,
    Document(Action),
}

/// A request that was read: its records, and its items in order.
pub(crate) struct Read {
    pub(crate) batch: Batch,
    pub(crate) items: Vec<Item>,
}

impl Bulk {
    pub(crate) fn new(batch: Batch) -> Self {
        Self {
            batch,
            items: Vec::new(),
            begun: Vec::new(),
            left_out: 0,
            counted: 0,
            line: 0,
            expects: Expects::Action,
        }
    }

    /// The request, when its body was whole.
    pub(crate) fn finish(self) -> Result<Read, Refusal> {
        if !self.begun.is_empty() || self.left_out > 0 {
            let why = "The bulk request must be terminated by a newline [\\n]";
            return Err(Refusal::Malformed(why.into()));
        }
        if let Expects::Document(_) = self.expects {
            let why = format!("the action on line {} has no document behind it", self.line);
            return Err(Refusal::Malformed(why));
        }
        if self.items.is_empty() {
            return Err(Refusal::Nothing);
        }
        Ok(Read { batch: self.batch, items: self.items })
    }

    /// Keeps a line's beginning, as far as a line may go and one byte more.
    fn begin(&mut self, part: &[u8]) -> Result<(), Refusal> {
        let room = (MAX_RECORD_BYTES + 2).saturating_sub(self.begun.len());
        let (kept, rest) = part.split_at(part.len().min(room));
        if self.begun.len() + kept.len() > self.counted {
            let more = (self.begun.len() + kept.len() - self.counted).next_multiple_of(16 * 1024);
            self.batch.take(more)?;
            self.counted += more;
            self.begun.reserve_exact(self.counted - self.begun.len());
        }
        self.begun.extend_from_slice(kept);
        self.left_out += rest.len();
        Ok(())
    }

    /// A line, or its beginning when it is too long, and its length.
    fn whole_line(&mut self, line: &[u8], length: usize) -> Result<(), Refusal> {
        self.line += 1;
        match std::mem::replace(&mut self.expects, Expects::Action) {
            Expects::Action => self.action(line, length),
            Expects::Document(action) => self.document(action, line, length),
        }
    }

    fn action(&mut self, line: &[u8], length: usize) -> Result<(), Refusal> {
        if length <= MAX_RECORD_BYTES && line.trim_ascii().is_empty() {
            return Ok(());
        }
        let malformed =
            |why: &str| Refusal::Malformed(format!("Malformed action/metadata line [{}], {why}", self.line));
        if length > MAX_ACTION {
            return Err(malformed(&format!("expected an action of at most {MAX_ACTION} bytes")));
        }
        let action = Action::read(line).map_err(|why| malformed(&why))?;
        if self.items.len() >= MAX_ITEMS {
            return Err(Refusal::TooMany);
        }
        if action.op == Op::Delete {
            return self.refuse(action, ItemFault::Op(Op::Delete));
        }
        self.expects = Expects::Document(action);
        Ok(())
    }

    fn document(&mut self, action: Action, line: &[u8], length: usize) -> Result<(), Refusal> {
        let id = action.id.as_deref().map_or(1, str::len);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let looked = if action.op == Op::Update {
            Err(ItemFault::Op(Op::Update))
        } else if !(1..=MAX_ID).contains(&id) {
            Err(ItemFault::Id(id))
        } else if line.len() > MAX_RECORD_BYTES {
            Err(Fault::from(TooMuch::Bytes(length)).into())
        } else {
            look(line).map_err(ItemFault::from)
        };
        if let Err(fault) = looked {
            return self.refuse(action, fault);
        }
        self.batch.item(action.id.as_deref().map_or(0, str::len))?;
        self.batch.push(action.id.as_deref().map(OwnId::of), &[line])?;
        self.items.push(Item { op: action.op, id: action.id, fault: None });
        Ok(())
    }

    fn refuse(&mut self, action: Action, fault: ItemFault) -> Result<(), Refusal> {
        let id = action.id.filter(|id| (1..=MAX_ID).contains(&id.len()));
        self.batch.item(id.as_deref().map_or(0, str::len))?;
        self.items.push(Item { op: action.op, id, fault: Some(fault) });
        Ok(())
    }
}

impl Reader for Bulk {
    fn more(&mut self, mut piece: &[u8]) -> Result<(), Refusal> {
        while let Some(end) = memchr(b'\n', piece) {
            let (line, rest) =
                (piece.get(..end).unwrap_or_default(), piece.get(end + 1..).unwrap_or_default());
            if self.begun.is_empty() && self.left_out == 0 {
                self.whole_line(line, line.len())?;
            } else {
                self.begin(line)?;
                let (begun, left_out) = (std::mem::take(&mut self.begun), std::mem::take(&mut self.left_out));
                self.whole_line(&begun, begun.len() + left_out)?;
                self.begun = begun;
                self.begun.clear();
            }
            piece = rest;
        }
        self.begin(piece)
    }
}

#[cfg(test)]
mod tests;
