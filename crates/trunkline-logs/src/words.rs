//! What a word of a message is: every store cuts messages up in this way, so that a search means the same in each.

/// The longest word that is found, in bytes; a longer one is not indexed, and matches nothing.
pub const MAX_WORD_BYTES: usize = 64;

/// The words of a text in order, in lower case: runs of letters and digits (Unicode), those that are too long left out.
pub fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .filter(|word| word.len() <= MAX_WORD_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_runs_of_letters_and_digits() {
        let of = |text| words(text).collect::<Vec<_>>();
        assert_eq!(of("GET /api/v1?x=ÄB-2 \u{1b}[31m"), ["get", "api", "v1", "x", "äb", "2", "31m"]);
        assert_eq!(of(""), Vec::<String>::new());
        assert_eq!(of(&format!("a {} b", "x".repeat(65))), ["a", "b"]);
    }
}
