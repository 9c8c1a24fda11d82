//! OpenSSL as a second opinion, in both directions.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mypos::{KeyError, PrivateKey, PublicKey, certificate};
use tempfile::TempDir;

use crate::fixtures::{KEY, fields, signed, with_signature};

/// A directory with a file or two for the command line.
struct Workshop(TempDir);

impl Workshop {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    fn get(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    fn text(&self, name: &str) -> String {
        String::from_utf8(self.get(name)).unwrap()
    }

    /// Runs `openssl` in the directory: whether it succeeded, and what it printed.
    fn try_run(&self, arguments: &str) -> (bool, String) {
        let output = Command::new("openssl")
            .args(arguments.split(' '))
            .current_dir(self.0.path())
            .output()
            .expect("these tests need the openssl command");
        let printed = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&printed).into_owned())
    }

    fn run(&self, arguments: &str) -> String {
        let (ok, printed) = self.try_run(arguments);
        assert!(ok, "openssl {arguments}: {printed}");
        printed
    }
}

/// A 1024-bit key from OpenSSL, the size of the published test keys: PKCS#8.
static SMALL_KEY: LazyLock<String> = LazyLock::new(|| {
    let workshop = Workshop::new();
    workshop.run("genrsa -out key.pem 1024");
    workshop.text("key.pem")
});

const TEXT: &str = "IPCPurchase-1.4-Jürgen O'Neill & <Söhne>--12.30";

fn values() -> Vec<(String, String)> {
    [("a", "IPCPurchase"), ("b", "1.4"), ("c", "Jürgen O'Neill & <Söhne>"), ("d", ""), ("e", "12.30")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
}

fn both_sizes() -> [PrivateKey; 2] {
    [KEY.clone(), PrivateKey::from_pem(&SMALL_KEY).unwrap()]
}

#[test]
fn openssl_verifies_what_we_sign() {
    for key in both_sizes() {
        let mut pairs = key.sign_fields(values().into_iter().collect()).unwrap().into_pairs();
        let (_, signature) = pairs.pop().unwrap();
        let workshop = Workshop::new();
        workshop.put("public.pem", key.public_key().to_spki_pem());
        workshop.put("signature", STANDARD.decode(signature).unwrap());
        workshop.put("message", STANDARD.encode(TEXT));
        workshop.run("dgst -sha256 -verify public.pem -signature signature message");
        workshop.put("message", TEXT);
        let (ok, _) = workshop.try_run("dgst -sha256 -verify public.pem -signature signature message");
        assert!(!ok, "the base64 text is signed, not the text itself");
    }
}

#[test]
fn we_verify_what_openssl_signs() {
    for key in both_sizes() {
        let workshop = Workshop::new();
        workshop.put("key.pem", key.to_pkcs8_pem());
        workshop.put("message", STANDARD.encode(TEXT));
        workshop.run("dgst -sha256 -sign key.pem -out signature message");
        let signature = STANDARD.encode(workshop.get("signature"));
        let message = with_signature(&values(), &signature);
        assert!(message.verify(&key.public_key()).is_ok());

        workshop.run("dgst -sha1 -sign key.pem -out signature message");
        let signature = STANDARD.encode(workshop.get("signature"));
        assert!(with_signature(&values(), &signature).verify(&key.public_key()).is_err());
    }
}

#[test]
fn our_keys_are_consistent_to_openssl() {
    for key in both_sizes() {
        let workshop = Workshop::new();
        workshop.put("key.pem", key.to_pkcs8_pem());
        assert!(workshop.run("pkey -in key.pem -check -noout").contains("valid"));
        workshop.run("pkey -in key.pem -pubout -out public.pem");
        assert_eq!(workshop.text("public.pem"), key.public_key().to_spki_pem());
    }
}

#[test]
fn private_keys_are_read_from_both_containers() {
    for key in both_sizes() {
        let workshop = Workshop::new();
        workshop.put("pkcs8.pem", key.to_pkcs8_pem());
        workshop.run("rsa -in pkcs8.pem -traditional -out pkcs1.pem");
        let pkcs1 = workshop.text("pkcs1.pem");
        assert!(pkcs1.contains("BEGIN RSA PRIVATE KEY"));
        let windows = format!("\r\n  {}  \r\n", pkcs1.replace('\n', " \r\n "));
        for text in [pkcs1, windows, key.to_pkcs8_pem()] {
            let read = PrivateKey::from_pem(&text).unwrap();
            assert_eq!(read.public_key(), key.public_key());
            assert_eq!(read.bits(), key.bits());
        }
    }
}

#[test]
fn public_keys_are_read_from_all_containers() {
    for key in both_sizes() {
        let workshop = Workshop::new();
        workshop.put("key.pem", key.to_pkcs8_pem());
        workshop.run("rsa -in key.pem -RSAPublicKey_out -out pkcs1.pem");
        workshop.run("req -x509 -key key.pem -subj /O=myPOS -days 30 -out certificate.pem");
        let certificate = workshop.text("certificate.pem");
        let windows = format!("Bag attributes\r\n{}", certificate.replace('\n', "\r\n"));
        for text in [workshop.text("pkcs1.pem"), key.public_key().to_spki_pem()] {
            let read = PublicKey::from_pem(&text).unwrap();
            assert_eq!(read, key.public_key());
            assert_eq!(read.not_after(), None);
        }
        for text in [certificate, windows] {
            let read = PublicKey::from_pem(&text).unwrap();
            assert_eq!(read, key.public_key());
            let now_s = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs().cast_signed();
            let days = (read.not_after().unwrap() - now_s) / 86_400;
            assert!((29..=30).contains(&days), "{days}");
        }
    }
}

/// The certificate with its serial number, one byte long, made empty.
fn without_serial(der: &[u8]) -> Vec<u8> {
    let version = [0xa0, 3, 2, 1, 2];
    let at = der.windows(5).position(|bytes| bytes == version).expect("a version") + 5;
    assert_eq!(der[at..at + 3], [2, 1, 7], "the serial number");
    let mut der = der.to_vec();
    der.splice(at..at + 3, [2, 0]);
    // The two sequences around it are one byte shorter: 30 82 hi lo, 30 82 hi lo.
    for start in [0, 4] {
        assert_eq!(der[start..start + 2], [0x30, 0x82]);
        let length = u16::from_be_bytes([der[start + 2], der[start + 3]]) - 1;
        der.splice(start + 2..start + 4, length.to_be_bytes());
    }
    der
}

#[test]
fn a_certificate_with_an_empty_serial_number_is_read() {
    for key in both_sizes() {
        let workshop = Workshop::new();
        workshop.put("key.pem", key.to_pkcs8_pem());
        workshop.run("req -x509 -key key.pem -subj /O=myPOS -days 30 -set_serial 7 -outform DER -out c.der");
        let der = without_serial(&workshop.get("c.der"));
        let pem =
            format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(der));
        workshop.put("c.pem", &pem);
        let (ok, _) = workshop.try_run("x509 -in c.pem -noout -text");
        assert!(!ok, "OpenSSL refuses it, which is why certificates are walked by hand");
        let read = PublicKey::from_pem(&pem).unwrap();
        assert_eq!(read, key.public_key());
        assert!(read.not_after().is_some());
    }
}

#[test]
fn a_self_signed_certificate_is_one_to_openssl() {
    for (key, not_after) in both_sizes().into_iter().zip([1_999_999_999, 4_102_444_800]) {
        let pem = certificate::self_signed(&key, "Tillgate sandbox ü", 1_700_000_000, not_after).unwrap();
        let workshop = Workshop::new();
        workshop.put("c.pem", &pem);
        let printed = workshop.run("x509 -in c.pem -noout -text -nameopt utf8");
        assert!(printed.contains("CN=Tillgate sandbox ü"), "{printed}");
        assert!(printed.contains("sha256WithRSAEncryption"), "{printed}");
        assert!(printed.contains("Nov 14 22:13:20 2023 GMT"), "{printed}");
        let end = if not_after == 1_999_999_999 { "May 18 03:33:19 2033" } else { "Jan  1 00:00:00 2100" };
        assert!(printed.contains(end), "{printed}");
        workshop.run("verify -auth_level 0 -check_ss_sig -CAfile c.pem c.pem");
        let read = PublicKey::from_pem(&pem).unwrap();
        assert_eq!(read, key.public_key());
        assert_eq!(read.not_after(), Some(not_after));
    }
}

#[test]
fn a_certificate_needs_times_that_it_can_name() {
    for (not_before, not_after) in [(2, 1), (0, i64::MAX), (i64::MIN, 0)] {
        assert_eq!(certificate::self_signed(&KEY, "x", not_before, not_after), Err(KeyError::BadValidity));
    }
}

#[test]
fn keys_that_are_no_use_are_refused_with_the_reason() {
    let workshop = Workshop::new();
    workshop.put("key.pem", KEY.to_pkcs8_pem());
    workshop.run("pkcs8 -topk8 -in key.pem -passout pass:x -out encrypted8.pem");
    workshop.run("rsa -in key.pem -traditional -aes128 -passout pass:x -out encrypted1.pem");
    workshop.run("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.pem");
    workshop.run("pkey -in ec.pem -pubout -out ec_public.pem");
    workshop.run("req -x509 -key ec.pem -subj /CN=x -days 1 -out ec_certificate.pem");
    workshop.run("genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out pss.pem");
    workshop.run("pkey -in pss.pem -pubout -out pss_public.pem");
    workshop.run("genrsa -out tiny.pem 512");
    workshop.run("pkey -in tiny.pem -pubout -out tiny_public.pem");

    let private = |name: &str| PrivateKey::from_pem(&workshop.text(name)).unwrap_err();
    assert_eq!(private("encrypted8.pem"), KeyError::Encrypted);
    assert_eq!(private("encrypted1.pem"), KeyError::Encrypted);
    assert_eq!(private("ec.pem"), KeyError::NotRsa);
    assert_eq!(private("pss.pem"), KeyError::NotRsa, "a key for another padding");
    assert_eq!(private("tiny.pem"), KeyError::TooSmall(512));
    assert_eq!(private("ec_public.pem"), KeyError::OtherPem("PUBLIC KEY".to_owned()));

    let public = |name: &str| PublicKey::from_pem(&workshop.text(name)).unwrap_err();
    assert_eq!(public("ec_public.pem"), KeyError::NotRsa);
    assert_eq!(public("ec_certificate.pem"), KeyError::NotRsa);
    assert_eq!(public("pss_public.pem"), KeyError::NotRsa, "a key for another padding");
    assert_eq!(public("tiny_public.pem"), KeyError::TooSmall(512));
    assert_eq!(public("key.pem"), KeyError::OtherPem("PRIVATE KEY".to_owned()));
}

#[test]
fn small_keys_sign_and_verify_what_they_signed() {
    let small = PrivateKey::from_pem(&SMALL_KEY).unwrap();
    assert_eq!(small.bits(), 1024);
    let mut pairs = small.sign_fields(fields(&[("a", "1")])).unwrap().into_pairs();
    let (_, signature) = pairs.pop().unwrap();
    assert!(with_signature(&pairs, &signature).verify(&small.public_key()).is_ok());
    assert!(with_signature(&pairs, &signature).verify(&KEY.public_key()).is_err());
    let (_, large) = signed(fields(&[("a", "1")])).into_pairs().pop().unwrap();
    assert!(with_signature(&pairs, &large).verify(&small.public_key()).is_err());
    pairs[0].1 = "2".to_owned();
    assert!(with_signature(&pairs, &signature).verify(&small.public_key()).is_err());
}
