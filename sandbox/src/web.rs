//! Answers for browsers: pages with the headers that they need.

use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use maud::Markup;
use reqwest::Url;

/// What a page may do beyond showing itself.
#[derive(Default)]
pub(crate) struct Permissions {
    /// Addresses of the shop that the page's forms may post to.
    pub(crate) form_targets: Vec<String>,
    /// The nonce of the one script that may run.
    pub(crate) script_nonce: Option<String>,
}

/// A page: not cached, not framed, without foreign content.
pub(crate) fn page(status: StatusCode, markup: Markup, permissions: &Permissions) -> Response {
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (CACHE_CONTROL, "no-store".to_owned()),
        (CONTENT_SECURITY_POLICY, content_security_policy(permissions)),
        (HeaderName::from_static("referrer-policy"), "strict-origin-when-cross-origin".to_owned()),
        (HeaderName::from_static("x-content-type-options"), "nosniff".to_owned()),
    ];
    (status, headers, markup.into_string()).into_response()
}

/// A redirect to be followed by GET.
pub(crate) fn see_other(path: &str) -> Response {
    (StatusCode::SEE_OTHER, [(LOCATION, path)]).into_response()
}

fn content_security_policy(permissions: &Permissions) -> String {
    let mut policy = "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; \
                      frame-ancestors 'none'; form-action 'self'"
        .to_owned();
    for origin in permissions.form_targets.iter().filter_map(|target| origin(target)) {
        policy.push(' ');
        policy.push_str(&origin);
    }
    if let Some(nonce) = &permissions.script_nonce {
        policy.push_str("; script-src 'nonce-");
        policy.push_str(nonce);
        policy.push('\'');
    }
    policy
}

/// The origin of an address, unless it has a character that means something in a policy.
fn origin(address: &str) -> Option<String> {
    let origin = Url::parse(address).ok()?.origin().ascii_serialization();
    let is_plain = origin.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":/.-_[]".contains(&byte));
    is_plain.then_some(origin)
}

/// 128 random bits as text; `None` where the machine has no randomness.
pub(crate) fn random_token() -> Option<String> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).ok()?;
    Some(format!("{:032x}", u128::from_be_bytes(bytes)))
}

/// Host and port of an address, as people name a shop.
pub(crate) fn host(address: &str) -> String {
    let Ok(url) = Url::parse(address) else { return "the shop".to_owned() };
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => "the shop".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shop_cannot_write_into_the_policy() {
        assert_eq!(origin("https://shop.example/x?y"), Some("https://shop.example".to_owned()));
        assert_eq!(origin("http://[::1]:3000/x"), Some("http://[::1]:3000".to_owned()));
        assert_eq!(origin("http://a;script-src/x"), None);
        assert_eq!(origin("http://a,b/x"), None);
    }

    #[test]
    fn hosts_are_shown_with_their_port() {
        assert_eq!(host("http://127.0.0.1:3000/mypos/ok"), "127.0.0.1:3000");
        assert_eq!(host("https://shop.example/ok"), "shop.example");
        assert_eq!(host("nonsense"), "the shop");
    }
}
