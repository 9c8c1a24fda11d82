//! What is refused, with which code, and in which order.

use crate::world::{World, error_code, set};

#[tokio::test]
async fn a_request_with_every_fault_is_answered_for_the_first() {
    let world = World::new().await;
    world.paid("paid").await;

    // Each step mends what was answered last. The signature covers the rest as it stands.
    let mut pairs = world.purchase("paid");
    set(&mut pairs, "IPCVersion", "9.9");
    set(&mut pairs, "SID", "000000000000010");
    set(&mut pairs, "Amount", "-1");
    set(&mut pairs, "CartItems", "0");
    set(&mut pairs, "URL_Notify", "http://shop.example/notify");
    set(&mut pairs, "Quantity_1", "2.00");
    set(&mut pairs, "Amount_2", "5");
    set(&mut pairs, "customercity", "");
    let unsigned = |pairs: &crate::world::Pairs| {
        let broken = world.signed(pairs);
        let (body, _) = broken.rsplit_once("Signature=").unwrap();
        format!("{body}Signature=AAAA")
    };

    assert_eq!(error_code(world.post("/vmp/checkout", unsigned(&pairs)).await).await, 10);
    set(&mut pairs, "IPCVersion", "1.4");
    assert_eq!(error_code(world.post("/vmp/checkout", unsigned(&pairs)).await).await, 2);
    assert_eq!(world.code_of(&pairs).await, 4);
    set(&mut pairs, "SID", &world.package.sid);
    set(&mut pairs, "WalletNumber", "1");
    assert_eq!(world.code_of(&pairs).await, 4);
    set(&mut pairs, "WalletNumber", &world.package.wallet);
    assert_eq!(world.code_of(&pairs).await, 9, "amount");
    set(&mut pairs, "Amount", "12.30");
    assert_eq!(world.code_of(&pairs).await, 20);
    set(&mut pairs, "OrderID", "fresh");
    assert_eq!(world.code_of(&pairs).await, 1, "empty cart");
    set(&mut pairs, "CartItems", "2");
    assert_eq!(world.code_of(&pairs).await, 5, "URL_Notify");
    set(&mut pairs, "URL_Notify", &world.shop.url("/notify"));
    assert_eq!(world.code_of(&pairs).await, 9, "cart sum");
    set(&mut pairs, "Amount_2", "4");
    assert_eq!(world.code_of(&pairs).await, 1, "city");
    set(&mut pairs, "customercity", "Hamburg");
    assert_eq!(world.code_of(&pairs).await, 5, "quantity");
    set(&mut pairs, "Quantity_1", "2");
    assert_eq!(world.code_of(&pairs).await, 0);
    assert_eq!(world.shop.received().len(), 1, "nothing is posted to the shop for a refused request");
}

#[tokio::test]
async fn single_faults_have_their_codes() {
    let world = World::new().await;
    let cases = [
        ("IPCVersion", "2.0", 10),
        ("IPCLanguage", "english", 5),
        ("KeyIndex", "2", 3),
        ("KeyIndex", "", 3),
        ("Amount", "", 1),
        ("Amount", "0.00", 9),
        ("Amount", "12,30", 5),
        ("Amount", "12.31", 9),
        ("Currency", "", 1),
        ("Currency", "XXX", 25),
        ("OrderID", "", 1),
        ("URL_OK", "", 1),
        ("URL_OK", "javascript:alert(1)", 5),
        ("URL_Cancel", "/cancel", 5),
        ("URL_Notify", "", 1),
        ("URL_Notify", "https://shop.example:444/notify", 5),
        ("expires_in", "soon", 5),
        ("expires_in", "0", 5),
        ("customeremail", "", 1),
        ("customeremail", "jane", 5),
        ("customerfirstnames", "", 1),
        ("customerfamilyname", "", 1),
        ("customercountry", "DE", 5),
        ("customercity", "", 1),
        ("customerzipcode", "", 1),
        ("customeraddress", "", 1),
        ("CartItems", "", 1),
        ("CartItems", "two", 5),
        ("CartItems", "91", 5),
        ("CartItems", "3", 1),
        ("CartItems", "1", 9),
        ("Article_1", "", 1),
        ("Quantity_1", "0", 9),
        ("Price_1", "4.16", 9),
        ("Currency_2", "USD", 5),
        ("CardTokenRequest", "", 1),
        ("CardTokenRequest", "1", 10),
        ("CardTokenRequest", "7", 5),
        ("PaymentParametersRequired", "", 1),
        ("PaymentParametersRequired", "4", 5),
        ("PaymentMethod", "x", 5),
    ];
    for (number, (name, value, code)) in cases.into_iter().enumerate() {
        let mut pairs = world.purchase(&format!("o-{number}"));
        set(&mut pairs, name, value);
        assert_eq!(world.code_of(&pairs).await, code, "{name} = {value:?}");
    }
}

#[tokio::test]
async fn names_may_not_come_twice() {
    let world = World::new().await;
    let mut pairs = world.purchase("o-1");
    pairs.push(("url_cancel".to_owned(), "https://elsewhere.example/".to_owned()));
    assert_eq!(world.code_of(&pairs).await, 5);
}

#[tokio::test]
async fn the_partner_version_wants_its_ids() {
    let world = World::new().await;
    let mut pairs = world.purchase("o-1");
    set(&mut pairs, "IPCVersion", "1.4.1");
    assert_eq!(world.code_of(&pairs).await, 1);
    set(&mut pairs, "ApplicationID", "mps-app-12345678");
    set(&mut pairs, "PartnerID", "mps-p-12345678");
    assert_eq!(world.code_of(&pairs).await, 0);
}

#[tokio::test]
async fn ideal_is_for_euros() {
    let world = World::new().await;
    let mut pairs = world.purchase("o-1");
    for name in ["Currency", "Currency_1", "Currency_2"] {
        set(&mut pairs, name, "GBP");
    }
    set(&mut pairs, "PaymentMethod", "2");
    assert_eq!(world.code_of(&pairs).await, 5);
    set(&mut pairs, "PaymentMethod", "3");
    let page = world.start(&pairs).await;
    let text = world.get(&page).await.text().await.unwrap();
    assert!(text.contains("12.30 GBP") && !text.contains("iDEAL"));

    let mut pairs = world.purchase("o-2");
    set(&mut pairs, "PaymentMethod", "2");
    let page = world.start(&pairs).await;
    assert!(world.get(&page).await.text().await.unwrap().contains("Your bank"));
    assert!(world.pay(&page, "2-decline").await.contains("declined"));
    assert!(world.pay(&page, "2-approve").await.contains("Payment successful"));
}

#[tokio::test]
async fn yen_have_no_decimals_and_zeros_are_no_decimals() {
    let world = World::new().await;
    let yen = |order: &str, amount: &str| {
        let mut pairs = world.purchase(order);
        for name in ["Currency", "Currency_1", "Currency_2"] {
            set(&mut pairs, name, "JPY");
        }
        set(&mut pairs, "Amount", amount);
        set(&mut pairs, "Price_1", "400");
        set(&mut pairs, "Amount_1", "800");
        set(&mut pairs, "Price_2", if amount == "1200.50" { "400.50" } else { "400" });
        set(&mut pairs, "Amount_2", if amount == "1200.50" { "400.50" } else { "400" });
        pairs
    };
    assert_eq!(world.code_of(&yen("o-1", "1200.50")).await, 5);
    let page = world.start(&yen("o-2", "1200.00")).await;
    assert!(world.get(&page).await.text().await.unwrap().contains("1200 JPY"));
}

#[tokio::test]
async fn the_error_page_tells_the_developer_what_was_signed() {
    let world = World::new().await;
    let pairs = world.purchase("o-1");
    let form = world.signed(&pairs).replace("Hamburg", "Altona");
    let text = world.post("/vmp/checkout", form).await.text().await.unwrap();
    assert!(text.contains("<h1>Error Code 2</h1>"));
    assert!(text.contains("IPCPurchase-1.4-EN-"));
    // URL_Cancel takes signed posts only: a link that opened it would end at a refusal.
    assert!(text.contains(&format!("href=\"{}\"", world.shop.url("/"))));
    assert!(!text.contains("/cancel\""));
}

#[tokio::test]
async fn a_discount_is_a_negative_line() {
    let world = World::new().await;
    let mut pairs = world.purchase("o-1");
    set(&mut pairs, "Amount", "7.80");
    set(&mut pairs, "Price_2", "-0.50");
    set(&mut pairs, "Amount_2", "-0.50");
    assert_eq!(world.code_of(&pairs).await, 0);
}
