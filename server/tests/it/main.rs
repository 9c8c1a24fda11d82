//! The server over real HTTP: pages, the gateway's messages, reconciliation, and the command line.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod backup;
mod cli;
mod connections;
#[path = "../../../checkout/tests/it/database.rs"]
mod database;
#[path = "../../../checkout/tests/it/dice.rs"]
mod dice;
mod faults;
mod figures;
mod gateway;
mod html;
mod keys;
mod kill;
mod merchant;
mod messages;
mod notify;
mod pages;
mod pay;
mod quotes;
mod reconcile;
mod replicas;
mod returns;
mod shop;
mod storefront;
mod strangers;
mod traces;
mod webhooks;
