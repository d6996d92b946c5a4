//! What is seen of each cluster's records: how many came, how late, what became of them, and what waits in its spools.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use trunkline_logs::Day;
use trunkline_proto::{ClusterUid, Dataset, MAX_DATASETS, Slot, SpoolReport};

/// Over how long a rate is taken.
const WINDOW: Duration = Duration::from_secs(30);
/// After how long a dataset that brings nothing gives its place up, and a day of one.
const FORGOTTEN: Duration = Duration::from_secs(24 * 3600);
/// Of how many days the records of one dataset may be until days are forgotten.
pub(super) const MAX_DAYS: usize = 64;
/// How often it is looked for clusters that are no more.
const LOOK: Duration = Duration::from_secs(60);

/// What is seen, by cluster. A cluster without a session whose records have not come for a day is forgotten: one that was removed is
/// among those, and a new one under its name has another uid.
#[derive(Debug, Default)]
pub(crate) struct LogsStanding(Mutex<All>);

#[derive(Debug, Default)]
struct All {
    clusters: HashMap<ClusterUid, Cluster>,
    /// When it was looked for those that are no more.
    looked: Option<Instant>,
}

#[derive(Debug, Default)]
struct Cluster {
    datasets: HashMap<Dataset, Counts>,
    spools: HashMap<Slot, Vec<SpoolReport>>,
}

#[derive(Clone, Debug)]
struct Counts {
    records: u64,
    bytes: u64,
    dead: u64,
    lag: Option<Duration>,
    why: String,
    /// Records when this window began, and the rate of the one before.
    window: (Instant, u64),
    rate: f64,
    last: Instant,
    /// The days on which its records were spooled, and when such a record came last.
    days: HashMap<Day, Instant>,
}

/// What is seen of one dataset of one cluster.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Seen {
    /// Records that were stored since the gateway started.
    pub(crate) records: u64,
    /// Their bytes, as JSON.
    pub(crate) bytes: u64,
    /// Those that became dead letters.
    pub(crate) dead: u64,
    /// Records a second, over the last half minute or so.
    pub(crate) rate: f64,
    /// How long the newest record took from the intake to the store.
    pub(crate) lag: Option<Duration>,
    /// Why the newest batch was not taken; empty if it was.
    pub(crate) why: String,
    /// What waits in the spools of all slots.
    pub(crate) waiting: SpoolReport,
}

/// What became of one batch.
#[derive(Clone, Debug, Default)]
pub(super) struct Batch {
    pub(super) records: u64,
    pub(super) bytes: u64,
    pub(super) dead: u64,
    /// Those that the store had already.
    pub(super) already: u64,
    pub(super) lag: Option<Duration>,
    pub(super) why: String,
}

impl Default for Counts {
    fn default() -> Self {
        let window = (Instant::now(), 0);
        Self {
            records: 0,
            bytes: 0,
            dead: 0,
            lag: None,
            why: String::new(),
            window,
            rate: 0.0,
            last: window.0,
            days: HashMap::new(),
        }
    }
}

impl Counts {
    fn rate(&self) -> f64 {
        let (since, records) = self.window;
        match since.elapsed() {
            // What has been silent for a window has no rate.
            long if long >= 2 * WINDOW => 0.0,
            part if part < WINDOW / 4 && self.rate > 0.0 => self.rate,
            part => (self.records - records) as f64 / part.as_secs_f64().max(1.0),
        }
    }
}

impl Cluster {
    /// Whether it has a session, or had records within a day.
    fn is_there(&self) -> bool {
        !self.spools.is_empty() || self.datasets.values().any(|counts| counts.last.elapsed() < FORGOTTEN)
    }
}

impl LogsStanding {
    /// Whether records of this dataset may come: a cluster that names ever new ones would make as many indices.
    pub(super) fn admits(&self, uid: ClusterUid, dataset: &Dataset) -> bool {
        let mut all = self.all();
        let datasets = &mut all.clusters.entry(uid).or_default().datasets;
        if datasets.contains_key(dataset) {
            return true;
        }
        if datasets.len() >= MAX_DATASETS {
            datasets.retain(|_, counts| counts.last.elapsed() < FORGOTTEN);
        }
        let admitted = datasets.len() < MAX_DATASETS;
        if admitted {
            datasets.insert(dataset.clone(), Counts::default());
        }
        admitted
    }

    /// Whether records that were spooled on this day may come: an agent whose clock runs wild would make as many indices.
    pub(super) fn admits_day(&self, uid: ClusterUid, dataset: &Dataset, day: Day) -> bool {
        let mut all = self.all();
        let datasets = &mut all.clusters.entry(uid).or_default().datasets;
        let days = &mut datasets.entry(dataset.clone()).or_default().days;
        if days.len() >= MAX_DAYS && !days.contains_key(&day) {
            days.retain(|_, last| last.elapsed() < FORGOTTEN);
        }
        let admitted = days.len() < MAX_DAYS || days.contains_key(&day);
        if admitted {
            days.insert(day, Instant::now());
        }
        admitted
    }

    /// A batch was dealt with. Gives why records wait if that is otherwise than before; empty when they do no longer.
    pub(super) fn note(&self, uid: ClusterUid, dataset: &Dataset, batch: Batch) -> Option<String> {
        let mut all = self.all();
        let datasets = &mut all.clusters.entry(uid).or_default().datasets;
        let counts = datasets.entry(dataset.clone()).or_default();
        if counts.window.0.elapsed() >= WINDOW {
            counts.rate = counts.rate();
            counts.window = (Instant::now(), counts.records);
        }
        counts.records += batch.records;
        counts.bytes += batch.bytes;
        counts.dead += batch.dead;
        counts.lag = batch.lag.or(counts.lag);
        counts.last = Instant::now();
        let changed = counts.why.is_empty() != batch.why.is_empty();
        counts.why = batch.why;
        changed.then(|| counts.why.clone())
    }

    /// What an agent says of its spools. A hostile one may say anything of its own.
    pub(crate) fn report(&self, uid: ClusterUid, slot: Slot, mut spools: Vec<SpoolReport>) {
        spools.truncate(MAX_DATASETS);
        for spool in &mut spools {
            spool.fault.truncate(spool.fault.floor_char_boundary(512));
        }
        self.all().clusters.entry(uid).or_default().spools.insert(slot, spools);
    }

    /// A slot has no session any more: what it said of its spools is old.
    pub(crate) fn forget_slot(&self, uid: ClusterUid, slot: Slot) {
        let mut all = self.all();
        if let Some(cluster) = all.clusters.get_mut(&uid) {
            cluster.spools.remove(&slot);
        }
        if all.looked.is_none_or(|looked| looked.elapsed() >= LOOK) {
            all.looked = Some(Instant::now());
            all.clusters.retain(|_, cluster| cluster.is_there());
        }
    }

    /// What is seen of a cluster, by dataset.
    pub(crate) fn of(&self, uid: ClusterUid) -> Vec<(Dataset, Seen)> {
        let all = self.all();
        let Some(cluster) = all.clusters.get(&uid) else { return Vec::new() };
        let mut seen: HashMap<Dataset, Seen> = HashMap::new();
        for (dataset, counts) in &cluster.datasets {
            let one = seen.entry(dataset.clone()).or_default();
            (one.records, one.bytes, one.dead) = (counts.records, counts.bytes, counts.dead);
            (one.rate, one.lag, one.why) = (counts.rate(), counts.lag, counts.why.clone());
        }
        for spool in cluster.spools.values().flatten() {
            seen.entry(spool.dataset.clone()).or_default().waiting.add(spool);
        }
        let mut seen: Vec<_> = seen.into_iter().collect();
        seen.sort_by(|one, other| one.0.cmp(&other.0));
        seen
    }

    fn all(&self) -> MutexGuard<'_, All> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_cluster_has_so_many_datasets_and_no_more() {
        let (standing, one, other) = (LogsStanding::default(), ClusterUid::random(), ClusterUid::random());
        let named = |at: usize| format!("d{at}").parse().unwrap();
        assert!((0..MAX_DATASETS).all(|at| standing.admits(one, &named(at))));
        assert!(!standing.admits(one, &named(MAX_DATASETS)));
        tokio::time::advance(FORGOTTEN).await;
        assert!(standing.admits(one, &named(MAX_DATASETS)));
        assert!(standing.admits(other, &named(0)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_dataset_has_so_many_days_and_no_more_until_they_are_forgotten() {
        let (standing, one, other) = (LogsStanding::default(), ClusterUid::random(), ClusterUid::random());
        let (logs, audit) = (Dataset::unnamed(), "audit".parse().unwrap());
        let days = |from: u32| (from..from + MAX_DAYS as u32).map(Day);
        assert!(days(20_000).all(|day| standing.admits_day(one, &logs, day)));
        assert!(!standing.admits_day(one, &logs, Day(1)));
        assert!(days(20_000).all(|day| standing.admits_day(one, &logs, day)), "what was there comes on");
        assert!(standing.admits_day(one, &audit, Day(1)) && standing.admits_day(other, &logs, Day(1)));
        tokio::time::advance(FORGOTTEN / 2).await;
        assert!(standing.admits_day(one, &logs, Day(20_000)));
        tokio::time::advance(FORGOTTEN / 2).await;
        let came = (0..100).filter(|day| standing.admits_day(one, &logs, Day(*day))).count();
        assert_eq!(came, MAX_DAYS - 1, "one of the days is not forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn a_cluster_that_is_gone_is_forgotten_and_one_that_is_quiet_is_not() {
        let standing = LogsStanding::default();
        let [gone, quiet, last] = [(); 3].map(|()| ClusterUid::random());
        let logs = Dataset::unnamed();
        for uid in [gone, quiet] {
            standing.note(uid, &logs, Batch { records: 1, ..Batch::default() });
            standing.report(uid, Slot(0), vec![SpoolReport::default()]);
        }
        standing.forget_slot(gone, Slot(0));
        tokio::time::advance(FORGOTTEN / 2).await;
        standing.forget_slot(last, Slot(0));
        assert!(!standing.of(gone).is_empty(), "its counts are kept for a day");
        tokio::time::advance(FORGOTTEN / 2).await;
        standing.forget_slot(last, Slot(0));
        assert!(standing.of(gone).is_empty());
        assert_eq!(standing.of(quiet)[0].1.records, 1);
        assert_eq!(standing.all().clusters.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_seen_is_put_together_over_the_slots() {
        let (standing, uid, dataset) = (LogsStanding::default(), ClusterUid::random(), Dataset::unnamed());
        for second in 0..60 {
            let batch = Batch {
                records: 10,
                bytes: 1000,
                lag: Some(Duration::from_millis(second)),
                ..Batch::default()
            };
            standing.note(uid, &dataset, batch);
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        for (slot, oldest) in [(0, 5), (1, 3)] {
            let report = SpoolReport {
                records: 7,
                bytes: 70,
                cap: 100,
                oldest: Some(oldest),
                ..SpoolReport::default()
            };
            standing.report(uid, Slot(slot), vec![report]);
        }
        let (of, seen) = standing.of(uid).pop().unwrap();
        assert_eq!(
            (of, seen.records, seen.bytes, seen.lag),
            (dataset, 600, 60_000, Some(Duration::from_millis(59)))
        );
        assert!((9.0..11.0).contains(&seen.rate), "{}", seen.rate);
        assert_eq!((seen.waiting.records, seen.waiting.cap, seen.waiting.oldest), (14, 200, Some(3)));
        tokio::time::advance(Duration::from_secs(120)).await;
        assert_eq!(standing.of(uid)[0].1.rate, 0.0);
    }
}
