//! RSA keys: parsed once, then shared.
//!
//! From 2048 bits up `aws-lc-rs` does everything. The published test keys of myPOS have 1024 bits, which it
//! rightly refuses to sign with: for keys below 2048 bits, and for these only, the `rsa` crate steps in.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256};
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::signature::{SignatureEncoding, Signer as _, Verifier as _};
use rsa::{BigUint, RsaPrivateKey, RsaPublicKey, pkcs1v15};
use sha2::Sha256;

use crate::der::{self, RsaNumbers};
use crate::{pem, time};

/// Keys below this size are refused.
const MIN_BITS: usize = 1024;
/// Keys below this size are for tests, and handled by the `rsa` crate.
const MIN_MODERN_BITS: usize = 2048;
/// Keys above this size are refused.
const MAX_BITS: usize = 8192;

/// Why a key or a certificate cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// There is no whole PEM block, or its content is not base64.
    #[error("this is not PEM: copy the key with its BEGIN and END lines")]
    BadPem,
    /// The PEM block holds something else; its label is given.
    #[error("the PEM holds {0:?}, which is not the kind of key wanted here")]
    OtherPem(String),
    /// The key is encrypted with a pass phrase.
    #[error("the key is encrypted: decrypt it first, for example with `openssl pkey`")]
    Encrypted,
    /// The content of the PEM block is not an RSA key or a certificate with one.
    #[error("the PEM block does not hold a valid RSA key")]
    NotRsa,
    /// The key has fewer than 1024 bits.
    #[error("the key has {0} bits; at least 1024 are needed, and 2048 for real payments")]
    TooSmall(usize),
    /// The key has more than 8192 bits.
    #[error("the key has {0} bits; at most 8192 are supported")]
    TooLarge(usize),
    /// Keys of this size are not generated here.
    #[error("keys are generated with 2048, 3072, 4096 or 8192 bits, not {0}")]
    UnsupportedSize(u32),
    /// The fields to sign have a `Signature` already.
    #[error("the fields are signed already")]
    AlreadySigned,
    /// The dates of a certificate are outside the years 1950 to 9999, or in the wrong order.
    #[error("the certificate cannot be valid in that time")]
    BadValidity,
    /// The cryptography library failed.
    #[error("signing failed")]
    Signing,
}

/// The numbers as a key that may be used: the size in bits, or why not.
fn check(numbers: &RsaNumbers) -> Result<usize, KeyError> {
    let bits = numbers.bits();
    if bits < MIN_BITS {
        return Err(KeyError::TooSmall(bits));
    }
    if bits > MAX_BITS {
        return Err(KeyError::TooLarge(bits));
    }
    // That both numbers are odd is checked by both libraries.
    if numbers.exponent.len() <= 4 && numbers.exponent != [1] { Ok(bits) } else { Err(KeyError::NotRsa) }
}

/// The public key of somebody who signs: of the gateway for a shop, of a shop for a gateway.
///
/// Cheap to clone, and equal to another if both are the same RSA key.
#[derive(Clone)]
pub struct PublicKey(Arc<PublicParts>);

struct PublicParts {
    numbers: RsaNumbers,
    bits: usize,
    verifier: Verifier,
    not_after: Option<i64>,
}

enum Verifier {
    Modern(ParsedPublicKey),
    Legacy(pkcs1v15::VerifyingKey<Sha256>),
}

impl PublicKey {
    /// Reads an X.509 certificate, a `PUBLIC KEY` (SPKI) or an `RSA PUBLIC KEY` (PKCS#1) from PEM. CR LF and
    /// blanks around are no obstacle.
    ///
    /// Of a certificate only the key and the expiry are read: the key is pinned, so its signature, its
    /// names and its dates prove nothing. Certificates with an empty serial number, as myPOS issued them
    /// for years, are read as well.
    ///
    /// # Errors
    /// [`KeyError`] if this is not such a PEM, or the key has fewer than 1024 or more than 8192 bits.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let block = pem::find(text, &["CERTIFICATE", "PUBLIC KEY", "RSA PUBLIC KEY"])?;
        let (numbers, not_after) = match block.label.as_str() {
            "CERTIFICATE" => {
                let certificate = der::read_certificate(&block.der).ok_or(KeyError::NotRsa)?;
                let (tag, content) = certificate.not_after;
                (Some(certificate.key), time::read(tag, content))
            }
            "PUBLIC KEY" => (der::read_spki(&block.der), None),
            _ => (RsaNumbers::from_pkcs1(&block.der), None),
        };
        Self::from_numbers(numbers.ok_or(KeyError::NotRsa)?, not_after)
    }

    fn from_numbers(numbers: RsaNumbers, not_after: Option<i64>) -> Result<Self, KeyError> {
        let bits = check(&numbers)?;
        let verifier = if bits < MIN_MODERN_BITS {
            let modulus = BigUint::from_bytes_be(&numbers.modulus);
            let exponent = BigUint::from_bytes_be(&numbers.exponent);
            let key = RsaPublicKey::new(modulus, exponent).map_err(|_| KeyError::NotRsa)?;
            Verifier::Legacy(pkcs1v15::VerifyingKey::new(key))
        } else {
            let key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, numbers.to_pkcs1())
                .map_err(|_| KeyError::NotRsa)?;
            Verifier::Modern(key)
        };
        Ok(Self(Arc::new(PublicParts { numbers, bits, verifier, not_after })))
    }

    /// The length of the modulus in bits. Below 2048 the key is good for tests only.
    pub fn bits(&self) -> usize {
        self.0.bits
    }

    /// When the certificate that this key came in expires, in Unix seconds; `None` if it came without
    /// one, or with a date that is none. An expired key still verifies: it is for people to renew it.
    pub fn not_after(&self) -> Option<i64> {
        self.0.not_after
    }

    /// The key as PEM, `PUBLIC KEY` (SPKI).
    pub fn to_spki_pem(&self) -> String {
        pem::write("PUBLIC KEY", &self.to_spki_der())
    }

    pub(crate) fn to_spki_der(&self) -> Vec<u8> {
        self.0.numbers.to_spki()
    }

    /// Whether this is the signature of `message` by this key (RSASSA-PKCS1-v1_5 with SHA-256).
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.0.verifier {
            Verifier::Modern(key) => key.verify_sig(message, signature).is_ok(),
            Verifier::Legacy(key) => pkcs1v15::Signature::try_from(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
        }
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.numbers == other.0.numbers
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicKey")
            .field("bits", &self.bits())
            .field("not_after", &self.not_after())
            .finish_non_exhaustive()
    }
}

/// A private key that signs messages. Cheap to clone; `Debug` shows its size only.
#[derive(Clone)]
pub struct PrivateKey(Arc<PrivateParts>);

struct PrivateParts {
    /// The `RSAPrivateKey` that the key was read from.
    pkcs1: Vec<u8>,
    public: PublicKey,
    signer: Signer,
}

enum Signer {
    Modern(KeyPair),
    Legacy(Box<pkcs1v15::SigningKey<Sha256>>),
}

impl PrivateKey {
    /// Reads an `RSA PRIVATE KEY` (PKCS#1) or a `PRIVATE KEY` (PKCS#8) from PEM. CR LF and blanks around are
    /// no obstacle.
    ///
    /// # Errors
    /// [`KeyError`] if this is not such a PEM, the key is encrypted or inconsistent, or it has fewer than
    /// 1024 or more than 8192 bits.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let block = pem::find(text, &["RSA PRIVATE KEY", "PRIVATE KEY"])?;
        if block.label == "PRIVATE KEY" {
            Self::from_pkcs1(der::read_pkcs8(&block.der).ok_or(KeyError::NotRsa)?)
        } else {
            Self::from_pkcs1(&block.der)
        }
    }

    fn from_pkcs1(der: &[u8]) -> Result<Self, KeyError> {
        let numbers = RsaNumbers::from_private_pkcs1(der).ok_or(KeyError::NotRsa)?;
        let public = PublicKey::from_numbers(numbers, None)?;
        let signer = if public.bits() < MIN_MODERN_BITS {
            let key = RsaPrivateKey::from_pkcs1_der(der).map_err(|_| KeyError::NotRsa)?;
            Signer::Legacy(Box::new(pkcs1v15::SigningKey::new(key)))
        } else {
            Signer::Modern(KeyPair::from_der(der).map_err(|_| KeyError::NotRsa)?)
        };
        Ok(Self(Arc::new(PrivateParts { pkcs1: der.to_vec(), public, signer })))
    }

    /// Generates a key of 2048, 3072, 4096 or 8192 bits.
    ///
    /// # Errors
    /// [`KeyError::UnsupportedSize`] for any other size.
    pub fn generate(bits: u32) -> Result<Self, KeyError> {
        let size = match bits {
            2048 => KeySize::Rsa2048,
            3072 => KeySize::Rsa3072,
            4096 => KeySize::Rsa4096,
            8192 => KeySize::Rsa8192,
            other => return Err(KeyError::UnsupportedSize(other)),
        };
        let pkcs8 = KeyPair::generate(size).and_then(|pair| pair.as_der()).map_err(|_| KeyError::Signing)?;
        Self::from_pkcs1(der::read_pkcs8(pkcs8.as_ref()).ok_or(KeyError::Signing)?)
    }

    /// The length of the modulus in bits. Below 2048 the key is good for tests only.
    pub fn bits(&self) -> usize {
        self.0.public.bits()
    }

    /// The key that verifies what this one signs.
    pub fn public_key(&self) -> PublicKey {
        self.0.public.clone()
    }

    /// The key as PEM, `PRIVATE KEY` (PKCS#8). This is the secret: it goes into a file or a configuration
    /// package, and nowhere else.
    pub fn to_pkcs8_pem(&self) -> String {
        pem::write("PRIVATE KEY", &der::write_pkcs8(&self.0.pkcs1))
    }

    /// Signs bytes (RSASSA-PKCS1-v1_5 with SHA-256).
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        match &self.0.signer {
            Signer::Modern(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
                    .map_err(|_| KeyError::Signing)?;
                Ok(signature)
            }
            Signer::Legacy(key) => {
                key.try_sign(message).map(|signature| signature.to_vec()).map_err(|_| KeyError::Signing)
            }
        }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey").field("bits", &self.bits()).finish_non_exhaustive()
    }
}
