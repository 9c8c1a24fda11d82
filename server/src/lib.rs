//! The Tillgate server: configuration, addresses, pages, and the command line.
//!
//! What a checkout does is in `checkout`; what a shopper sees is in `app`. Here both meet HTTP.

pub mod assets;
pub mod backend;
pub mod cli;
pub mod client_address;
pub mod config;
mod connections;
pub mod cookies;
pub mod dev;
pub mod doctor;
pub mod limits;
pub mod log;
pub mod merchant_view;
pub mod order_view;
pub mod render;
pub mod routes;
pub mod serve;
pub mod staff;
pub mod state;
pub mod visitor;
