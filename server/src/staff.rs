//! Who is signed in at the merchant's pages.

use app::pages::merchant::{Desk, path};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use axum_extra::extract::CookieJar;
use checkout::people::{Actor, Role, User};
use checkout::sign_in::DoorError;
use checkout::token::Token;

use crate::backend::unavailable;
use crate::client_address::address_of;
use crate::render;
use crate::state::AppState;
use crate::visitor::Visitor;
use app::pages::MessageKind;

/// Somebody who is signed in. As an extractor it sends everybody else to the door, and remembers where they
/// wanted to go.
#[derive(Clone, Debug)]
pub struct Staff {
    /// Who.
    pub user: User,
    /// Their session.
    pub session: Token,
    /// Where they come from.
    pub address: String,
}

impl Staff {
    /// For the audit log.
    pub fn actor(&self) -> Actor {
        Actor::user(&self.user, self.address.clone())
    }

    /// Whether their role includes another one.
    pub fn may(&self, role: Role) -> bool {
        self.user.role.may(role)
    }

    /// The frame of a page for them.
    pub fn desk(&self, state: &AppState, visitor: &Visitor, here: &'static str) -> Desk {
        Desk {
            site: visitor.site(state),
            user: self.user.email.clone(),
            may_administer: self.may(Role::Administer),
            here,
        }
    }
}

/// The session that a request carries.
pub fn session_of(state: &AppState, headers: &HeaderMap) -> Option<Token> {
    let jar = CookieJar::from_headers(headers);
    Token::parse(jar.get(&state.shop.cookies.merchant())?.value())
}

/// Where a request comes from, as the audit log writes it.
pub fn client_of(state: &AppState, parts: &Parts) -> String {
    let address = address_of(&parts.extensions, &parts.headers, &state.shop.trusted_proxies);
    address.map_or_else(String::new, |address| address.to_string())
}

/// The door, with where to go from there.
pub fn door(at: &str, next: &str, has_ended: bool) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("next", next);
    if has_ended {
        query.append_pair("ended", "1");
    }
    format!("{at}?{}", query.finish())
}

impl FromRequestParts<AppState> for Staff {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Response> {
        let next = match parts.uri.path_and_query() {
            Some(address) if parts.method == Method::GET => address.as_str(),
            // What a form carried is kept by the handlers that can.
            _ => path::TRANSACTIONS,
        };
        let Some(session) = session_of(state, &parts.headers) else {
            return Err(render::see_other(&door(path::SIGN_IN, next, false)));
        };
        match state.checkout.session(&session).await {
            Ok(Some(known)) if known.is_complete => {
                Ok(Self { user: known.user, session, address: client_of(state, parts) })
            }
            Ok(Some(_)) => Err(render::see_other(&door(path::CODE, next, false))),
            Ok(None) => Err(render::see_other(&door(path::SIGN_IN, next, true))),
            Err(error) => {
                door_failed(&error);
                Err(render::message_for(state, &parts.headers, MessageKind::Unavailable).await)
            }
        }
    }
}

/// A failure of our side at the door: logged with its cause.
pub fn door_failed(error: &DoorError) {
    match error {
        DoorError::Failed(error) => drop(unavailable(error)),
        DoorError::Problem(_) => {}
    }
}
