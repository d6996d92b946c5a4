//! Which cluster somebody meant who mistyped its name.

/// How many letters may be wrong, missing or too many.
const MOST: usize = 2;

/// The name nearest to what was typed, if at most two letters part them and it is not all of the name.
pub(crate) fn nearest<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names
        .filter(|name| name.len().abs_diff(typed.len()) <= MOST)
        .map(|name| (distance(typed.as_bytes(), name.as_bytes()), name))
        .filter(|(distance, name)| *distance <= MOST && *distance < name.len())
        .min()
        .map(|(_, name)| name)
}

/// Levenshtein's distance. Names are DNS labels: a byte is a letter, and there are at most 63.
fn distance(one: &[u8], other: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, b) in row.iter_mut().skip(1).zip(other) {
            let here = (diagonal + usize::from(a != b)).min(left + 1).min(*cell + 1);
            diagonal = std::mem::replace(cell, here);
            left = here;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_near_if_two_letters_part_them() {
        for (one, other, apart) in [
            ("", "", 0),
            ("abc", "", 3),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
            ("prd-eu", "prod-eu", 1),
            ("ab", "ba", 2),
        ] {
            assert_eq!(distance(one.as_bytes(), other.as_bytes()), apart, "{one} {other}");
        }
        let names = ["prod-eu", "prod-us", "x"];
        for (typed, meant) in [
            ("prd-eu", Some("prod-eu")),
            ("prod-uss", Some("prod-us")),
            ("staging", None),
            ("y", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, names.into_iter()), meant, "{typed}");
        }
    }
}
