//! The control page: what there is to see and to switch.

use maud::{Markup, html};

use crate::faults::{Fault, Faults, Switch};
use crate::gateway::Gateway;
use crate::keys::PACKAGE_FILE;
use crate::money;
use crate::pages::{frame, refused_line};
use crate::state::{Payment, State, Status};
use crate::timestamp::date_time;
use crate::web::host;

/// How many payments the overview lists.
const MAX_LISTED: usize = 100;
/// How often a fault may be asked to happen on the control page; the API takes any number.
const COUNTS: [u32; 4] = [1, 2, 3, 5];

/// The whole control page.
pub(crate) fn overview(gateway: &Gateway, state: &State) -> Markup {
    let now = gateway.now();
    frame(
        "Control",
        "wide control",
        html! {
            header.top {
                h1 { "myPOS sandbox" }
                p { "A local stand-in for the myPOS gateway. " span.quiet { "It is " (date_time(now)) " UTC here." } }
            }
            (set_up(gateway))
            section.card aria-labelledby="payments" {
                h2 #payments { "Payments" }
                (payments(state, now))
            }
            (refused(state))
            (switches(&state.faults))
            section.card aria-labelledby="clock" {
                h2 #clock { "Clock" }
                p { "Sessions expire and rollbacks are repeated by this clock. It only goes forward." }
                form.inline method="post" action="/sandbox/control/clock" {
                    label { "Minutes" input type="number" name="minutes" value="15" min="1" max="527040" required; }
                    button type="submit" { "Move forward" }
                }
            }
        },
    )
}

fn set_up(gateway: &Gateway) -> Markup {
    html! {
        section.card aria-labelledby="set-up" {
            h2 #set-up { "Set-up of the shop" }
            dl.facts {
                dt { "Gateway" } dd.code { (gateway.public_url) "/vmp/checkout-test" }
                dt { "Store (SID)" } dd.code { (gateway.keys.sid) }
                dt { "Wallet" } dd.code { (gateway.keys.wallet) }
                dt { "Package" } dd.code { (gateway.dir.join(PACKAGE_FILE).display()) }
            }
            p.quiet {
                "The configuration package carries the store's key and the gateway's certificate, "
                "as the one from the myPOS account does. URL_Notify must be https without a port, or on this machine."
            }
        }
    }
}

fn badge(status: Status) -> Markup {
    html! { span class={ "badge " (status.name()) } { (status.name()) } }
}

fn payments(state: &State, now_ms: i64) -> Markup {
    let mut listed = state.payments().rev().take(MAX_LISTED).peekable();
    html! {
        @if listed.peek().is_none() {
            p.empty { "No payment yet. Send an order from your shop to the gateway address above." }
        } @else {
            div.scroll tabindex="0" role="group" aria-labelledby="payments" {
                table.list.stacked {
                    thead { tr {
                        th scope="col" { "Time (UTC)" } th scope="col" { "Order" } th scope="col" { "Shop" }
                        th.number scope="col" { "Amount" } th scope="col" { "State" } th scope="col" { "Last message" }
                    } }
                    tbody {
                        @for payment in listed {
                            tr {
                                td { (date_time(payment.created_ms)) }
                                td.code { a href=(format!("/sandbox/payments/{}", payment.session)) { (payment.order.id) } }
                                td { (host(&payment.order.url_ok)) }
                                td.number { (money::shown(payment.order.minor, &payment.order.currency)) }
                                td {
                                    (badge(payment.status(now_ms)))
                                    @if payment.refunded() > 0 { " " span.badge { "refunds" } }
                                }
                                td {
                                    @if let Some(delivery) = payment.deliveries.back() {
                                        (delivery.method.trim_start_matches("IPCPurchase")) ": " (delivery.answer.name())
                                    } @else { span.quiet { "no message" } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn refused(state: &State) -> Markup {
    let mut listed = state.refused().rev().peekable();
    html! {
        @if listed.peek().is_some() {
            section.card aria-labelledby="refused" {
                h2 #refused { "Refused requests" }
                ul.plain {
                    @for refused in listed {
                        li {
                            span.quiet { (date_time(refused.at_ms)) }
                            @if !refused.order_id.is_empty() { " " span.code { (refused.order_id) } }
                            br;
                            (refused_line(refused))
                        }
                    }
                }
            }
        }
    }
}

/// The faults in their groups, each drawn by `row`.
fn grouped(row: impl Fn(Fault) -> Markup) -> Markup {
    let groups = Fault::ALL.chunk_by(|a, b| a.group() == b.group());
    html! {
        @for group in groups {
            @if let Some(first) = group.first() {
                fieldset.faults {
                    legend { (first.group()) }
                    @for fault in group { (row(*fault)) }
                }
            }
        }
    }
}

fn number_input(fault: Fault, switch: Option<Switch>) -> Markup {
    html! {
        @if let Some(number) = fault.number() {
            label.small {
                span { (number.says) }
                input type="number" name={ (fault.name()) ".value" } min="0" max=(number.max)
                    value=(switch.map_or(number.default, |switch| switch.value));
            }
        }
    }
}

fn switches(faults: &Faults) -> Markup {
    html! {
        section.card #switches aria-labelledby="switches-title" {
            h2 #switches-title { "What goes wrong" }
            p.quiet { "For every payment from now on. A restart begins with everything off." }
            form method="post" action="/sandbox/control/faults" {
                (grouped(|fault| switch_row(fault, faults.get(fault))))
                button.primary type="submit" { "Save switches" }
            }
        }
    }
}

fn switch_row(fault: Fault, switch: Option<Switch>) -> Markup {
    let count = switch.map(|switch| switch.count);
    let is_other = matches!(count, Some(Some(count)) if !COUNTS.contains(&count));
    let says = format!("{}-says", fault.name());
    html! {
        div.fault.on[switch.is_some()] {
            div.what {
                label.code for=(fault.name()) { (fault.name()) }
                p.quiet id=(says) { (fault.says()) }
            }
            div.how {
                select id=(fault.name()) name=(fault.name()) aria-describedby=(says) {
                    option value="0" selected[count.is_none()] { "Off" }
                    @for times in COUNTS {
                        option value=(times) selected[count == Some(Some(times))] {
                            @if times == 1 { "Next time" } @else { "Next " (times) " times" }
                        }
                    }
                    @if let (true, Some(Some(times))) = (is_other, count) {
                        option value=(times) selected { "Next " (times) " times" }
                    }
                    option value="always" selected[count == Some(None)] { "Always" }
                }
                label.small {
                    span { "in % of cases" }
                    input type="number" name={ (fault.name()) ".percent" } min="1" max="100"
                        value=(switch.map_or(100, |switch| switch.percent));
                }
                (number_input(fault, switch))
            }
        }
    }
}

/// The faults as checkboxes, for one payment. What applies before there is a payment is left out.
pub(crate) fn fault_checkboxes(faults: &Faults) -> Markup {
    grouped(|fault| {
        let switch = faults.get(fault);
        html! {
            @if fault != Fault::DuplicateOrderIdsAllowed {
                div.fault.on[switch.is_some()] {
                    label.check {
                        input type="checkbox" name=(fault.name()) value="on" checked[switch.is_some()];
                        span { span.code { (fault.name()) } span.quiet { (fault.says()) } }
                    }
                    @if fault.number().is_some() { div.how { (number_input(fault, switch)) } }
                }
            }
        }
    })
}

/// What went on with one payment.
pub(crate) fn payment(payment: &Payment, now_ms: i64) -> Markup {
    let order = &payment.order;
    let control = format!("/sandbox/control/payments/{}", payment.session);
    frame(
        &format!("Payment {}", order.id),
        "wide control",
        html! {
            header.top {
                p { a href="/" { "← All payments" } }
                h1.code { (order.id) }
            }
            section.card {
                h2 { (money::shown(order.minor, &order.currency)) " " (badge(payment.status(now_ms))) }
                dl.facts {
                    dt { "Shop" } dd { (host(&order.url_ok)) }
                    dt { "URL_Notify" } dd.code { (order.url_notify) }
                    dt { "Requested" } dd { (date_time(payment.created_ms)) " UTC" }
                    dt { "Expires" } dd { (date_time(payment.expires_ms())) " UTC" }
                    @if let Some(transaction) = &payment.transaction {
                        dt { "IPC_Trnref" } dd.code { (transaction.trnref) }
                    }
                    @if payment.refunded() > 0 {
                        dt { "Refunded" }
                        dd { (money::shown(payment.refunded(), &order.currency)) " in " (payment.refunds.len()) }
                    }
                    @if let Some(rollback) = &payment.rollback {
                        dt { "Next Rollback" } dd { (date_time(rollback.due_ms)) " UTC; attempts so far: " (rollback.attempts) }
                    }
                }
                div.actions {
                    a.button href=(format!("/vmp/checkout/pay/{}", payment.session)) { "Open the shopper's page" }
                    @if payment.transaction.is_some() {
                        form method="post" action=(format!("{control}/notify")) {
                            button type="submit" { "Send the Notify again" }
                        }
                        form method="post" action=(format!("{control}/rollback")) {
                            button type="submit" { "Reverse and send the Rollback" }
                        }
                    }
                }
            }
            section.card aria-labelledby="messages" {
                h2 #messages { "Messages to the shop" }
                @if payment.deliveries.is_empty() { p.empty { "None yet." } }
                ol.plain {
                    @for delivery in &payment.deliveries {
                        li {
                            span.quiet { (date_time(delivery.at_ms)) } " " strong { (delivery.method) }
                            br; (delivery.answer.says())
                        }
                    }
                }
            }
            section.card aria-labelledby="log" {
                h2 #log { "What went on" }
                div.scroll tabindex="0" role="group" aria-labelledby="log" {
                    table.list {
                        thead { tr {
                            th scope="col" { "Time (UTC)" } th scope="col" { "Action" } th scope="col" { "Result" }
                        } }
                        tbody {
                            @for line in &payment.log {
                                tr { td { (date_time(line.at_ms)) } td { (line.action) } td { (line.result) } }
                            }
                        }
                    }
                }
            }
        },
    )
}
