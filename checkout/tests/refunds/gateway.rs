//! A gateway that answers when, and what, the script wants.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use checkout::gateway::{Gateway, GatewayError};
use mypos::{Fields, PrivateKey, Unverified};
use tokio::sync::{mpsc, oneshot};

/// What a call comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The money goes back, and the shop is told.
    Yes,
    /// The money stays, and the shop is told: a definite no.
    No,
    /// The money goes back, and the answer gets lost.
    YesButLost,
    /// The money stays, and the answer gets lost.
    NoButLost,
    /// The money goes back, and the answer says that something went wrong (99).
    YesButUnclear,
    /// The money goes back, and the answer is not signed.
    YesButUnsigned,
    /// The money goes back, and the answer names another amount.
    YesButOfAnotherAmount,
}

impl Verdict {
    pub const ALL: [Self; 7] = [
        Self::Yes,
        Self::No,
        Self::YesButLost,
        Self::NoButLost,
        Self::YesButUnclear,
        Self::YesButUnsigned,
        Self::YesButOfAnotherAmount,
    ];

    /// Whether the money moves.
    pub const fn moves(self) -> bool {
        !matches!(self, Self::No | Self::NoButLost)
    }
}

/// A call that waits for its verdict.
pub struct Call {
    pub method: String,
    pub minor: i64,
    /// The refund's own `OrderID`.
    pub order_id: String,
    pub answer: oneshot::Sender<Result<Vec<u8>, GatewayError>>,
    fields: Fields,
}

/// Where calls arrive.
pub struct ScriptedGateway {
    calls: mpsc::UnboundedSender<Call>,
}

impl ScriptedGateway {
    pub fn new() -> (Self, mpsc::UnboundedReceiver<Call>) {
        let (calls, arrived) = mpsc::unbounded_channel();
        (Self { calls }, arrived)
    }
}

#[async_trait]
impl Gateway for ScriptedGateway {
    async fn call(&self, _endpoint: &str, form: String) -> Result<Vec<u8>, GatewayError> {
        let message = Unverified::from_form(form.as_bytes()).unwrap();
        let fields = message.claimed().clone();
        let text = |name: &str| fields.text(name).unwrap_or_default().to_owned();
        let minor = text("Amount").replace('.', "").parse().unwrap_or(0);
        let (answer, answered) = oneshot::channel();
        let call = Call { method: text("IPCmethod"), minor, order_id: text("OrderID"), answer, fields };
        self.calls.send(call).map_err(|_| GatewayError::Unreachable("the test is over".into()))?;
        answered.await.unwrap_or_else(|_| Err(GatewayError::Unreachable("no answer".into())))
    }
}

/// Signs replies, each text once: a signature costs more than all the rest of a step.
pub struct Signer {
    key: PrivateKey,
    known: Mutex<HashMap<String, String>>,
}

impl Signer {
    pub fn new(key: PrivateKey) -> Arc<Self> {
        Arc::new(Self { key, known: Mutex::default() })
    }

    fn signed(&self, fields: Fields) -> Vec<u8> {
        let plain = fields.to_json();
        let mut known = self.known.lock().unwrap();
        let signed = known.entry(plain).or_insert_with(|| self.key.sign_fields(fields).unwrap().to_json());
        signed.clone().into_bytes()
    }

    /// What the shop hears of a call.
    pub fn reply(&self, call: &Call, verdict: Verdict) -> Result<Vec<u8>, GatewayError> {
        let mut fields = Fields::new();
        fields.push("IPCmethod", call.method.as_str());
        let echo = |fields: &mut Fields, amount: Option<&str>| {
            fields.push("IPC_Trnref", "813705000006");
            if let Some(amount) = amount {
                fields.push("Amount", amount);
                fields.push("Currency", "EUR");
            }
        };
        let status = |fields: &mut Fields, code: &str, message: &str| {
            fields.push("Status", code);
            fields.push("StatusMsg", message);
        };
        match verdict {
            Verdict::YesButLost | Verdict::NoButLost => {
                return Err(GatewayError::Unreachable("timed out".into()));
            }
            Verdict::Yes | Verdict::YesButUnsigned => {
                echo(&mut fields, call.fields.text("Amount"));
                status(&mut fields, "0", "Success");
            }
            Verdict::No => status(&mut fields, "13", "E_NOT_SUFFICIENT_FUNDS"),
            Verdict::YesButUnclear => status(&mut fields, "99", "E_UNDEFINED_ERROR"),
            Verdict::YesButOfAnotherAmount => {
                echo(&mut fields, Some("0.01"));
                status(&mut fields, "0", "Success");
            }
        }
        if verdict == Verdict::YesButUnsigned {
            return Ok(fields.to_json().into_bytes());
        }
        Ok(self.signed(fields))
    }
}
