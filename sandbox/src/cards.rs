//! The card numbers of the sandbox and what the "bank" says to them.

/// Approved (in use with the real test gateway).
pub(crate) const APPROVED: &str = "4006 0900 0000 0007";
/// Declined (from the test lists of the sister gateway).
pub(crate) const DECLINED: &str = "6703 2000 0000 0000 1";
/// Declined for want of money (from the same lists).
const NO_FUNDS: &str = "4877 0000 0000 0002";

/// The bank's answer to a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Approved,
    Declined { code: &'static str, reason: &'static str },
}

/// A bank's refusal without a reason.
pub(crate) const REFUSED: Verdict = Verdict::Declined { code: "05", reason: "Do not honor" };

/// The digits of a card number typed with blanks or dashes; `None` unless there are 12 to 19.
pub(crate) fn digits(typed: &str) -> Option<String> {
    let digits: String =
        typed.chars().filter(|character| !matches!(character, ' ' | '-' | '\u{a0}')).collect();
    let is_number = (12..=19).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(digits)
}

/// The last four digits: all of a card that is ever kept.
pub(crate) fn last4(digits: &str) -> String {
    digits.get(digits.len().saturating_sub(4)..).unwrap_or_default().to_owned()
}

/// What the bank says. Every number is approved but for those known to be declined, as in the real test
/// environment.
pub(crate) fn verdict(digits: &str) -> Verdict {
    let is = |card: &str| card.chars().filter(|character| *character != ' ').eq(digits.chars());
    if is(DECLINED) {
        REFUSED
    } else if is(NO_FUNDS) {
        Verdict::Declined { code: "51", reason: "Insufficient funds" }
    } else {
        Verdict::Approved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_of_numbers_are_known() {
        let says = |typed: &str| verdict(&digits(typed).unwrap());
        assert_eq!(says(APPROVED), Verdict::Approved);
        assert_eq!(says(DECLINED), REFUSED);
        assert_ne!(says(NO_FUNDS), Verdict::Approved);
        assert_eq!(says("5326-1000-0000-0004"), Verdict::Approved);
        assert_eq!(last4(&digits(APPROVED).unwrap()), "0007");
        for bad in ["", "1234", "4006 0900 0000 000x", "12345678901234567890"] {
            assert_eq!(digits(bad), None, "{bad}");
        }
    }
}
