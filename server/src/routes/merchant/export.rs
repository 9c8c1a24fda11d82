//! The list of transactions as a file.

use std::sync::Arc;

use app::pages::merchant::path;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use checkout::checkout::Checkout;
use checkout::format;
use checkout::people::Action;
use checkout::store::merchant::{Filter, From, Transaction};
use domain::Money;
use futures_util::stream;
use jiff::Timestamp;

use super::failed;
use super::list::Asked;
use crate::render;
use crate::staff::Staff;
use crate::state::AppState;
use crate::visitor::Visitor;

/// How many orders are read at a time: the file is as long as it is, the memory is not.
const CHUNK: u32 = 500;
/// What a file begins with, so that spreadsheets read it as UTF-8.
const MARK: &str = "\u{feff}";

const COLUMNS: [&str; 12] = [
    "order",
    "placed",
    "state",
    "method",
    "currency",
    "total",
    "refunded",
    "email",
    "name",
    "gateway_reference",
    "reference",
    "return_url",
];

/// `GET /merchant/transactions.csv`, with the same filter as the list.
pub(super) async fn download(
    State(state): State<AppState>,
    visitor: Visitor,
    staff: Staff,
    Query(asked): Query<Asked>,
) -> Response {
    let (filter, wrong) = asked.filter(&state, visitor.language);
    // A file that has other orders than were asked for, or not all, would not show it. The list does.
    let is_whole = wrong.is_empty()
        && match state.checkout.store().totals(filter.clone()).await {
            Ok(totals) => !totals.is_cut,
            Err(error) => return failed(&state, &visitor, &error.into()).await,
        };
    if !is_whole {
        return render::see_other(&asked.address(path::TRANSACTIONS, None));
    }
    let now_ms = state.checkout.now_ms();
    let detail = format!("{filter:?}").chars().take(500).collect();
    let noted = state.checkout.store().audit(staff.actor(), Action::Exported, detail, now_ms).await;
    if let Err(error) = noted {
        return failed(&state, &visitor, &error.into()).await;
    }
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8"),
        (CONTENT_DISPOSITION, "attachment; filename=\"transactions.csv\""),
        (CACHE_CONTROL, "no-store"),
    ];
    (headers, Body::from_stream(chunks(Arc::clone(&state.checkout), filter))).into_response()
}

/// What is read next.
enum Next {
    Header,
    Rows(From),
    Nothing,
}

/// The file, piece by piece. Where reading fails, the connection breaks: a file that is cut short must not
/// look complete.
fn chunks(
    checkout: Arc<Checkout>,
    filter: Filter,
) -> impl stream::Stream<Item = Result<Bytes, std::io::Error>> {
    stream::unfold(Next::Header, move |next| {
        let (checkout, filter) = (Arc::clone(&checkout), filter.clone());
        async move {
            let from = match next {
                Next::Header => {
                    let header = written(std::iter::once(COLUMNS.map(str::to_owned).to_vec()));
                    let marked = header.map(|rest| Bytes::from([MARK.as_bytes(), &rest].concat()));
                    return Some((marked, Next::Rows(From::Newest)));
                }
                Next::Rows(from) => from,
                Next::Nothing => return None,
            };
            let page = match checkout.store().transactions(filter, from, CHUNK).await {
                Ok(page) => page,
                Err(error) => {
                    tracing::error!(%error, "an export broke off");
                    return Some((Err(std::io::Error::other(error.to_string())), Next::Nothing));
                }
            };
            let last = page.rows.last().map(|row| row.cursor).filter(|_| page.has_older);
            let next = last.map_or(Next::Nothing, |cursor| Next::Rows(From::OlderThan(cursor)));
            Some((written(page.rows.iter().map(row)), next))
        }
    })
}

fn written(rows: impl Iterator<Item = Vec<String>>) -> Result<Bytes, std::io::Error> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for row in rows {
        writer.write_record(row)?;
    }
    writer.into_inner().map(Bytes::from).map_err(|error| std::io::Error::other(error.to_string()))
}

fn row(row: &Transaction) -> Vec<String> {
    let amount = |minor: i64| {
        let plain = format::plain(Money::new(minor, row.total.currency));
        plain.split(' ').next().unwrap_or_default().to_owned()
    };
    vec![
        row.reference.clone(),
        Timestamp::from_millisecond(row.placed_at_ms).map_or_else(|_| String::new(), |at| at.to_string()),
        row.state.name().to_owned(),
        row.method.id().to_owned(),
        row.total.currency.to_string(),
        amount(row.total.minor),
        amount(row.refunded_minor),
        harmless(&row.email),
        harmless(&row.name),
        harmless(&row.trnref),
        harmless(&row.shop_reference),
        // In an address the character has another spelling.
        harmless(&row.return_url.replace(';', "%3B")),
    ]
}

/// A text that no spreadsheet takes for a formula: shoppers choose their names themselves. A spreadsheet that takes
/// semicolons for the ends of cells would see one inside of a text too.
fn harmless(text: &str) -> String {
    let text = text.replace(';', ",");
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    if is_formula { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_of_a_shopper_becomes_a_formula() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"] {
            assert_eq!(harmless(formula), format!("'{formula}"));
        }
        assert_eq!(harmless("Ada;=1+1"), "Ada,=1+1");
        for text in ["Ada", "o'Neill", "ada@example.com", ""] {
            assert_eq!(harmless(text), text);
        }
    }
}
