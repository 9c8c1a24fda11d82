//! What every store must do: one suite, run on each of them.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

#[macro_use]
mod conformance;
mod database;
mod dice;
#[macro_use]
mod merchant;
#[macro_use]
mod outbox;
mod postgres;
mod sqlite;
mod tls;
mod world;
