//! The sandbox over real HTTP, with a small shop of its own on the other side.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod calls;
mod checks;
mod clients;
mod controls;
mod faults;
mod purchase;
mod shop;
mod world;
