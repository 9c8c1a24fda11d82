//! The two ways in which the gateway writes a time. Both are UTC here; the zone of the real one is not
//! documented.

const DAY_S: i64 = 86_400;

/// A moment taken apart.
struct Civil {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
}

fn civil(ms: i64) -> Civil {
    let seconds = ms.div_euclid(1000);
    // Years are counted from March, so that the leap day is the last of its year.
    let day = seconds.div_euclid(DAY_S) + 719_468;
    let era = day.div_euclid(146_097);
    let day_of_era = day.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let month = (month_from_march + 2) % 12 + 1;
    let second_of_day = seconds.rem_euclid(DAY_S);
    Civil {
        year: year_of_era + era * 400 + i64::from(month <= 2),
        month,
        day: day_of_year - (153 * month_from_march + 2) / 5 + 1,
        hour: second_of_day / 3600,
        minute: second_of_day / 60 % 60,
        second: second_of_day % 60,
    }
}

/// `YYYY-MM-DD HH:mm:ss`, as in `RequestDateTime` (myPOS docs, data types).
pub(crate) fn date_time(ms: i64) -> String {
    let Civil { year, month, day, hour, minute, second } = civil(ms);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

/// `dd.mm.yyyy HH:MM:SS`, as in the transaction log (myPOS docs, `IPCGetTxnLog`).
pub(crate) fn log_time(ms: i64) -> String {
    let Civil { year, month, day, hour, minute, second } = civil(ms);
    format!("{day:02}.{month:02}.{year:04} {hour:02}:{minute:02}:{second:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments_are_written() {
        assert_eq!(date_time(0), "1970-01-01 00:00:00");
        assert_eq!(date_time(951_782_399_999), "2000-02-28 23:59:59");
        assert_eq!(date_time(951_782_400_000), "2000-02-29 00:00:00");
        assert_eq!(date_time(1_440_146_379_000), "2015-08-21 08:39:39");
        assert_eq!(log_time(1_440_146_379_000), "21.08.2015 08:39:39");
        assert_eq!(date_time(-1), "1969-12-31 23:59:59");
    }
}
