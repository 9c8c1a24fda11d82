//! PEM as it is found in the wild: CR LF, blanks around the lines, text before the block.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::KeyError;

/// One decoded block.
pub(crate) struct Block {
    /// What is between `BEGIN` and the dashes, such as `RSA PRIVATE KEY`.
    pub(crate) label: String,
    /// The decoded content.
    pub(crate) der: Vec<u8>,
}

/// The first block with one of these labels.
pub(crate) fn find(text: &str, labels: &[&str]) -> Result<Block, KeyError> {
    let mut rest = text;
    let mut other = None;
    while let Some((_, after)) = rest.split_once("-----BEGIN ") {
        let (label, after) = after.split_once("-----").ok_or(KeyError::BadPem)?;
        let (body, after) = after.split_once(&format!("-----END {label}-----")).ok_or(KeyError::BadPem)?;
        if labels.contains(&label) {
            let der = decode(body)?;
            return Ok(Block { label: label.to_owned(), der });
        }
        other = other.or(Some(label));
        rest = after;
    }
    match other {
        Some(label) if label.contains("ENCRYPTED") => Err(KeyError::Encrypted),
        Some(label) => Err(KeyError::OtherPem(label.to_owned())),
        None => Err(KeyError::BadPem),
    }
}

fn decode(body: &str) -> Result<Vec<u8>, KeyError> {
    if body.contains("ENCRYPTED") {
        // The header of an encrypted key in OpenSSL's old format.
        return Err(KeyError::Encrypted);
    }
    let base64: String = body.split_ascii_whitespace().collect();
    STANDARD.decode(base64).map_err(|_| KeyError::BadPem)
}

/// Writes one block with lines of 64 characters.
pub(crate) fn write(label: &str, der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at_checked(64).unwrap_or((rest, ""));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}
