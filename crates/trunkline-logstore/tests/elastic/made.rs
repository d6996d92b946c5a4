//! Documents and filters drawn at random, from words that tell cutting, case and escaping apart, so that they meet often.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use serde_json::json;
use trunkline_logs::{Dataset, Day, Document, Entry, Facet, Field, Filter, Match, SpoolEpoch, Stamp, words};
use trunkline_proto::{ClusterId, ClusterUid, Slot};

/// 2026-11-27T12:00:00Z.
pub(crate) const NOON: i64 = 20784 * 86_400_000 + 43_200_000;

const WORDS: &[&str] = &[
    "error",
    "Error",
    "refused",
    "connection",
    "connect",
    "GET",
    "/api/v1?x=1",
    "10.0.0.1",
    "Straße",
    "ÄPFEL",
    "äpfel",
    "ΟΔΟΣ",
    "İstanbul",
    "日本語",
    "e\u{301}a",
    "x_y",
    "a-b",
    "503",
    "\u{1b}[31mred",
    "ok",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
];
const VALUES: &[&str] =
    &["web", "web-0", "web-1", "db", "Web", "*", "a.*b", "a?b", "\"}}]", "x=y", "é", "200"];
/// Paths of fields that shippers say, and what somebody might hope to do with one.
const PATHS: &[&str] = &["http.status", "tags", "a+b", "x", "x=y", "script", "_id", ".*", "user"];
const HOSTILE: &[&str] = &[
    r#""}},"script":{"source":"1"}"#,
    "query_string",
    "_exists_:x",
    "*",
    "?",
    ".*",
    "\\",
    "\u{0}",
    "cluster.uid",
    "trunkline.terms",
    "</script>",
];

/// A source of documents and filters.
pub(crate) struct Made {
    random: StdRng,
    sequence: u64,
    /// Of which datasets documents are.
    pub(crate) datasets: Vec<&'static str>,
}

impl Made {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self { random: StdRng::seed_from_u64(seed), sequence: 0, datasets: vec!["logs", "audit"] }
    }

    fn any(&mut self, list: &[&'static str]) -> &'static str {
        list.choose(&mut self.random).copied().unwrap_or_default()
    }

    pub(crate) fn number(&mut self, below: u64) -> u64 {
        self.random.random_range(0..below)
    }

    /// A document of one of these clusters, around noon; many share a moment.
    pub(crate) fn document(&mut self, clusters: &[(ClusterId, ClusterUid)]) -> Document {
        let (cluster, uid) = clusters.choose(&mut self.random).expect("a cluster").clone();
        let message: Vec<&str> = (0..self.random.random_range(0..6)).map(|_| self.any(WORDS)).collect();
        let mut record = json!({ "message": message.join(" ") });
        for facet in ["level", "app", "namespace", "pod"] {
            if self.random.random_bool(0.6) {
                record[facet] = self.any(VALUES).into();
            }
        }
        for _ in 0..self.random.random_range(0..4) {
            record[self.any(PATHS)] = json!([self.any(VALUES), self.any(VALUES)]);
        }
        let time = NOON
            - 1000 * self.random.random_range(0..3600)
            - i64::from(self.random.random_bool(0.1)) * 6 * 86_400_000;
        record["time"] = time.into();
        let dataset = self.datasets.choose(&mut self.random).expect("a dataset");
        let dataset: Dataset = dataset.parse().expect("a dataset");
        self.sequence += 1;
        let stamp = Stamp {
            cluster,
            uid,
            slot: Slot(0),
            dataset,
            spool: SpoolEpoch([1; 16]),
            sequence: self.sequence,
            day: Day::of(NOON),
            arrived: NOON + 1000,
        };
        let json = record.to_string().into();
        Document::read(stamp, Entry { received: NOON, own_id: None, json }.encode()).expect("a document")
    }

    /// A filter of at most this depth.
    pub(crate) fn filter(&mut self, depth: usize) -> Filter {
        let kind = self.random.random_range(if depth == 0 { 3..10 } else { 0..10 });
        match kind {
            0 => Filter::And(self.filters(depth - 1)),
            1 => Filter::Or(self.filters(depth - 1)),
            2 => Filter::Not(Box::new(self.filter(depth - 1))),
            3 if self.random.random_bool(0.3) => Filter::All,
            3..=5 => {
                let text: Vec<&str> = (0..self.random.random_range(1..4)).map(|_| self.any(WORDS)).collect();
                match self.random.random_range(0..20) {
                    0 => Filter::Phrase(text.into_iter().map(str::to_owned).collect()),
                    1 => Filter::Phrase(vec![self.any(HOSTILE).to_owned()]),
                    _ => Filter::Phrase(words(&text.join(" ")).collect()),
                }
            }
            6 => {
                let word = words(self.any(WORDS)).next().unwrap_or_else(|| "none".into());
                let many = self.random.random_range(2..5);
                Filter::WordBegins(word.chars().take(many).collect())
            }
            _ => {
                let field = self.field();
                let value = if self.random.random_bool(0.2) { self.any(HOSTILE) } else { self.any(VALUES) };
                Filter::Is(
                    field,
                    match self.random.random_range(0..6) {
                        0 => Match::Exists,
                        1 | 2 => Match::Begins(value.chars().take(2).collect()),
                        _ => Match::Exactly(value.to_owned()),
                    },
                )
            }
        }
    }

    fn filters(&mut self, depth: usize) -> Vec<Filter> {
        (0..self.random.random_range(0..4)).map(|_| self.filter(depth)).collect()
    }

    /// A field: a path more often than not.
    pub(crate) fn field(&mut self) -> Field {
        match self.random.random_range(0..10) {
            0 => Field::Cluster,
            1 => Field::Dataset,
            2..=4 => Field::Facet([Facet::Level, Facet::App, Facet::Pod][self.random.random_range(0..3)]),
            5 => Field::Path(self.any(HOSTILE).to_owned()),
            _ => Field::Path(self.any(PATHS).to_owned()),
        }
    }
}
