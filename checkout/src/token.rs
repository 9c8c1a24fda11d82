//! Secrets that open something: order tokens, hand-off tokens, keys; and the hashes that are stored of them.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// The system gave no randomness. Nothing can be started without it.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the operating system gave no random bytes")]
pub struct NoRandomness;

/// `N` random bytes from the operating system.
pub fn random<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    #[cfg(feature = "simulation")]
    if simulation::fill(&mut bytes) {
        return Ok(bytes);
    }
    getrandom::fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

/// Randomness for a simulator, which has to be able to play the same again.
#[cfg(feature = "simulation")]
pub mod simulation {
    use std::cell::Cell;

    use sha2::{Digest as _, Sha256};

    thread_local! {
        static SEED: Cell<Option<(u64, u64)>> = const { Cell::new(None) };
    }

    /// From now on what is random on this thread follows from a seed; from the operating system again after `None`.
    pub fn seed(seed: Option<u64>) {
        SEED.set(seed.map(|seed| (seed, 0)));
    }

    /// Fills bytes where there is a seed.
    pub(super) fn fill(bytes: &mut [u8]) -> bool {
        let Some((seed, mut number)) = SEED.get() else { return false };
        for part in bytes.chunks_mut(32) {
            let hash =
                Sha256::new().chain_update(seed.to_be_bytes()).chain_update(number.to_be_bytes()).finalize();
            part.iter_mut().zip(hash).for_each(|(byte, random)| *byte = random);
            number += 1;
        }
        SEED.set(Some((seed, number)));
        true
    }
}

/// A secret text of 256 bits, base64url without padding (43 characters). Whoever has it may see what it
/// opens. It is never stored and never logged: [`fmt::Debug`] hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A new random one.
    pub fn random() -> Result<Self, NoRandomness> {
        Ok(Self(URL_SAFE_NO_PAD.encode(random::<32>()?)))
    }

    /// The token that belongs to a secret of the shopper's (the idempotency key) and a salt of ours. The
    /// same press of Pay gets the same token again although only its hash is stored; neither the
    /// database nor the shopper's key alone is enough to make it.
    pub fn derived(purpose: &str, secret: &str, salt: &[u8; 16]) -> Self {
        let mut hash = Sha256::new();
        for part in [purpose.as_bytes(), secret.as_bytes(), salt.as_slice()] {
            // Lengths keep the parts apart.
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part);
        }
        Self(URL_SAFE_NO_PAD.encode(hash.finalize()))
    }

    /// Reads what came in an address. `None` for what cannot be one of ours.
    pub fn parse(text: &str) -> Option<Self> {
        let shaped =
            text.len() == 43 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        shaped.then(|| Self(text.to_owned()))
    }

    /// The text, to be put into an address.
    pub fn secret(&self) -> &str {
        &self.0
    }

    /// What is stored of it.
    pub fn hash(&self) -> Hash {
        Hash::of(&[self.0.as_bytes()])
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Token(hidden)")
    }
}

/// A SHA-256 hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// The hash of some parts, kept apart by their lengths.
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_and_hides_itself() {
        let token = Token::random().unwrap();
        assert_eq!(Token::parse(token.secret()), Some(token.clone()));
        assert_eq!(format!("{token:?}"), "Token(hidden)");
        assert_ne!(token, Token::random().unwrap());
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for bad in
            ["", "abc", &"a".repeat(44), &"é".repeat(21), "0123456789012345678901234567890123456789/+="]
        {
            assert_eq!(Token::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn parts_are_kept_apart() {
        assert_ne!(Hash::of(&[b"ab", b"c"]), Hash::of(&[b"a", b"bc"]));
        let salt = [1; 16];
        assert_eq!(Token::derived("a", "key", &salt), Token::derived("a", "key", &salt));
        assert_ne!(Token::derived("a", "key", &salt), Token::derived("b", "key", &salt));
        assert_ne!(Token::derived("a", "key", &salt), Token::derived("a", "key", &[2; 16]));
    }
}
