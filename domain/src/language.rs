//! The languages that Tillgate speaks.

use serde::{Deserialize, Serialize};

/// A language that every text of Tillgate exists in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English, also used where nothing else is asked for.
    #[default]
    En,
    /// German.
    De,
}

impl Language {
    /// All languages, in the order in which they are offered.
    pub const ALL: [Self; 2] = [Self::En, Self::De];

    /// The BCP 47 tag: `en`, `de`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
        }
    }

    /// The language's name in itself, as a chooser shows it.
    pub const fn own_name(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::De => "Deutsch",
        }
    }

    /// The language of a BCP 47 tag, by its first subtag and in any letter case: `de-AT` is German.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next()?;
        Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }

    /// The best of our languages for an `Accept-Language` header; English where none fits.
    ///
    /// A tag with `q=0` is refused, as RFC 9110 section 12.4.2 says; an unreadable weight counts as 1.
    pub fn from_accept_language(header: &str) -> Self {
        let mut best: Option<(u32, Self)> = None;
        for part in header.split(',').take(32) {
            let mut pieces = part.split(';');
            let Some(language) = pieces.next().and_then(Self::from_tag) else {
                continue;
            };
            let weight =
                pieces.find_map(|piece| piece.trim().strip_prefix("q=")).map_or(1000, weight_in_thousandths);
            if weight > 0 && best.is_none_or(|(highest, _)| weight > highest) {
                best = Some((weight, language));
            }
        }
        best.map_or_else(Self::default, |(_, language)| language)
    }
}

/// `0.8` as 800; weights have at most three decimals.
fn weight_in_thousandths(text: &str) -> u32 {
    let (whole, decimals) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let padded = format!("{decimals:0<3.3}");
    match (whole.parse::<u32>(), padded.parse::<u32>()) {
        (Ok(whole), Ok(thousandths)) if whole <= 1 => whole * 1000 + thousandths,
        _ => 1000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_weight_wins_and_zero_refuses() {
        for (header, expected) in [
            ("de-AT,de;q=0.9,en;q=0.8", Language::De),
            ("en;q=0.4, de;q=0.7", Language::De),
            ("fr, de;q=0.1", Language::De),
            ("de;q=0, en;q=0.1", Language::En),
            ("fr", Language::En),
            ("", Language::En),
            (";;;,,q=", Language::En),
        ] {
            assert_eq!(Language::from_accept_language(header), expected, "{header}");
        }
    }
}
