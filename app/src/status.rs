//! The island that waits for news of a payment.

use std::time::Duration;

use domain::ShopperState;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::client::Client;
use crate::dom;
use crate::text::StatusTexts;
use crate::wire::{self, Json};

/// The longest pause between two questions, in seconds.
const LONGEST_PAUSE: u64 = 15;
/// After about this many seconds the asking ends, and the shopper is told that it takes long.
const LONG: u64 = 300;

/// What the island begins with.
#[derive(Clone, Debug)]
pub struct StatusModel {
    /// The order's token.
    pub token: String,
    /// The state that the page shows.
    pub shown: ShopperState,
    /// The words.
    pub texts: &'static StatusTexts,
}

impl StatusModel {
    /// Reads what [`StatusModel::to_json`] wrote.
    pub fn from_json<J: Json>(json: &J) -> Option<Self> {
        Some(Self {
            token: wire::text(json, "token")?,
            shown: wire::status_reply(json)?.state,
            texts: StatusTexts::from_list(wire::list(&json.member("texts")?, J::text)?)?,
        })
    }

    /// The data of the page's island.
    #[cfg(feature = "ssr")]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({ "token": self.token, "state": self.shown, "texts": self.texts.list() })
    }
}

/// Asks where the order stands until that changes, then loads the page again.
#[island]
pub fn StatusIsland() -> impl IntoView {
    let model = use_context::<StatusModel>()
        .or_else(|| StatusModel::from_json(&dom::page_data()?))
        .unwrap_or_else(|| wasm_bindgen::throw_str("this page has no status data"));
    let texts = model.texts;
    let took_long = RwSignal::new(false);
    let token = StoredValue::new(model.token);
    let shown = model.shown;
    Effect::new(move |_| ask_after(1, 0, token, shown, took_long));
    view! {
        <p class="hint" role="status">
            {move || if took_long.get() { texts.still_checking } else { texts.asking }}
        </p>
    }
}

/// Asks after `pause` seconds, and again after pauses that double. `asked` seconds were spent so far;
/// a page that nobody sees waits without asking.
fn ask_after(
    pause: u64,
    asked: u64,
    token: StoredValue<String>,
    shown: ShopperState,
    took_long: RwSignal<bool>,
) {
    let next = move |asked| ask_after((pause * 2).min(LONGEST_PAUSE), asked, token, shown, took_long);
    set_timeout(
        move || {
            if dom::document().is_some_and(|document| document.hidden()) {
                ask_after(1, asked, token, shown, took_long);
                return;
            }
            let asked = asked + pause;
            if asked >= LONG {
                took_long.set(true);
                return;
            }
            spawn_local(async move {
                match Client::OWN.status(&token.get_value()).await {
                    Ok(reply) if reply.state != shown => {
                        let _ = window().location().reload();
                    }
                    _ => next(asked),
                }
            });
        },
        Duration::from_secs(pause),
    );
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use domain::Language;

    use super::*;

    #[test]
    fn what_the_page_carries_reads_back() {
        let model = StatusModel {
            token: "token".into(),
            shown: ShopperState::Checking,
            texts: &crate::text::texts(Language::De).status,
        };
        let read = StatusModel::from_json(&model.to_json()).unwrap();
        assert_eq!(format!("{read:?}"), format!("{model:?}"));
    }
}
