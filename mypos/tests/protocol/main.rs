//! The protocol seen from outside: every test goes through the public API.
//!
//! What keeps it honest is what others signed: the vectors that myPOS printed, and the OpenSSL command.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails may panic anywhere"
)]

mod callbacks;
mod damage;
mod fixtures;
mod keys;
mod limits;
mod meaning;
mod money;
mod openssl;
mod packages;
mod parsers;
mod replies;
mod requests;
mod round_trips;
mod signatures;
mod statuses;
mod vectors;
