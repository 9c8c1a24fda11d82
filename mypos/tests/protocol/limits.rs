//! The limits of the parsers.

use mypos::{MAX_DEPTH, MAX_FIELDS, ParseError, Unverified};

fn form_of(count: usize) -> String {
    (0..count).map(|index| format!("f{index}=x")).collect::<Vec<_>>().join("&")
}

fn json_of_depth(depth: usize) -> String {
    format!("{}\"x\"{}", "{\"a\":".repeat(depth), "}".repeat(depth))
}

fn xml_of_depth(depth: usize) -> String {
    format!("<ipc_response>{}x{}</ipc_response>", "<a>".repeat(depth), "</a>".repeat(depth))
}

#[test]
fn as_many_fields_as_allowed_are_read_and_one_more_is_refused() {
    assert!(Unverified::from_form(form_of(MAX_FIELDS).as_bytes()).is_ok());
    assert_eq!(Unverified::from_form(form_of(MAX_FIELDS + 1).as_bytes()), Err(ParseError::TooManyFields));
    let array = |count: usize| format!("{{\"a\":[{}]}}", vec!["1"; count].join(","));
    assert!(Unverified::from_json(array(MAX_FIELDS - 1).as_bytes()).is_ok());
    assert_eq!(Unverified::from_json(array(MAX_FIELDS).as_bytes()), Err(ParseError::TooManyFields));
    let xml = |count: usize| format!("<ipc_response>{}</ipc_response>", "<a/>".repeat(count));
    assert!(Unverified::from_xml(xml(MAX_FIELDS).as_bytes()).is_ok());
    assert_eq!(Unverified::from_xml(xml(MAX_FIELDS + 1).as_bytes()), Err(ParseError::TooManyFields));
    let pairs = |count| (0..count).map(|index: usize| (index.to_string(), String::new()));
    assert!(Unverified::from_pairs(pairs(MAX_FIELDS)).is_ok());
    assert_eq!(Unverified::from_pairs(pairs(MAX_FIELDS + 1)), Err(ParseError::TooManyFields));
}

#[test]
fn fields_as_deep_as_allowed_are_read_and_deeper_ones_are_refused() {
    assert!(Unverified::from_json(json_of_depth(MAX_DEPTH).as_bytes()).is_ok());
    assert!(Unverified::from_xml(xml_of_depth(MAX_DEPTH).as_bytes()).is_ok());
    for depth in [MAX_DEPTH + 1, 100_000] {
        assert_eq!(Unverified::from_json(json_of_depth(depth).as_bytes()), Err(ParseError::TooDeep));
        assert_eq!(Unverified::from_xml(xml_of_depth(depth).as_bytes()), Err(ParseError::TooDeep));
    }
    let arrays = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(Unverified::from_json(arrays.as_bytes()), Err(ParseError::TooDeep));
}
