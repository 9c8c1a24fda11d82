//! What a signed message may mean: nothing that its signed text does not say. `fuzz/` uses this file, too.

use mypos::{
    Amount, Callback, Currency, Door, Fields, Outcome, PaymentStatusReply, PrivateKey, RefundReply,
    ReversalReply, TxnStatusReply, Unverified, Verified,
};

/// Signs what a message says, so that what lies behind the signature is tried as well, and reads it as whatever it could
/// be.
pub(crate) fn is_what_was_signed(key: &PrivateKey, fields: &Fields) {
    if fields.text("IPCmethod").is_none() {
        // It could be nothing, and a signature costs more than all the rest.
        return;
    }
    let Ok(signed) = key.sign_fields(fields.clone()) else { return };
    // The signature may be one field too many.
    let Ok(message) = Unverified::from_json(signed.to_json().as_bytes()) else { return };
    let verified = message.verify(&key.public_key()).expect("it was signed");
    for door in [Door::Notify, Door::Ok, Door::Cancel] {
        if let Ok(callback) = Callback::read(&verified, door) {
            assert_eq!(callback.method().door(), door);
            is_the_only_cut(&callback, &verified);
        }
    }
    let asked = Amount::new(1250, Currency::from_code("EUR").expect("a currency"));
    if let Ok(reply) = RefundReply::read(&verified)
        && reply.outcome(asked) == Outcome::Yes
    {
        assert_eq!(reply.amount, Some(asked));
    }
    if let Ok(reply) = ReversalReply::read(&verified)
        && reply.outcome(asked) == Outcome::Yes
    {
        assert!(reply.amount.is_none_or(|amount| amount == asked));
    }
    drop((PaymentStatusReply::read(&verified), TxnStatusReply::read(&verified)));
}

/// What decides is what stands between the first dashes of the signed text, wherever fields were said to end.
fn is_the_only_cut(callback: &Callback, verified: &Verified) {
    let (sid, amount, order_id, trnref) = match callback {
        Callback::Notify(said) => (&said.sid, said.amount, &said.order_id, Some(&said.trnref)),
        Callback::Ok(said) => (&said.sid, said.amount, &said.order_id, Some(&said.trnref)),
        Callback::Cancel(said) => (&said.sid, said.amount, &said.order_id, None),
        Callback::Rollback(said) => (&said.sid, said.amount, &said.order_id, None),
        Callback::SignatureVerify => return,
    };
    let text = verified.fields().signed_text();
    let mut parts = text.split('-');
    let mut next = || parts.next().unwrap_or_default();
    assert_eq!((next(), next()), (callback.method().name(), sid.as_str()));
    let (figure, currency) = (next(), next());
    let currency = Currency::from_code(currency).expect("a currency");
    assert_eq!(Amount::parse(figure, currency), Ok(amount));
    assert_eq!(next(), order_id.as_str());
    if let Some(trnref) = trnref {
        assert_eq!(next(), trnref.as_str());
    }
}
