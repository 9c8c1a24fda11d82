//! Messages that were damaged on their way, from `tests/corpus`: each is read, and then means the same again, or it is
//! refused. Whatever was found to be read wrongly goes into the corpus.

use mypos::{ConfigurationPackage, PrivateKey, PublicKey, Unverified};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::fixtures::{KEY, OTHER_KEY};
use crate::meaning::is_what_was_signed;

/// What is put where nobody expects it.
const ODD: [&str; 22] = [
    "",
    "\0",
    "\r\n",
    "&",
    "=",
    "%",
    "%00",
    "%ff",
    "+",
    "-",
    "\"",
    "<",
    "</",
    "<!DOCTYPE a [<!ENTITY b \"c\">]>",
    "&b;",
    "{\"a\":",
    "[",
    "]",
    "\\ud800",
    "1e999",
    "\u{feff}",
    "Signature",
];

#[derive(Clone, Debug)]
enum Damage {
    Flip(Index, u8),
    Cut(Index, Index),
    Double(Index, Index),
    Put(Index, Index),
}

fn damage() -> impl Strategy<Value = Vec<Damage>> {
    let index = any::<Index>;
    let one = prop_oneof![
        (index(), 0..8_u8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        (index(), index()).prop_map(|(from, to)| Damage::Cut(from, to)),
        (index(), index()).prop_map(|(from, to)| Damage::Double(from, to)),
        (index(), index()).prop_map(|(at, what)| Damage::Put(at, what)),
    ];
    vec(one, 1..5)
}

fn damaged(mut body: Vec<u8>, damage: &[Damage]) -> Vec<u8> {
    for one in damage {
        let end = body.len() + 1;
        let range = |from: &Index, to: &Index| {
            let (from, to) = (from.index(end), to.index(end));
            from.min(to)..from.max(to)
        };
        match one {
            Damage::Flip(at, bit) if !body.is_empty() => {
                let at = at.index(body.len());
                body[at] ^= 1 << bit;
            }
            Damage::Flip(..) => {}
            Damage::Cut(from, to) => drop(body.drain(range(from, to))),
            Damage::Double(from, to) => {
                let part = body[range(from, to)].to_vec();
                let at = to.index(end);
                body.splice(at..at, part);
            }
            Damage::Put(at, what) => {
                let at = at.index(end);
                body.splice(at..at, ODD[what.index(ODD.len())].bytes());
            }
        }
    }
    body
}

/// The files of a folder of the corpus.
fn corpus(kind: &str) -> Vec<Vec<u8>> {
    let folder = format!("{}/tests/corpus/{kind}", env!("CARGO_MANIFEST_DIR"));
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_damaged_form_is_read_or_refused(file in any::<Index>(), damage in damage()) {
        let body = damaged(file.get(&corpus("form")).clone(), &damage);
        if let Ok(message) = Unverified::from_form(&body) {
            let again = Unverified::from_form(message.claimed().to_form().as_bytes());
            prop_assert_eq!(again.map(|again| again.claimed().clone()), Ok(message.claimed().clone()));
            is_what_was_signed(&KEY, message.claimed());
        }
    }

    #[test]
    fn damaged_json_is_read_or_refused(file in any::<Index>(), damage in damage()) {
        let body = damaged(file.get(&corpus("json")).clone(), &damage);
        if let Ok(message) = Unverified::from_json(&body) {
            let again = Unverified::from_json(message.claimed().to_json().as_bytes()).unwrap();
            prop_assert_eq!(again.claimed().signed_text(), message.claimed().signed_text());
            is_what_was_signed(&KEY, message.claimed());
        }
    }

    #[test]
    fn damaged_xml_is_read_or_refused(file in any::<Index>(), damage in damage()) {
        let body = damaged(file.get(&corpus("xml")).clone(), &damage);
        if let Ok(message) = Unverified::from_xml(&body)
            && let Ok(text) = message.claimed().to_xml("ipc_response")
        {
            let again = Unverified::from_xml(text.as_bytes()).unwrap();
            prop_assert_eq!(again.claimed().signed_text(), message.claimed().signed_text());
            is_what_was_signed(&KEY, message.claimed());
        }
    }

    #[test]
    fn what_is_no_key_is_none_however_it_is_damaged(file in any::<Index>(), damage in damage()) {
        let text = damaged(file.get(&corpus("key")).clone(), &damage);
        let text = String::from_utf8_lossy(&text);
        prop_assert!(PrivateKey::from_pem(&text).is_err());
        prop_assert!(PublicKey::from_pem(&text).is_err());
        prop_assert!(ConfigurationPackage::decode(&text).is_err());
    }

    #[test]
    fn a_damaged_package_or_key_is_read_or_refused(damage in damage()) {
        let package = ConfigurationPackage {
            sid: "10".to_owned(),
            wallet: "61938166610".to_owned(),
            private_key_pem: KEY.to_pkcs8_pem(),
            public_certificate_pem: OTHER_KEY.public_key().to_spki_pem(),
            key_index: 1,
            application_id: None,
            partner_id: None,
        };
        let text = damaged(package.encode().into_bytes(), &damage);
        if let Ok(package) = ConfigurationPackage::decode(&String::from_utf8_lossy(&text)) {
            prop_assert_eq!(ConfigurationPackage::decode(&package.encode()), Ok(package));
        }
        let pem = |pem: String| String::from_utf8_lossy(&damaged(pem.into_bytes(), &damage)).into_owned();
        if let Ok(key) = PrivateKey::from_pem(&pem(KEY.to_pkcs8_pem())) {
            prop_assert_eq!(PrivateKey::from_pem(&key.to_pkcs8_pem()).unwrap().public_key(), key.public_key());
        }
        if let Ok(key) = PublicKey::from_pem(&pem(KEY.public_key().to_spki_pem())) {
            prop_assert_eq!(PublicKey::from_pem(&key.to_spki_pem()).unwrap(), key);
        }
    }
}
