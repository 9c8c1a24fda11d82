//! The XML of replies: elements and text, and nothing else that XML could do.

use quick_xml::Reader;
use quick_xml::events::{BytesDecl, BytesRef, Event};

use crate::fields::same_name;
use crate::parse::{Budget, utf8};
use crate::{Fields, ParseError, Value};

/// The root element of a reply; the gateway also writes `IPC_response`.
const ROOT: &str = "ipc_response";

/// Reads a reply. Attributes are ignored; a DTD, a comment, a processing instruction, and an entity other
/// than the five predefined ones are refused. The text of a leaf is kept to the last blank and line break,
/// for that is what was signed.
pub(crate) fn parse(body: &[u8]) -> Result<Fields, ParseError> {
    let mut reader = Reader::from_str(utf8(body)?.trim_ascii());
    reader.config_mut().expand_empty_elements = true;

    read_root(&mut reader)?;
    let content = read_content(&mut reader, &mut Budget::default(), 1)?;
    match next(&mut reader)? {
        Event::Eof => {}
        _ => return Err(ParseError::Xml("something follows the root element")),
    }

    match content {
        Value::Nested(fields) => Ok(fields),
        Value::Text(text) if is_layout(&text) => Ok(Fields::new()),
        Value::Text(_) => Err(ParseError::Xml("the root element holds text")),
    }
}

/// Reads as far as the start tag of the root.
fn read_root(reader: &mut Reader<&[u8]>) -> Result<(), ParseError> {
    loop {
        match next(reader)? {
            Event::Decl(declaration) => check_encoding(&declaration)?,
            Event::Text(text) if is_layout(&text) => {}
            Event::Start(tag) if same_name(tag.name().as_ref(), ROOT) => return Ok(()),
            Event::Start(_) => return Err(ParseError::Xml("the root element is not ipc_response")),
            _ => return Err(ParseError::Xml("the document does not begin with its root element")),
        }
    }
}

/// Reads what is inside an element, and its end tag. Its fields, if it has any, are at `depth`.
fn read_content(reader: &mut Reader<&[u8]>, budget: &mut Budget, depth: usize) -> Result<Value, ParseError> {
    let mut text = String::new();
    let mut children = Fields::new();
    loop {
        match next(reader)? {
            Event::Start(tag) => {
                let name = tag.name().as_ref().to_owned();
                budget.field(&name, depth)?;
                let value = read_content(reader, budget, depth + 1)?;
                children.push_value(name, value);
            }
            Event::End(_) => break,
            Event::Text(part) => text.push_str(&part.into_inner()),
            Event::CData(part) => text.push_str(&part.into_inner()),
            Event::GeneralRef(reference) => text.push(resolve(&reference)?),
            Event::Eof => return Err(ParseError::Xml("an element is not closed")),
            _ => return Err(ParseError::Xml("only elements and text are allowed")),
        }
    }
    if children.is_empty() {
        Ok(Value::Text(text))
    } else if is_layout(&text) {
        Ok(Value::Nested(children))
    } else {
        Err(ParseError::Xml("an element holds both text and elements"))
    }
}

fn next<'a>(reader: &mut Reader<&'a [u8]>) -> Result<Event<'a>, ParseError> {
    reader.read_event().map_err(|_| ParseError::Xml("it is not well-formed"))
}

/// Whether text between elements is only there for the eye.
fn is_layout(text: &str) -> bool {
    text.trim_ascii().is_empty()
}

fn check_encoding(declaration: &BytesDecl<'_>) -> Result<(), ParseError> {
    match declaration.encoding() {
        None => Ok(()),
        Some(Ok(name)) if name.eq_ignore_ascii_case("utf-8") => Ok(()),
        Some(_) => Err(ParseError::Xml("its encoding is not UTF-8")),
    }
}

fn resolve(reference: &BytesRef<'_>) -> Result<char, ParseError> {
    match reference.resolve_char_ref() {
        Ok(Some(character)) => Ok(character),
        Ok(None) => match reference.as_ref() {
            "amp" => Ok('&'),
            "lt" => Ok('<'),
            "gt" => Ok('>'),
            "quot" => Ok('"'),
            "apos" => Ok('\''),
            _ => Err(ParseError::Xml("it uses an entity that is not predefined")),
        },
        Err(_) => Err(ParseError::Xml("it has a bad character reference")),
    }
}

/// Why fields cannot be written as XML.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// The name of a field cannot be the name of an element.
    #[error("{0:?} cannot be the name of an XML element")]
    Name(String),
    /// The value of the named field holds a character that XML 1.0 has no way to write.
    #[error("the value of {0} holds a character that XML cannot carry")]
    Character(String),
}

/// Writes a document with that root element.
pub(crate) fn write(fields: &Fields, root: &str) -> Result<String, XmlError> {
    let mut document = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    open(root, &mut document)?;
    write_fields(fields, &mut document)?;
    close(root, &mut document);
    Ok(document)
}

fn write_fields(fields: &Fields, document: &mut String) -> Result<(), XmlError> {
    for field in fields {
        let is_list_element = !field.name.is_empty() && field.name.bytes().all(|byte| byte.is_ascii_digit());
        let name = if is_list_element { "item" } else { &field.name };
        open(name, document)?;
        match &field.value {
            Value::Text(text) => escape(name, text, document)?,
            Value::Nested(nested) => write_fields(nested, document)?,
        }
        close(name, document);
    }
    Ok(())
}

fn open(name: &str, document: &mut String) -> Result<(), XmlError> {
    let mut bytes = name.bytes();
    let is_name = bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
    if !is_name {
        return Err(XmlError::Name(name.to_owned()));
    }
    document.push('<');
    document.push_str(name);
    document.push('>');
    Ok(())
}

fn close(name: &str, document: &mut String) {
    document.push_str("</");
    document.push_str(name);
    document.push('>');
}

fn escape(name: &str, text: &str, document: &mut String) -> Result<(), XmlError> {
    for character in text.chars() {
        match character {
            '&' => document.push_str("&amp;"),
            '<' => document.push_str("&lt;"),
            '>' => document.push_str("&gt;"),
            // A parser turns a bare CR into a line feed, which would break the signature.
            '\r' => document.push_str("&#13;"),
            '\t' | '\n' => document.push(character),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {
                return Err(XmlError::Character(name.to_owned()));
            }
            other => document.push(other),
        }
    }
    Ok(())
}
