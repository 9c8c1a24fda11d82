//! Serves the sandbox on 127.0.0.1:3001, with its files in the folder given (or `.tillgate/sandbox`).

use std::sync::Arc;

use sandbox::{Config, Sandbox, SystemClock};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = std::env::args().nth(1).unwrap_or_else(|| ".tillgate/sandbox".to_owned());
    let config = Config::new(dir, "http://localhost:3001");
    let sandbox = Sandbox::open(config, Arc::new(SystemClock::new()))?;
    sandbox.spawn_deliveries();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3001").await?;
    axum::serve(listener, sandbox.router()).await?;
    Ok(())
}
