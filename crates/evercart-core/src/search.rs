//! Which words of a search are looked for. Anybody may search, so what one search costs is bounded
//! here; how words are compared is the store's.

/// The most words that are looked for; those after them are passed over. Words only narrow a
/// search: eight have done so, and whoever pastes a whole title or sentence finds what it is of,
/// where a refusal would show an empty page to somebody who did nothing wrong.
pub const WORDS_MAX: usize = 8;

/// Where a word is cut, in characters: longer than what anybody types of one word. A search for its
/// beginning finds the word.
pub const LETTERS_MAX: usize = 32;

/// The words of a text that are worth looking for as beginnings of words, in their order: each
/// once, and none that another one begins with, as whatever has `pants` has `p`.
pub fn searched_words(text: &str) -> Vec<&str> {
    let words: Vec<(&str, String)> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(cut)
        .map(|word| (word, word.to_lowercase()))
        .collect();
    let is_implied = |place: usize, word: &str| {
        words.iter().enumerate().any(|(other_place, (_, other))| {
            other.starts_with(word) && (other.len() > word.len() || other_place < place)
        })
    };
    let mut kept = Vec::new();
    for (place, (word, lower)) in words.iter().enumerate() {
        if !is_implied(place, lower) {
            kept.push(*word);
        }
        if kept.len() == WORDS_MAX {
            break;
        }
    }
    kept
}

fn cut(word: &str) -> &str {
    let end = word.char_indices().nth(LETTERS_MAX).map_or(word.len(), |(at, _)| at);
    &word[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_a_few_different_words() {
        for (text, words) in [
            ("", vec![]),
            (" -- ' ", vec![]),
            ("enamel  Mug,", vec!["enamel", "Mug"]),
            ("p p P p", vec!["p"]),
            ("p pa pants Pan", vec!["pants"]),
            ("blue Blue blues", vec!["blues"]),
            ("a b c d e f g h i j", vec!["a", "b", "c", "d", "e", "f", "g", "h"]),
            ("a a a a a a a a a b", vec!["a", "b"]),
        ] {
            assert_eq!(searched_words(text), words, "{text}");
        }
    }

    #[test]
    fn a_long_word_is_its_beginning() {
        let long = "щ".repeat(40);
        assert_eq!(searched_words(&format!("{long} {long}x")), ["щ".repeat(32)]);
    }
}
