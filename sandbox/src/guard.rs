//! Keeps other sites away from the controls.
//!
//! The sandbox runs on a developer's machine, where any page in the browser could post to it. What changes
//! its state for people and tests is refused to requests that a browser marks as coming from elsewhere.
//! The payment endpoints take posts from shops, as they must.

use axum::extract::Request;
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Lets a request pass unless a browser sent it for another site.
pub(crate) async fn refuse_other_sites(request: Request, next: Next) -> Response {
    if is_from_elsewhere(request.headers()) {
        let error = "the controls of the sandbox do not take requests from other sites\n";
        return (StatusCode::FORBIDDEN, error).into_response();
    }
    next.run(request).await
}

fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if matches!(text("sec-fetch-site"), Some("cross-site" | "same-site")) {
        return true;
    }
    match (headers.get(ORIGIN), headers.get(HOST)) {
        (None, _) => false,
        (Some(origin), host) => {
            let origin_host = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
            origin_host.map(|(_, host)| host) != host.and_then(|host| host.to_str().ok())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pairs: &[(&'static str, &'static str)]) -> bool {
        is_from_elsewhere(
            &pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect(),
        )
    }

    #[test]
    fn browsers_on_other_sites_are_told_apart() {
        assert!(!check(&[]));
        assert!(!check(&[("sec-fetch-site", "none")]));
        assert!(!check(&[
            ("sec-fetch-site", "same-origin"),
            ("origin", "http://localhost:3001"),
            ("host", "localhost:3001")
        ]));
        assert!(check(&[("sec-fetch-site", "cross-site")]));
        assert!(check(&[("sec-fetch-site", "same-site")]));
        assert!(check(&[("origin", "https://evil.example"), ("host", "localhost:3001")]));
        assert!(check(&[("origin", "null"), ("host", "localhost:3001")]));
    }
}
