//! Labels as they are typed: `env=prod,region=eu`, and `env-` to take one away.

use std::collections::BTreeMap;

use trunkline_api::{Labels, check_label};

use crate::exit::{Exit, Failure};

/// Labels to set.
pub(super) fn to_set(typed: &[String]) -> anyhow::Result<Labels> {
    let mut labels = Labels::new();
    for (key, value) in to_change(typed)? {
        let value = value.ok_or_else(|| wrong(&format!("{key}- takes a label away; here is none yet")))?;
        labels.insert(key, value);
    }
    Ok(labels)
}

/// Labels to set and, without a value, to take away.
pub(super) fn to_change(typed: &[String]) -> anyhow::Result<BTreeMap<String, Option<String>>> {
    let mut labels = BTreeMap::new();
    for label in typed.iter().map(|label| label.trim()).filter(|label| !label.is_empty()) {
        let (key, value) = match (label.split_once('='), label.strip_suffix('-')) {
            (Some((key, value)), _) => (key, Some(value)),
            (None, Some(key)) => (key, None),
            (None, None) => return Err(wrong(&format!("{label:?} is neither KEY=VALUE nor KEY-")).into()),
        };
        check_label(key, value.unwrap_or_default()).map_err(|error| wrong(&error.to_string()))?;
        if labels.insert(key.to_owned(), value.map(str::to_owned)).is_some() {
            return Err(wrong(&format!("the label {key} is given twice")).into());
        }
    }
    Ok(labels)
}

fn wrong(what: &str) -> Failure {
    Failure::new(Exit::Usage, format!("--labels: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_set_and_taken_away() {
        let typed = ["a=b".to_owned(), "c-".to_owned(), "d=".to_owned()];
        let change = to_change(&typed).unwrap();
        assert_eq!(change["a"].as_deref(), Some("b"));
        assert_eq!(change["c"], None);
        assert_eq!(change["d"].as_deref(), Some(""));
        assert!(to_set(&typed).is_err());
        for wrong in ["a", "=b", "a=b c", "-"] {
            assert!(to_change(&[wrong.to_owned()]).is_err(), "{wrong}");
        }
        assert!(to_change(&["a=1".to_owned(), "a-".to_owned()]).is_err());
    }
}
