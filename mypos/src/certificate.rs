//! A certificate around a public key, for clients that take nothing less.
//!
//! The configuration package of myPOS carries the gateway's key as a certificate, so a stand-in for the
//! gateway has to make one as well.

use sha2::{Digest, Sha256};

use crate::der::{self, COMMON_NAME, SHA256_WITH_RSA, tag};
use crate::{KeyError, PrivateKey, pem, time};

/// Makes a self-signed X.509 certificate (version 1, sha256WithRSAEncryption) for this key, as PEM.
///
/// `common_name` becomes subject and issuer; the times are Unix seconds. The serial number is derived from
/// the key, so the same arguments give the same certificate.
///
/// # Errors
/// [`KeyError::BadValidity`] if the times are not in order or outside the years 1950 to 9999,
/// [`KeyError::Signing`] if the cryptography library fails.
pub fn self_signed(
    key: &PrivateKey,
    common_name: &str,
    not_before: i64,
    not_after: i64,
) -> Result<String, KeyError> {
    if not_before > not_after {
        return Err(KeyError::BadValidity);
    }
    let spki = key.public_key().to_spki_der();
    let name = name(common_name);
    let body = der::sequence(&[
        &serial(&spki),
        &der::algorithm(SHA256_WITH_RSA),
        &name,
        &der::sequence(&[&time(not_before)?, &time(not_after)?]),
        &name,
        &spki,
    ]);
    let certificate =
        der::sequence(&[&body, &der::algorithm(SHA256_WITH_RSA), &der::bit_string(&key.sign(&body)?)]);
    Ok(pem::write("CERTIFICATE", &certificate))
}

/// A positive serial number of 16 bytes. It begins with a bit that is set, so that it is never zero and
/// never changes its length.
fn serial(spki: &[u8]) -> Vec<u8> {
    let hash = Sha256::digest(spki);
    let digits: Vec<u8> = std::iter::once(0x40).chain(hash.iter().copied().take(15)).collect();
    der::unsigned(&digits)
}

/// A distinguished name that is only a common name.
fn name(common_name: &str) -> Vec<u8> {
    let attribute = der::sequence(&[
        &der::element(tag::OID, COMMON_NAME),
        &der::element(tag::UTF8_STRING, common_name.as_bytes()),
    ]);
    der::sequence(&[&der::element(tag::SET, &attribute)])
}

fn time(unix_s: i64) -> Result<Vec<u8>, KeyError> {
    let (tag, text) = time::write(unix_s).ok_or(KeyError::BadValidity)?;
    Ok(der::element(tag, text.as_bytes()))
}
