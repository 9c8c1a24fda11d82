//! `application/x-www-form-urlencoded`, in order and strictly.

use form_urlencoded::byte_serialize;

use crate::fields::{SIGNATURE, same_name};
use crate::parse::{Budget, utf8};
use crate::{Fields, ParseError, Value};

/// Reads a form. Empty pairs (`a=1&&b=2`) are skipped, as every form parser does.
pub(crate) fn parse(body: &[u8]) -> Result<Fields, ParseError> {
    let mut budget = Budget::default();
    let mut fields = Fields::new();
    for pair in utf8(body)?.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decode(name)?;
        let mut value = decode(value)?;
        budget.field(&name, 1)?;
        if same_name(&name, SIGNATURE) {
            // Base64 has no blank: this one was a `+` that the sender did not encode.
            value = value.replace(' ', "+");
        }
        fields.push(name, value);
    }
    Ok(fields)
}

/// Decodes one name or value: `+` is a blank, `%` takes two hexadecimal digits.
fn decode(encoded: &str) -> Result<String, ParseError> {
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut bytes = encoded.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let high = hex_digit(bytes.next())?;
                let low = hex_digit(bytes.next())?;
                high << 4 | low
            }
            other => other,
        });
    }
    String::from_utf8(decoded).map_err(|_| ParseError::NotUtf8)
}

fn hex_digit(byte: Option<u8>) -> Result<u8, ParseError> {
    match byte {
        Some(digit @ b'0'..=b'9') => Ok(digit - b'0'),
        Some(digit @ b'a'..=b'f') => Ok(digit - b'a' + 10),
        Some(digit @ b'A'..=b'F') => Ok(digit - b'A' + 10),
        _ => Err(ParseError::BadPercent),
    }
}

/// Writes a form.
pub(crate) fn write(fields: &Fields) -> String {
    flatten(fields)
        .iter()
        .map(|(name, text)| format!("{}={}", encode(name), encode(text)))
        .collect::<Vec<_>>()
        .join("&")
}

/// The leaves in order, nested ones named `outer[inner]`.
pub(crate) fn flatten(fields: &Fields) -> Vec<(String, String)> {
    fn leaves(name: String, value: &Value, pairs: &mut Vec<(String, String)>) {
        match value {
            Value::Text(text) => pairs.push((name, text.clone())),
            Value::Nested(fields) => {
                for field in fields {
                    leaves(format!("{name}[{}]", field.name), &field.value, pairs);
                }
            }
        }
    }
    let mut pairs = Vec::with_capacity(fields.len());
    for field in fields {
        leaves(field.name.clone(), &field.value, &mut pairs);
    }
    pairs
}

fn encode(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}
