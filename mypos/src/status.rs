//! The status codes of replies, and what a reply decides.

use std::fmt;

/// What a reply to a refund or a reversal says about the money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Yes,
    /// It was not done, for certain.
    No(StatusCode),
    /// The reply does not say: it may or may not have been done.
    Undecided,
}

/// Declares the codes, so that each stands in one place with its number, its name in the documentation, and
/// what to do about it.
macro_rules! status_codes {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $name:literal, $meaning:literal;)*) => {
        /// The `Status` of a reply, and the number on the gateway's error page.
        ///
        /// Source: myPOS docs, Error messages; 7 is only in the PHP SDK, 22 to 24 only in newer docs.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum StatusCode {
            $($(#[$doc])* $variant,)*
            /// A code that is not in the documentation.
            Unknown(u32),
        }

        impl StatusCode {
            /// Every documented code.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The code with that number.
            pub const fn from_code(code: u32) -> Self {
                match code {
                    $($code => Self::$variant,)*
                    other => Self::Unknown(other),
                }
            }

            /// The number.
            pub const fn code(self) -> u32 {
                match self {
                    $(Self::$variant => $code,)*
                    Self::Unknown(code) => code,
                }
            }

            /// The name in the documentation, its spelling included.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::Unknown(_) => "unknown",
                }
            }

            /// What it means and what to do, in a sentence for the people who run the shop.
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => $meaning,)*
                    Self::Unknown(_) =>
                        "This code is not documented; look the transaction up in the myPOS account.",
                }
            }
        }
    };
}

status_codes! {
    /// 0
    Success = 0, "Success",
        "The request was carried out.";
    /// 1
    MissingParameters = 1, "E_MISSING_REQ_PARAMS",
        "A required field is missing, often the cart; check that test and live settings are not mixed.";
    /// 2
    SignatureFailed = 2, "E_SIGNATURE_FAILED",
        "The gateway could not verify our signature; check that the private key belongs to the key index.";
    /// 3
    IpcError = 3, "E_IPC_ERROR",
        "The gateway had no valid answer from its own systems; check key index, key pair and address, and look the transaction up in the myPOS account.";
    /// 4
    InvalidSid = 4, "E_INVALID_SID",
        "The store id is not known to the gateway; check the store id and whether the address is the test or the live one.";
    /// 5
    InvalidParameters = 5, "E_INVALID_PARAMS",
        "A field has a value that the gateway does not take; its message names the field.";
    /// 6
    InvalidReferer = 6, "E_INVALID_REFERER",
        "The address that the shopper came from is not approved; add it to the request URLs of the store.";
    /// 7
    PaymentTries = 7, "STATUS_PAYMENT_TRIES",
        "There were too many attempts to pay; look the transaction up in the myPOS account.";
    /// 8
    AuthenticationFailed = 8, "E_TRANSACTION_AUTH_FAIL",
        "The transaction could not be authorised; look it up in the myPOS account before trying again.";
    /// 9
    WrongAmount = 9, "E_WRONG_AMOUNT",
        "The amount is not allowed here: more than is left to refund, or another than the sum of the cart.";
    /// 10
    UnsupportedCall = 10, "E_UNSUPPORTED_CALL",
        "The gateway does not offer this method in this version to this store; ask myPOS to enable it.";
    /// 11
    InactiveMandate = 11, "E_INACTIVE_MANDATE_REFERENCE",
        "The mandate is not authorised yet, was rejected, or is blocked.";
    /// 12
    InvalidMandate = 12, "E_INVALID_MANDATE_REFERENCE",
        "The gateway does not know this mandate.";
    /// 13
    InsufficientFunds = 13, "E_NOT_SUFFICIENT_FUNDS",
        "The balance is too low; for a refund, add money to the myPOS account and try again.";
    /// 14
    NotPermitted = 14, "E_TRANSACTION_NOT_PERMITTED",
        "This transaction is not permitted; ask myPOS why.";
    /// 15
    ExceededLimit = 15, "E_EXCEEDED_LIMIT",
        "A limit of the account would be exceeded; wait, or ask myPOS to raise it.";
    /// 16
    MandateAlreadyRegistered = 16, "E_MANDATE_ALREADY_REGISTERED",
        "The mandate is registered already.";
    /// 17
    InactiveAccount = 17, "E_INACTIVE_ACOUNTIDENTIFIER",
        "The payer's means of payment is not activated.";
    /// 18
    InvalidAccount = 18, "E_INVALID_ACOUNTIDENTIFIER",
        "The gateway does not know the payer's means of payment.";
    /// 19
    ExceededAccountLimits = 19, "E_EXEEDED_ACCOUNT_LIMITS",
        "A limit of the account would be exceeded; wait, or ask myPOS to raise it.";
    /// 20
    DuplicateTransmission = 20, "E_DUPLICATE_TRANSMISSION",
        "The gateway has carried out a request with this order id already; ask it for the status instead of sending again.";
    /// 21
    Declined = 21, "E_TRANSACTION_DECLINED",
        "The transaction was declined by the bank or the card scheme.";
    /// 22
    WrongExpiryDate = 22, "E_WRONG_EXPIRE_DATE",
        "The expiry date of the card is wrong.";
    /// 23
    InvalidSession = 23, "E_INVALID_SESSION",
        "The payment session is unknown or over; start a new payment.";
    /// 24
    ThreeDsFailed = 24, "E_3DS_AUTHENTICATION_FAILED",
        "The payer was not authenticated by 3-D Secure.";
    /// 25
    StoreRestricted = 25, "E_STORE_RESTRICTED",
        "The store is not verified or not enabled, or its address or currency is not approved; only myPOS support can change that.";
    /// 99
    UndefinedError = 99, "E_UNDEFINED_ERROR",
        "The gateway failed without saying why; look the transaction up in the myPOS account.";
}

impl StatusCode {
    /// Reads a `Status`: one to nine digits, possibly padded with zeros.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_number = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse().ok().map(Self::from_code))?
    }

    /// Whether the code alone says for certain that nothing was done.
    ///
    /// [`InvalidParameters`](Self::InvalidParameters) is in this list, but needs its message:
    /// [`decide`](Self::decide) looks at both.
    pub const fn is_definite_no(self) -> bool {
        matches!(
            self,
            Self::MissingParameters
                | Self::SignatureFailed
                | Self::InvalidSid
                | Self::InvalidParameters
                | Self::InvalidReferer
                | Self::WrongAmount
                | Self::UnsupportedCall
                | Self::InsufficientFunds
                | Self::NotPermitted
                | Self::ExceededLimit
                | Self::ExceededAccountLimits
                | Self::Declined
                | Self::StoreRestricted
        )
    }

    /// What a signed reply with this `Status` and `StatusMsg` says about the request.
    ///
    /// A 5 with "Duplicate value" decides nothing: the gateway has seen the order id before, and the
    /// request that brought it may have been carried out.
    pub fn decide(self, message: &str) -> Outcome {
        let is_duplicate = || message.to_ascii_lowercase().contains("duplicate value");
        match self {
            Self::Success => Outcome::Yes,
            Self::InvalidParameters if is_duplicate() => Outcome::Undecided,
            code if code.is_definite_no() => Outcome::No(code),
            _ => Outcome::Undecided,
        }
    }
}

impl fmt::Display for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code(), self.name())
    }
}
