//! How messages are cut up for the index: by [`words`] itself, so that index and filter cannot differ.

use tantivy::tokenizer::{Token, TokenStream, Tokenizer};
use trunkline_logs::words;

/// Its name in an index.
pub(super) const WORDS: &str = "words";

/// Yields the words of a text, each in the place that it has among them.
#[derive(Clone, Debug)]
pub(super) struct Words;

/// The words of one text.
pub(super) struct WordStream<'a> {
    words: Box<dyn Iterator<Item = String> + 'a>,
    token: Token,
}

impl Tokenizer for Words {
    type TokenStream<'a> = WordStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> WordStream<'a> {
        WordStream { words: Box::new(words(text)), token: Token::default() }
    }
}

impl TokenStream for WordStream<'_> {
    fn advance(&mut self) -> bool {
        let Some(word) = self.words.next() else { return false };
        self.token.text = word;
        // Before the first it is the largest number.
        self.token.position = self.token.position.wrapping_add(1);
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}
