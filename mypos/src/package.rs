//! The configuration package: everything that a store is told once, in one base64 text.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::fields::Value;
use crate::{KeyError, PrivateKey, PublicKey, json};

/// The keys of the package (myPOS PHP SDK, `loadConfigurationPackage`).
const KEYS: [&str; 7] = ["sid", "cn", "pk", "pc", "idx", "appid", "pid"];

/// The content of a myPOS configuration package: base64 of a JSON object.
///
/// myPOS shows it once in the merchant's account (Stores, Integration, New configuration). `Debug` leaves
/// the private key out.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigurationPackage {
    /// The store's id (`sid`), 1 to 15 digits.
    pub sid: String,
    /// The wallet, also called client number (`cn`).
    pub wallet: String,
    /// The store's private key as PEM (`pk`). Secret.
    pub private_key_pem: String,
    /// The gateway's certificate as PEM (`pc`).
    pub public_certificate_pem: String,
    /// Which of the store's key pairs this is (`idx`).
    pub key_index: u32,
    /// The application id of the partner programme (`appid`).
    pub application_id: Option<String>,
    /// The partner id of the partner programme (`pid`).
    pub partner_id: Option<String>,
}

/// Why a text is not a configuration package, and what to do about it. No value is in the text of the error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PackageError {
    /// The text is empty.
    #[error("the configuration package is empty: paste the whole text that myPOS showed")]
    Empty,
    /// The text is not base64.
    #[error(
        "the configuration package is not base64: paste the whole text that myPOS showed, from its first to its last character"
    )]
    NotBase64,
    /// The decoded text is not a JSON object.
    #[error(
        "the configuration package is base64, but not of a JSON object: part of it may be missing; copy it again, or make a new one in the myPOS account"
    )]
    NotJson,
    /// There is a key that no package has.
    #[error(
        "the configuration package has the unknown key {0:?}: it may be of another kind or newer than this software"
    )]
    UnknownKey(String),
    /// A key is there twice.
    #[error("the configuration package has the key {0:?} twice: make a new one in the myPOS account")]
    RepeatedKey(&'static str),
    /// A key is missing or empty.
    #[error("the configuration package has no {0:?}: make a new one in the myPOS account")]
    Missing(&'static str),
    /// A value is not what it must be.
    #[error(
        "the {key:?} of the configuration package is not {expected}: make a new one in the myPOS account"
    )]
    Malformed {
        /// The key.
        key: &'static str,
        /// What its value must be.
        expected: &'static str,
    },
}

impl ConfigurationPackage {
    /// Reads a package. Blanks and line breaks around and inside are ignored; unknown keys are refused.
    /// The two PEM texts are not looked at: see [`private_key`](Self::private_key) and
    /// [`public_key`](Self::public_key).
    ///
    /// # Errors
    /// [`PackageError`], whose text says what to do.
    pub fn decode(text: &str) -> Result<Self, PackageError> {
        let base64: String = text.split_whitespace().collect();
        if base64.is_empty() {
            return Err(PackageError::Empty);
        }
        let json = STANDARD.decode(base64).map_err(|_| PackageError::NotBase64)?;
        let entries = Entries::read(&json)?;

        let sid = entries.required("sid")?;
        if sid.len() > 15 || !is_digits(&sid) {
            return Err(malformed("sid", "1 to 15 digits"));
        }
        let wallet = entries.required("cn")?;
        if !is_digits(&wallet) {
            return Err(malformed("cn", "a number"));
        }
        let key_index = entries.required("idx")?;
        if !is_digits(&key_index) {
            return Err(malformed("idx", "a whole number"));
        }
        Ok(Self {
            sid,
            wallet,
            private_key_pem: entries.required("pk")?,
            public_certificate_pem: entries.required("pc")?,
            key_index: key_index.parse().map_err(|_| malformed("idx", "a whole number"))?,
            application_id: entries.optional("appid")?,
            partner_id: entries.optional("pid")?,
        })
    }

    /// Writes a package on one line.
    pub fn encode(&self) -> String {
        let mut object = serde_json::Map::new();
        let mut put = |key: &str, value: serde_json::Value| object.insert(key.to_owned(), value);
        put("sid", self.sid.as_str().into());
        put("cn", self.wallet.as_str().into());
        put("pk", self.private_key_pem.as_str().into());
        put("pc", self.public_certificate_pem.as_str().into());
        put("idx", self.key_index.into());
        if let Some(application_id) = &self.application_id {
            put("appid", application_id.as_str().into());
        }
        if let Some(partner_id) = &self.partner_id {
            put("pid", partner_id.as_str().into());
        }
        STANDARD.encode(serde_json::Value::Object(object).to_string())
    }

    /// The store's key, which signs requests.
    ///
    /// # Errors
    /// [`KeyError`] if the PEM is not a usable private key.
    pub fn private_key(&self) -> Result<PrivateKey, KeyError> {
        PrivateKey::from_pem(&self.private_key_pem)
    }

    /// The gateway's key, which verifies replies and callbacks.
    ///
    /// # Errors
    /// [`KeyError`] if the PEM is not a usable certificate or public key.
    pub fn public_key(&self) -> Result<PublicKey, KeyError> {
        PublicKey::from_pem(&self.public_certificate_pem)
    }
}

impl fmt::Debug for ConfigurationPackage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigurationPackage")
            .field("sid", &self.sid)
            .field("wallet", &self.wallet)
            .field("private_key_pem", &"[hidden]")
            .field("public_certificate_pem", &self.public_certificate_pem)
            .field("key_index", &self.key_index)
            .field("application_id", &self.application_id)
            .field("partner_id", &self.partner_id)
            .finish()
    }
}

/// The members of the JSON object, all known and none twice. A number is kept as its text.
struct Entries(Vec<(&'static str, Value)>);

impl Entries {
    fn read(json: &[u8]) -> Result<Self, PackageError> {
        let fields = json::parse(json).map_err(|_| PackageError::NotJson)?;
        let mut entries: Vec<(&'static str, Value)> = Vec::new();
        for field in &fields {
            let key = KEYS
                .into_iter()
                .find(|key| *key == field.name)
                .ok_or_else(|| PackageError::UnknownKey(field.name.clone()))?;
            if entries.iter().any(|(known, _)| *known == key) {
                return Err(PackageError::RepeatedKey(key));
            }
            entries.push((key, field.value.clone()));
        }
        Ok(Self(entries))
    }

    /// The text under a key; `None` if it is missing or empty.
    fn optional(&self, key: &'static str) -> Result<Option<String>, PackageError> {
        match self.0.iter().find(|(known, _)| *known == key) {
            None => Ok(None),
            Some((_, Value::Text(text))) if text.is_empty() => Ok(None),
            Some((_, Value::Text(text))) => Ok(Some(text.clone())),
            Some((_, Value::Nested(_))) => Err(malformed(key, "a text")),
        }
    }

    fn required(&self, key: &'static str) -> Result<String, PackageError> {
        self.optional(key)?.ok_or(PackageError::Missing(key))
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn malformed(key: &'static str, expected: &'static str) -> PackageError {
    PackageError::Malformed { key, expected }
}
