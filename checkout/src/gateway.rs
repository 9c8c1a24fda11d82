//! The way to the gateway, server to server.

use std::time::Duration;

use async_trait::async_trait;
use reqwest::header::{CONTENT_TYPE, USER_AGENT};
use reqwest::redirect::Policy;

/// How long the gateway may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long one call may take in all.
const CALL_TIMEOUT: Duration = Duration::from_secs(20);
/// The longest answer that is read.
const MAX_ANSWER_BYTES: usize = 256 * 1024;
/// The gateway's documentation asks for one.
pub(crate) const AGENT: &str = concat!("Tillgate/", env!("CARGO_PKG_VERSION"));

/// Why the gateway gave no answer that could be read. It may have done what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// No connection, no answer in time, or a broken one.
    #[error("the gateway could not be reached: {0}")]
    Unreachable(String),
    /// It answered with another HTTP status than 200.
    #[error("the gateway answered with HTTP status {0}")]
    HttpStatus(u16),
    /// Its answer is longer than anything it should say.
    #[error("the gateway's answer is too long")]
    TooLong,
}

/// Posts a signed form to the gateway and brings back the body of its answer.
#[async_trait]
pub trait Gateway: Send + Sync + 'static {
    /// One call. Nothing is sent twice.
    async fn call(&self, endpoint: &str, form: String) -> Result<Vec<u8>, GatewayError>;
}

/// The gateway over HTTP: TLS verified, no redirects, bounded in time and size.
pub struct HttpGateway {
    client: reqwest::Client,
}

impl HttpGateway {
    /// Builds the client.
    pub fn new() -> Result<Self, GatewayError> {
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(CALL_TIMEOUT)
            .redirect(Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| GatewayError::Unreachable(error.to_string()))?;
        Ok(Self { client })
    }
}

#[async_trait]
impl Gateway for HttpGateway {
    async fn call(&self, endpoint: &str, form: String) -> Result<Vec<u8>, GatewayError> {
        let unreachable = |error: reqwest::Error| GatewayError::Unreachable(error.without_url().to_string());
        let mut response = self
            .client
            .post(endpoint)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(USER_AGENT, AGENT)
            .body(form)
            .send()
            .await
            .map_err(unreachable)?;
        if response.status().as_u16() != 200 {
            return Err(GatewayError::HttpStatus(response.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err(GatewayError::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}
