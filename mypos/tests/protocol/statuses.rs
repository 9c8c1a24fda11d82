//! What each status code decides.

use mypos::{Outcome, StatusCode};

#[test]
fn exactly_these_codes_are_a_definite_no() {
    let definite: Vec<u32> = (0..200).filter(|code| StatusCode::from_code(*code).is_definite_no()).collect();
    assert_eq!(definite, [1, 2, 4, 5, 6, 9, 10, 13, 14, 15, 19, 21, 25]);
    for code in (0..200).map(StatusCode::from_code) {
        let expected = match code.code() {
            0 => Outcome::Yes,
            number if definite.contains(&number) => Outcome::No(code),
            _ => Outcome::Undecided,
        };
        assert_eq!(code.decide("some text"), expected, "{code}");
    }
}

#[test]
fn a_duplicate_order_id_decides_nothing() {
    let code = StatusCode::InvalidParameters;
    for message in ["E_INVALID_PARAMS: order_id: Duplicate value", "duplicate VALUE"] {
        assert_eq!(code.decide(message), Outcome::Undecided);
    }
    assert_eq!(code.decide("E_INVALID_PARAMS: Quantity"), Outcome::No(code));
    assert_eq!(code.decide(""), Outcome::No(code));
    let declined = StatusCode::Declined;
    assert_eq!(declined.decide("Duplicate value"), Outcome::No(declined));
}

#[test]
fn every_documented_code_has_its_name_and_a_meaning() {
    let codes: Vec<u32> = StatusCode::ALL.iter().map(|code| code.code()).collect();
    assert_eq!(codes, (0..=25).chain([99]).collect::<Vec<_>>());
    for code in StatusCode::ALL {
        assert_eq!(StatusCode::from_code(code.code()), *code);
        assert!(code.name() == "Success" || code.name().contains('_'), "{code}");
        assert!(code.meaning().ends_with('.'), "{code}");
    }
    assert_eq!(StatusCode::from_code(26), StatusCode::Unknown(26));
    assert_eq!(StatusCode::Unknown(26).code(), 26);
    assert_eq!(StatusCode::DuplicateTransmission.to_string(), "20 E_DUPLICATE_TRANSMISSION");
}
