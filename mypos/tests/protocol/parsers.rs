//! What the parsers take, and what they refuse.

use mypos::{Fields, ParseError, Unverified};
use proptest::prelude::*;

use crate::fixtures::{fields, signed};

fn form(body: &str) -> Result<Fields, ParseError> {
    Unverified::from_form(body.as_bytes()).map(|message| message.claimed().clone())
}

fn xml(body: &str) -> Result<Fields, ParseError> {
    Unverified::from_xml(body.as_bytes()).map(|message| message.claimed().clone())
}

fn json(body: &str) -> Result<Fields, ParseError> {
    Unverified::from_json(body.as_bytes()).map(|message| message.claimed().clone())
}

#[test]
fn a_form_keeps_order_repetition_and_every_byte() {
    assert_eq!(
        form("b=1&a=2&b=3&empty=&bare&plus=a+b%2Bc&blanks=%20x%20%20&utf8=%C3%A4&eq=a=b"),
        Ok(fields(&[
            ("b", "1"),
            ("a", "2"),
            ("b", "3"),
            ("empty", ""),
            ("bare", ""),
            ("plus", "a b+c"),
            ("blanks", " x  "),
            ("utf8", "ä"),
            ("eq", "a=b"),
        ]))
    );
    assert_eq!(form(""), Ok(Fields::new()));
    assert_eq!(form("&a=1&&b=2&"), Ok(fields(&[("a", "1"), ("b", "2")])));
}

#[test]
fn a_form_is_read_strictly() {
    for bad in ["a=%", "a=%4", "a=%4g", "a=%+1", "%zz=1", "a=%%41"] {
        assert_eq!(form(bad), Err(ParseError::BadPercent), "{bad}");
    }
    for bad in ["a=%FF", "a=%C3", "%C3=1", "a=%ED%A0%80", "a=%C0%80"] {
        assert_eq!(form(bad), Err(ParseError::NotUtf8), "{bad}");
    }
    assert_eq!(Unverified::from_form(b"a=\xff"), Err(ParseError::NotUtf8));
    assert_eq!(form("=1"), Err(ParseError::EmptyName));
    assert_eq!(form("a=1&=2"), Err(ParseError::EmptyName));
}

#[test]
fn lookups_ignore_case_and_underscores() {
    let message = fields(&[("URL_CANCEL", "1"), ("walletnumber", "2"), ("urlcancel", "3")]);
    assert_eq!(message.text("URL_Cancel"), Some("1"));
    assert_eq!(message.text("urlCancel"), Some("1"));
    assert_eq!(message.text("WalletNumber"), Some("2"));
    assert_eq!(message.text("Wallet"), None);
    assert!(message.has_repeated_names());
    assert!(!fields(&[("a", "1"), ("b", "1")]).has_repeated_names());
}

#[test]
fn xml_keeps_the_text_of_leaves_and_forgets_the_layout() {
    let body = "\n<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<IPC_response is-array=\"true\">\n  \
        <IPCmethod>IPCRefund</IPCmethod>\n  <a>  two  blanks \r\n</a><empty/><also></also>\
        <ref>&lt;&amp;&#x41;&#66;&quot;&apos;&gt;</ref><cd><![CDATA[<x>&amp;]]></cd>\
        <log>\n <item><t>1</t></item>\n <item><t>2</t></item>\n</log></IPC_response>\n";
    let mut expected = fields(&[
        ("IPCmethod", "IPCRefund"),
        ("a", "  two  blanks \r\n"),
        ("empty", ""),
        ("also", ""),
        ("ref", "<&AB\"'>"),
        ("cd", "<x>&amp;"),
    ]);
    let mut log = Fields::new();
    log.push_nested("item", fields(&[("t", "1")]));
    log.push_nested("item", fields(&[("t", "2")]));
    expected.push_nested("log", log);
    assert_eq!(xml(body), Ok(expected));
    assert_eq!(xml("<ipc_response/>"), Ok(Fields::new()));
}

#[test]
fn xml_beyond_elements_and_text_is_refused() {
    for bad in [
        "",
        "text",
        "<html></html>",
        "<ipc_response>text</ipc_response>",
        "<ipc_response><a>1</ipc_response>",
        "<ipc_response><a>1</b></ipc_response>",
        "<ipc_response><a>1</a>",
        "<ipc_response><a>1<b/></a></ipc_response>",
        "<ipc_response></ipc_response><ipc_response/>",
        "<ipc_response/>text",
        "<ipc_response><!-- x --></ipc_response>",
        "<ipc_response><?php x ?></ipc_response>",
        "<ipc_response>&nbsp;</ipc_response>",
        "<ipc_response><a>&x;</a></ipc_response>",
        "<ipc_response><a>a & b</a></ipc_response>",
        "<ipc_response><a>&#xD800;</a></ipc_response>",
        "<ipc_response><a>&#0;</a></ipc_response>",
        "<!DOCTYPE ipc_response [<!ENTITY x \"y\">]><ipc_response><a>&x;</a></ipc_response>",
        "<!DOCTYPE ipc_response><ipc_response/>",
        "<?xml version=\"1.0\" encoding=\"windows-1251\"?><ipc_response/>",
    ] {
        assert!(matches!(xml(bad), Err(ParseError::Xml(_))), "{bad}: {:?}", xml(bad));
    }
    assert_eq!(Unverified::from_xml(b"<ipc_response><a>\xff</a></ipc_response>"), Err(ParseError::NotUtf8));
}

#[test]
fn json_keeps_order_repetition_and_the_text_of_numbers() {
    let body = r#" {"z": 0, "a": 1.50, "a": -0.0e+01, "n": null, "t": true, "s": "\u00e4\"\/",
        "o": {"Signature": "in", "b": ["x", 7, {"c": "d"}]}, "e": {}, "big": 123456789012345678901234567890} "#;
    let mut inner = Fields::new();
    inner.push("Signature", "in");
    let mut list = fields(&[("0", "x"), ("1", "7")]);
    list.push_nested("2", fields(&[("c", "d")]));
    inner.push_nested("b", list);
    let mut expected =
        fields(&[("z", "0"), ("a", "1.50"), ("a", "-0.0e+01"), ("n", ""), ("t", "true"), ("s", "ä\"/")]);
    expected.push_nested("o", inner);
    expected.push_nested("e", Fields::new());
    expected.push("big", "123456789012345678901234567890");
    assert_eq!(json(body), Ok(expected.clone()));
    assert_eq!(expected.signed_text(), "0-1.50--0.0e+01--true-ä\"/-in-x-7-d-123456789012345678901234567890");
}

#[test]
fn json_that_is_not_one_object_is_refused() {
    for bad in [
        "",
        "null",
        "1",
        "\"a\"",
        "[]",
        "{",
        "{}{}",
        "{} x",
        "{\"a\":}",
        "{\"a\":1,}",
        "{'a':1}",
        "{\"a\":01}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\n\"}",
        "{\"a\":[1,]}",
        "{\"a\":nul}",
    ] {
        assert!(matches!(json(bad), Err(ParseError::Json { .. })), "{bad}");
    }
    assert_eq!(json("{\"\":1}"), Err(ParseError::EmptyName));
}

#[test]
fn debug_hides_card_data_at_every_depth() {
    let mut message = fields(&[
        ("PAN", "4006090000000007"),
        ("cvc", "123secret"),
        ("Exp_Date", "3012secret"),
        ("CARDTOKEN", "tokensecret"),
        ("Amount", "1.00"),
    ]);
    message.push_nested("OrderStatus", fields(&[("pan", "0007secret")]));
    let shown = [
        format!("{message:?}"),
        format!("{message:#?}"),
        format!("{:?}", message.iter().collect::<Vec<_>>()),
        format!("{:?}", signed(message.clone())),
        format!("{:?}", Unverified::from_json(message.to_json().as_bytes())),
    ];
    for text in shown {
        assert!(!text.contains("secret") && !text.contains("4006"), "{text}");
        assert!(text.contains("1.00") && text.contains("[hidden]"), "{text}");
    }
}

proptest! {
    #[test]
    fn no_parser_panics_on_any_bytes(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Unverified::from_form(&body);
        let _ = Unverified::from_xml(&body);
        let _ = Unverified::from_json(&body);
    }
}
