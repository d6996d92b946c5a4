//! What a word of a message is: every store cuts messages up in this way, so that a search means the same in each.
//!
//! It is said so that Lucene can do the same: letter for letter (a sigma is a sigma, wherever it stands), and counted in letters.

/// The longest word that is found, in letters; a longer one is not indexed, and matches nothing.
pub const MAX_WORD_LETTERS: usize = 64;

/// The words of a text in order, in lower case: runs of letters and digits (Unicode), those that are too long left out as
/// if they were not there.
pub fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| {
            !word.is_empty() && word.chars().take(MAX_WORD_LETTERS + 1).count() <= MAX_WORD_LETTERS
        })
        .map(|word| word.chars().map(lower).collect())
}

/// A letter in lower case, as one letter: only `İ` has a longer one, whose first is an `i`.
fn lower(letter: char) -> char {
    letter.to_lowercase().next().unwrap_or(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_runs_of_letters_and_digits() {
        let of = |text: &str| words(text).collect::<Vec<_>>();
        assert_eq!(of("GET /api/v1?x=ÄB-2 \u{1b}[31m"), ["get", "api", "v1", "x", "äb", "2", "31m"]);
        assert_eq!(of(""), Vec::<String>::new());
        assert_eq!(of(&format!("a {} b", "x".repeat(65))), ["a", "b"]);
        assert_eq!(of(&"Ä".repeat(64)), ["ä".repeat(64)]);
        assert_eq!(of("ΟΔΟΣ İSTANBUL"), ["οδοσ", "istanbul"]);
    }
}
