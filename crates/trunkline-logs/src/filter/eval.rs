//! What a filter means, said over one document: what the live tail goes by, and stores are tested against.

use super::{Field, Filter, Match};
use crate::{Document, words};

impl Filter {
    /// Whether a document is wanted.
    pub fn matches(&self, document: &Document) -> bool {
        match self {
            Self::All => true,
            Self::And(all) => all.iter().all(|one| one.matches(document)),
            Self::Or(any) => any.iter().any(|one| one.matches(document)),
            Self::Not(other) => !other.matches(document),
            Self::Phrase(wanted) => {
                let said: Vec<String> = words(&document.message).collect();
                !wanted.is_empty() && said.windows(wanted.len()).any(|some| some == wanted.as_slice())
            }
            Self::WordBegins(beginning) => {
                words(&document.message).any(|word| word.starts_with(beginning.as_str()))
            }
            Self::Is(field, wanted) => is(document, field, wanted),
        }
    }
}

fn is(document: &Document, field: &Field, wanted: &Match) -> bool {
    match field {
        Field::Cluster => says(document.stamp.cluster.as_str(), wanted),
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
