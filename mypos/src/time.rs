//! The two time formats of certificates, and the calendar that they need.

use crate::der::tag;

const SECONDS_A_DAY: i64 = 86_400;

/// Unix seconds from a certificate time; `None` if it is not one. Only UTC (`Z`) with seconds is allowed
/// in certificates (RFC 5280, 4.1.2.5).
pub(crate) fn read(tag: u8, content: &[u8]) -> Option<i64> {
    let digits = std::str::from_utf8(content).ok()?.strip_suffix('Z')?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (year, rest) = match tag {
        tag::UTC_TIME => {
            let (year, rest) = number(digits, 2)?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        tag::GENERALIZED_TIME => number(digits, 4)?,
        _ => return None,
    };
    let (month, rest) = number(rest, 2)?;
    let (day, rest) = number(rest, 2)?;
    let (hour, rest) = number(rest, 2)?;
    let (minute, rest) = number(rest, 2)?;
    let (second, rest) = number(rest, 2)?;
    let is_time = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60
        && rest.is_empty();
    is_time.then(|| days(year, month, day) * SECONDS_A_DAY + hour * 3600 + minute * 60 + second)
}

fn number(digits: &str, length: usize) -> Option<(i64, &str)> {
    let (number, rest) = digits.split_at_checked(length)?;
    Some((number.parse().ok()?, rest))
}

/// A certificate time: its tag and its content, as RFC 5280 wants it. `None` outside the years 1950 to 9999.
pub(crate) fn write(unix_s: i64) -> Option<(u8, String)> {
    let (year, month, day) = date(unix_s.div_euclid(SECONDS_A_DAY));
    let second_of_day = unix_s.rem_euclid(SECONDS_A_DAY);
    let (hour, minute, second) = (second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60);
    let rest = format!("{month:02}{day:02}{hour:02}{minute:02}{second:02}Z");
    match year {
        1950..2050 => Some((tag::UTC_TIME, format!("{:02}{rest}", year % 100))),
        2050..10_000 => Some((tag::GENERALIZED_TIME, format!("{year:04}{rest}"))),
        _ => None,
    }
}

/// Days since 1970-01-01 in the Gregorian calendar. Years are counted from March, so that the leap day is
/// the last of its year.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}

/// The date (year, month, day) of a day since 1970-01-01.
fn date(day: i64) -> (i64, i64, i64) {
    let day = day.saturating_add(719_468);
    let era = day.div_euclid(146_097);
    let day_of_era = day.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day_of_month)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_times_are_read() {
        assert_eq!(read(tag::UTC_TIME, b"700101000000Z"), Some(0));
        assert_eq!(read(tag::UTC_TIME, b"281009123456Z"), Some(1_854_707_696));
        assert_eq!(read(tag::GENERALIZED_TIME, b"20500101000000Z"), Some(2_524_608_000));
        assert_eq!(read(tag::UTC_TIME, b"500101000000Z"), Some(-631_152_000));
    }

    #[test]
    fn what_is_not_a_time_is_none() {
        for bad in ["", "Z", "281009123456", "281309123456Z", "2810091234Z", "28100912345+Z"] {
            assert_eq!(read(tag::UTC_TIME, bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(read(tag::INTEGER, b"281009123456Z"), None);
    }

    #[test]
    fn days_are_written_and_read_back() {
        let last = 2_932_896;
        for day in (-7305..60_000).chain((60_000..last).step_by(89)).chain([last]) {
            let unix_s = day * SECONDS_A_DAY + 86_399;
            let (tag, text) = write(unix_s).unwrap();
            assert_eq!(read(tag, text.as_bytes()), Some(unix_s), "{text}");
        }
    }

    #[test]
    fn years_that_a_certificate_cannot_name_are_refused() {
        assert_eq!(write(i64::MAX), None);
        assert_eq!(write(i64::MIN), None);
    }
}
