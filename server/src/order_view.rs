//! An order as its pages show it.

use app::pages::{Home, OrderView, TransferInstructions};
use checkout::checkout::CheckoutError;
use checkout::records::{EventKind, LineKind};
use checkout::store::OrderFile;
use checkout::token::Token;
use checkout::view::shopper_state;
use checkout::{format, pricing};
use domain::{Language, Money, OrderState, PaymentMethod};

use crate::state::AppState;

/// Puts an order into the words of a language. Whoever has the link sees it, so nothing in it says who
/// ordered.
pub async fn order_view(
    state: &AppState,
    file: &OrderFile,
    token: &Token,
    language: Language,
) -> Result<OrderView, CheckoutError> {
    let order = &file.order;
    let settings = &state.checkout.settings;
    let total = order.new.total;
    // Chosen last, or, where another one of its payments has come in, that one's.
    let paid = file.payments.iter().find(|payment| payment.state.holds_money());
    let method = paid.map_or(order.method, |payment| payment.method);
    let items = order.new.lines.iter().filter(|line| line.kind != LineKind::Delivery);
    let delivery = order.new.lines.iter().find(|line| line.kind == LineKind::Delivery);
    let awaits_transfer = order.method == PaymentMethod::BankTransfer && order.state == OrderState::Awaiting;
    Ok(OrderView {
        token: token.secret().to_owned(),
        reference: order.new.reference.clone(),
        state: shopper_state(file),
        method,
        lines: items.map(|line| pricing::quote_line(line, language)).collect::<Result<_, _>>()?,
        delivery_name: delivery.map(|line| line.name.clone()).unwrap_or_default(),
        delivery: format::price(delivery.map_or(Money::zero(total.currency), |line| line.unit), language),
        vat: pricing::vat_parts(&order.new.lines, language)?,
        total: format::price(total, language),
        masked_email: order.new.customer.masked_email(),
        placed: format::date_time(order.placed_at_ms, &settings.zone, language),
        transfer: state.shop.bank_transfer.as_ref().filter(|_| awaits_transfer).map(|account| {
            TransferInstructions {
                account_holder: account.account_holder.clone(),
                iban: account.iban.clone(),
                bic: account.bic.clone(),
                bank: account.bank.clone(),
                reference: order.new.reference.clone(),
            }
        }),
        methods: settings.methods_for(total.currency),
        key: Token::random()?.secret().to_owned(),
        declined: last_was_declined(state, file).await?,
        given_back: (order.state == OrderState::Paid && order.refunded_minor > 0)
            .then(|| format::price(Money::new(order.refunded_minor, total.currency), language)),
        home: Home::of(&order.new.storefront.return_url),
    })
}

/// Whether the last payment had an attempt that was declined.
async fn last_was_declined(state: &AppState, file: &OrderFile) -> Result<bool, CheckoutError> {
    match file.payments.last() {
        Some(last) => Ok(state.checkout.store().has_event(last.id, EventKind::Declined).await?),
        None => Ok(false),
    }
}
