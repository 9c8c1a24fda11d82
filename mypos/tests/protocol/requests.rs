//! Requests: their fields in the order of the official PHP SDK, and what the gateway would refuse.

use mypos::{
    Amount, CartLine, Currency, Customer, Fields, GetPaymentStatus, GetTxnStatus, IdError, Language, OrderId,
    PaymentParameters, Purchase, PurchaseError, Refund, Request, RequestedMethod, Reversal, StoreIdentity,
    Trnref,
};
use proptest::prelude::*;

use crate::fixtures::ORDER_ID;

fn store() -> StoreIdentity {
    StoreIdentity {
        sid: "000000000000010".to_owned(),
        wallet: "61938166610".to_owned(),
        key_index: 1,
        language: Language::De,
        source: "tillgate 0.1.0".to_owned(),
        application_id: None,
        partner_id: None,
    }
}

fn partner_store() -> StoreIdentity {
    StoreIdentity {
        application_id: Some("mps-app-1".to_owned()),
        partner_id: Some("mps-p-1".to_owned()),
        ..store()
    }
}

fn order_id() -> OrderId {
    OrderId::parse(ORDER_ID).unwrap()
}

fn line(article: &str, quantity: u32, unit_price_minor: i64) -> CartLine {
    CartLine { article: article.to_owned(), quantity, unit_price_minor, delivery: false }
}

fn purchase() -> Purchase {
    Purchase {
        amount: Amount::new(1840, Currency::Eur),
        order_id: order_id(),
        url_ok: "https://shop.example/mypos/ok".to_owned(),
        url_cancel: "https://shop.example/mypos/cancel".to_owned(),
        url_notify: "https://shop.example/mypos/notify".to_owned(),
        note: Some("Thanks".to_owned()),
        expires_in_s: 1800,
        customer: Some(Customer {
            email: "ada@example.org".to_owned(),
            phone: Some("+49 40 1".to_owned()),
            first_names: "Ada".to_owned(),
            family_name: "Lovelace".to_owned(),
            country: Some("DEU".to_owned()),
            city: "Hamburg".to_owned(),
            postcode: "20095".to_owned(),
            address: "Kleine Bahnstr. 41".to_owned(),
        }),
        lines: vec![
            line("Sticker", 2, 1000),
            CartLine { delivery: true, ..line("Delivery", 1, 340) },
            line("Discount", 1, -500),
        ],
        payment_method: RequestedMethod::All,
        payment_parameters_required: PaymentParameters::Full,
    }
}

fn listed(fields: &Fields) -> String {
    fields
        .iter()
        .map(|field| format!("{}={}", field.name, field.text().unwrap()))
        .collect::<Vec<_>>()
        .join("\n")
}

const COMMON: &str = "IPCVersion=1.4\nIPCLanguage=DE\nSID=000000000000010\nWalletNumber=61938166610\nKeyIndex=1\nSource=tillgate 0.1.0";
const PARTNER_COMMON: &str = "IPCVersion=1.4.1\nIPCLanguage=DE\nSID=000000000000010\nWalletNumber=61938166610\nKeyIndex=1\nSource=tillgate 0.1.0";

#[test]
fn a_purchase_is_in_the_official_order() {
    let expected = format!(
        "IPCmethod=IPCPurchase\n{COMMON}\nCurrency=EUR\nAmount=18.40\nOrderID={ORDER_ID}\n\
         URL_OK=https://shop.example/mypos/ok\nURL_Cancel=https://shop.example/mypos/cancel\n\
         URL_Notify=https://shop.example/mypos/notify\nNote=Thanks\nexpires_in=1800\n\
         customeremail=ada@example.org\ncustomerphone=+49 40 1\ncustomerfirstnames=Ada\n\
         customerfamilyname=Lovelace\ncustomercountry=DEU\ncustomercity=Hamburg\ncustomerzipcode=20095\n\
         customeraddress=Kleine Bahnstr. 41\nCartItems=3\n\
         Article_1=Sticker\nQuantity_1=2\nPrice_1=10.00\nAmount_1=20.00\nCurrency_1=EUR\n\
         Article_2=Delivery\nQuantity_2=1\nPrice_2=3.40\nAmount_2=3.40\nCurrency_2=EUR\nDelivery_2=1\n\
         Article_3=Discount\nQuantity_3=1\nPrice_3=-5.00\nAmount_3=-5.00\nCurrency_3=EUR\n\
         CardTokenRequest=0\nPaymentParametersRequired=1\nPaymentMethod=3"
    );
    assert_eq!(listed(&purchase().fields(&store())), expected);
    assert_eq!(purchase().check(), Ok(()));
}

#[test]
fn the_partner_programme_changes_the_version_and_adds_two_fields() {
    let text = listed(&purchase().fields(&partner_store()));
    assert!(text.starts_with(&format!("IPCmethod=IPCPurchase\n{PARTNER_COMMON}\n")), "{text}");
    assert!(text.contains("\nexpires_in=1800\nApplicationID=mps-app-1\nPartnerID=mps-p-1\ncustomeremail="));
    let half = StoreIdentity { partner_id: None, ..partner_store() };
    assert_eq!(purchase().fields(&half), purchase().fields(&store()));
}

#[test]
fn what_is_not_there_is_left_out() {
    let bare = Purchase {
        note: None,
        customer: None,
        payment_parameters_required: PaymentParameters::CardOnly,
        payment_method: RequestedMethod::Card,
        ..purchase()
    };
    assert_eq!(bare.check(), Ok(()));
    let fields = bare.fields(&store());
    assert_eq!(fields.text("Note"), None);
    assert_eq!(fields.text("customeremail"), None);
    assert_eq!(fields.text("PaymentParametersRequired"), Some("3"));
    assert_eq!(fields.text("PaymentMethod"), Some("1"));
}

#[test]
fn the_server_to_server_requests_are_in_the_official_order() {
    let partner = "\nApplicationID=mps-app-1\nPartnerID=mps-p-1";
    let refund = Refund {
        order_id: order_id(),
        trnref: Trnref::parse("813705").unwrap(),
        amount: Amount::new(1230, Currency::Jpy),
    };
    let fields =
        format!("Currency=JPY\nAmount=1230\nOrderID={ORDER_ID}\nIPC_Trnref=813705\nOutputFormat=json");
    assert_eq!(listed(&refund.fields(&store())), format!("IPCmethod=IPCRefund\n{COMMON}\n{fields}"));
    assert_eq!(
        listed(&refund.fields(&partner_store())),
        format!("IPCmethod=IPCRefund\n{PARTNER_COMMON}\n{fields}{partner}")
    );

    let reversal = Reversal { trnref: Trnref::parse("813705").unwrap() };
    assert_eq!(
        listed(&reversal.fields(&partner_store())),
        format!("IPCmethod=IPCReversal\n{PARTNER_COMMON}\nIPC_Trnref=813705\nOutputFormat=json{partner}")
    );
    assert_eq!(
        listed(&GetPaymentStatus { order_id: order_id() }.fields(&store())),
        format!(
            "IPCmethod=IPCGetPaymentStatus\n{COMMON}\nOrderID={ORDER_ID}\nOutputFormat=json\nget_declined_payments=1"
        )
    );
    assert_eq!(
        listed(&GetTxnStatus { order_id: order_id() }.fields(&store())),
        format!("IPCmethod=IPCGetTxnStatus\n{COMMON}\nOrderID={ORDER_ID}\nOutputFormat=json")
    );
}

#[test]
fn a_cart_that_the_gateway_would_refuse_is_found() {
    let with = |lines: Vec<CartLine>| Purchase { lines, ..purchase() }.check();
    assert_eq!(with(vec![]), Err(PurchaseError::EmptyCart));
    assert_eq!(with(vec![line("a", 1, 1840), line("b", 0, 5)]), Err(PurchaseError::ZeroQuantity(2)));
    assert_eq!(
        with(vec![line("a", 1, 1839)]),
        Err(PurchaseError::SumDiffers { lines_minor: 1839, amount_minor: 1840 })
    );
    assert_eq!(with(vec![line("a", 2, i64::MAX)]), Err(PurchaseError::Overflow));
    assert_eq!(with(vec![line("a", u32::MAX, i64::MIN)]), Err(PurchaseError::Overflow));
    // Sums that leave the range on the way come back into it.
    assert_eq!(with(vec![line("a", 2, i64::MAX), line("b", 2, -i64::MAX), line("c", 1, 1840)]), Ok(()));
    assert_eq!(with(vec![line(&"ä".repeat(127), 1, 1840)]), Ok(()));
    assert_eq!(with(vec![line(&"ä".repeat(128), 1, 1840)]), Err(PurchaseError::ArticleTooLong(1)));
    for minor in [0, -1] {
        let free = Purchase {
            amount: Amount::new(minor, Currency::Eur),
            lines: vec![line("a", 1, minor)],
            ..purchase()
        };
        assert_eq!(free.check(), Err(PurchaseError::AmountNotPositive));
    }
}

#[test]
fn a_customer_that_the_gateway_would_refuse_is_found() {
    let with = |change: fn(&mut Customer)| {
        let mut purchase = purchase();
        change(purchase.customer.as_mut().unwrap());
        purchase.check()
    };
    let missing = |what| Err(PurchaseError::CustomerIncomplete(what));
    assert_eq!(with(|c| c.email.clear()), missing("e-mail address"));
    assert_eq!(with(|c| c.first_names = " ".to_owned()), missing("first name"));
    assert_eq!(with(|c| c.family_name.clear()), missing("family name"));
    assert_eq!(with(|c| c.address.clear()), missing("street"));
    assert_eq!(with(|c| c.city.clear()), missing("city"));
    assert_eq!(with(|c| c.postcode.clear()), missing("postcode"));
    assert_eq!(with(|c| c.country = Some("DE".to_owned())), Err(PurchaseError::Country));
    assert_eq!(with(|c| c.country = Some("deu".to_owned())), Err(PurchaseError::Country));
    assert_eq!(with(|c| (c.phone, c.country) = (None, None)), Ok(()));
    let nobody = Purchase { customer: None, ..purchase() };
    assert_eq!(nobody.check(), missing("data"));

    let mut simplified =
        Purchase { payment_parameters_required: PaymentParameters::Simplified, ..purchase() };
    simplified.customer.as_mut().unwrap().city.clear();
    assert_eq!(simplified.check(), Ok(()));
}

#[test]
fn text_that_a_browser_would_change_is_found() {
    let noted = Purchase { note: Some("two\nlines".to_owned()), ..purchase() };
    assert_eq!(noted.check(), Err(PurchaseError::ControlCharacter("Note".to_owned())));
    let mut named = purchase();
    named.lines[1].article = "a\u{85}b".to_owned();
    assert_eq!(named.check(), Err(PurchaseError::ControlCharacter("Article_2".to_owned())));
}

#[test]
fn languages_are_found_in_either_case() {
    assert_eq!(Language::from_code("de"), Some(Language::De));
    assert_eq!(Language::from_code("DE"), Some(Language::De));
    assert_eq!(Language::from_code("xx"), None);
    let codes: Vec<_> = Language::ALL.iter().map(|language| language.code()).collect();
    assert_eq!(codes.join(" "), "EN FR IT DE SV PT NL EL BG ES");
}

#[test]
fn order_ids_have_one_form() {
    assert_eq!(OrderId::from_random([0; 17]).as_str(), "A".repeat(26));
    assert_eq!(OrderId::from_random([0xff; 17]).as_str(), "7".repeat(26));
    // The base32 of RFC 4648, cut to 26 characters.
    let counting = std::array::from_fn(|index| u8::try_from(index).unwrap());
    assert_eq!(OrderId::from_random(counting).as_str(), "AAAQEAYEAUDAOCAJBIFQYDIOB4");
    for bad in ["", "ABC", &ORDER_ID.to_lowercase(), &ORDER_ID[1..], &ORDER_ID.replace('A', "-")] {
        assert_eq!(OrderId::parse(bad), Err(IdError::OrderId), "{bad}");
    }
    for bad in ["", "1-2", " 1", &"1".repeat(41)] {
        assert_eq!(Trnref::parse(bad), Err(IdError::Trnref), "{bad}");
    }
}

proptest! {
    #[test]
    fn random_order_ids_are_order_ids_and_keep_their_bits(bytes in any::<[u8; 17]>(), bit in 0..130_usize) {
        let id = OrderId::from_random(bytes);
        prop_assert_eq!(OrderId::parse(id.as_str()), Ok(id.clone()));
        let mut other = bytes;
        other[bit / 8] ^= 0x80 >> (bit % 8);
        prop_assert_ne!(OrderId::from_random(other), id);
    }
}
