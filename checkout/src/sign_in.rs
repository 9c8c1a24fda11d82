//! The merchant's door: passwords, sessions, the second factor, and the throttling of guesses.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Argon2, Params};
use totp_rs::{Algorithm, Builder, Secret, Totp};

use crate::checkout::{Checkout, CheckoutError};
use crate::people::{Action, Actor, Role, User, household};
use crate::store::StoreError;
use crate::store::merchant::{CountedGuess, Credentials, Entrance, NewUser, Session, UserChange};
use crate::token::{Hash, NoRandomness, Token, random};

const MINUTE_MS: i64 = 60_000;
/// A session ends this long after it was last used,
pub const SESSION_IDLE_MS: i64 = 60 * MINUTE_MS;
/// and this long after it began.
pub const SESSION_LONGEST_MS: i64 = 12 * 60 * MINUTE_MS;
/// How long wrong guesses count.
pub const GUESSES_COUNT_MS: i64 = 15 * MINUTE_MS;
/// How many wrong guesses one client has at one account, at all accounts, and all clients at one account.
const GUESSES_OF_PAIR: u32 = 5;
const GUESSES_OF_CLIENT: u32 = 30;
const GUESSES_OF_ACCOUNT: u32 = 100;
/// The shortest and the longest password, in characters and in bytes.
pub const PASSWORD_MIN_CHARS: usize = 12;
const PASSWORD_MAX_BYTES: usize = 1024;
const EMAIL_MAX_BYTES: usize = 254;
/// What a password is hashed with: argon2id over 9 MiB, four times. As hard to guess as with the crate's 19 MiB, twice (the
/// OWASP cheat sheet on password storage has both in one list), and the server stays within its memory meanwhile. A stored
/// hash says what it was made with.
const HASHED_WITH: Params = match Params::new(9 * 1024, 4, 1, None) {
    Ok(params) => params,
    Err(_) => Params::DEFAULT,
};
/// What authenticator apps expect (RFC 6238): six digits, every half minute; one step off is forgiven.
const CODE_DIGITS: u8 = 6;
const CODE_STEP_S: u64 = 30;
const CODE_SKEW: u16 = 1;

/// Why somebody does not get in, or something about the door was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DoorProblem {
    /// No such account, another password, or an account that is shut out: nobody is told which.
    #[error("the e-mail address or the password is wrong")]
    Wrong,
    /// Another code, or one that was used before.
    #[error("the code is wrong, or was used before")]
    WrongCode,
    /// Too many wrong guesses.
    #[error("too many wrong guesses: wait a quarter of an hour")]
    TooManyGuesses,
    /// The new password is too short, or far too long.
    #[error("a password has at least {PASSWORD_MIN_CHARS} characters")]
    BadPassword,
    /// The e-mail address cannot be one.
    #[error("that is no e-mail address")]
    BadEmail,
    /// The e-mail address has an account.
    #[error("there is a user with this e-mail address")]
    EmailTaken,
    /// There is no such user.
    #[error("there is no user with this e-mail address")]
    NoSuchUser,
    /// The session has ended.
    #[error("the session has ended: sign in again")]
    SessionEnded,
}

/// Why a use-case of the door did not go on.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// Whoever stands there can do something about it.
    #[error(transparent)]
    Problem(#[from] DoorProblem),
    /// Our side failed.
    #[error(transparent)]
    Failed(#[from] CheckoutError),
}

impl From<StoreError> for DoorError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<NoRandomness> for DoorError {
    fn from(error: NoRandomness) -> Self {
        Self::Failed(error.into())
    }
}

/// A door that opened: a session's secret, and whether a code is still asked for.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The session's secret.
    pub session: Token,
    /// Whether it works only once the second factor was given.
    pub needs_code: bool,
}

/// A second factor that is offered and not switched on yet.
#[derive(Clone, Debug)]
pub struct NewSecondFactor {
    /// The secret in base32, to be typed into an authenticator app.
    pub secret: String,
    /// The same as an `otpauth:` address, for a QR code.
    pub address: String,
}

/// The counters of a guess of a password or of a code, each with how many it may have: the pair, the client, the
/// account. Strangers who guess at passwords must not keep codes from whoever is in.
fn guess_keys(what: &str, email: &str, address: &str) -> Vec<(Hash, u32)> {
    let client = address.parse().map_or_else(|_| address.to_owned(), |known| household(known).to_string());
    let (what, email, client) = (what.as_bytes(), email.as_bytes(), client.as_bytes());
    vec![
        (Hash::of(&[b"pair", what, email, client]), GUESSES_OF_PAIR),
        (Hash::of(&[b"client", what, client]), GUESSES_OF_CLIENT),
        (Hash::of(&[b"account", what, email]), GUESSES_OF_ACCOUNT),
    ]
}

/// An e-mail address as accounts are named by it.
pub fn email_name(typed: &str) -> Result<String, DoorProblem> {
    let email = typed.trim().to_lowercase();
    let parts = email.split_once('@');
    let fits =
        email.len() <= EMAIL_MAX_BYTES && !email.contains(|c: char| c.is_whitespace() || c.is_control());
    let is_one = parts.is_some_and(|(name, host)| !name.is_empty() && host.len() > 2 && !host.contains('@'));
    if fits && is_one { Ok(email) } else { Err(DoorProblem::BadEmail) }
}

fn totp(secret: &[u8], email: &str) -> Option<Totp> {
    Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(CODE_DIGITS)
        .with_skew(CODE_SKEW)
        .with_step_duration(CODE_STEP_S)
        .with_secret(Secret::new(secret.into()))
        .with_issuer(Some("Tillgate"))
        .with_account_name(email.replace(':', ""))
        .build()
        .ok()
}

impl Checkout {
    /// Hashes a password with argon2id, off the async threads and a few at a time: each takes 9 MiB.
    async fn hash_password(&self, password: &str) -> Result<String, DoorError> {
        let long_enough = password.chars().count() >= PASSWORD_MIN_CHARS;
        if !long_enough || password.len() > PASSWORD_MAX_BYTES {
            return Err(DoorProblem::BadPassword.into());
        }
        let password = password.to_owned();
        self.hashing(move || {
            Argon2::from(HASHED_WITH).hash_password(password.as_bytes()).map(|hash| hash.to_string()).ok()
        })
        .await?
        .ok_or_else(|| CheckoutError::Signing("a password could not be hashed".to_owned()).into())
    }

    async fn is_password(&self, typed: &str, stored: Option<String>) -> Result<bool, DoorError> {
        if typed.len() > PASSWORD_MAX_BYTES {
            return Ok(false);
        }
        let typed = typed.to_owned();
        self.hashing(move || match stored.as_deref().map(PasswordHash::new) {
            Some(Ok(hash)) => Argon2::from(HASHED_WITH).verify_password(typed.as_bytes(), &hash).is_ok(),
            // As much work as for an account that exists: time must not tell who has one.
            _ => Argon2::from(HASHED_WITH).hash_password(typed.as_bytes()).is_err(),
        })
        .await
    }

    async fn hashing<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, DoorError> {
        let failed = |error: String| DoorError::Failed(CheckoutError::Signing(error));
        let hashers = Arc::clone(&self.hashers);
        let turn = hashers.acquire_owned().await.map_err(|error| failed(error.to_string()))?;
        // The turn lasts as long as the work, also where whoever asked goes away.
        let work = move || {
            let _turn = turn;
            work()
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| failed(error.to_string()))
    }

    /// Counts a guess, and refuses it where too much was guessed wrong of late.
    async fn count_guess(&self, what: &str, email: &str, address: &str) -> Result<CountedGuess, DoorError> {
        let now_ms = self.now_ms();
        let since_ms = now_ms.saturating_sub(GUESSES_COUNT_MS);
        let counted = self.store.count_guess(guess_keys(what, email, address), since_ms, now_ms).await?;
        counted.ok_or(DoorProblem::TooManyGuesses.into())
    }

    async fn note_wrong_guess(&self, email: &str, address: &str) -> Result<(), DoorError> {
        let now_ms = self.now_ms();
        // Only the host knows what was typed: the name of an account that does not exist may be a password.
        let actor = Actor { who: "somebody".to_owned(), address: address.to_owned() };
        let known = self.store.credentials(email).await?.is_some();
        let detail = if known { email.to_owned() } else { "an account that does not exist".to_owned() };
        Ok(self.store.audit(actor, Action::SignInFailed, detail, now_ms).await?)
    }

    /// The credentials of an account whose password is right.
    async fn with_password(
        &self,
        email: &str,
        password: &str,
        address: &str,
    ) -> Result<Credentials, DoorError> {
        let email = email.trim().to_lowercase();
        let guess = self.count_guess("password", &email, address).await?;
        let known = if email.len() <= EMAIL_MAX_BYTES { self.store.credentials(&email).await? } else { None };
        let stored = known.as_ref().map(|known| known.password.clone());
        let is_right = self.is_password(password, stored).await?;
        match known {
            Some(known) if is_right && !known.user.is_disabled => {
                self.store.forget_guess(guess).await?;
                Ok(known)
            }
            _ => {
                self.note_wrong_guess(&email, address).await?;
                Err(DoorProblem::Wrong.into())
            }
        }
    }

    /// Signs somebody in who comes from `address`.
    pub async fn sign_in(&self, email: &str, password: &str, address: &str) -> Result<SignedIn, DoorError> {
        let Credentials { user, password, .. } = self.with_password(email, password, address).await?;
        let session = Token::random()?;
        let actor = Actor::user(&user, address);
        let entrance = Entrance::Password(password);
        let opened = self.store.open_session(session.hash(), user.id, entrance, actor, self.now_ms()).await?;
        let is_complete = opened.ok_or(DoorProblem::Wrong)?;
        Ok(SignedIn { session, needs_code: !is_complete })
    }

    /// Takes the code of a session that waits for one, and gives the session that works.
    pub async fn sign_in_with_code(
        &self,
        waiting: &Token,
        code: &str,
        address: &str,
    ) -> Result<Token, DoorError> {
        let waits = self.session(waiting).await?.filter(|session| !session.is_complete);
        let user = waits.ok_or(DoorProblem::SessionEnded)?.user;
        self.check_code(&user, code, address).await?;
        let (session, now_ms) = (Token::random()?, self.now_ms());
        let actor = Actor::user(&user, address);
        let entrance = Entrance::Code(waiting.hash());
        let opened = self.store.open_session(session.hash(), user.id, entrance, actor, now_ms).await?;
        opened.ok_or(DoorProblem::SessionEnded)?;
        Ok(session)
    }

    /// Checks a code of a user's authenticator app, which works once.
    pub async fn check_code(&self, user: &User, code: &str, address: &str) -> Result<(), DoorError> {
        let guess = self.count_guess("code", &user.email, address).await?;
        let code: String = code.chars().filter(char::is_ascii_digit).collect();
        let now_s = u64::try_from(self.now_ms() / 1000).unwrap_or(0);
        let known = self.store.credentials(&user.email).await?;
        let secret = known.and_then(|known| known.totp_secret);
        let step =
            secret.and_then(|secret| totp(&secret, &user.email)).and_then(|totp| totp.check(&code, now_s));
        if let Some(step) = step
            && self.store.use_totp_step(user.id, step).await?
        {
            return Ok(self.store.forget_guess(guess).await?);
        }
        self.note_wrong_guess(&user.email, address).await?;
        Err(DoorProblem::WrongCode.into())
    }

    /// The session of a secret, whether or not it still waits for a code.
    pub async fn session(&self, session: &Token) -> Result<Option<Session>, DoorError> {
        let now_ms = self.now_ms();
        let made_since_ms = now_ms.saturating_sub(SESSION_LONGEST_MS);
        let used_since_ms = session_ended_before(now_ms);
        Ok(self.store.session(session.hash(), used_since_ms, made_since_ms, now_ms).await?)
    }

    /// Signs out.
    pub async fn sign_out(&self, session: &Token, actor: Actor) -> Result<(), DoorError> {
        let now_ms = self.now_ms();
        Ok(self.store.end_session(session.hash(), session_ended_before(now_ms), Some(actor), now_ms).await?)
    }

    /// Makes a user.
    pub async fn add_user(
        &self,
        email: &str,
        role: Role,
        password: &str,
        actor: Actor,
    ) -> Result<(), DoorError> {
        let email = email_name(email)?;
        let password = self.hash_password(password).await?;
        let user = NewUser { email, role, password };
        if self.store.add_user(user, actor, self.now_ms()).await? {
            Ok(())
        } else {
            Err(DoorProblem::EmailTaken.into())
        }
    }

    /// Changes a user's password without knowing the old one, and ends all their sessions.
    pub async fn set_password(&self, email: &str, password: &str, actor: Actor) -> Result<(), DoorError> {
        let password = self.hash_password(password).await?;
        self.change_user(email, UserChange::Password { password, keep: None }, actor).await
    }

    /// Changes somebody's own password, and ends all their sessions but this one.
    pub async fn change_own_password(
        &self,
        user: &User,
        session: &Token,
        old: &str,
        new: &str,
        address: &str,
    ) -> Result<(), DoorError> {
        let known = self.with_password(&user.email, old, address).await?;
        let password = self.hash_password(new).await?;
        let change = UserChange::Password { password, keep: Some(session.hash()) };
        self.change_if(known, change, address).await
    }

    /// A change that somebody's password allowed.
    async fn change_if(
        &self,
        known: Credentials,
        change: UserChange,
        address: &str,
    ) -> Result<(), DoorError> {
        let actor = Actor::user(&known.user, address);
        let change = UserChange::IfPassword(known.password, Box::new(change));
        if self.store.change_user(&known.user.email, change, actor, self.now_ms()).await? {
            Ok(())
        } else {
            Err(DoorProblem::Wrong.into())
        }
    }

    /// Changes a user.
    pub async fn change_user(&self, email: &str, change: UserChange, actor: Actor) -> Result<(), DoorError> {
        let email = email.trim().to_lowercase();
        if self.store.change_user(&email, change, actor, self.now_ms()).await? {
            Ok(())
        } else {
            Err(DoorProblem::NoSuchUser.into())
        }
    }

    /// A new secret for an authenticator app. It counts once [`Self::switch_on_second_factor`] has seen a code.
    pub fn new_second_factor(&self, user: &User) -> Result<NewSecondFactor, DoorError> {
        let secret: [u8; 20] = random()?;
        second_factor_of(&secret, user)
            .ok_or_else(|| CheckoutError::Configuration("no second factor could be made".to_owned()).into())
    }

    /// The same secret once more, where a code was mistyped; `None` for what is no secret.
    pub fn second_factor_again(&self, user: &User, secret: &str) -> Option<NewSecondFactor> {
        second_factor_of(Secret::try_from_base32(secret).ok()?.as_bytes(), user)
    }

    /// Whether this is the secret of the second factor that somebody has.
    pub async fn is_second_factor(&self, user: &User, secret: &str) -> Result<bool, DoorError> {
        let known = self.store.credentials(&user.email).await?.and_then(|known| known.totp_secret);
        Ok(Secret::try_from_base32(secret).is_ok_and(|secret| known.as_deref() == Some(secret.as_bytes())))
    }

    /// Switches a second factor on: the password shows who it is, the code that the app has the secret.
    pub async fn switch_on_second_factor(
        &self,
        user: &User,
        password: &str,
        secret: &str,
        code: &str,
        address: &str,
    ) -> Result<(), DoorError> {
        let known = self.with_password(&user.email, password, address).await?;
        let secret = Secret::try_from_base32(secret).map_err(|_| DoorProblem::WrongCode)?;
        let code: String = code.chars().filter(char::is_ascii_digit).collect();
        let now_s = u64::try_from(self.now_ms() / 1000).unwrap_or(0);
        let step = totp(secret.as_bytes(), &user.email).and_then(|totp| totp.check(&code, now_s));
        let step = step.ok_or(DoorProblem::WrongCode)?;
        // The code that showed it does not work a second time.
        let change = UserChange::SecondFactor(Some((secret.as_bytes().to_vec(), step)));
        self.change_if(known, change, address).await
    }

    /// Switches a second factor off; it takes a code of it.
    pub async fn switch_off_second_factor(
        &self,
        user: &User,
        code: &str,
        address: &str,
    ) -> Result<(), DoorError> {
        self.check_code(user, code, address).await?;
        self.change_user(&user.email, UserChange::SecondFactor(None), Actor::user(user, address)).await
    }
}

fn second_factor_of(secret: &[u8], user: &User) -> Option<NewSecondFactor> {
    let totp = totp(secret, &user.email)?;
    Some(NewSecondFactor { secret: totp.secret().to_base32(), address: totp.to_url().ok()? })
}

fn session_ended_before(now_ms: i64) -> i64 {
    now_ms.saturating_sub(SESSION_IDLE_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_named_by_its_address_in_small_letters() {
        assert_eq!(email_name(" Anna@Shop.Example "), Ok("anna@shop.example".to_owned()));
        for bad in ["", "anna", "@shop.example", "anna@", "a b@shop.example", "a@b@shop.example", "a@b"] {
            assert_eq!(email_name(bad), Err(DoorProblem::BadEmail), "{bad}");
        }
    }

    #[test]
    fn a_code_is_that_of_the_standard() {
        // RFC 6238, appendix B: the secret "12345678901234567890", at 59 seconds.
        let totp = totp(b"12345678901234567890", "a@shop.example").unwrap();
        assert_eq!(totp.generate(59).to_string(), "287082");
        assert_eq!(totp.check("287082", 59), Some(1));
        assert_eq!(totp.check("287082", 89), Some(1), "one step later it is forgiven");
        assert_eq!(totp.check("287082", 120), None);
    }
}
