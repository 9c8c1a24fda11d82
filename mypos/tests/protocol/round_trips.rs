//! Whatever can be signed arrives: the same fields, and a signature that verifies.

use mypos::{Fields, Unverified, Value, XmlError};
use proptest::prelude::*;

use crate::fixtures::{KEY, fields, signed};

fn name() -> impl Strategy<Value = String> {
    "[A-Za-z][A-Za-z0-9_]{0,10}"
        .prop_filter("not the signature", |name| !name.replace('_', "").eq_ignore_ascii_case("signature"))
}

/// Any text, with the characters that make trouble more often than others.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[-+&=%<>'\"\\\\ \r\n\t;#\\[\\]{}äЖ漢😀]{0,12}", Just(String::new()),]
}

fn xml_text() -> impl Strategy<Value = String> {
    text().prop_map(|text| {
        text.chars()
            .filter(|c| !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}'))
            .collect()
    })
}

fn flat(text: impl Strategy<Value = String>) -> impl Strategy<Value = Fields> {
    prop::collection::vec((name(), text), 0..8).prop_map(Fields::from_iter)
}

/// Fields with nested ones. XML cannot tell an empty list from an empty text, so there is no empty one.
fn nested<S: Strategy<Value = String> + 'static>(text: fn() -> S) -> impl Strategy<Value = Fields> {
    let leaf = text().prop_map(Value::Text);
    let value = leaf.prop_recursive(3, 24, 4, |inner| {
        prop::collection::vec((name(), inner), 1..4).prop_map(|list| Value::Nested(collect(list)))
    });
    prop::collection::vec((name(), value), 0..6).prop_map(collect)
}

fn collect(list: Vec<(String, Value)>) -> Fields {
    let mut fields = Fields::new();
    for (name, value) in list {
        match value {
            Value::Text(text) => fields.push(name, text),
            Value::Nested(nested) => fields.push_nested(name, nested),
        }
    }
    fields
}

fn arrives(received: &Unverified, sent: &Fields) -> Result<(), TestCaseError> {
    let verified =
        received.verify(&KEY.public_key()).map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert_eq!(verified.fields(), sent);
    Ok(())
}

proptest! {
    #[test]
    fn by_form(sent in flat(text())) {
        let body = signed(sent.clone()).to_form();
        arrives(&Unverified::from_form(body.as_bytes()).unwrap(), &sent)?;
    }

    #[test]
    fn by_pairs(sent in flat(text())) {
        let pairs = signed(sent.clone()).into_pairs();
        arrives(&Unverified::from_pairs(pairs).unwrap(), &sent)?;
    }

    #[test]
    fn by_json(sent in nested(text)) {
        let body = signed(sent.clone()).to_json();
        arrives(&Unverified::from_json(body.as_bytes()).unwrap(), &sent)?;
    }

    #[test]
    fn by_xml(sent in nested(xml_text)) {
        let body = signed(sent.clone()).to_xml("ipc_response").unwrap();
        arrives(&Unverified::from_xml(body.as_bytes()).unwrap(), &sent)?;
    }

    #[test]
    fn nested_fields_in_a_form_keep_their_signed_text(sent in nested(text)) {
        let body = signed(sent.clone()).to_form();
        let received = Unverified::from_form(body.as_bytes()).unwrap();
        let verified = received.verify(&KEY.public_key());
        prop_assert!(verified.is_ok());
        prop_assert_eq!(verified.unwrap().fields().signed_text(), sent.signed_text());
    }
}

#[test]
fn lists_are_arrays_in_json_and_items_in_xml() {
    let mut message = fields(&[("a", "1")]);
    let mut list = Fields::new();
    list.push_nested("0", fields(&[("code", "05")]));
    list.push_nested("1", fields(&[("code", "51")]));
    message.push_nested("list", list);
    assert_eq!(message.to_json(), r#"{"a":"1","list":[{"code":"05"},{"code":"51"}]}"#);
    assert_eq!(
        message.to_xml("ipc_response").unwrap(),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ipc_response><a>1</a><list>\
         <item><code>05</code></item><item><code>51</code></item></list></ipc_response>"
    );
    let read = Unverified::from_json(message.to_json().as_bytes()).unwrap();
    assert_eq!(read.claimed(), &message);
}

#[test]
fn what_xml_cannot_carry_is_an_error() {
    for name in ["", "a b", "a>", "1a", "-a", "a:b"] {
        let error = fields(&[(name, "x")]).to_xml("ipc_response").unwrap_err();
        assert_eq!(error, XmlError::Name(name.to_owned()), "{name:?}");
    }
    assert_eq!(fields(&[("a", "\u{0}")]).to_xml("ipc_response"), Err(XmlError::Character("a".to_owned())));
    assert_eq!(Fields::new().to_xml("a b"), Err(XmlError::Name("a b".to_owned())));
}
