//! The orders and spellings of the clients in use, written out from what they send.

use reqwest::multipart;

use crate::world::{Pairs, World, error_code, owned, set};

/// The purchase of the test world in another order, with other spellings.
fn reordered(world: &World, order_id: &str, names: &[&str]) -> Pairs {
    let known = world.purchase(order_id);
    let value = |wanted: &str| {
        let plain = |name: &str| name.replace('_', "").to_ascii_lowercase();
        known
            .iter()
            .find(|(name, _)| plain(name) == plain(wanted))
            .map_or("127.0.0.1", |(_, value)| value.as_str())
            .to_owned()
    };
    names.iter().map(|name| ((*name).to_owned(), value(name))).collect()
}

const LINES: [&str; 10] = [
    "Article_1",
    "Quantity_1",
    "Price_1",
    "Amount_1",
    "Currency_1",
    "Article_2",
    "Quantity_2",
    "Price_2",
    "Amount_2",
    "Currency_2",
];

async fn is_paid(world: &World, pairs: &Pairs, order_id: &str) {
    let page = world.start(pairs).await;
    world.pay(&page, "1-approve").await;
    assert_eq!(world.payment(order_id).await["status"], "paid");
}

#[tokio::test]
async fn php_sdk() {
    let world = World::new().await;
    is_paid(&world, &world.purchase("o-1"), "o-1").await;
}

#[tokio::test]
async fn documentation_and_node() {
    let world = World::new().await;
    let names = [
        "IPCmethod",
        "IPCVersion",
        "IPCLanguage",
        "SID",
        "walletnumber",
        "Amount",
        "Currency",
        "OrderID",
        "URL_OK",
        "URL_Cancel",
        "URL_Notify",
        "CardTokenRequest",
        "KeyIndex",
        "PaymentParametersRequired",
        "customeremail",
        "customerfirstnames",
        "customerfamilyname",
        "customerphone",
        "customercountry",
        "customercity",
        "customerzipcode",
        "customeraddress",
        "Note",
        "CartItems",
        "Article_1",
        "Quantity_1",
        "Price_1",
        "Currency_1",
        "Amount_1",
        "Article_2",
        "Quantity_2",
        "Price_2",
        "Currency_2",
        "Amount_2",
    ];
    is_paid(&world, &reordered(&world, "o-1", &names), "o-1").await;
}

#[tokio::test]
async fn woocommerce() {
    let world = World::new().await;
    let mut names = vec![
        "IPCmethod",
        "IPCVersion",
        "IPCLanguage",
        "WalletNumber",
        "SID",
        "keyindex",
        "Source",
        "Amount",
        "Currency",
        "OrderID",
        "URL_OK",
        "URL_CANCEL",
        "URL_Notify",
        "CustomerIP",
        "CustomerEmail",
        "CustomerFirstNames",
        "CustomerFamilyName",
        "CustomerCountry",
        "CustomerCity",
        "CustomerZIPCode",
        "CustomerAddress",
        "CustomerPhone",
        "Note",
        "CardTokenRequest",
        "PaymentParametersRequired",
        "PaymentMethod",
    ];
    names.extend(LINES);
    names.extend(["CartItems", "trp-form-language"]);
    let mut pairs = reordered(&world, "o-1", &names);
    set(&mut pairs, "IPCLanguage", "en");
    is_paid(&world, &pairs, "o-1").await;

    // Its calls go out as multipart/form-data, and its refunds carry the purchase's own id.
    let trnref = world.payment("o-1").await["trnref"].as_str().unwrap().to_owned();
    for _ in 0..2 {
        let pairs = owned([
            ("IPCmethod", "IPCRefund"),
            ("IPCVersion", "1.4"),
            ("IPCLanguage", "en"),
            ("WalletNumber", &world.package.wallet),
            ("SID", &world.package.sid),
            ("keyindex", "1"),
            ("Source", "sc_wp_woocommerce 1.3.30"),
            ("IPC_Trnref", &trnref),
            ("OrderID", "o-1"),
            ("Amount", "1.00"),
            ("Currency", "EUR"),
            ("OutputFormat", "xml"),
        ]);
        let signed = world.store_key.sign_fields(pairs.into_iter().collect()).unwrap().into_pairs();
        let form =
            signed.into_iter().fold(multipart::Form::new(), |form, (name, value)| form.text(name, value));
        let answer = world.client.post(world.url("/vmp/checkout")).multipart(form).send().await.unwrap();
        let xml = answer.bytes().await.unwrap();
        let reply = mypos::Unverified::from_xml(&xml).unwrap().verify(&world.gateway_key).unwrap();
        assert_eq!(reply.fields().text("Status"), Some("0"));
    }
    assert_eq!(world.payment("o-1").await["refunded_minor"], 200);
}

#[tokio::test]
async fn java_sdk() {
    let world = World::new().await;
    let mut names = vec![
        "IPCVersion",
        "IPCLanguage",
        "Source",
        "SID",
        "WalletNumber",
        "KeyIndex",
        "IPCmethod",
        "Currency",
        "OrderID",
        "URL_OK",
        "URL_Cancel",
        "URL_Notify",
        "CardTokenRequest",
        "PaymentParametersRequired",
        "Note",
        "CustomerFirstNames",
        "CustomerFamilyName",
        "CustomerEmail",
        "CustomerPhone",
        "CustomerCountry",
        "CustomerCity",
        "CustomerZIPCode",
        "CustomerAddress",
        "Amount",
        "CartItems",
    ];
    names.extend(LINES);
    let mut pairs = reordered(&world, "o-1", &names);
    // Amounts are doubles there.
    set(&mut pairs, "Amount", "12.3");
    set(&mut pairs, "Amount_1", "8.3");
    set(&mut pairs, "Amount_2", "4.0");
    is_paid(&world, &pairs, "o-1").await;
}

#[tokio::test]
async fn opencart() {
    let world = World::new().await;
    let mut names = vec![
        "IPCmethod",
        "IPCVersion",
        "IPCLanguage",
        "WalletNumber",
        "SID",
        "keyindex",
        "Source",
        "CardTokenRequest",
        "PaymentParametersRequired",
        "PaymentMethod",
        "Amount",
        "Currency",
        "OrderID",
        "URL_OK",
        "URL_CANCEL",
        "URL_Notify",
        "CustomerIP",
        "CustomerEmail",
        "CustomerFirstNames",
        "CustomerFamilyName",
        "CustomerCountry",
        "CustomerCity",
        "CustomerZIPCode",
        "CustomerAddress",
        "CustomerPhone",
        "Note",
        "CartItems",
    ];
    names.extend(LINES);
    is_paid(&world, &reordered(&world, "o-1", &names), "o-1").await;
}

#[tokio::test]
async fn magento_with_version_1_0() {
    let world = World::new().await;
    let mut names = vec![
        "IPCmethod",
        "IPCVersion",
        "IPCLanguage",
        "WalletNumber",
        "SID",
        "keyindex",
        "Source",
        "Amount",
        "Currency",
        "OrderID",
        "URL_OK",
        "URL_CANCEL",
        "URL_Notify",
        "CustomerIP",
        "CustomerEmail",
        "CustomerFirstNames",
        "CustomerFamilyName",
        "CustomerCountry",
        "CustomerCity",
        "CustomerZIPCode",
        "CustomerAddress",
        "CustomerPhone",
        "Note",
        "CartItems",
    ];
    names.extend(LINES);
    let mut pairs = reordered(&world, "o-1", &names);
    set(&mut pairs, "IPCVersion", "1.0");
    let page = world.start(&pairs).await;
    let typed = "1-approve&email=jane%40example.com&first_names=Jane&family_name=Smith";
    world.pay(&page, typed).await;
    assert_eq!(world.payment("o-1").await["status"], "paid");
}

#[tokio::test]
async fn multipart_is_read_in_its_order_and_strictly() {
    let world = World::new().await;
    let call = world.call("IPCGetPaymentStatus", &[("OrderID", "é+ %41")]);
    let signed = world.store_key.sign_fields(call.into_iter().collect()).unwrap().into_pairs();
    let form =
        signed.iter().cloned().fold(multipart::Form::new(), |form, (name, value)| form.text(name, value));
    let send = |form| world.client.post(world.url("/vmp/checkout")).multipart(form).send();
    let reply = world.verified(&send(form).await.unwrap().bytes().await.unwrap());
    assert_eq!(reply.fields().text("OrderID"), Some("é+ %41"));

    let form = multipart::Form::new().part("IPCmethod", multipart::Part::bytes(vec![0xff]));
    assert_eq!(error_code(send(form).await.unwrap()).await, 10);
}
