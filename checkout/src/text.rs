//! Cleaning of text before it is accepted, stored and signed.

use unicode_normalization::UnicodeNormalization as _;

/// Text in the one form in which it is stored, signed and compared: NFC, with line breaks, tabs and other
/// control characters turned into single blanks (a browser would send a line break as CR LF, and the
/// signature would no longer fit), trimmed, at most `max_chars` characters.
pub fn clean(text: &str, max_chars: usize) -> String {
    let mut cleaned = String::with_capacity(text.len().min(max_chars * 4));
    let mut chars = 0;
    let mut blank = true;
    for c in text.nfc() {
        let c = if c.is_control() { ' ' } else { c };
        if c == ' ' && blank {
            continue;
        }
        if chars == max_chars {
            break;
        }
        blank = c == ' ';
        cleaned.push(c);
        chars += 1;
    }
    cleaned.truncate(cleaned.trim_end().len());
    cleaned
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn line_breaks_become_blanks_and_accents_are_composed() {
        assert_eq!(clean("  Jose\u{301}\r\n\tGarcía  ", 60), "José García");
        assert_eq!(clean("abcdef", 3), "abc");
        assert_eq!(clean("ab c", 3), "ab");
    }

    proptest! {
        #[test]
        fn cleaning_is_idempotent_and_bounded(text: String, max in 0usize..40) {
            let once = clean(&text, max);
            prop_assert_eq!(clean(&once, max), once.clone());
            prop_assert!(once.chars().count() <= max);
            prop_assert!(!once.chars().any(char::is_control));
        }
    }
}
