//! Keys: sizes, secrets, and input that is none.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mypos::{KeyError, PrivateKey, PublicKey, certificate};
use proptest::prelude::*;

use crate::fixtures::{KEY, OTHER_KEY};

#[test]
fn keys_can_be_shared_between_threads() {
    fn is_shareable<T: Send + Sync + Clone + 'static>() {}
    is_shareable::<PrivateKey>();
    is_shareable::<PublicKey>();
}

#[test]
fn only_strong_keys_are_generated() {
    assert_eq!(KEY.bits(), 2048);
    assert_eq!(KEY.public_key().bits(), 2048);
    for bits in [0, 512, 1024, 2047, 2049, 16_384] {
        assert_eq!(PrivateKey::generate(bits).err(), Some(KeyError::UnsupportedSize(bits)));
    }
    assert_eq!(PrivateKey::generate(3072).unwrap().bits(), 3072);
}

#[test]
fn a_key_is_equal_to_itself_only() {
    let pem = KEY.public_key().to_spki_pem();
    assert_eq!(PublicKey::from_pem(&pem).unwrap(), KEY.public_key());
    assert_ne!(KEY.public_key(), OTHER_KEY.public_key());
}

#[test]
fn debug_of_a_private_key_shows_its_size_only() {
    assert_eq!(format!("{:?}", *KEY), "PrivateKey { bits: 2048, .. }");
    assert_eq!(format!("{:?}", KEY.public_key()), "PublicKey { bits: 2048, not_after: None, .. }");
}

#[test]
fn a_damaged_pem_is_refused() {
    let pem = KEY.public_key().to_spki_pem();
    let base64 = pem.lines().nth(1).unwrap();
    for bad in [
        String::new(),
        "-----BEGIN PUBLIC KEY".to_owned(),
        "-----BEGIN PUBLIC KEY-----\nAAAA".to_owned(),
        pem.replace("END PUBLIC", "END PRIVATE"),
        pem.replace(base64, ""),
        pem.replace(base64, &base64.replace(&base64[..1], "*")),
        pem.replace("-----END", "=-----END"),
    ] {
        assert!(PublicKey::from_pem(&bad).is_err(), "{bad}");
    }
    assert_eq!(PublicKey::from_pem("no key").err(), Some(KeyError::BadPem));
}

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}

fn der(pem: &str) -> Vec<u8> {
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(base64).unwrap()
}

/// An `RSAPublicKey` with these two numbers.
fn rsa_public_key(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let element = |tag: u8, content: &[u8]| {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[tag, 0x82][..], &length, content].concat()
    };
    let numbers = [element(2, modulus), element(2, exponent)].concat();
    element(0x30, &numbers)
}

#[test]
fn numbers_that_make_no_rsa_key_are_refused() {
    let modulus = |bytes: usize, last: u8| {
        let mut number = vec![0xff; bytes];
        number[0] = 0;
        number[bytes - 1] = last;
        number
    };
    let read = |modulus: &[u8], exponent: &[u8]| {
        PublicKey::from_pem(&pem("RSA PUBLIC KEY", &rsa_public_key(modulus, exponent))).map(|key| key.bits())
    };
    for bytes in [129, 257] {
        let odd = modulus(bytes, 0xfd);
        assert_eq!(read(&odd, &[1, 0, 1]), Ok((bytes - 1) * 8));
        assert_eq!(read(&odd, &[3]), Ok((bytes - 1) * 8));
        for exponent in [&[][..], &[0], &[1], &[2], &[0xff], &[1, 0, 0, 0, 1]] {
            assert_eq!(read(&odd, exponent), Err(KeyError::NotRsa), "{exponent:?}");
        }
        assert_eq!(read(&modulus(bytes, 0xfe), &[3]), Err(KeyError::NotRsa), "an even modulus");
        assert_eq!(read(&odd[1..], &[3]), Err(KeyError::NotRsa), "a negative modulus");
    }
    assert_eq!(read(&modulus(128, 0xfd), &[3]), Err(KeyError::TooSmall(1016)));
    assert_eq!(read(&modulus(1026, 0xfd), &[3]), Err(KeyError::TooLarge(8200)));
    assert_eq!(read(&[0], &[3]), Err(KeyError::NotRsa));
}

#[test]
fn keys_around_the_border_between_the_two_libraries_are_read() {
    for (first, bits) in [(0x7f, 2047), (0x80, 2048), (0xff, 2048)] {
        let mut modulus = vec![0xff; 257];
        (modulus[0], modulus[1], modulus[256]) = (0, first, 0xfd);
        let text = pem("RSA PUBLIC KEY", &rsa_public_key(&modulus, &[1, 0, 1]));
        assert_eq!(PublicKey::from_pem(&text).unwrap().bits(), bits);
    }
}

proptest! {
    #[test]
    fn no_bytes_make_the_key_readers_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for label in ["CERTIFICATE", "PUBLIC KEY", "RSA PUBLIC KEY"] {
            prop_assert!(PublicKey::from_pem(&pem(label, &bytes)).is_err());
        }
        for label in ["PRIVATE KEY", "RSA PRIVATE KEY"] {
            prop_assert!(PrivateKey::from_pem(&pem(label, &bytes)).is_err());
        }
        let _ = PublicKey::from_pem(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn no_damage_makes_the_key_readers_panic(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        length in any::<prop::sample::Index>(),
    ) {
        let spki = der(&KEY.public_key().to_spki_pem());
        let certificate = der(&certificate::self_signed(&KEY, "x", 0, 1).unwrap());
        let private = der(&KEY.to_pkcs8_pem());
        for (label, mut bytes) in [
            ("PUBLIC KEY", spki),
            ("CERTIFICATE", certificate),
            ("PRIVATE KEY", private),
        ] {
            let cut = bytes[..length.index(bytes.len())].to_vec();
            for (at, byte) in &damage {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            for bytes in [cut, bytes] {
                let _ = PublicKey::from_pem(&pem(label, &bytes));
                let _ = PrivateKey::from_pem(&pem(label, &bytes));
            }
        }
    }
}
