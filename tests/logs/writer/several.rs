//! Several writers, and whether all they heard of is true.

use std::time::Duration;

use trunkline_tests::wait_until;

use super::{Manner, Writer};
use trunkline_tests::fleet::{Fleet, MANAGEMENT};

/// How long what is answered may take to the search once nothing breaks any more, on a machine so busy that agents take its delays for a
/// queue on the line and ship at their lowest rate.
const ARRIVES: Duration = Duration::from_secs(1800);
/// How long writers may wait for an answer while things break.
const ANSWERED: Duration = Duration::from_secs(90);

/// Writers at work, each at a dataset of a cluster of its own.
pub(crate) struct Writers(Vec<(Writer, String)>);

impl Writers {
    /// One with ids and one without, at a cluster's intake.
    pub(crate) fn start(fleet: &Fleet, cluster: &str) -> Self {
        Self::start_in(Manner::default(), fleet, cluster)
    }

    /// The same in another manner.
    pub(crate) fn start_in(manner: Manner, fleet: &Fleet, cluster: &str) -> Self {
        let intake = fleet.intake(cluster);
        let without = Manner { has_ids: false, ..manner };
        let named = Writer::start("named", intake, "/_bulk", manner, &fleet.tasks);
        let plain = Writer::start("plain", intake, "/datasets/audit/_bulk", without, &fleet.tasks);
        Self(vec![
            (named, format!("clusters={cluster}&q=dataset:logs")),
            (plain, format!("clusters={cluster}&q=dataset:audit")),
        ])
    }

    /// And one that brings the management cluster's own.
    pub(crate) fn and_one_at_the_gateway(mut self, manner: Manner, fleet: &Fleet) -> Self {
        let own = Writer::start("own", fleet.intake(MANAGEMENT), "/_bulk", manner, &fleet.tasks);
        self.0.push((own, format!("clusters={MANAGEMENT}")));
        self
    }

    /// Each hears yes for another 20 records.
    pub(crate) async fn go_on(&self) {
        for (writer, _) in &self.0 {
            writer.goes_on(20, ANSWERED).await;
        }
    }

    /// Each hears that there is no room.
    pub(crate) async fn are_refused(&self) {
        for (writer, query) in &self.0 {
            let before = writer.ledger().refused;
            wait_until(&format!("{query}: there is no room"), ARRIVES, async || {
                (writer.ledger().refused > before).then_some(())
            })
            .await;
        }
    }

    /// How many records were answered with yes.
    pub(crate) fn answered(&self) -> usize {
        self.0.iter().map(|(writer, _)| writer.answered()).sum()
    }

    /// Stops them, waits until nothing waits, and compares with what is found. Gives what there is to say.
    pub(crate) async fn are_even(&self, fleet: &Fleet) -> Vec<String> {
        for (writer, query) in &self.0 {
            writer.stop().await;
            fleet.finds(query, writer.answered(), ARRIVES).await;
        }
        fleet.nothing_waits(ARRIVES).await;
        let mut said = Vec::new();
        for (writer, query) in &self.0 {
            let balance = writer.balance(&fleet.messages(query).await);
            assert!(balance.is_even(), "{query}: {balance}");
            let refused = writer.ledger().refused;
            said.push(format!("{query}: {refused} requests refused, {balance}"));
        }
        assert_eq!(fleet.gateway_counts("trunkline_gateway_logs_lost_total").await, 0.0);
        said
    }
}
