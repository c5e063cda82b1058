//! Which characters names and texts may have. What cannot be seen, or turns the order of what can
//! be, makes one name look like another: to the person who packs a parcel, and in every list.
//!
//! Refused are overrides, embeddings and isolates of direction, line and paragraph separators, and
//! characters of no width. Three kinds of those stay, because people need them to write:
//! - the joiner and the non-joiner after a letter of a script that joins (Persian, Arabic, Hindi
//!   and its kin) or after an emoji: names are spelt with them, and 👩‍🌾 is made of them;
//! - marks of direction in texts with Hebrew or Arabic letters, which keyboards put around numbers;
//! - the tags of the flags 🏴󠁧󠁢󠁥󠁮󠁧󠁿, 🏴󠁧󠁢󠁳󠁣󠁴󠁿 and 🏴󠁧󠁢󠁷󠁬󠁳󠁿.

/// The flag that tags follow.
const BLACK_FLAG: char = '\u{1f3f4}';

/// The first character that a text must not have. Control characters are not its business.
pub fn refused(text: &str) -> Option<char> {
    let mut before = None;
    text.chars().find(|&character| {
        let is_fine = is_fine(character, before, text);
        before = Some(character);
        !is_fine
    })
}

/// The text without the characters that it must not have, a space for those that end a line.
pub fn cleared(text: &str) -> String {
    let mut clear = String::with_capacity(text.len());
    for character in text.chars() {
        if is_fine(character, clear.chars().next_back(), text) {
            clear.push(character);
        } else if matches!(character, '\u{2028}' | '\u{2029}') {
            clear.push(' ');
        }
    }
    clear
}

/// A character as it may be shown to whoever has to find it.
pub fn named(character: char) -> String {
    format!("U+{:04X}, which cannot be seen", u32::from(character))
}

fn is_fine(character: char, before: Option<char>, text: &str) -> bool {
    match character {
        '\u{200c}' | '\u{200d}' => before.is_some_and(joins),
        '\u{200e}' | '\u{200f}' | '\u{61c}' => text.chars().any(is_right_to_left),
        '\u{e0020}'..='\u{e007f}' => {
            before.is_some_and(|c| c == BLACK_FLAG || ('\u{e0020}'..='\u{e007f}').contains(&c))
        }
        // Separators of lines; embeddings and overrides; isolates; what is deprecated.
        '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{206f}' => false,
        // A soft hyphen, joiners of graphemes and words, spaces and operators of no width.
        '\u{ad}' | '\u{34f}' | '\u{180e}' | '\u{200b}' | '\u{2060}'..='\u{2065}' | '\u{feff}' => {
            false
        }
        // Letters that are blank; anchors of annotations; tags of languages.
        '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' => false,
        '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e001f}' => false,
        _ => true,
    }
}

/// A joiner after it changes what is seen: a letter that is not Latin, Greek or Cyrillic, Armenian
/// or a digit, or an emoji.
fn joins(before: char) -> bool {
    let is_joiner = matches!(before, '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{206f}');
    before >= '\u{590}' && !before.is_whitespace() && !is_joiner
}

fn is_right_to_left(character: char) -> bool {
    matches!(character, '\u{590}'..='\u{60b}' | '\u{620}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}'
        | '\u{fe70}'..='\u{fefc}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_taken() {
        for text in [
            "Jo O’Neil-Müller",
            "Айгүл Жаңы-Маанай",
            "می\u{200c}خواهم", // Persian: the non-joiner parts a prefix
            "क्\u{200d}ष",      // Hindi: half a letter
            "ന്\u{200d}",       // Malayalam: a letter that ends with the joiner
            "👩\u{200d}🌾 ❤\u{fe0f}\u{200d}🔥 👨🏽\u{200d}👩🏻\u{200d}👧",
            "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            "רחוב הרצל 5\u{200e}/3",
            "محمد \u{200f}12\u{200f}",
            "two\nlines\tand a tab",
        ] {
            assert_eq!(refused(text), None, "{text:?}");
            assert_eq!(cleared(text), text);
        }
    }

    #[test]
    fn what_only_deceives_is_refused_and_named() {
        for (text, character, clear) in [
            ("Anna\u{202e}gpj.exe", '\u{202e}', "Annagpj.exe"),
            ("\u{202a}Anna\u{202c}", '\u{202a}', "Anna"),
            ("\u{2066}Anna\u{2069}", '\u{2066}', "Anna"),
            ("An\u{200b}na", '\u{200b}', "Anna"),
            ("\u{feff}Anna", '\u{feff}', "Anna"),
            ("An\u{200d}na", '\u{200d}', "Anna"),
            ("Ан\u{200c}на", '\u{200c}', "Анна"),
            ("\u{200d}Anna", '\u{200d}', "Anna"),
            ("🧣\u{200d}\u{200d}", '\u{200d}', "🧣\u{200d}"),
            ("Anna\u{200e}", '\u{200e}', "Anna"),
            ("1 Main St\u{2028}Springfield", '\u{2028}', "1 Main St Springfield"),
            ("a\u{2029}b", '\u{2029}', "a b"),
            ("Pull\u{ad}over", '\u{ad}', "Pullover"),
            ("\u{3164}", '\u{3164}', ""),
            ("Anna\u{e0041}", '\u{e0041}', "Anna"),
        ] {
            assert_eq!(refused(text), Some(character), "{text:?}");
            assert_eq!(cleared(text), clear, "{text:?}");
            assert_eq!(refused(clear), None);
        }
        assert_eq!(named('\u{202e}'), "U+202E, which cannot be seen");
    }
}
