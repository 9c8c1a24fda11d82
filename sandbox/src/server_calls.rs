//! The calls from server to server: status queries, refunds, reversals, and the test of the signature.
//!
//! Each is one signed form and one reply, XML unless `OutputFormat` says `json` in any letter case.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use mypos::{Fields, StatusCode as Code, Unverified};

use crate::checks::{self, Refusal, Trail, optional, required};
use crate::deliver;
use crate::faults::Fault;
use crate::gateway::Gateway;
use crate::messages;
use crate::money;
use crate::state::{Answer, MAX_REFUNDS, Payment, Refund, Stage, State, Status};
use crate::timestamp;

/// How long a call that is never answered is held, for a client without a time-out of its own.
const NO_ANSWER: Duration = Duration::from_mins(1);

/// The calls that the sandbox has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    PaymentStatus,
    TxnStatus,
    TxnLog,
    Refund,
    Reversal,
    SignatureVerify,
}

impl Call {
    const ALL: [Self; 6] = [
        Self::PaymentStatus,
        Self::TxnStatus,
        Self::TxnLog,
        Self::Refund,
        Self::Reversal,
        Self::SignatureVerify,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::PaymentStatus => "IPCGetPaymentStatus",
            Self::TxnStatus => "IPCGetTxnStatus",
            Self::TxnLog => "IPCGetTxnLog",
            Self::Refund => "IPCRefund",
            Self::Reversal => "IPCReversal",
            Self::SignatureVerify => "IPCSignatureVerify",
        }
    }

    /// The call with that name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|call| call.name() == name)
    }
}

/// What a call comes to.
struct Reply {
    fields: Fields,
    delay_ms: Option<u64>,
    is_unsigned: bool,
    is_withheld: bool,
}

impl Reply {
    fn prompt(fields: Fields) -> Self {
        Self { fields, delay_ms: None, is_unsigned: false, is_withheld: false }
    }
}

/// Answers a call.
pub(crate) async fn answer(gateway: &Arc<Gateway>, call: Call, request: &Unverified) -> Response {
    let checked = checks::identify(request, &gateway.store(), &mut Trail::default());
    let verified = match checked {
        Ok(verified) => verified,
        Err(refusal) => return refuse(gateway, request, &refusal),
    };
    let fields = verified.fields();
    let reply = match call {
        Call::PaymentStatus => query(gateway, fields, payment_status),
        Call::TxnStatus => query(gateway, fields, txn_status),
        Call::TxnLog => query(gateway, fields, txn_log),
        Call::Refund => refund(gateway, fields),
        Call::Reversal => reversal(gateway, fields),
        Call::SignatureVerify => signature_verify(gateway, fields).await,
    };
    let reply = match reply {
        Ok(reply) => reply,
        Err(refusal) => return refuse(gateway, request, &refusal),
    };
    if let Some(delay_ms) = reply.delay_ms {
        tokio::time::sleep(Duration::from_millis(delay_ms)).await;
    }
    if reply.is_withheld {
        tokio::time::sleep(NO_ANSWER).await;
        return StatusCode::GATEWAY_TIMEOUT.into_response();
    }
    write(gateway, fields, reply.fields, reply.is_unsigned)
}

/// The reply to a call that was refused: method, `Status` and `StatusMsg`, signed.
pub(crate) fn refuse(gateway: &Gateway, request: &Unverified, refusal: &Refusal) -> Response {
    let claimed = request.claimed();
    let method = request.claimed_method().unwrap_or_default();
    tracing::info!(method, code = refusal.code.code(), "the sandbox refuses a call");
    let mut fields = Fields::new();
    fields.push("IPCmethod", method);
    fields.push("Status", refusal.code.code().to_string());
    fields.push("StatusMsg", refusal.message());
    write(gateway, claimed, fields, false)
}

/// Signs a reply and writes it in the format that the request asks for.
fn write(gateway: &Gateway, request: &Fields, reply: Fields, is_unsigned: bool) -> Response {
    let is_json = request.text("OutputFormat").is_some_and(|format| format.eq_ignore_ascii_case("json"));
    let reply =
        if is_unsigned { Ok(reply) } else { gateway.sign(reply).map(|signed| signed.fields().clone()) };
    let reply = match reply {
        Ok(reply) => reply,
        Err(error) => return (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    };
    if is_json {
        return ([(CONTENT_TYPE, "application/json; charset=utf-8")], reply.to_json()).into_response();
    }
    match reply.to_xml("ipc_response") {
        Ok(xml) => ([(CONTENT_TYPE, "text/xml; charset=utf-8")], xml).into_response(),
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}

/// The end of a good reply.
fn push_success(fields: &mut Fields) {
    fields.push("Status", "0");
    fields.push("StatusMsg", "Success");
}

// Status queries.

/// What a query tells and what it leaves out.
struct Asked<'a> {
    gateway: &'a Gateway,
    request: &'a Fields,
    order_id: &'a str,
    now_ms: i64,
    /// Whether the answer is "pending" on purpose.
    is_pending: bool,
    /// Whether refunds are told.
    tells_refunds: bool,
}

fn query(
    gateway: &Gateway,
    request: &Fields,
    write: impl FnOnce(&Asked<'_>, Option<&Payment>) -> Fields,
) -> Result<Reply, Refusal> {
    checks::common_parameters(request)?;
    let order_id = required(request, "OrderID")?;
    gateway.change(|state| {
        let mut fires = |fault| state.fires(order_id, fault);
        let delay_ms = fires(Fault::StatusLateMs);
        let is_withheld = fires(Fault::StatusNoAnswer).is_some();
        let is_unsigned = fires(Fault::StatusUnsigned).is_some();
        let asked = Asked {
            gateway,
            request,
            order_id,
            now_ms: gateway.now(),
            is_pending: fires(Fault::StatusPending).is_some(),
            tells_refunds: fires(Fault::RefundQueriesTell).is_some(),
        };
        let fields = write(&asked, state.by_order_id(order_id));
        Ok(Reply { fields, delay_ms, is_unsigned, is_withheld })
    })
}

/// `IPCGetPaymentStatus` (myPOS docs, Get payment status). An unknown order has the status 0.
fn payment_status(asked: &Asked<'_>, payment: Option<&Payment>) -> Fields {
    let mut fields = Fields::new();
    fields.push("IPCMethod", Call::PaymentStatus.name());
    fields.push("OrderID", asked.order_id);
    let Some(payment) = payment else {
        fields.push("PaymentStatus", "0");
        push_success(&mut fields);
        return fields;
    };
    let status = if asked.is_pending { Status::Pending } else { payment.status(asked.now_ms) };
    let transaction =
        payment.transaction.as_ref().filter(|_| matches!(status, Status::Paid | Status::Reversed));
    if let Some(transaction) = transaction {
        fields.push("PaymentMethod", transaction.means.method.code());
    }
    fields.push("PaymentStatus", status.code());
    if let Some(transaction) = transaction {
        fields.push("PaymentReference", &transaction.stan);
    }
    fields.push("Amount", &payment.order.amount);
    fields.push("Currency", &payment.order.currency);
    if let Some(transaction) = transaction {
        fields.push("IPC_Trnref", &transaction.trnref);
        fields.push("DateTime", &transaction.date_time);
        fields.push("FeeAmount", money::wire(0, &payment.order.currency));
    }
    if asked.tells_refunds && !payment.refunds.is_empty() {
        fields.push("RefundedAmount", money::wire(payment.refunded(), &payment.order.currency));
    }
    if optional(asked.request, "get_declined_payments") == Some("1") && !payment.declined.is_empty() {
        fields.push_nested("DeclinedPayments", declined_payments(payment));
    }
    push_success(&mut fields);
    fields
}

fn declined_payments(payment: &Payment) -> Fields {
    let mut list = Fields::new();
    for (index, declined) in payment.declined.iter().enumerate() {
        let mut fields = Fields::new();
        fields.push("DateTime", &declined.date_time);
        fields.push("PaymentMethod", declined.means.method.code());
        if let Some(last4) = &declined.means.last4 {
            fields.push("PAN", last4);
        }
        fields.push("Amount", &payment.order.amount);
        fields.push("Currency", &payment.order.currency);
        fields.push("responseCode", &declined.code);
        fields.push("responseCodeDescription", &declined.reason);
        list.push_nested(index.to_string(), fields);
    }
    list
}

/// `IPCGetTxnStatus`: the last message to the shop, with a signature of its own.
fn txn_status(asked: &Asked<'_>, payment: Option<&Payment>) -> Fields {
    let mut fields = Fields::new();
    fields.push("IPCMethod", Call::TxnStatus.name());
    fields.push("OrderID", asked.order_id);
    let last = payment
        .filter(|_| !asked.is_pending)
        .and_then(|payment| messages::last(&asked.gateway.keys.sid, payment))
        .and_then(|message| asked.gateway.sign(message).ok());
    if let Some(last) = last {
        fields.push_nested("OrderStatus", last.fields().clone());
    }
    push_success(&mut fields);
    fields
}

/// `IPCGetTxnLog`: what went on, line by line.
fn txn_log(asked: &Asked<'_>, payment: Option<&Payment>) -> Fields {
    let mut log = Fields::new();
    for (index, line) in payment.iter().flat_map(|payment| &payment.log).enumerate() {
        let mut item = Fields::new();
        item.push("time", timestamp::log_time(line.at_ms));
        item.push("action", &line.action);
        item.push("result", &line.result);
        log.push_nested(index.to_string(), item);
    }
    let mut fields = Fields::new();
    fields.push("IPCmethod", Call::TxnLog.name());
    fields.push("OrderID", asked.order_id);
    if !log.is_empty() {
        fields.push_nested("log", log);
    }
    push_success(&mut fields);
    fields
}

// Refunds and reversals.

/// What the faults make of a refund or a reversal.
struct Trouble {
    delay_ms: Option<u64>,
    no_answer: Option<u64>,
    unknown_answer: Option<u64>,
}

impl Trouble {
    fn roll(state: &mut State, order_id: &str) -> Self {
        Self {
            delay_ms: state.fires(order_id, Fault::RefundLateMs),
            no_answer: state.fires(order_id, Fault::RefundNoAnswer),
            unknown_answer: state.fires(order_id, Fault::RefundUnknownAnswer),
        }
    }

    /// Whether the money moves all the same.
    fn carries_out(&self) -> bool {
        self.no_answer != Some(0) && self.unknown_answer != Some(0)
    }

    /// The reply: the good one, unless there is trouble.
    fn reply(self, call: Call, good: Fields) -> Reply {
        let fields = if self.unknown_answer.is_some() {
            let mut fields = Fields::new();
            fields.push("IPCmethod", call.name());
            fields.push("Status", Code::UndefinedError.code().to_string());
            fields.push("StatusMsg", Code::UndefinedError.name());
            fields
        } else {
            good
        };
        Reply { fields, delay_ms: self.delay_ms, is_unsigned: false, is_withheld: self.no_answer.is_some() }
    }
}

/// `IPCRefund`: part of a payment or all of it, at most 100 % in the end.
fn refund(gateway: &Gateway, request: &Fields) -> Result<Reply, Refusal> {
    let amount_text = required(request, "Amount")?;
    checks::positive("Amount", amount_text)?;
    let trnref = required(request, "IPC_Trnref")?;
    checks::common_parameters(request)?;
    let currency = checks::currency(request)?;
    let minor = checks::exact_amount(amount_text, currency)?;
    let refund_id = optional(request, "OrderID").unwrap_or_default();
    checks::order_id_length(refund_id)?;
    let now = gateway.now();

    gateway.change(|state| {
        let payment = by_trnref(state, trnref)?;
        let order_id = payment.order.id.clone();
        // The WooCommerce plug-in sends the purchase's own id here, each time.
        let is_known = refund_id != order_id
            && (state.by_order_id(refund_id).is_some() || state.is_refund_order_id(refund_id));
        if !refund_id.is_empty() && is_known {
            return Err(Refusal::duplicate());
        }
        if payment.stage != Stage::Paid {
            return Err(Refusal::new(Code::NotPermitted, "the payment is not paid, or was reversed"));
        }
        if payment.order.currency != currency.code() {
            return Err(Refusal::new(Code::InvalidParameters, "Currency: must be that of the payment"));
        }
        if payment.refunded().saturating_add(minor) > payment.order.minor {
            return Err(Refusal::new(Code::WrongAmount, "more than is left of the payment"));
        }
        if payment.refunds.len() >= MAX_REFUNDS {
            return Err(Refusal::new(Code::ExceededLimit, "too many refunds of one payment"));
        }
        if state.fires(&order_id, Fault::RefundLowBalance).is_some() {
            return Err(Refusal::new(Code::InsufficientFunds, "the balance is too low"));
        }
        let trouble = Trouble::roll(state, &order_id);
        if trouble.carries_out()
            && let Some(payment) = state.by_order_id_mut(&order_id)
        {
            payment.refunds.push(Refund { order_id: refund_id.to_owned(), minor, at_ms: now });
            payment.note(now, "Refund", format!("{amount_text} {}", currency.code()));
        }
        let mut fields = Fields::new();
        fields.push("IPCmethod", Call::Refund.name());
        fields.push("IPC_Trnref", trnref);
        fields.push("Amount", amount_text);
        fields.push("Currency", currency.code());
        push_success(&mut fields);
        Ok(trouble.reply(Call::Refund, fields))
    })
}

/// `IPCReversal`: voids a whole payment of which nothing was refunded.
fn reversal(gateway: &Gateway, request: &Fields) -> Result<Reply, Refusal> {
    let trnref = required(request, "IPC_Trnref")?;
    checks::common_parameters(request)?;
    let now = gateway.now();
    gateway.change(|state| {
        let payment = by_trnref(state, trnref)?;
        let order_id = payment.order.id.clone();
        let amount = payment.order.amount.clone();
        if payment.stage != Stage::Paid {
            return Err(Refusal::new(Code::NotPermitted, "the payment is not paid, or was reversed"));
        }
        if !payment.refunds.is_empty() {
            return Err(Refusal::new(Code::NotPermitted, "part of the payment was refunded"));
        }
        let trouble = Trouble::roll(state, &order_id);
        if trouble.carries_out()
            && let Some(payment) = state.by_order_id_mut(&order_id)
        {
            payment.stage = Stage::Reversed;
            payment.note(now, "Order done with status", "2");
        }
        let mut fields = Fields::new();
        fields.push("IPCmethod", Call::Reversal.name());
        fields.push("IPC_Trnref", trnref);
        fields.push("Amount", amount);
        push_success(&mut fields);
        Ok(trouble.reply(Call::Reversal, fields))
    })
}

fn by_trnref<'a>(state: &'a State, trnref: &str) -> Result<&'a Payment, Refusal> {
    state
        .by_trnref(trnref)
        .ok_or_else(|| Refusal::new(Code::InvalidParameters, "ipc_trnref: there is no such transaction"))
}

// The test of the signature.

/// `IPCSignatureVerify`: the gateway calls the shop, which must answer `OK` (as `WooCommerce`'s plug-in
/// expects it; not documented).
async fn signature_verify(gateway: &Gateway, request: &Fields) -> Result<Reply, Refusal> {
    checks::common_parameters(request)?;
    let url = checks::notify_url("URL_Notify", required(request, "URL_Notify")?, &mut Vec::new())?;
    let message = messages::signature_verify(&gateway.keys.sid, timestamp::date_time(gateway.now()));
    let answer = match gateway.sign(message) {
        Ok(signed) => deliver::post(gateway, &url, signed.to_form()).await,
        Err(error) => Answer::Failed { why: error.to_string() },
    };
    if answer != Answer::Ok {
        return Err(Refusal::new(Code::IpcError, format!("URL_Notify did not answer OK: {}", answer.says())));
    }
    let mut fields = Fields::new();
    fields.push("IPCmethod", Call::SignatureVerify.name());
    push_success(&mut fields);
    Ok(Reply::prompt(fields))
}
