//! From received bytes to a message whose sender is proved, and back.
//!
//! The algorithm (myPOS docs, Authentication): the values joined by `-`, base64 of that text, and over the
//! base64 text RSASSA-PKCS1-v1_5 with SHA-256, itself in base64 as the last field, `Signature`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::fields::SIGNATURE;
use crate::{Fields, KeyError, ParseError, PrivateKey, PublicKey, Value, XmlError};
use crate::{form, json, xml};

/// The bytes that RSA signs for these fields: base64 of the joined values.
fn signed_bytes(fields: &Fields) -> String {
    STANDARD.encode(fields.signed_text())
}

/// A message as it was received: parsed, but from anybody.
///
/// It gives away its fields only under the name [`claimed`](Self::claimed). To act on a message, make a
/// [`Verified`] of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unverified {
    fields: Fields,
    signature: Option<String>,
}

impl Unverified {
    /// Reads an `application/x-www-form-urlencoded` body: a request or a callback.
    ///
    /// UTF-8 and percent encoding are strict, `+` is a blank. One leniency: blanks in `Signature` count as
    /// `+`, because clients exist that do not encode that sign.
    ///
    /// # Errors
    /// [`ParseError`] if the body is not such a form, passes a limit, or has two signatures.
    pub fn from_form(body: &[u8]) -> Result<Self, ParseError> {
        Self::new(form::parse(body)?)
    }

    /// Reads an XML reply with the root element `ipc_response` or `IPC_response`.
    ///
    /// # Errors
    /// [`ParseError`] if the body is not such a document, passes a limit, or has two signatures.
    pub fn from_xml(body: &[u8]) -> Result<Self, ParseError> {
        Self::new(xml::parse(body)?)
    }

    /// Reads a JSON reply: an object. Numbers keep their text, the order and repeated keys are kept,
    /// `null` is the empty text, array elements are named by their index.
    ///
    /// # Errors
    /// [`ParseError`] if the body is not an object, passes a limit, or has two signatures.
    pub fn from_json(body: &[u8]) -> Result<Self, ParseError> {
        Self::new(json::parse(body)?)
    }

    /// Takes pairs that something else decoded, such as the parts of a `multipart/form-data` body. They
    /// must be in the order of transmission.
    ///
    /// # Errors
    /// [`ParseError`] if the pairs pass a limit, or hold a field without a name or two signatures.
    pub fn from_pairs(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Self, ParseError> {
        let mut budget = crate::parse::Budget::default();
        let mut fields = Fields::new();
        for (name, text) in pairs {
            budget.field(&name, 1)?;
            fields.push(name, text);
        }
        Self::new(fields)
    }

    /// Sets the one outermost signature apart.
    fn new(mut fields: Fields) -> Result<Self, ParseError> {
        let mut signatures = fields.take_signatures().into_iter();
        let signature = match (signatures.next(), signatures.next()) {
            (None, _) => None,
            (Some(Value::Text(text)), None) => Some(text),
            (Some(Value::Nested(_)), None) => return Err(ParseError::SignatureNotText),
            (Some(_), Some(_)) => return Err(ParseError::RepeatedSignature),
        };
        Ok(Self { fields, signature })
    }

    /// What the message claims to say, `Signature` left out. Anybody may have written it: use it to log,
    /// or to choose the key to verify with, and for nothing else.
    pub fn claimed(&self) -> &Fields {
        &self.fields
    }

    /// The method that the message claims to be (`IPCmethod`). The same warning holds.
    pub fn claimed_method(&self) -> Option<&str> {
        self.fields.text("IPCmethod")
    }

    /// Whether there is a `Signature`, valid or not. The gateway sends some failures without one.
    pub fn has_signature(&self) -> bool {
        self.signature.is_some()
    }

    /// Verifies the message with the sender's key.
    ///
    /// # Errors
    /// [`SignatureError`] unless the message carries a valid signature by this key, in canonical base64.
    pub fn verify(&self, key: &PublicKey) -> Result<Verified, SignatureError> {
        self.verify_any([key])
    }

    /// Verifies the message with any of several keys, for the time in which one key replaces another.
    ///
    /// # Errors
    /// [`SignatureError`] unless one of the keys verifies the message. With no key at all nothing does.
    pub fn verify_any<'k>(
        &self,
        keys: impl IntoIterator<Item = &'k PublicKey>,
    ) -> Result<Verified, SignatureError> {
        let text = self.signature.as_deref().ok_or(SignatureError::Missing)?;
        let signature = STANDARD.decode(text).map_err(|_| SignatureError::NotBase64)?;
        let message = signed_bytes(&self.fields);
        if keys.into_iter().any(|key| key.verifies(message.as_bytes(), &signature)) {
            Ok(Verified { fields: self.fields.clone() })
        } else {
            Err(SignatureError::Invalid)
        }
    }
}

/// A message whose sender is proved: the owner of the key signed these values in this order.
///
/// It does not follow that the sender meant these *fields*; see [`Callback`](crate::Callback). Only
/// [`Unverified::verify`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    fields: Fields,
}

impl Verified {
    /// The fields in the order of transmission, `Signature` left out.
    pub fn fields(&self) -> &Fields {
        &self.fields
    }
}

/// Why a message was not verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is no `Signature` at all.
    #[error("the message is not signed")]
    Missing,
    /// The `Signature` is not canonical base64 (alphabet, padding, no other bits set).
    #[error("the signature is not base64")]
    NotBase64,
    /// No key verifies the signature: other values, another order, another key.
    #[error("the signature does not match the message")]
    Invalid,
}

/// Fields with their signature, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedFields {
    fields: Fields,
}

impl SignedFields {
    /// All fields in order, `Signature` last.
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// The message as `application/x-www-form-urlencoded`; see [`Fields::to_form`].
    pub fn to_form(&self) -> String {
        self.fields.to_form()
    }

    /// The message as an XML document; see [`Fields::to_xml`].
    ///
    /// # Errors
    /// [`XmlError`] if XML cannot carry a name or a value.
    pub fn to_xml(&self, root: &str) -> Result<String, XmlError> {
        self.fields.to_xml(root)
    }

    /// The message as a JSON object; see [`Fields::to_json`].
    pub fn to_json(&self) -> String {
        self.fields.to_json()
    }

    /// The names and values in order, `Signature` last: the inputs of an HTML form.
    pub fn into_pairs(self) -> Vec<(String, String)> {
        form::flatten(&self.fields)
    }
}

impl PrivateKey {
    /// Signs fields, in their order, and appends the `Signature`.
    ///
    /// It costs some hundreds of microseconds of computing (2048 bits), so an async caller hands it to a
    /// thread of its own.
    ///
    /// # Errors
    /// [`KeyError::AlreadySigned`] if there is a `Signature` already, [`KeyError::Signing`] if the
    /// cryptography library fails.
    pub fn sign_fields(&self, mut fields: Fields) -> Result<SignedFields, KeyError> {
        if fields.iter().any(crate::Field::is_signature) {
            return Err(KeyError::AlreadySigned);
        }
        let signature = self.sign(signed_bytes(&fields).as_bytes())?;
        fields.push(SIGNATURE, STANDARD.encode(signature));
        Ok(SignedFields { fields })
    }
}
