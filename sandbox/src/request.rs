//! Reads a request of the protocol: the fields in the order of transmission, and the method.

use axum::body::Bytes;
use axum::extract::{FromRequest, Multipart};
use axum::http::header::CONTENT_TYPE;
use mypos::Unverified;

/// The longest body that is read, in bytes.
pub(crate) const MAX_BODY: usize = 64 * 1024;

/// Reads the body of a request: `application/x-www-form-urlencoded`, or `multipart/form-data` as the shop
/// plug-ins that pass an array to curl send it.
///
/// # Errors
/// A sentence for the developer.
pub(crate) async fn read(request: axum::extract::Request) -> Result<Unverified, String> {
    let is_multipart = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.trim_start().to_ascii_lowercase().starts_with("multipart/form-data"));
    if is_multipart {
        let pairs = multipart_pairs(request).await?;
        return Unverified::from_pairs(pairs).map_err(|error| error.to_string());
    }
    let body = Bytes::from_request(request, &()).await.map_err(|error| error.body_text())?;
    Unverified::from_form(&body).map_err(|error| error.to_string())
}

async fn multipart_pairs(request: axum::extract::Request) -> Result<Vec<(String, String)>, String> {
    let mut multipart = Multipart::from_request(request, &()).await.map_err(|error| error.body_text())?;
    let mut pairs = Vec::new();
    while let Some(part) = multipart.next_field().await.map_err(|error| error.body_text())? {
        let name = part.name().unwrap_or_default().to_owned();
        // Strictly: a lossy reading would change what was signed.
        let bytes = part.bytes().await.map_err(|error| error.body_text())?;
        let text = String::from_utf8(bytes.into()).map_err(|_| "the message is not UTF-8".to_owned())?;
        pairs.push((name, text));
    }
    Ok(pairs)
}
