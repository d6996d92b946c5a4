//! Labels and selectors, by Kubernetes' rules.

use std::collections::BTreeMap;
use std::str::FromStr;

/// Labels by key.
pub type Labels = BTreeMap<String, String>;

/// Why something is no label.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{0:?} is no label: keys are [domain/]name, names and values up to 63 of a-z, A-Z, 0-9, '-', '_' and '.', \
     beginning and ending with a letter or digit"
)]
pub struct InvalidLabel(pub String);

/// Whether a key and its value are a label.
pub fn check_label(key: &str, value: &str) -> Result<(), InvalidLabel> {
    if !is_key(key) {
        return Err(InvalidLabel(key.chars().take(80).collect()));
    }
    if !value.is_empty() && !is_name(value) {
        return Err(InvalidLabel(value.chars().take(80).collect()));
    }
    Ok(())
}

fn is_key(key: &str) -> bool {
    match key.split_once('/') {
        None => is_name(key),
        Some((domain, name)) => {
            let label = |label: &str| {
                !label.is_empty()
                    && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
                    && !label.starts_with('-')
                    && !label.ends_with('-')
            };
            domain.len() <= 253 && domain.split('.').all(label) && is_name(name)
        }
    }
}

fn is_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    (1..=63).contains(&bytes.len())
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
}

/// The most requirements of a selector, and the most values of each.
const MOST: usize = 32;

/// A label selector as kubectl's `-l` takes it: `a=b`, `a!=b`, `a in (b,c)`, `a notin (b,c)`, `a`, `!a`, joined by commas;
/// at most 32 of them, with at most 32 values each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector(Vec<Requirement>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Has(String),
    HasNot(String),
}

/// Why a text is no selector.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{0:?} is no selector: write for instance env=prod,region in (eu,us),!old; at most {MOST} requirements, with at most \
     {MOST} values each"
)]
pub struct InvalidSelector(pub String);

impl Selector {
    /// Whether these labels are selected. An empty selector selects all.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.0.iter().all(|requirement| match requirement {
            Requirement::In(key, values) => labels.get(key).is_some_and(|value| values.contains(value)),
            Requirement::NotIn(key, values) => !labels.get(key).is_some_and(|value| values.contains(value)),
            Requirement::Has(key) => labels.contains_key(key),
            Requirement::HasNot(key) => !labels.contains_key(key),
        })
    }
}

impl FromStr for Selector {
    type Err = InvalidSelector;

    fn from_str(text: &str) -> Result<Self, InvalidSelector> {
        let invalid = || InvalidSelector(text.chars().take(80).collect());
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let parts = split(text);
        if parts.len() > MOST {
            return Err(invalid());
        }
        parts
            .into_iter()
            .map(|part| requirement(part.trim()))
            .collect::<Option<_>>()
            .map(Self)
            .ok_or_else(invalid)
    }
}

/// Splits at the commas that do not stand in parentheses.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut from) = (Vec::new(), 0i32, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[from..]);
    parts
}

fn requirement(part: &str) -> Option<Requirement> {
    let key = |key: &str| Some(key.trim()).filter(|key| is_key(key)).map(str::to_owned);
    let value = |value: &str| {
        let value = value.trim();
        (value.is_empty() || is_name(value)).then(|| value.to_owned())
    };
    if let Some(rest) = part.strip_prefix('!') {
        return Some(Requirement::HasNot(key(rest)?));
    }
    if let Some((left, right)) = part.split_once("!=") {
        return Some(Requirement::NotIn(key(left)?, vec![value(right)?]));
    }
    if let Some((left, right)) = part.split_once("==").or_else(|| part.split_once('=')) {
        return Some(Requirement::In(key(left)?, vec![value(right)?]));
    }
    if let Some(inside) = part.strip_suffix(')') {
        let (head, inside) = inside.split_once('(')?;
        let values =
            inside.split(',').map(value).collect::<Option<Vec<_>>>().filter(|all| all.len() <= MOST)?;
        let mut words = head.split_whitespace();
        let (name, word) = (key(words.next()?)?, words.next()?);
        return match (word, words.next()) {
            ("in", None) => Some(Requirement::In(name, values)),
            ("notin", None) => Some(Requirement::NotIn(name, values)),
            _ => None,
        };
    }
    Some(Requirement::Has(key(part)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_are_kubectls() {
        let labels: Labels =
            [("env", "prod"), ("region", "eu")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        for yes in [
            "",
            "env=prod",
            "env==prod",
            "env!=dev",
            "env",
            "!old",
            "region in (eu, us),env=prod",
            "region notin (us)",
            " env = prod , region",
        ] {
            assert!(yes.parse::<Selector>().unwrap().matches(&labels), "{yes}");
        }
        for no in ["env=dev", "old", "!env", "region in (us)", "env=prod,region=us", "region notin (eu,us)"] {
            assert!(!no.parse::<Selector>().unwrap().matches(&labels), "{no}");
        }
        for bad in
            [",", "=a", "a b", "a in b", "a in (b", "(a)", "a=b=c", "a within (b)", "ä=b", "a in (b) c"]
        {
            assert!(bad.parse::<Selector>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_selector_has_no_more_requirements_and_values_than_may_be() {
        let keys = |count: usize| vec!["a"; count].join(",");
        for (selector, fits) in [
            (keys(MOST), true),
            (keys(MOST + 1), false),
            (format!("a in ({})", keys(MOST)), true),
            (format!("a in ({})", keys(MOST + 1)), false),
        ] {
            assert_eq!(selector.parse::<Selector>().is_ok(), fits, "{selector}");
        }
        let error = keys(MOST + 1).parse::<Selector>().unwrap_err().to_string();
        assert!(error.contains("at most 32 requirements"), "{error}");
    }

    #[test]
    fn labels_are_kubernetes_own() {
        for (key, value) in [("a", ""), ("example.com/a_b", "x.y"), ("A", "1")] {
            assert_eq!(check_label(key, value), Ok(()), "{key}={value}");
        }
        let long = "a".repeat(64);
        for (key, value) in [
            ("", "a"),
            ("/a", "a"),
            ("a/", "a"),
            ("a", "-b"),
            ("a", "b c"),
            (&long, "a"),
            ("a", &long),
            ("A.com/a", "b"),
        ] {
            assert!(check_label(key, value).is_err(), "{key}={value}");
        }
    }
}
