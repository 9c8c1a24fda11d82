//! Who did what.

use leptos::prelude::*;

use super::{Desk, labelled, page, path};

/// An entry of the audit log.
#[derive(Clone, Debug)]
pub struct AuditLine {
    /// When.
    pub when: String,
    /// Who.
    pub who: String,
    /// From where.
    pub address: String,
    /// What, in words.
    pub what: String,
    /// What else is known.
    pub detail: String,
    /// The reference of the order that it was about; empty where it was about none.
    pub order: String,
}

/// The audit log, newest first.
#[component]
pub fn AuditPage(
    /// The shop and the request.
    desk: Desk,
    /// A page of it.
    lines: Vec<AuditLine>,
    /// The address of older entries.
    older: Option<String>,
) -> impl IntoView {
    let texts = desk.texts();
    let is_empty = lines.is_empty();
    let rows = lines.into_iter().map(|line| {
        let about = (!line.order.is_empty()).then(|| {
            let address = format!("{}/{}", path::TRANSACTIONS, line.order);
            view! { <a href=address>{line.order}</a> }
        });
        let where_from = labelled(texts.audit_where, &line.address);
        view! {
            <tr>
                <th scope="row">{line.when}</th>
                <td class="who" data-label=texts.audit_who>{line.who}</td>
                <td data-label=where_from>{line.address}</td>
                <td data-label=texts.audit_what>
                    <span>{line.what} " " {about}</span>
                    <span class="hint">{line.detail}</span>
                </td>
            </tr>
        }
    });
    page(
        &desk,
        texts.audit.to_owned(),
        false,
        view! {
            <div class="title"><h1>{texts.audit}</h1></div>
            <p>{texts.audit_text}</p>
            {is_empty.then(|| view! { <p class="empty">{texts.audit_empty}</p> })}
            <table class="list" hidden=is_empty>
                <thead>
                    <tr>
                        <th scope="col">{texts.audit_when}</th>
                        <th scope="col">{texts.audit_who}</th>
                        <th scope="col">{texts.audit_where}</th>
                        <th scope="col">{texts.audit_what}</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
            {older
                .map(|address| {
                    view! {
                        <nav class="pages" aria-label=texts.pages>
                            <a class="button plain" href=address rel="next">{texts.older}</a>
                        </nav>
                    }
                })}
        },
    )
}
