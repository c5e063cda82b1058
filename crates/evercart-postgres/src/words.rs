//! What search takes for words. Products and searches are folded by the same function here, so that
//! the database only compares: it has no dictionary, no language and no idea of a text.

use std::collections::HashSet;

use evercart_core::search::searched_words;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::decompose_canonical;

/// Where a word is cut, in bytes. Longer than a whole search may be, so a cut is never noticed.
const WORD_BYTES_MAX: usize = 512;

/// The words of one product kept, in bytes: PostgreSQL points into them with 20 bits. Far more than
/// the texts a catalogue file may bring along.
const WORDS_BYTES_MAX: usize = 1_000_000;

/// The words of a product's texts, each once, with a space between: none has one in it. Where it is
/// too much, the texts that come first win.
pub(crate) fn of_texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut known = HashSet::new();
    let mut all = String::new();
    for word in texts.into_iter().flat_map(folded) {
        if known.contains(&word) {
            continue;
        }
        if all.len() + word.len() >= WORDS_BYTES_MAX {
            break;
        }
        if !all.is_empty() {
            all.push(' ');
        }
        all.push_str(&word);
        known.insert(word);
    }
    all
}

/// The query for "each of these words begins a word". Words are quoted, and letters and digits
/// only, so nothing a customer types is an operator. `None` if there is no word.
pub(crate) fn query(search: &str) -> Option<String> {
    let folded = fold(search);
    let words: Vec<_> =
        searched_words(&folded).into_iter().map(|word| format!("'{word}':*")).collect();
    (!words.is_empty()).then(|| words.join(" & "))
}

/// Lower case and without diacritics.
fn fold(text: &str) -> String {
    // Composed first, because what is one letter to people may have been typed as two characters.
    text.nfc().filter_map(without_diacritics).flat_map(lower).collect()
}

fn folded(text: &str) -> Vec<String> {
    let folded = fold(text);
    let words = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(|word| word[..word.floor_char_boundary(WORD_BYTES_MAX)].to_owned()).collect()
}

/// Only Latin letters lose their marks: й is another letter than и, and が another than か.
fn without_diacritics(letter: char) -> Option<char> {
    if matches!(letter, '\u{300}'..='\u{36f}') {
        return None;
    }
    let mut base = letter;
    let mut is_first = true;
    decompose_canonical(letter, |part| {
        if is_first && part.is_ascii_alphabetic() {
            base = part;
        }
        is_first = false;
    });
    Some(base)
}

fn lower(letter: char) -> impl Iterator<Item = char> {
    // A sigma is written in another way at the end of a word, which a beginning of a word cannot
    // know.
    let letter = if letter == 'ς' { 'σ' } else { letter };
    letter.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_folded() {
        for (text, expected) in [
            ("Fleece JACKET, 2-in-1", "fleece jacket 2 in 1"),
            ("Café cafe\u{301} cafés", "cafe cafes"),
            ("Việt İstanbul", "viet istanbul"),
            ("Тёплые Йод И\u{306}од", "тёплые йод"),
            ("ΟΔΟΣ οδός", "οδοσ οδόσ"),
            ("かばん がばん", "かばん がばん"),
            ("straße ﬁn", "straße ﬁn"),
            ("'; DROP & | ! :* \\ <-> \0", "drop"),
            ("🧣 \u{200d}", ""),
        ] {
            assert_eq!(of_texts([text]), expected, "{text}");
        }
    }

    #[test]
    fn a_search_is_words_that_begin_words() {
        assert_eq!(query("mug  Mug ENAMEL").as_deref(), Some("'mug':* & 'enamel':*"));
        assert_eq!(query("a'b\\c:*|!(d)").as_deref(), Some("'a':* & 'b':* & 'c':* & 'd':*"));
        for nothing in ["", " ", "'", "& | ! ( ) <-> :* \\", "\0", "🧣", "\u{301}"] {
            assert_eq!(query(nothing), None, "{nothing:?}");
        }
    }

    #[test]
    fn what_is_too_long_is_cut() {
        assert_eq!(of_texts([&*"ш".repeat(5_000)]).len(), WORD_BYTES_MAX);
        let many: Vec<_> = (0..400_000).map(|n| n.to_string()).collect();
        let words = of_texts([&*many.join(" "), "last"]);
        assert!(words.len() <= WORDS_BYTES_MAX && words.len() > WORDS_BYTES_MAX - 10);
    }

    #[test]
    fn no_character_escapes() {
        for character in char::MIN..=char::MAX {
            let once = of_texts([&*format!("mug{character}lamp")]);
            assert!(once.chars().all(|c| c == ' ' || c.is_alphanumeric()), "{character:?}: {once}");
            assert_eq!(of_texts([&*once]), once, "{character:?}");
        }
    }
}
