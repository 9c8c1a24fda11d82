//! The ordered list of named values that every message is.
//!
//! It is a list and never a map: the signature covers the values in the order of transmission
//! (myPOS docs, Authentication), and a name may come twice.

use std::fmt;

use crate::{XmlError, form, json, xml};

/// The field that carries the signature, as we write it.
pub(crate) const SIGNATURE: &str = "Signature";

/// Fields whose values are card data or stand for it, and never reach a log.
const CARD_FIELDS: [&str; 4] = ["PAN", "CVC", "ExpDate", "CardToken"];

/// Whether two field names mean the same field: ASCII letter case and `_` do not count.
///
/// The official clients write `URL_Cancel` and `URL_CANCEL`, `WalletNumber` and `walletnumber`, and the
/// embedded one `urlOk`; the gateway takes them all.
pub(crate) fn same_name(a: &str, b: &str) -> bool {
    significant(a).eq(significant(b))
}

/// What of a name counts in a comparison.
fn significant(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().filter(|byte| *byte != b'_').map(|byte| byte.to_ascii_lowercase())
}

/// The value of a field: text, or fields of its own (in XML and JSON only).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Text, exactly as transmitted. An empty element, an empty string and `null` are the empty text.
    Text(String),
    /// Nested fields: an XML element with children, a JSON object, or a JSON array, whose elements are
    /// named by their index, `0` first.
    Nested(Fields),
}

/// One named value.
///
/// `Debug` hides the values of card fields (`PAN`, `CVC`, `ExpDate`, `CardToken`).
#[derive(Clone, PartialEq, Eq)]
pub struct Field {
    /// The name as transmitted. Names are not part of what is signed.
    pub name: String,
    /// The value.
    pub value: Value,
}

impl Field {
    /// Whether this is the field that carries the signature.
    pub(crate) fn is_signature(&self) -> bool {
        same_name(&self.name, SIGNATURE)
    }

    /// The value where it is text.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            Value::Nested(_) => None,
        }
    }

    fn is_card_data(&self) -> bool {
        CARD_FIELDS.iter().any(|name| same_name(name, &self.name))
    }
}

/// An ordered list of fields: a whole message, or the nested part of one.
///
/// Lookups by name ignore ASCII letter case and `_`, as the gateway does.
/// `Debug` hides the values of card fields at every depth.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Fields {
    list: Vec<Field>,
}

impl Fields {
    /// An empty list.
    pub const fn new() -> Self {
        Self { list: Vec::new() }
    }

    /// Appends a text field.
    pub fn push(&mut self, name: impl Into<String>, text: impl Into<String>) {
        self.push_value(name, Value::Text(text.into()));
    }

    /// Appends a field with fields of its own.
    pub fn push_nested(&mut self, name: impl Into<String>, fields: Fields) {
        self.push_value(name, Value::Nested(fields));
    }

    pub(crate) fn push_value(&mut self, name: impl Into<String>, value: Value) {
        let name = name.into();
        self.list.push(Field { name, value });
    }

    /// The fields in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Field> {
        self.list.iter()
    }

    /// How many fields there are on this level.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The first field of that name.
    fn first(&self, name: &str) -> Option<&Field> {
        self.list.iter().find(|field| same_name(&field.name, name))
    }

    /// The text of the first field of that name; `None` if there is no such field or it is nested.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.first(name)?.text()
    }

    /// The fields inside the first field of that name; `None` if there is no such field or it is text.
    pub fn nested(&self, name: &str) -> Option<&Fields> {
        match &self.first(name)?.value {
            Value::Nested(fields) => Some(fields),
            Value::Text(_) => None,
        }
    }

    /// Whether two fields of this level have the same name. Levels below are not looked at: lists
    /// rightly repeat there.
    pub fn has_repeated_names(&self) -> bool {
        let mut names: Vec<Vec<u8>> =
            self.list.iter().map(|field| significant(&field.name).collect()).collect();
        names.sort_unstable();
        names.windows(2).any(|pair| matches!(pair, [a, b] if a == b))
    }

    /// The text that a signature covers: all values joined by one `-`, depth first in order, without
    /// names. The outermost `Signature` is left out; those inside nested fields are included.
    pub fn signed_text(&self) -> String {
        let mut values = Vec::new();
        for field in self.list.iter().filter(|field| !field.is_signature()) {
            collect_values(&field.value, &mut values);
        }
        values.join("-")
    }

    /// The fields as `application/x-www-form-urlencoded`, in order.
    ///
    /// A form is flat: a nested field is written as its leaves, named `outer[inner]`, which leaves the
    /// signed text as it is.
    pub fn to_form(&self) -> String {
        form::write(self)
    }

    /// The fields as an XML document with the given root element, in order.
    ///
    /// Elements of a list (names that are only digits) are written as `item`.
    ///
    /// # Errors
    /// [`XmlError`] if a name cannot name an element, or a value holds a character that XML cannot carry.
    pub fn to_xml(&self, root: &str) -> Result<String, XmlError> {
        xml::write(self, root)
    }

    /// The fields as a JSON object, in order, with all values as strings.
    ///
    /// Nested fields named `0`, `1`, `2`, ... without a gap are written as an array.
    pub fn to_json(&self) -> String {
        json::write(self)
    }

    /// Takes all `Signature` fields of this level out and returns their values.
    pub(crate) fn take_signatures(&mut self) -> Vec<Value> {
        let (signatures, rest) = std::mem::take(&mut self.list).into_iter().partition(Field::is_signature);
        self.list = rest;
        signatures.into_iter().map(|field: Field| field.value).collect()
    }
}

/// Appends the texts of a value, depth first.
fn collect_values<'a>(value: &'a Value, values: &mut Vec<&'a str>) {
    match value {
        Value::Text(text) => values.push(text),
        Value::Nested(fields) => {
            for field in fields {
                collect_values(&field.value, values);
            }
        }
    }
}

impl<'a> IntoIterator for &'a Fields {
    type Item = &'a Field;
    type IntoIter = std::slice::Iter<'a, Field>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<N: Into<String>, T: Into<String>> FromIterator<(N, T)> for Fields {
    fn from_iter<I: IntoIterator<Item = (N, T)>>(pairs: I) -> Self {
        let mut fields = Self::new();
        for (name, text) in pairs {
            fields.push(name, text);
        }
        fields
    }
}

/// What `Debug` shows in the place of card data.
struct Hidden;

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

impl Field {
    /// The value as `Debug` may show it.
    fn shown(&self) -> &dyn fmt::Debug {
        match &self.value {
            _ if self.is_card_data() => &Hidden,
            Value::Text(text) => text,
            Value::Nested(fields) => fields,
        }
    }
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entry(&self.name, self.shown()).finish()
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.list.iter().map(|field| (&field.name, field.shown()))).finish()
    }
}
