//! The list of transactions.

use app::pages::MessageKind;
use app::pages::merchant::{Choice, MessageLine, TotalLine, TransactionList, TransactionsPage, path};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use checkout::format;
use checkout::people::Role;
use checkout::records::{Mode, OrderId};
use checkout::search;
use checkout::settings::days_since_1970;
use checkout::store::StoreError;
use checkout::store::merchant::{Cursor, Filter, From, SEARCH_LIMIT, UnknownMessage};
use domain::{Language, Money, OrderState, PaymentMethod};
use jiff::civil::Date;
use leptos::prelude::*;
use serde::Deserialize;

use super::{failed, page};
use crate::merchant_view::Words;
use crate::render;
use crate::staff::Staff;
use crate::state::AppState;
use crate::visitor::Visitor;

/// How many orders a page shows.
const PAGE: u32 = 50;
/// How many that need a person are counted; more would not be looked at in one go.
const ATTENTION: u32 = 100;

/// The filter as it stands in the address.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    q: String,
    state: String,
    method: String,
    from: String,
    to: String,
    attention: String,
    before: String,
    after: String,
}

impl Asked {
    /// The filter that it means, and the fields that cannot be read. What cannot be read filters nothing.
    pub(super) fn filter(&self, state: &AppState, language: Language) -> (Filter, Vec<&'static str>) {
        let currency = state.checkout.catalog.currency;
        let mut wrong = Vec::new();
        let mut day = |field: &'static str, text: &str| {
            let read = text.parse::<Date>().ok().and_then(days_since_1970);
            if read.is_none() && !text.is_empty() {
                wrong.push(field);
            }
            read
        };
        let filter = Filter {
            mode: mode(state),
            states: OrderState::from_name(&self.state).into_iter().collect(),
            methods: PaymentMethod::from_id(&self.method).into_iter().collect(),
            from_day: day("from", &self.from),
            to_day: day("to", &self.to),
            search: search::parse(&self.q, currency, language),
            attention: !self.attention.is_empty(),
        };
        (filter, wrong)
    }

    /// The same list elsewhere: the filter without its place, and what is added.
    pub(super) fn address(&self, path: &str, more: Option<(&str, Cursor)>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in [
            ("q", &self.q),
            ("state", &self.state),
            ("method", &self.method),
            ("from", &self.from),
            ("to", &self.to),
            ("attention", &self.attention),
        ] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        if let Some((name, cursor)) = more {
            query.append_pair(name, &format!("{}.{}", cursor.day, cursor.id.0));
        }
        let query = query.finish();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }

    fn place(&self) -> From {
        let cursor = |text: &str| {
            let (day, id) = text.split_once('.')?;
            Some(Cursor { day: day.parse().ok()?, id: OrderId(id.parse().ok()?) })
        };
        match (cursor(&self.before), cursor(&self.after)) {
            (Some(older), _) => From::OlderThan(older),
            (None, Some(newer)) => From::NewerThan(newer),
            (None, None) => From::Newest,
        }
    }
}

/// The one mode that a shop has.
pub(super) fn mode(state: &AppState) -> Mode {
    state.checkout.settings.mode_for(state.checkout.catalog.currency)
}

/// `GET /merchant/transactions`
pub(super) async fn show(
    State(state): State<AppState>,
    visitor: Visitor,
    staff: Staff,
    Query(asked): Query<Asked>,
) -> Response {
    let list = match list_of(&state, &visitor, &staff, &asked).await {
        Ok(list) => list,
        Err(error) => return failed(&state, &visitor, &error.into()).await,
    };
    let status = if list.problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let desk = staff.desk(&state, &visitor, path::TRANSACTIONS);
    page(status, move || view! { <TransactionsPage desk=desk.clone() list=list.clone() /> }).await
}

/// `POST /merchant/messages/{id}/seen`
pub(super) async fn seen(
    State(state): State<AppState>,
    visitor: Visitor,
    staff: Staff,
    Path(id): Path<i64>,
) -> Response {
    if !staff.may(Role::Refund) {
        return render::message(&state, &visitor, MessageKind::NotAllowed).await;
    }
    let now_ms = state.checkout.now_ms();
    match state.checkout.store().message_seen(id, staff.actor(), now_ms).await {
        Ok(_) => render::see_other(&format!("{}?attention=1", path::TRANSACTIONS)),
        Err(error) => failed(&state, &visitor, &error.into()).await,
    }
}

async fn list_of(
    state: &AppState,
    visitor: &Visitor,
    staff: &Staff,
    asked: &Asked,
) -> Result<TransactionList, StoreError> {
    let language = visitor.language;
    let words = Words { checkout: &state.checkout, language };
    let texts = words.texts();
    let store = state.checkout.store();
    let (filter, wrong) = asked.filter(state, language);
    let found = store.transactions(filter.clone(), asked.place(), PAGE).await?;
    let totals = store.totals(filter.clone()).await?;
    let needs = Filter { attention: true, ..Filter::all(filter.mode) };
    let attention = store.transactions(needs, From::Newest, ATTENTION).await?.rows.len();
    let unknown = store.unknown_messages(ATTENTION).await?;

    let edge = |cursor: Option<Cursor>, is_there: bool, name: &str| {
        cursor.filter(|_| is_there).map(|cursor| asked.address(path::TRANSACTIONS, Some((name, cursor))))
    };
    let states = OrderState::ALL.map(|one| Choice {
        id: one.name(),
        name: texts.order_state(one.name()).to_owned(),
        is_chosen: asked.state == one.name(),
    });
    let methods = PaymentMethod::ALL.map(|one| Choice {
        id: one.id(),
        name: words.method(one).to_owned(),
        is_chosen: asked.method == one.id(),
    });
    Ok(TransactionList {
        search: asked.q.clone(),
        states: states.into(),
        methods: methods.into(),
        from: asked.from.clone(),
        to: asked.to.clone(),
        attention: filter.attention,
        attention_count: attention + unknown.len(),
        is_filtered: !asked.address("", None).is_empty(),
        problems: wrong.into_iter().map(|field| (field.to_owned(), texts.bad_date.to_owned())).collect(),
        newer: edge(found.rows.first().map(|row| row.cursor), found.has_newer, "after"),
        older: edge(found.rows.last().map(|row| row.cursor), found.has_older, "before"),
        rows: found.rows.iter().map(|row| words.transaction(row)).collect(),
        totals: totals
            .by_currency
            .iter()
            .map(|total| TotalLine {
                orders: format::count(total.orders, language),
                total: words.money(Money::new(total.total_minor, total.currency)),
                refunded: words.money(Money::new(total.refunded_minor, total.currency)),
            })
            .collect(),
        cut_at: totals.is_cut.then(|| format::count(i64::from(SEARCH_LIMIT), language)),
        export: asked.address(path::EXPORT, None),
        unknown_messages: if filter.attention {
            let line =
                |one: UnknownMessage| MessageLine { id: one.id, when: words.time(one.at_ms), raw: one.raw };
            unknown.into_iter().map(line).collect()
        } else {
            Vec::new()
        },
        may_dismiss: staff.may(Role::Refund),
    })
}
