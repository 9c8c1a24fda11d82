//! The keys of both sides: made once, for making them takes longer than many lives; and in every process the same ones, so
//! that a seed lives the same life wherever it is lived.

use std::collections::HashMap;
use std::sync::Mutex;

use checkout::mypos_store::{KeyPair, MyposStore};
use checkout::records::Mode;
use domain::Currency;
use mypos::{Fields, PrivateKey, SignedFields};
use rand_chacha::ChaCha8Rng;
use rsa::RsaPrivateKey;
use rsa::pkcs8::{EncodePrivateKey as _, LineEnding};
use rsa::rand_core::SeedableRng as _;

pub const SID: &str = "000000000054321";

pub struct Keys {
    pub ours: PrivateKey,
    pub gateways: PrivateKey,
    /// Of somebody who is neither.
    pub strangers: PrivateKey,
    /// What the gateway has signed before, by what it says.
    said: Mutex<HashMap<String, SignedFields>>,
}

impl Keys {
    pub fn new() -> Self {
        let mut randomness = ChaCha8Rng::seed_from_u64(0);
        let [ours, gateways, strangers] = [(); 3].map(|()| {
            let key = RsaPrivateKey::new(&mut randomness, 2048).unwrap();
            PrivateKey::from_pem(&key.to_pkcs8_pem(LineEnding::LF).unwrap()).unwrap()
        });
        Self { ours, gateways, strangers, said: Mutex::default() }
    }

    /// Something that the gateway says, each time signed as the first time: a signature takes longer than most of what
    /// it is about, and lives are much alike.
    pub fn signed_by_gateway(&self, fields: Fields) -> SignedFields {
        let text = fields.to_form();
        if let Some(known) = self.said.lock().unwrap().get(&text) {
            return known.clone();
        }
        let signed = self.gateways.sign_fields(fields).unwrap();
        let mut said = self.said.lock().unwrap();
        if said.len() < 100_000 {
            said.insert(text, signed.clone());
        }
        signed
    }

    pub fn store(&self) -> MyposStore {
        MyposStore {
            name: "main".into(),
            mode: Mode::Test,
            endpoint: "https://gateway.example/checkout".into(),
            sid: SID.into(),
            wallet: "40000054321".into(),
            keys: vec![KeyPair {
                index: 1,
                ours: self.ours.clone(),
                gateways: self.gateways.public_key(),
                retired: false,
            }],
            currencies: vec![Currency::EUR],
            application_id: None,
            partner_id: None,
        }
    }
}
