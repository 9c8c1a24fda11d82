//! How much one client may ask for. The gateway's own requests are never counted.

use std::net::IpAddr;
use std::num::NonZeroU32;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::client_address::client_address;
use crate::config::Config;
use crate::render;
use crate::state::AppState;
use app::pages::MessageKind;
use checkout::people::household;
use domain::Problem;

/// Counters by client address: one for everything, a tighter one for starting payments.
pub struct Limits {
    requests: DefaultKeyedRateLimiter<IpAddr>,
    payments: DefaultKeyedRateLimiter<IpAddr>,
}

/// When this many clients are known, those who have been quiet are forgotten.
const MANY_CLIENTS: usize = 50_000;

impl Limits {
    /// The limits of a configuration.
    pub fn new(config: &Config) -> Self {
        let at_least_one = |count: u32| NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
        let requests = Quota::per_second(at_least_one(config.requests_per_second))
            .allow_burst(at_least_one(config.requests_burst));
        let payments = Quota::per_minute(at_least_one(config.payments_per_minute))
            .allow_burst(at_least_one(config.payments_burst));
        Self { requests: RateLimiter::keyed(requests), payments: RateLimiter::keyed(payments) }
    }

    fn allows(&self, client: IpAddr, starts_payment: bool) -> bool {
        let client = household(client);
        if self.requests.len() > MANY_CLIENTS {
            self.requests.retain_recent();
            self.payments.retain_recent();
        }
        self.requests.check_key(&client).is_ok()
            && (!starts_payment || self.payments.check_key(&client).is_ok())
    }
}

/// Refuses what is too much, as a page or as JSON.
pub(crate) async fn limit(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let Some(client) = client_address(&request, &state.shop.trusted_proxies) else {
        return next.run(request).await;
    };
    let path = request.uri().path();
    let starts_payment =
        request.method() == Method::POST && (path == app::form::PAY || path == app::api::START);
    if state.limits.allows(client, starts_payment) {
        return next.run(request).await;
    }
    let mut response = if path.starts_with("/api/") {
        render::problem(&Problem::RateLimited)
    } else {
        render::message_for(&state, request.headers(), MessageKind::TooManyRequests).await
    };
    response.headers_mut().insert("retry-after", HeaderValue::from_static("10"));
    response
}
