//! The words of the merchant's pages.
//!
//! What the server knows by a stable name (a state, an event, a deed) finds its words by that name.

server_texts! {
    /// The merchant's pages.
    MerchantTexts {
        area, skip_user, nav, transactions, account, audit, sign_out, sign_in_title, sign_in_text,
        email, password, sign_in_button, session_ended, signed_out, code_title, code_text, code,
        code_button, wrong_sign_in, wrong_code, too_many_guesses, bad_password, problem_title,
        search, search_hint, filter_state, filter_method, from, to, filter_button, filter_clear,
        any_state, any_method, attention, attention_all, attention_none, export, empty_title,
        empty_text, nothing_found, nothing_found_text, bad_date, cut_short, column_order,
        column_date, column_customer, column_state, column_total, column_refunded, sum_orders,
        sum_total, sum_refunded, newer, older, pages, unknown_messages, unknown_messages_text, unknown_message_seen,
        order_open, order_awaiting, order_paid, order_cancelled, order_expired, order_refunded,
        order_partly, payment_started, payment_cancelled, payment_failed, payment_paid,
        payment_checking, payment_refused, payment_given_back, payment_reversing, payment_reversed, refund_proposed,
        refund_reserved, refund_done, refund_refused, refund_unknown, kind_gateway, kind_account,
        kind_chargeback, kind_hand, back_to_list, order_heading, customer_heading, address, phone,
        language, method, placed, state, total, given_back, left, shop_reference, return_url, received, missing, too_much,
        lines_heading, delivery, payments_heading, no_payments, gateway_reference, gateway_order,
        amount, since, refunds_heading, receipts_heading, asked_by, reason, answer, history_heading,
        deeds_heading, webhooks_heading, webhook_body, webhook_button, webhook_button_of,
        webhook_waiting, webhook_delivered, webhook_given_up, news_redelivered, raw, by_nobody, from_address, refund_heading, refund_text, refund_amount,
        refund_amount_hint, refund_reason, refund_reason_hint, review_button,
        refund_refused_heading, record_heading, record_text, record_kind, record_payment, reverse_heading,
        reverse_text, reverse_button, receive_heading, receive_text, receive_amount, receive_note,
        receive_note_hint, receive_settles, cancel_heading, cancel_text, cancel_own_text, cancel_button,
        approve_button, turn_down_button, own_proposal, outcome_question, outcome_done,
        outcome_not_done, reversal_question, reversal_done, reversal_not_done, looked_at_text,
        looked_at_button, review_refund, review_refund_text, review_refund_all,
        review_refund_button, review_needs_approval, review_propose_button, review_approve,
        review_approve_text, review_approve_button, review_record, review_record_text,
        review_record_button, review_reverse, review_reverse_text, review_reverse_button,
        review_receive, review_receive_exact, review_receive_short, review_receive_settled,
        review_receive_over, review_receive_other, review_cancel, review_outcome_done, review_outcome_not,
        review_outcome_text, review_outcome_button, review_reversal_done, review_reversal_not,
        review_back, review_note, needs_second_factor, news_done, news_refused, news_unknown,
        news_reserved, news_proposed, news_recorded, news_reversed, news_not_reversed,
        news_reversal_unknown, why_balance, why_not_permitted, why_limit, why_amount, why_declined,
        why_other, p_not_found, p_nothing, p_not_positive, p_currency, p_too_much, p_no_reason,
        p_key_reused, p_own_proposal, p_changed, p_still_asked, p_has_refunds, p_needs_approval, p_no_reference,
        p_amount_missing, p_not_an_amount, p_too_precise, p_too_large, p_not_allowed, p_failed,
        p_no_kind, role, role_view, role_refund, role_administer, password_heading, password_text,
        old_password, new_password, new_password_hint, password_button, password_changed,
        factor_heading, factor_off_text, factor_on_text, factor_key, factor_picture,
        factor_on_button, factor_off_button, factor_is_on, factor_is_off, audit_text, audit_when,
        audit_who, audit_where, audit_what, audit_empty, e_order_placed, e_order_superseded,
        e_own_method_chosen, e_order_expired, e_payment_started, e_notified, e_notify_refused,
        e_notify_repeated, e_returned, e_cancelled, e_rolled_back, e_status_paid,
        e_status_confirmed, e_status_refused, e_status_unsuccessful, e_status_reversed, e_declined,
        e_contradiction, e_unknown_message, e_cancelled_by_merchant, e_money_received, e_looked_at,
        e_reversal_asked, e_reversal_done, e_reversal_declined, e_reversal_unknown,
        e_refund_proposed, e_refund_turned_down, e_refund_recorded, e_refund_reserved,
        e_refund_done, e_refund_refused, e_refund_unknown, d_signed_in, d_sign_in_failed,
        d_signed_out, d_password_changed, d_user_added, d_role_changed, d_user_disabled,
        d_user_enabled, d_second_factor_on, d_second_factor_off, d_refund_asked, d_refund_approved,
        d_refund_turned_down, d_refund_recorded, d_refund_outcome_recorded, d_reversal_asked,
        d_reversal_outcome_recorded, d_money_received, d_order_cancelled, d_looked_at, d_message_seen,
        d_webhooks_redelivered, d_exported,
    }
}

/// Finds words by the rest of their field's name.
macro_rules! named {
    ($(#[$doc:meta])* $function:ident: $($name:literal => $field:ident,)*) => {
        impl MerchantTexts {
            $(#[$doc])*
            pub fn $function<'n>(&self, name: &'n str) -> &'n str {
                match name {
                    $($name => self.$field,)*
                    unknown => unknown,
                }
            }
        }
    };
}

named! {
    /// Where an order stands.
    order_state:
    "open" => order_open,
    "awaiting" => order_awaiting,
    "paid" => order_paid,
    "cancelled" => order_cancelled,
    "expired" => order_expired,
    "refunded" => order_refunded,
}

named! {
    /// Where a payment stands.
    payment_state:
    "started" => payment_started,
    "cancelled" => payment_cancelled,
    "failed" => payment_failed,
    "paid" => payment_paid,
    "refused" => payment_refused,
    "reversing" => payment_reversing,
    "reversed" => payment_reversed,
}

named! {
    /// Where a refund stands.
    refund_state:
    "proposed" => refund_proposed,
    "reserved" => refund_reserved,
    "done" => refund_done,
    "refused" => refund_refused,
    "unknown" => refund_unknown,
}

named! {
    /// Where a message to one of the merchant's systems stands.
    webhook_state:
    "waiting" => webhook_waiting,
    "delivered" => webhook_delivered,
    "given_up" => webhook_given_up,
}

named! {
    /// How money went back.
    refund_kind:
    "gateway" => kind_gateway,
    "account" => kind_account,
    "chargeback" => kind_chargeback,
    "hand" => kind_hand,
}

named! {
    /// What a user may do.
    role_words:
    "view" => role_view,
    "refund" => role_refund,
    "administer" => role_administer,
}

named! {
    /// What happened.
    event:
    "order_placed" => e_order_placed,
    "order_superseded" => e_order_superseded,
    "own_method_chosen" => e_own_method_chosen,
    "order_expired" => e_order_expired,
    "payment_started" => e_payment_started,
    "notified" => e_notified,
    "notify_refused" => e_notify_refused,
    "notify_repeated" => e_notify_repeated,
    "returned" => e_returned,
    "cancelled" => e_cancelled,
    "rolled_back" => e_rolled_back,
    "status_paid" => e_status_paid,
    "status_confirmed" => e_status_confirmed,
    "status_refused" => e_status_refused,
    "status_unsuccessful" => e_status_unsuccessful,
    "status_reversed" => e_status_reversed,
    "declined" => e_declined,
    "contradiction" => e_contradiction,
    "unknown_message" => e_unknown_message,
    "cancelled_by_merchant" => e_cancelled_by_merchant,
    "money_received" => e_money_received,
    "looked_at" => e_looked_at,
    "reversal_asked" => e_reversal_asked,
    "reversal_done" => e_reversal_done,
    "reversal_declined" => e_reversal_declined,
    "reversal_unknown" => e_reversal_unknown,
    "refund_proposed" => e_refund_proposed,
    "refund_turned_down" => e_refund_turned_down,
    "refund_recorded" => e_refund_recorded,
    "refund_reserved" => e_refund_reserved,
    "refund_done" => e_refund_done,
    "refund_refused" => e_refund_refused,
    "refund_unknown" => e_refund_unknown,
}

named! {
    /// What somebody did.
    deed:
    "signed_in" => d_signed_in,
    "sign_in_failed" => d_sign_in_failed,
    "signed_out" => d_signed_out,
    "password_changed" => d_password_changed,
    "user_added" => d_user_added,
    "role_changed" => d_role_changed,
    "user_disabled" => d_user_disabled,
    "user_enabled" => d_user_enabled,
    "second_factor_on" => d_second_factor_on,
    "second_factor_off" => d_second_factor_off,
    "refund_asked" => d_refund_asked,
    "refund_approved" => d_refund_approved,
    "refund_turned_down" => d_refund_turned_down,
    "refund_recorded" => d_refund_recorded,
    "refund_outcome_recorded" => d_refund_outcome_recorded,
    "reversal_asked" => d_reversal_asked,
    "reversal_outcome_recorded" => d_reversal_outcome_recorded,
    "money_received" => d_money_received,
    "order_cancelled" => d_order_cancelled,
    "looked_at" => d_looked_at,
    "message_seen" => d_message_seen,
    "webhooks_redelivered" => d_webhooks_redelivered,
    "exported" => d_exported,
}
