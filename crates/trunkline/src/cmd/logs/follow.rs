//! `trunkline logs --follow`: what is there, then what arrives.
//!
//! The stream is opened before the store is asked, and the store is asked once more a little later, since what arrived right
//! before the stream was open may not be found at once: so nothing falls between the two. What was printed is known by its
//! place and not printed again. A stream that ends is opened again, and what came meanwhile is looked up.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use trunkline_api::{LogEvent, LogQuery, LogRecord};

use super::{Printer, newest};
use crate::cmd::{path, say};
use crate::exit::{self, Exit};
use crate::rest::Rest;

/// How long to wait before a stream that ended is opened again.
const PAUSE: Duration = Duration::from_secs(1);
/// After how long everything that arrived is found.
const FOUND: Duration = Duration::from_secs(5);
/// How far before the stream's beginning is looked.
const BEFORE: SignedDuration = SignedDuration::from_secs(15);
/// How many printed records are known.
const KNOWN: usize = 20_000;
/// How many records are looked up that came while no stream was open.
const MEANWHILE: usize = 10_000;

pub(super) async fn run(
    rest: &Rest,
    query: &LogQuery,
    limit: usize,
    printer: &mut Printer,
) -> anyhow::Result<()> {
    let tail = LogQuery { from: None, to: None, ..query.clone() };
    let mut known = Known::default();
    let mut from = query.from;
    let mut limit = limit;
    loop {
        match rest.events(&path("/logs/tail", &tail)?).await {
            Ok(mut events) => {
                let opened = Timestamp::now();
                known.print(newest(rest, &LogQuery { from, ..query.clone() }, limit).await?, printer)?;
                let again = tokio::time::sleep(FOUND);
                tokio::pin!(again);
                let mut looked_again = false;
                loop {
                    let event = tokio::select! {
                        event = events.next::<LogEvent>() => event,
                        () = &mut again, if !looked_again => {
                            looked_again = true;
                            let since = opened.checked_sub(BEFORE).ok().max(from);
                            let seam = LogQuery { from: since, ..query.clone() };
                            known.print(newest(rest, &seam, MEANWHILE).await?, printer)?;
                            continue;
                        }
                    };
                    match event {
                        Ok(Some(LogEvent::Record(record))) => known.print(vec![*record], printer)?,
                        Ok(Some(LogEvent::PassedOver { records })) => {
                            say(&format!(
                                "{records} records came too fast to be looked at; ask again without --follow"
                            ));
                        }
                        Ok(None) => break,
                        Err(error) => {
                            say(&format!("{error:#}; looking again"));
                            break;
                        }
                    }
                }
            }
            // Not reached: it may come back. Anything that it answers is an answer.
            Err(error) if matches!(exit::of(&error).0, Exit::Failed | Exit::TimedOut) => {
                say(&format!("{error:#}; trying again"));
            }
            Err(error) => return Err(error),
        }
        // What happened before was printed, or is known.
        from = Timestamp::now().checked_sub(SignedDuration::from_mins(5)).ok().max(from);
        limit = MEANWHILE;
        tokio::time::sleep(PAUSE).await;
    }
}

/// What was printed.
#[derive(Default)]
struct Known {
    places: HashSet<String>,
    order: VecDeque<String>,
}

impl Known {
    fn print(&mut self, records: Vec<LogRecord>, printer: &mut Printer) -> anyhow::Result<()> {
        for record in records {
            if self.places.insert(record.at.clone()) {
                printer.one(&record)?;
                self.order.push_back(record.at);
                if self.order.len() > KNOWN
                    && let Some(oldest) = self.order.pop_front()
                {
                    self.places.remove(&oldest);
                }
            }
        }
        Ok(())
    }
}
