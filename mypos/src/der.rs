//! As much DER as RSA keys and the key inside a certificate need.
//!
//! Certificates are walked by hand: real myPOS certificates, the published test certificate among them,
//! have a serial number of zero length, which general X.509 parsers rightly refuse. Only the key and the
//! expiry are wanted of them; a pinned certificate proves nothing by its own signature.

/// Universal tags, constructed bit included.
pub(crate) mod tag {
    pub(crate) const INTEGER: u8 = 0x02;
    pub(crate) const BIT_STRING: u8 = 0x03;
    pub(crate) const OCTET_STRING: u8 = 0x04;
    pub(crate) const NULL: u8 = 0x05;
    pub(crate) const OID: u8 = 0x06;
    pub(crate) const UTF8_STRING: u8 = 0x0c;
    pub(crate) const UTC_TIME: u8 = 0x17;
    pub(crate) const GENERALIZED_TIME: u8 = 0x18;
    pub(crate) const SEQUENCE: u8 = 0x30;
    pub(crate) const SET: u8 = 0x31;
    /// The explicit version of a certificate.
    pub(crate) const VERSION: u8 = 0xa0;
}

/// rsaEncryption, 1.2.840.113549.1.1.1
pub(crate) const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
/// sha256WithRSAEncryption, 1.2.840.113549.1.1.11
pub(crate) const SHA256_WITH_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11];
/// id-at-commonName, 2.5.4.3
pub(crate) const COMMON_NAME: &[u8] = &[0x55, 4, 3];

/// Reads one element after the other. Every method is total: bad input is `None`.
#[derive(Clone, Copy)]
pub(crate) struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next element: its tag and its content.
    pub(crate) fn any(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, mut rest) = rest.split_first()?;
        let length = match first {
            0..=0x7f => usize::from(first),
            0x81..=0x84 => {
                let (bytes, after) = rest.split_at_checked(usize::from(first & 0x7f))?;
                rest = after;
                bytes.iter().fold(0_usize, |length, byte| length << 8 | usize::from(*byte))
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }

    /// The content of the next element, which must have that tag.
    pub(crate) fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (found, content) = self.any()?;
        (found == tag).then_some(content)
    }

    /// A reader inside the next element, which must be a sequence.
    pub(crate) fn sequence(&mut self) -> Option<Der<'a>> {
        self.expect(tag::SEQUENCE).map(Der)
    }

    /// The next element as a positive integer: its bytes without leading zeros.
    fn positive(&mut self) -> Option<Vec<u8>> {
        let content = self.expect(tag::INTEGER)?;
        if content.first().is_some_and(|first| *first >= 0x80) {
            return None; // negative
        }
        let zeros = content.iter().take_while(|byte| **byte == 0).count();
        let digits = content.split_at_checked(zeros)?.1;
        (!digits.is_empty()).then(|| digits.to_vec())
    }

    fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

/// The two numbers of an RSA public key, big-endian without leading zeros.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct RsaNumbers {
    pub(crate) modulus: Vec<u8>,
    pub(crate) exponent: Vec<u8>,
}

impl RsaNumbers {
    /// Reads an `RSAPublicKey` (PKCS#1).
    pub(crate) fn from_pkcs1(der: &[u8]) -> Option<Self> {
        let mut outer = Der::new(der);
        let mut key = outer.sequence()?;
        outer.end()?;
        let numbers = Self { modulus: key.positive()?, exponent: key.positive()? };
        key.end()?;
        Some(numbers)
    }

    /// Reads the content of a `SubjectPublicKeyInfo`.
    pub(crate) fn from_spki(mut info: Der<'_>) -> Option<Self> {
        rsa_algorithm(&mut info)?;
        let (unused_bits, key) = info.expect(tag::BIT_STRING)?.split_first()?;
        info.end()?;
        if *unused_bits != 0 {
            return None;
        }
        Self::from_pkcs1(key)
    }

    /// Reads the public numbers of an `RSAPrivateKey` (PKCS#1).
    pub(crate) fn from_private_pkcs1(der: &[u8]) -> Option<Self> {
        let mut key = Der::new(der).sequence()?;
        key.expect(tag::INTEGER)?; // version
        Some(Self { modulus: key.positive()?, exponent: key.positive()? })
    }

    /// The length of the modulus in bits.
    pub(crate) fn bits(&self) -> usize {
        let unused = self.modulus.first().map_or(0, |first| first.leading_zeros());
        self.modulus.len() * 8 - unused as usize
    }

    /// Writes an `RSAPublicKey` (PKCS#1).
    pub(crate) fn to_pkcs1(&self) -> Vec<u8> {
        sequence(&[&unsigned(&self.modulus), &unsigned(&self.exponent)])
    }

    /// Writes a `SubjectPublicKeyInfo`.
    pub(crate) fn to_spki(&self) -> Vec<u8> {
        sequence(&[&algorithm(RSA_ENCRYPTION), &bit_string(&self.to_pkcs1())])
    }
}

/// Reads an `AlgorithmIdentifier`, which must be rsaEncryption.
fn rsa_algorithm(reader: &mut Der<'_>) -> Option<()> {
    let oid = reader.sequence()?.expect(tag::OID)?;
    (oid == RSA_ENCRYPTION).then_some(())
}

/// Reads a `SubjectPublicKeyInfo`.
pub(crate) fn read_spki(der: &[u8]) -> Option<RsaNumbers> {
    let mut outer = Der::new(der);
    let numbers = RsaNumbers::from_spki(outer.sequence()?)?;
    outer.end()?;
    Some(numbers)
}

/// The `RSAPrivateKey` inside a `PrivateKeyInfo` (PKCS#8).
pub(crate) fn read_pkcs8(der: &[u8]) -> Option<&[u8]> {
    let mut info = Der::new(der).sequence()?;
    info.expect(tag::INTEGER)?; // version
    rsa_algorithm(&mut info)?;
    info.expect(tag::OCTET_STRING)
}

/// Writes a `PrivateKeyInfo` (PKCS#8) around an `RSAPrivateKey`.
pub(crate) fn write_pkcs8(pkcs1: &[u8]) -> Vec<u8> {
    sequence(&[&element(tag::INTEGER, &[0]), &algorithm(RSA_ENCRYPTION), &element(tag::OCTET_STRING, pkcs1)])
}

/// What is wanted of a certificate.
pub(crate) struct Certificate<'a> {
    pub(crate) key: RsaNumbers,
    /// The tag and the content of `notAfter`.
    pub(crate) not_after: (u8, &'a [u8]),
}

/// Walks an X.509 certificate. The serial number may be of any length, zero included.
pub(crate) fn read_certificate(der: &[u8]) -> Option<Certificate<'_>> {
    let mut body = Der::new(der).sequence()?.sequence()?;
    let mut after_version = body;
    if after_version.expect(tag::VERSION).is_some() {
        body = after_version;
    }
    body.expect(tag::INTEGER)?; // serial number
    body.sequence()?; // signature algorithm
    body.sequence()?; // issuer
    let mut validity = body.sequence()?;
    validity.any()?; // notBefore
    let not_after = validity.any()?;
    body.sequence()?; // subject
    let key = RsaNumbers::from_spki(body.sequence()?)?;
    Some(Certificate { key, not_after })
}

/// One element.
pub(crate) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let zeros = length.iter().take_while(|byte| **byte == 0).count();
    let significant = length.iter().skip(zeros);
    let mut bytes = vec![tag];
    if content.len() > 0x7f {
        // The long form: first how many bytes the length has. At most eight, so this fits.
        bytes.push(significant.clone().fold(0x80, |marker, _| marker + 1));
        bytes.extend(significant);
    } else {
        bytes.extend(length.last());
    }
    bytes.extend_from_slice(content);
    bytes
}

/// A sequence of elements.
pub(crate) fn sequence(elements: &[&[u8]]) -> Vec<u8> {
    element(tag::SEQUENCE, &elements.concat())
}

/// A non-negative integer from its big-endian bytes.
pub(crate) fn unsigned(digits: &[u8]) -> Vec<u8> {
    let needs_zero = digits.first().is_none_or(|first| *first >= 0x80);
    let sign: &[u8] = if needs_zero { &[0] } else { &[] };
    element(tag::INTEGER, &[sign, digits].concat())
}

/// A bit string of whole bytes.
pub(crate) fn bit_string(bytes: &[u8]) -> Vec<u8> {
    element(tag::BIT_STRING, &[&[0], bytes].concat())
}

/// An `AlgorithmIdentifier` with the NULL parameters that RSA asks for.
pub(crate) fn algorithm(oid: &[u8]) -> Vec<u8> {
    sequence(&[&element(tag::OID, oid), &element(tag::NULL, &[])])
}
