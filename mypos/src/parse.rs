//! What the three parsers share: their limits and their error.

/// The most fields that one message may have, nested ones counted.
pub const MAX_FIELDS: usize = 512;

/// How deep fields may be nested; a form has depth 1.
pub const MAX_DEPTH: usize = 8;

/// Why bytes are not a message. Nothing of their content is in the text of the error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// The body is not UTF-8, before or after percent decoding.
    #[error("the message is not UTF-8")]
    NotUtf8,
    /// A `%` in a form is not followed by two hexadecimal digits.
    #[error("the form has a % that is not followed by two hexadecimal digits")]
    BadPercent,
    /// The body is not the XML that the gateway writes.
    #[error("the message is not acceptable XML: {0}")]
    Xml(&'static str),
    /// The body is not a JSON object.
    #[error("the message is not a JSON object (line {line}, column {column})")]
    Json {
        /// Line of the error inside the value that was read, from 1.
        line: usize,
        /// Column of the error, from 1.
        column: usize,
    },
    /// There are more than [`MAX_FIELDS`] fields.
    #[error("the message has more than {MAX_FIELDS} fields")]
    TooManyFields,
    /// Fields are nested deeper than [`MAX_DEPTH`].
    #[error("the message is nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// A field has no name. Its value would be signed, but nobody could say as what.
    #[error("the message has a field without a name")]
    EmptyName,
    /// There is more than one outermost `Signature`, so that it is open which one counts.
    #[error("the message has more than one Signature")]
    RepeatedSignature,
    /// The outermost `Signature` is not text.
    #[error("the Signature of the message is not text")]
    SignatureNotText,
}

/// Counts fields and depth while a message is read.
#[derive(Default)]
pub(crate) struct Budget {
    fields: usize,
}

impl Budget {
    /// Pays for one field at that depth (the outermost fields are at depth 1).
    pub(crate) fn field(&mut self, name: &str, depth: usize) -> Result<(), ParseError> {
        if name.is_empty() {
            return Err(ParseError::EmptyName);
        }
        if depth > MAX_DEPTH {
            return Err(ParseError::TooDeep);
        }
        self.fields += 1;
        if self.fields > MAX_FIELDS {
            return Err(ParseError::TooManyFields);
        }
        Ok(())
    }
}

/// The body as text.
pub(crate) fn utf8(body: &[u8]) -> Result<&str, ParseError> {
    std::str::from_utf8(body).map_err(|_| ParseError::NotUtf8)
}
