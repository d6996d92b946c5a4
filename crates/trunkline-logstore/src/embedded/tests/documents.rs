//! Random documents and filters from few words, so that they meet.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use serde_json::{Map, Value, json};
use trunkline_logs::{
    Dataset, Day, Document, Entry, Facet, Field, Filter, Match, OwnId, SpoolEpoch, Stamp, rebuild,
};
use trunkline_proto::{ClusterId, ClusterUid, Slot};

const WORDS: [&str; 12] = [
    "error",
    "errors",
    "connection",
    "refused",
    "connect",
    "Ärger",
    "db",
    "of",
    "timeout",
    "0x1f",
    "200",
    "é",
];
const LEVELS: [&str; 4] = ["info", "WARN", "error", "debug"];
const APPS: [&str; 5] = ["web", "web-1", "db", "we", "a=b"];
const PATHS: [&str; 5] = ["status", "status=", "http.code", "user", "a=b"];
const VALUES: [&str; 7] = ["200", "503", "", "x=y", "200 OK", "ü", "2"];

/// The day around which it all happens.
pub(super) const DAY: Day = Day(20_700);

/// Makes documents of one slot's spool.
pub(super) struct Agent {
    pub(super) cluster: ClusterId,
    pub(super) uid: ClusterUid,
    pub(super) slot: Slot,
    pub(super) dataset: Dataset,
    pub(super) sequence: u64,
}

impl Agent {
    pub(super) fn new(cluster: &str, slot: u16, dataset: &str) -> Self {
        let (cluster, dataset) = (cluster.parse().unwrap(), dataset.parse().unwrap());
        Self { cluster, uid: ClusterUid::random(), slot: Slot(slot), dataset, sequence: 0 }
    }

    pub(super) fn stamp(&mut self, day: Day, arrived: i64) -> Stamp {
        self.sequence += 1;
        Stamp {
            cluster: self.cluster.clone(),
            uid: self.uid,
            slot: self.slot,
            dataset: self.dataset.clone(),
            spool: SpoolEpoch([7; 16]),
            sequence: self.sequence,
            day,
            arrived,
        }
    }

    /// A document of this text on this day.
    pub(super) fn say(&mut self, day: Day, text: &Value) -> Document {
        self.say_as(day, None, text)
    }

    /// A document of this text with an id of its shipper's.
    pub(super) fn say_as(&mut self, day: Day, own: Option<&str>, text: &Value) -> Document {
        let received = day.begins() + 3_600_000;
        let entry = Entry { received, own_id: own.map(OwnId::of), json: text.to_string().into() };
        rebuild(self.stamp(day, received), &entry).unwrap()
    }

    /// Any document.
    pub(super) fn anything(&mut self, random: &mut StdRng) -> Document {
        let day = Day(DAY.0 - random.random_range(0..4));
        let mut said = Map::new();
        // Few moments, so that many share one; some days before the day.
        let moment =
            day.begins() + 3_600_000 - random.random_range(0..40) * random.random_range(1..5_000_000);
        said.insert("@timestamp".into(), moment.into());
        let words = random.random_range(0..8);
        let message: Vec<&str> = (0..words).map(|_| *WORDS.choose(random).unwrap()).collect();
        said.insert(
            "message".into(),
            message.join([" ", ", ", "/", "\u{1b}["].choose(random).unwrap()).into(),
        );
        for (name, values, often) in
            [("level", &LEVELS[..], 0.8), ("app", &APPS[..], 0.7), ("pod", &APPS[..], 0.5)]
        {
            if random.random_bool(often) {
                said.insert(name.into(), (*values.choose(random).unwrap()).into());
            }
        }
        for path in PATHS {
            if random.random_bool(0.3) {
                let values: Vec<_> =
                    (0..random.random_range(1..3)).map(|_| *VALUES.choose(random).unwrap()).collect();
                said.insert(path.into(), json!(values));
            }
        }
        self.say(day, &said.into())
    }
}

/// Any filter.
pub(super) fn filter(random: &mut StdRng, depth: u32) -> Filter {
    let many =
        |random: &mut StdRng| (0..random.random_range(0..4)).map(|_| filter(random, depth - 1)).collect();
    match random.random_range(if depth == 0 { 4 } else { 0 }..10) {
        0 => Filter::And(many(random)),
        1 => Filter::Or(many(random)),
        2 | 3 => Filter::Not(Box::new(filter(random, depth - 1))),
        4 => Filter::All,
        5 => {
            let words = random.random_range(0..4);
            Filter::Phrase((0..words).map(|_| WORDS.choose(random).unwrap().to_lowercase()).collect())
        }
        6 => {
            let word = WORDS.choose(random).unwrap().to_lowercase();
            let letters = random.random_range(1..=word.chars().count());
            Filter::WordBegins(word.chars().take(letters).collect())
        }
        _ => is(random),
    }
}

fn is(random: &mut StdRng) -> Filter {
    let field = field(random);
    let values = match field {
        Field::Cluster | Field::Uid => &["prod", "test", "pr"][..],
        Field::Dataset => &["logs", "audit"],
        Field::Facet(Facet::Level) => &["info", "warn", "error", "WARN"],
        Field::Facet(_) => &APPS,
        Field::Path(_) => &VALUES,
    };
    let value = (*values.choose(random).unwrap()).to_owned();
    let wanted = match random.random_range(0..4) {
        0 => Match::Exists,
        1 => Match::Begins(value.chars().take(random.random_range(0..3)).collect()),
        _ => Match::Exactly(value),
    };
    Filter::Is(field, wanted)
}

/// Any field.
pub(super) fn field(random: &mut StdRng) -> Field {
    match random.random_range(0..8) {
        0 => Field::Cluster,
        1 => Field::Dataset,
        2..=4 => Field::Facet(*[Facet::Level, Facet::App, Facet::Pod, Facet::Node].choose(random).unwrap()),
        _ => Field::Path(
            (*["status", "status=", "http.code", "a=b", "a", "nothing"].choose(random).unwrap()).into(),
        ),
    }
}
