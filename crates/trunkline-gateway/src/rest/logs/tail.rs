//! The live tail: an event for each record that arrives and is wanted.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::sync::{mpsc, watch};
use trunkline_api::LogEvent;
use trunkline_logs::Filter;

use super::super::problem::No;
use super::super::view::View;
use super::super::watch::{Ended, HEARTBEAT, STUCK, put};
use super::scope::Wanted;
use super::shown;
use crate::authn::Principal;
use crate::logs::{Logs, Tap, Tapped};

/// A live tail.
pub(super) struct Tail {
    logs: Logs,
    view: View,
    who: Arc<Principal>,
    filter: Filter,
    wanted: Wanted,
    tap: Tap,
    rules: watch::Receiver<u64>,
}

impl Tail {
    /// Begins to look on.
    ///
    /// # Errors
    /// When a cluster is named that is not there, or may not be read.
    pub(super) fn begin(
        logs: Logs,
        view: View,
        who: Arc<Principal>,
        filter: Filter,
        wanted: Wanted,
    ) -> Result<Self, No> {
        let mut rules = view.fleet.access.changes();
        rules.mark_unchanged();
        let (scope, within) = wanted.within(&view, &logs, &who, filter.clone())?;
        let tap = logs.taps().look_on(scope, within);
        Ok(Self { logs, view, who, filter, wanted, tap, rules })
    }

    /// Tells until the reader leaves, or may read none of it any more.
    pub(super) async fn run(mut self, out: mpsc::Sender<Bytes>) -> Result<(), Ended> {
        // So that the answer's head leaves before there is a record.
        let mut lot = BytesMut::from(&b": here\n\n"[..]);
        let mut fleet = self.view.tunnels.changes();
        loop {
            if !lot.is_empty() {
                out.send_timeout(lot.split().freeze(), STUCK).await.map_err(|_| Ended)?;
            }
            tokio::select! {
                biased;
                changed = self.rules.changed() => {
                    changed.map_err(|_| Ended)?;
                    self.look_again()?;
                }
                // A cluster that comes anew may have another uid than before.
                _ = fleet.recv() => self.look_again()?,
                tapped = self.tap.next() => {
                    let event = match tapped.ok_or(Ended)? {
                        Tapped::Document(waited) => LogEvent::Record(Box::new(shown::arrived(&waited.document))),
                        Tapped::PassedOver(records) => LogEvent::PassedOver { records },
                    };
                    put(&mut lot, &event);
                }
                () = tokio::time::sleep(HEARTBEAT) => lot.extend_from_slice(b": still here\n\n"),
            }
        }
    }

    fn look_again(&mut self) -> Result<(), Ended> {
        let within = self.wanted.within(&self.view, &self.logs, &self.who, self.filter.clone());
        let (scope, filter) = within.map_err(|_| Ended)?;
        self.tap.look_at(scope, filter);
        Ok(())
    }
}
