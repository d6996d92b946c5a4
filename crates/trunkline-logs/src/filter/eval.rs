//! What a filter means, said over one document: what the live tail goes by, and stores are tested against.

use std::cell::OnceCell;

use super::{Field, Filter, Match};
use crate::{Document, words};

impl Filter {
    /// Whether a document is wanted.
    pub fn matches(&self, document: &Document) -> bool {
        // A message is cut up once, however many words are asked for, and not at all if none is.
        self.says(document, &OnceCell::new())
    }

    fn says(&self, document: &Document, said: &OnceCell<Vec<String>>) -> bool {
        let said_words = || said.get_or_init(|| words(&document.message).collect());
        match self {
            Self::All => true,
            Self::And(all) => all.iter().all(|one| one.says(document, said)),
            Self::Or(any) => any.iter().any(|one| one.says(document, said)),
            Self::Not(other) => !other.says(document, said),
            Self::Phrase(wanted) => {
                !wanted.is_empty() && said_words().windows(wanted.len()).any(|some| some == wanted.as_slice())
            }
            Self::WordBegins(beginning) => {
                said_words().iter().any(|word| word.starts_with(beginning.as_str()))
            }
            Self::Is(field, wanted) => is(document, field, wanted),
        }
    }
}

fn is(document: &Document, field: &Field, wanted: &Match) -> bool {
    match field {
        Field::Cluster => says(document.stamp.cluster.as_str(), wanted),
        Field::Uid => says(&document.stamp.uid.to_string(), wanted),
        Field::Dataset => says(document.stamp.dataset.as_str(), wanted),
        Field::Facet(facet) => document.facets.get(*facet).is_some_and(|value| says(value, wanted)),
        Field::Path(path) => {
            let values =
                document.terms.iter().filter_map(|term| term.strip_prefix(path.as_str())?.strip_prefix('='));
            values.into_iter().any(|value| says(value, wanted))
        }
    }
}

fn says(value: &str, wanted: &Match) -> bool {
    match wanted {
        Match::Exactly(other) => value == other,
        Match::Begins(beginning) => value.starts_with(beginning.as_str()),
        Match::Exists => true,
    }
}
