//! The payment page.

use maud::{Markup, html};

use crate::cards;
use crate::control_page::fault_checkboxes;
use crate::money;
use crate::pages::frame;
use crate::state::{Customer, CustomerData, Method, Payment};
use crate::web::host;

/// Made-up banks: a list of real ones would be out of date, and would look as if they were involved.
const BANKS: [&str; 4] = ["Dijkbank", "Molenbank", "Polderbank", "Tulpbank"];

/// What the shopper typed, and what is wrong with it.
#[derive(Default)]
pub(crate) struct Typed {
    /// The chosen way to pay, such as `1-approve`.
    pub(crate) choice: Option<String>,
    pub(crate) number: Option<String>,
    pub(crate) number_error: Option<&'static str>,
    pub(crate) customer: Option<Customer>,
    pub(crate) customer_error: Option<&'static str>,
}

/// The page on which the shopper pays.
pub(crate) fn page(payment: &Payment, typed: &Typed) -> Markup {
    let order = &payment.order;
    let shop = host(&order.url_ok);
    let amount = money::shown(order.minor, &order.currency);
    let action = format!("/vmp/checkout/pay/{}", payment.session);
    let cancel = format!("{action}/cancel");
    frame(
        &format!("Pay {amount} to {shop}"),
        "wide",
        html! {
            div.columns {
                section.summary aria-label="Your order" {
                    p.quiet { "Payment to" }
                    p.shop { (shop) }
                    p.total { (amount) }
                    (cart(payment))
                }
                section.card {
                    h1 { "Pay " (amount) }
                    (alerts(payment, typed))
                    form #pay method="post" action=(action) {
                        @if order.customer_data == CustomerData::Asked {
                            (details_form(typed.customer.as_ref().unwrap_or(&order.customer)))
                        }
                        fieldset {
                            legend { "How would you like to pay?" }
                            @for method in &order.methods {
                                @if *method == Method::Card { (card_choices(order.methods.len() > 1, typed)) }
                                @else { (other_choices(*method, order.methods.first() == Some(method), typed)) }
                            }
                        }
                        p.notice {
                            strong { "Do not type a real card number." }
                            " Nobody is charged here. Only the last four digits are kept."
                        }
                    }
                    div.actions {
                        button.primary form="pay" type="submit" { "Pay " (amount) }
                        form method="post" action=(cancel) {
                            button type="submit" { "Cancel and return to " (shop) }
                        }
                    }
                }
                section.who aria-label="Your details" { (who(payment)) }
            }
            (tools(payment))
        },
    )
}

fn alerts(payment: &Payment, typed: &Typed) -> Markup {
    let has_error = typed.number_error.is_some() || typed.customer_error.is_some();
    html! {
        @if let (Some(declined), false) = (payment.declined.back(), has_error) {
            div.alert role="alert" {
                p {
                    strong { "The payment was declined." }
                    " " (declined.means.method.name())
                    @if let Some(last4) = &declined.means.last4 { " ending in " (last4) }
                    ": " (declined.reason) " (" (declined.code) ")."
                }
                p { "You have paid nothing. Try again, or choose another way to pay." }
            }
        }
        @for error in [typed.customer_error, typed.number_error].into_iter().flatten() {
            div.alert role="alert" { p { (error) } }
        }
        @for warning in &payment.order.warnings {
            p.hint { "For developers: " (warning) }
        }
    }
}

fn cart(payment: &Payment) -> Markup {
    let order = &payment.order;
    html! {
        table.cart {
            caption.hidden { "Your order" }
            tbody {
                @for line in &order.lines {
                    tr {
                        th scope="row" {
                            (line.article)
                            @if line.quantity != "1" { span.quiet { " × " (line.quantity) } }
                        }
                        td { (line.amount) }
                    }
                }
            }
            tfoot {
                tr { th scope="row" { "Total" } td { (money::shown(order.minor, &order.currency)) } }
            }
        }
        @if !order.note.is_empty() { p.quiet.note { (order.note) } }
    }
}

/// What the shop says about the shopper; nothing to type.
fn who(payment: &Payment) -> Markup {
    let customer = &payment.order.customer;
    let name = format!("{} {}", customer.first_names, customer.family_name);
    let city = format!("{} {}", customer.zip, customer.city);
    let lines =
        [name.trim(), &customer.email, &customer.phone, &customer.address, city.trim(), &customer.country];
    let lines: Vec<&str> = lines.into_iter().filter(|line| !line.is_empty()).collect();
    html! {
        @if payment.order.customer_data == CustomerData::Given && !lines.is_empty() {
            h2 { "Your details" }
            address { @for line in lines { (line) br; } }
        }
        p.quiet { "Order " span.code { (payment.order.id) } }
    }
}

/// The details that the shopper types himself.
fn details_form(customer: &Customer) -> Markup {
    html! {
        fieldset {
            legend { "Your details" }
            div.fields {
                label { "E-mail" input type="email" name="email" autocomplete="email" required value=(customer.email); }
                label { "First name" input name="first_names" autocomplete="given-name" required value=(customer.first_names); }
                label { "Family name" input name="family_name" autocomplete="family-name" required value=(customer.family_name); }
            }
        }
    }
}

/// A way to pay, as a large radio button.
fn choice(value: &str, is_checked: bool, label: Markup) -> Markup {
    html! {
        label.choice {
            input type="radio" name="choice" value=(value) checked[is_checked] required;
            span { (label) }
        }
    }
}

fn card_choices(is_named: bool, typed: &Typed) -> Markup {
    let chosen = typed.choice.as_deref().unwrap_or("1-approve");
    html! {
        @if is_named { h2.minor { "Card" } }
        (choice("1-approve", chosen == "1-approve", html! {
            strong { "Test card that is approved" } span.code { (cards::APPROVED) }
        }))
        (choice("1-decline", chosen == "1-decline", html! {
            strong { "Test card that is declined" } span.code { (cards::DECLINED) }
        }))
        div.group {
            (choice("1-number", chosen == "1-number", html! { strong { "Another test number" } }))
            div.more {
                label for="number" { "Card number" }
                input.code #number name="number" inputmode="numeric" autocomplete="off" maxlength="30"
                    value=(typed.number.as_deref().unwrap_or(cards::APPROVED))
                    aria-invalid=[typed.number_error.map(|_| "true")];
            }
        }
    }
}

fn other_choices(method: Method, is_first: bool, typed: &Typed) -> Markup {
    let approve = format!("{}-approve", method.code());
    let decline = format!("{}-decline", method.code());
    let chosen = typed.choice.as_deref();
    html! {
        h2.minor { (method.name()) }
        div.group {
            (choice(&approve, chosen == Some(&approve) || (chosen.is_none() && is_first), html! {
                strong { (method.name()) ", approved" }
            }))
            (choice(&decline, chosen == Some(&decline), html! { strong { (method.name()) ", refused" } }))
            @if method == Method::Ideal {
                div.more {
                    label for="bank" { "Your bank" }
                    select #bank name="bank" { @for bank in BANKS { option { (bank) } } }
                }
            }
        }
    }
}

/// The faults of this payment alone.
fn tools(payment: &Payment) -> Markup {
    let on = payment.faults.len();
    html! {
        details.tools {
            summary {
                "Sandbox tools"
                @if on > 0 { span.count { (on) " on" } }
            }
            p.quiet {
                "Make something go wrong with this payment only. "
                a href=(format!("/sandbox/payments/{}", payment.session)) { "What went on so far" } " · "
                a href="/" { "All payments and switches" }
            }
            form method="post" action=(format!("/sandbox/control/payments/{}/faults", payment.session)) {
                (fault_checkboxes(&payment.faults))
                button type="submit" { "Apply to this payment" }
            }
        }
    }
}
