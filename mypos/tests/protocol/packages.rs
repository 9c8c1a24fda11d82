//! The configuration package.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mypos::{ConfigurationPackage, PackageError, certificate};

use crate::fixtures::{KEY, OTHER_KEY};

fn sample() -> ConfigurationPackage {
    ConfigurationPackage {
        sid: "000000000000010".to_owned(),
        wallet: "61938166610".to_owned(),
        private_key_pem: KEY.to_pkcs8_pem(),
        public_certificate_pem: certificate::self_signed(&OTHER_KEY, "gateway", 0, 2_000_000_000).unwrap(),
        key_index: 1,
        application_id: None,
        partner_id: None,
    }
}

fn decode(json: &str) -> Result<ConfigurationPackage, PackageError> {
    ConfigurationPackage::decode(&STANDARD.encode(json))
}

const SMALL: &str = r#"{"sid":"10","cn":"61938166610","pk":"-----BEGIN\r\nA\/B","pc":"C","idx":1}"#;

#[test]
fn what_is_encoded_is_decoded() {
    let partner = ConfigurationPackage {
        application_id: Some("mps-app-12345678".to_owned()),
        partner_id: Some("mps-p-12345678".to_owned()),
        ..sample()
    };
    for package in [sample(), partner] {
        let text = package.encode();
        assert_eq!(ConfigurationPackage::decode(&text), Ok(package.clone()));
        let folded: Vec<_> = text.as_bytes().chunks(76).map(String::from_utf8_lossy).collect();
        let folded = format!("\n\t {} \r\n", folded.join("\r\n"));
        assert_eq!(ConfigurationPackage::decode(&folded), Ok(package));
    }
}

#[test]
fn its_keys_are_ready_to_use() {
    let package = sample();
    assert_eq!(package.private_key().unwrap().public_key(), KEY.public_key());
    assert_eq!(package.public_key().unwrap(), OTHER_KEY.public_key());
    assert_eq!(package.public_key().unwrap().not_after(), Some(2_000_000_000));
}

#[test]
fn the_text_of_the_php_sdk_is_understood() {
    let package = decode(SMALL).unwrap();
    assert_eq!(package.sid, "10");
    assert_eq!(package.wallet, "61938166610");
    assert_eq!(package.private_key_pem, "-----BEGIN\r\nA/B");
    assert_eq!(package.key_index, 1);
    assert_eq!(package.application_id, None);
    for (idx, expected) in [("\"1\"", 1), ("\"007\"", 7), ("4294967295", u32::MAX)] {
        let package = decode(&SMALL.replace("\"idx\":1", &format!("\"idx\":{idx}"))).unwrap();
        assert_eq!(package.key_index, expected);
    }
    let nulls = SMALL.replace("\"idx\"", "\"appid\":null,\"pid\":\"\",\"idx\"");
    let package = decode(&nulls).unwrap();
    assert_eq!((package.application_id, package.partner_id), (None, None));
}

#[test]
fn what_is_no_package_is_refused_with_the_reason() {
    assert_eq!(ConfigurationPackage::decode(" \n"), Err(PackageError::Empty));
    for bad in ["*", "abc", "YQ", "YR==", "e30=="] {
        assert_eq!(ConfigurationPackage::decode(bad), Err(PackageError::NotBase64), "{bad}");
    }
    for bad in ["", "[]", "null", &SMALL[..40], "{}{}"] {
        let expected = if bad.is_empty() { PackageError::Empty } else { PackageError::NotJson };
        assert_eq!(decode(bad), Err(expected), "{bad}");
    }
    assert_eq!(decode(&SMALL.replace("\"idx\"", "\"Idx\"")), Err(PackageError::UnknownKey("Idx".to_owned())));
    assert_eq!(
        decode(&SMALL.replace('{', "{\"extra\":{},")),
        Err(PackageError::UnknownKey("extra".to_owned()))
    );
    assert_eq!(decode(&SMALL.replace('{', "{\"sid\":\"11\",")), Err(PackageError::RepeatedKey("sid")));
    for key in ["sid", "cn", "pk", "pc", "idx"] {
        let mut package: serde_json::Map<String, serde_json::Value> = serde_json::from_str(SMALL).unwrap();
        package.insert(key.to_owned(), "".into());
        let empty = serde_json::to_string(&package).unwrap();
        assert_eq!(decode(&empty), Err(PackageError::Missing(key)));
        package.remove(key);
        let missing = serde_json::to_string(&package).unwrap();
        assert_eq!(decode(&missing), Err(PackageError::Missing(key)));
    }
    for (from, to, key) in [
        ("\"10\"", "\"1o\"", "sid"),
        ("\"10\"", "\"1234567890123456\"", "sid"),
        ("\"10\"", "[\"10\"]", "sid"),
        ("\"61938166610\"", "\"6193 816\"", "cn"),
        ("\"idx\":1", "\"idx\":-1", "idx"),
        ("\"idx\":1", "\"idx\":1.0", "idx"),
        ("\"idx\":1", "\"idx\":4294967296", "idx"),
        ("\"idx\":1", "\"idx\":true", "idx"),
    ] {
        let result = decode(&SMALL.replace(from, to));
        assert!(
            matches!(result, Err(PackageError::Malformed { key: found, .. }) if found == key),
            "{to}: {result:?}"
        );
    }
}

#[test]
fn debug_and_errors_do_not_show_the_private_key() {
    let package = sample();
    let secret = package.private_key_pem.lines().nth(3).unwrap().to_owned();
    let shown = format!("{package:?} {package:#?}");
    assert!(!shown.contains(&secret) && !shown.contains("BEGIN PRIVATE"), "{shown}");
    assert!(shown.contains("[hidden]"));
    let cut = package.encode().split_at(600).0.to_owned();
    let error = ConfigurationPackage::decode(&cut).unwrap_err();
    assert!(!format!("{error:?} {error}").contains(&secret[..8]));
}
