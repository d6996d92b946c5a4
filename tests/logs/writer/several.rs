//! Several writers, and whether all they heard of is true.

use std::time::Duration;

use super::Writer;
use crate::fleet::{Fleet, MANAGEMENT};

/// How long what is answered may take to the search once nothing breaks any more.
const ARRIVES: Duration = Duration::from_secs(240);
/// How long writers may wait for an answer while things break.
const ANSWERED: Duration = Duration::from_secs(90);

/// Writers at work, each at a dataset of a cluster of its own.
pub(crate) struct Writers(Vec<(Writer, String)>);

impl Writers {
    /// One with ids and one without, at a cluster's intake.
    pub(crate) fn start(fleet: &Fleet, cluster: &str) -> Self {
        let intake = fleet.intake(cluster);
        let named = Writer::start("named", intake, "/_bulk", true, &fleet.tasks);
        let plain = Writer::start("plain", intake, "/datasets/audit/_bulk", false, &fleet.tasks);
        Self(vec![
            (named, format!("clusters={cluster}&q=dataset:logs")),
            (plain, format!("clusters={cluster}&q=dataset:audit")),
        ])
    }

    /// And one that brings the management cluster's own.
    pub(crate) fn and_one_at_the_gateway(mut self, fleet: &Fleet) -> Self {
        let own = Writer::start("own", fleet.intake(MANAGEMENT), "/_bulk", true, &fleet.tasks);
        self.0.push((own, format!("clusters={MANAGEMENT}")));
        self
    }

    /// Each hears yes for another 20 records.
    pub(crate) async fn go_on(&self) {
        for (writer, _) in &self.0 {
            writer.goes_on(20, ANSWERED).await;
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
            said.push(format!("{query}: {balance}"));
        }
        assert_eq!(fleet.gateway_counts("trunkline_gateway_logs_lost_total").await, 0.0);
        said
    }
}
