//! JSON with its order, its repeated keys and the text of its numbers kept: all three are signed.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::parse::{Budget, utf8};
use crate::{Fields, ParseError, Value};

/// Reads a JSON object.
///
/// A number keeps its text (`1.50` stays `1.50`), `null` is the empty text, `true` and `false` are those
/// words. An array becomes nested fields named by their index.
pub(crate) fn parse(body: &[u8]) -> Result<Fields, ParseError> {
    read_object(utf8(body)?, &mut Budget::default(), 1)
}

/// The members of an object in order, each value still as its text.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

fn read_object(json: &str, budget: &mut Budget, depth: usize) -> Result<Fields, ParseError> {
    let Members(members) = read(json)?;
    let mut fields = Fields::new();
    for (name, raw) in members {
        budget.field(&name, depth)?;
        fields.push_value(name, read_value(raw, budget, depth)?);
    }
    Ok(fields)
}

fn read_array(json: &str, budget: &mut Budget, depth: usize) -> Result<Fields, ParseError> {
    let elements: Vec<&RawValue> = read(json)?;
    let mut fields = Fields::new();
    for (index, raw) in elements.into_iter().enumerate() {
        let name = index.to_string();
        budget.field(&name, depth)?;
        fields.push_value(name, read_value(raw, budget, depth)?);
    }
    Ok(fields)
}

/// Reads a value of a field at `depth`.
fn read_value(raw: &RawValue, budget: &mut Budget, depth: usize) -> Result<Value, ParseError> {
    let json = raw.get();
    Ok(match json.as_bytes().first() {
        Some(b'{') => Value::Nested(read_object(json, budget, depth + 1)?),
        Some(b'[') => Value::Nested(read_array(json, budget, depth + 1)?),
        Some(b'"') => Value::Text(read(json)?),
        Some(b'n') => Value::Text(String::new()),
        _ => Value::Text(json.to_owned()),
    })
}

fn read<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, ParseError> {
    serde_json::from_str(json)
        .map_err(|error| ParseError::Json { line: error.line(), column: error.column() })
}

/// Writes a JSON object.
pub(crate) fn write(fields: &Fields) -> String {
    // Strings and string keys cannot fail to serialise, and writing to a String cannot either.
    serde_json::to_string(&Object(fields)).unwrap_or_default()
}

struct Object<'a>(&'a Fields);

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for field in self.0 {
            map.serialize_entry(&field.name, &Member(&field.value))?;
        }
        map.end()
    }
}

struct Member<'a>(&'a Value);

impl Serialize for Member<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Text(text) => serializer.serialize_str(text),
            Value::Nested(fields) if is_list(fields) => {
                let mut list = serializer.serialize_seq(Some(fields.len()))?;
                for field in fields {
                    list.serialize_element(&Member(&field.value))?;
                }
                list.end()
            }
            Value::Nested(fields) => Object(fields).serialize(serializer),
        }
    }
}

/// Whether the names are `0`, `1`, `2`, ...: what an array is read as.
fn is_list(fields: &Fields) -> bool {
    !fields.is_empty() && fields.iter().enumerate().all(|(index, field)| field.name == index.to_string())
}
