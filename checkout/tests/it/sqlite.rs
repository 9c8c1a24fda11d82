//! SQLite: the suite, and what only a file can be tested for.

use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use checkout::people::Action;
use checkout::records::{Mode, PaymentId};
use checkout::rules::Cause;
use checkout::store::merchant::{Filter, From, Search};
use checkout::store::sqlite::SqliteStore;
use checkout::store::{KeyClaim, MerchantStore as _, Reserved, StoreError};
use domain::{OrderState, PaymentState, RefundState};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::world::*;

struct Fresh {
    store: Shared,
    dir: TempDir,
}

impl Deref for Fresh {
    type Target = Shared;
    fn deref(&self) -> &Shared {
        &self.store
    }
}

impl Fresh {
    /// A connection of somebody who is not the store.
    fn connection(&self) -> Connection {
        let connection = Connection::open(self.dir.path().join("shop.db")).unwrap();
        connection.pragma_update(None, "foreign_keys", true).unwrap();
        connection
    }

    /// What the database says to a statement that it must refuse.
    fn refusal_of(&self, sql: &str) -> String {
        self.connection().execute(sql, ()).expect_err(sql).to_string()
    }
}

/// A folder in memory where there is one: a commit is synced, and a disk would make each one slow.
pub fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }.unwrap()
}

fn open(dir: &TempDir) -> Shared {
    Arc::new(SqliteStore::open(&dir.path().join("shop.db")).unwrap())
}

#[expect(clippy::unused_async, reason = "the suite takes stores that need it")]
async fn fresh() -> Fresh {
    let dir = folder();
    Fresh { store: open(&dir), dir }
}

conformance!(fresh);
merchant_conformance!(fresh);
outbox_conformance!(fresh);

#[tokio::test]
async fn everything_is_still_there_when_the_file_is_opened_again() {
    let Fresh { store, dir } = fresh().await;
    let paid = paid(&store, 100, NOW).await;
    let started = start(&store, 200, NOW).await;
    store.add_token(paid.order, hash("token"), NOW).await.unwrap();
    assert!(matches!(reserve(&store, &paid, eur(60)).await, Ok(Reserved::Yes(_))));
    assert!(matches!(claim(&store, "running", NOW).await, KeyClaim::Claimed(_)));
    let before = (events(&store, paid.order).await.len(), events(&store, started.order).await.len());
    drop(store);

    let store = open(&dir);
    assert_eq!(file(&store, &paid).await.order.state, OrderState::Paid);
    assert_eq!(payment(&store, &started).await.state, PaymentState::Started);
    assert!(store.order_by_token(hash("token")).await.unwrap().is_some());
    assert!(matches!(reserve(&store, &paid, eur(41)).await, Ok(Reserved::No)));
    assert!(matches!(claim(&store, "running", NOW).await, KeyClaim::Running));
    assert_eq!((events(&store, paid.order).await.len(), events(&store, started.order).await.len()), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_stores_on_one_file_behave_like_one() {
    let Fresh { store, dir } = fresh().await;
    let stores = [store, open(&dir)];
    let ours = start(&stores[0], 100, NOW).await;
    let second = start_in(&stores[1], "cart", 100, NOW).await;
    let third = start_in(&stores[0], "cart", 100, NOW).await;
    assert_eq!(second.order, third.order);
    let answers = at_once(40, |index| {
        let (store, ours) = (Arc::clone(&stores[index % 2]), ours.clone());
        async move { apply(&store, &ours, notify(&ours), NOW).await }
    })
    .await;
    assert!(answers.iter().all(|applied| applied.decision.takes_the_money()));
    let reserved = at_once(40, |index| {
        let (store, ours) = (Arc::clone(&stores[index % 2]), ours.clone());
        async move { reserve(&store, &ours, eur(10)).await.unwrap() }
    })
    .await;
    assert_eq!(reserved.iter().filter(|answer| **answer != Reserved::No).count(), 10);
}

#[tokio::test]
async fn the_database_itself_keeps_an_order_as_it_was_agreed() {
    let fresh = fresh().await;
    let ours = start(&fresh, 100, NOW).await;
    let connection = fresh.connection();
    let columns: Vec<String> = connection
        .prepare("SELECT name FROM pragma_table_info('orders')")
        .unwrap()
        .query_map((), |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert!(columns.len() > 10);
    let mut changeable = Vec::new();
    for column in columns {
        // A change that breaks no other rule of the column: what refuses it can only be the freeze.
        let changed = match column.as_str() {
            "mode" => "'live'".to_owned(),
            "currency" => "'USD'".to_owned(),
            "lines" | "customer" => "'{}'".to_owned(),
            "cart" | "content" => "zeroblob(32)".to_owned(),
            "state" => "'cancelled'".to_owned(),
            "id" | "total_minor" | "placed_at_ms" | "day" | "refunded_minor" => format!("{column} + 1"),
            "attention_since_ms" => "1".to_owned(),
            _ => format!("{column} || 'x'"),
        };
        connection.execute_batch("SAVEPOINT attempt").unwrap();
        let sql = format!("UPDATE orders SET {column} = {changed} WHERE id = ?1");
        if connection.execute(&sql, [ours.order.0]).is_ok() {
            changeable.push(column);
        }
        connection.execute_batch("ROLLBACK TO attempt; RELEASE attempt").unwrap();
    }
    assert_eq!(changeable, ["state", "method", "refunded_minor", "attention_since_ms"]);
    fresh.refusal_of("DELETE FROM orders");
}

#[tokio::test]
async fn the_database_itself_keeps_every_event() {
    let fresh = fresh().await;
    start(&fresh, 100, NOW).await;
    for sql in [
        "DELETE FROM events",
        "UPDATE events SET detail = 'nothing happened'",
        "UPDATE events SET raw = NULL, at_ms = 0",
    ] {
        assert!(fresh.refusal_of(sql).contains("events are only added"), "{sql}");
    }
}

#[tokio::test]
async fn the_database_itself_keeps_the_audit_log_and_the_receipts() {
    let fresh = fresh().await;
    let ours = start(&fresh, 100, NOW).await;
    fresh.audit(anna(), Action::Exported, "all".into(), NOW).await.unwrap();
    let receipt =
        format!("INSERT INTO receipts VALUES (1, {}, zeroblob(32), 100, 'EUR', '', 'anna', 0)", ours.order.0);
    fresh.connection().execute(&receipt, ()).unwrap();
    for (sql, words) in [
        ("DELETE FROM audit", "only added to"),
        ("UPDATE audit SET who = 'nobody'", "only added to"),
        (
            "REPLACE INTO audit SELECT id, at_ms, 'nobody', address, action, order_id, detail FROM audit",
            "only added to",
        ),
        ("DELETE FROM receipts", "receipts are kept"),
        ("UPDATE receipts SET amount_minor = 1", "receipts are kept"),
    ] {
        assert!(fresh.refusal_of(sql).contains(words), "{sql}");
    }
}

/// What a shop of the version before had: an order, a paid payment of it, and a refund.
const BEFORE: &str = "
    INSERT INTO orders VALUES (7, 'TG-OLD', 'live', 'paid', 'card', 'de', 'EUR', 5000, 'post', '[]',
        '{\"email\":\"ada@example.com\",\"first_name\":\"ADA\",\"family_name\":\"M\u{dc}LLER\",\"phone\":\"\",
          \"street\":\"\",\"postcode\":\"\",\"city\":\"\",\"country\":\"DE\"}',
        zeroblob(32), zeroblob(32), 1800000000000);
    INSERT INTO payments VALUES (9, 7, 'P1', 'main', 1, 'card', 5000, 'EUR', 'paid', 0, 'T1', 0, 0, NULL, NULL, 1,
        '{}', zeroblob(32), zeroblob(16), NULL, NULL, 0, 0);
    INSERT INTO refunds VALUES (3, 9, 'R1', 1200, 'EUR', 'green', 'done', 1, 2);
    INSERT INTO refunds VALUES (4, 9, 'R2', 500, 'EUR', 'blue', 'refused', 3, 4);
    INSERT INTO events VALUES (1, 7, 9, 1700000000000, 'contradiction', '', NULL);
    PRAGMA user_version = 1;";

#[tokio::test]
async fn the_file_of_the_version_before_is_carried_over() {
    let dir = folder();
    let path = dir.path().join("shop.db");
    let old = Connection::open(&path).unwrap();
    old.execute_batch(include_str!("../../src/store/sqlite/migrations/0001_orders.sql")).unwrap();
    old.execute_batch(BEFORE).unwrap();
    drop(old);
    let store = SqliteStore::open(&path).unwrap();
    let record = store.order_record("TG-OLD").await.unwrap().unwrap();
    assert_eq!(record.file.order.refunded_minor, 1_200);
    assert_eq!(record.file.order.new.day, 20_833);
    assert_eq!(record.left_minor(Some(PaymentId(9))), 3_800);
    let refunds: Vec<_> = record.refunds.iter().map(|refund| (refund.id.0, refund.state)).collect();
    assert_eq!(refunds, [(3, RefundState::Done), (4, RefundState::Refused)]);
    assert_eq!(record.file.order.attention_since_ms, Some(1_700_000_000_000), "an alarm from before");
    for name in ["ada@ex", "ada m\u{fc}l", "m\u{fc}ller"] {
        let filter = Filter { search: vec![Search::Person(name.into())], ..Filter::all(Mode::Live) };
        let found = store.transactions(filter, From::Newest, 9).await.unwrap().rows;
        assert_eq!(found.len(), 1, "{name}");
    }
    let totals = store.totals(Filter::all(Mode::Live)).await.unwrap().by_currency;
    assert_eq!((totals[0].orders, totals[0].total_minor, totals[0].refunded_minor), (1, 5_000, 1_200));
}

#[tokio::test]
async fn no_event_is_replaced_by_another() {
    let fresh = fresh().await;
    start(&fresh, 100, NOW).await;
    fresh.refusal_of(
        "REPLACE INTO events SELECT id, order_id, payment_id, at_ms, kind, 'other', raw FROM events",
    );
}

#[tokio::test]
async fn the_database_itself_holds_the_rules_of_money() {
    let fresh = fresh().await;
    let [one, two] = [start_in(&fresh, "cart", 100, NOW).await, start_in(&fresh, "cart", 100, NOW).await];
    apply(&fresh, &one, notify(&one), NOW).await;
    for state in ["paid", "reversing"] {
        let sql = format!("UPDATE payments SET state = '{state}' WHERE id = {}", two.payment.0);
        assert!(fresh.refusal_of(&sql).contains("UNIQUE"), "one paid payment an order");
    }
    assert!(matches!(reserve(&fresh, &one, eur(60)).await, Ok(Reserved::Yes(_))));
    let refund = |minor: i64| {
        format!(
            "INSERT INTO refunds (order_id, payment_id, kind, gateway_order_id, amount_minor, currency, reason, state, \
                 asked_by, made_at_ms) \
             VALUES ({}, {}, 'gateway', 'R{minor}', {minor}, 'EUR', '', 'done', '', 0)",
            one.order.0, one.payment.0
        )
    };
    assert!(fresh.refusal_of(&refund(41)).contains("refund does not fit"));
    let sql = format!("UPDATE payments SET state = 'reversing' WHERE id = {}", one.payment.0);
    assert!(fresh.refusal_of(&sql).contains("with refunds is not reversed"));
    for sql in [
        "UPDATE refunds SET amount_minor = 1",
        "UPDATE refunds SET payment_id = 2",
        "UPDATE refunds SET currency = 'USD'",
        "UPDATE refunds SET state = 'proposed'",
        "UPDATE refunds SET gateway_order_id = 'X'",
    ] {
        assert!(fresh.refusal_of(sql).contains("does not change"), "{sql}");
    }
    let by_hand = format!(
        "INSERT INTO refunds (order_id, kind, amount_minor, currency, reason, state, asked_by, made_at_ms) \
         VALUES ({}, 'hand', 1, 'EUR', '', 'done', '', 0)",
        one.order.0
    );
    assert!(fresh.refusal_of(&by_hand).contains("refund does not fit"), "nothing was received by hand");
    apply(&fresh, &two, Cause::Rollback, NOW).await;
    let sql = format!("UPDATE payments SET state = 'paid' WHERE id = {}", two.payment.0);
    assert!(fresh.refusal_of(&sql).contains("stays reversed"));
    let sql = "INSERT INTO orders (reference, mode, state, method, language, currency, total_minor, delivery, lines,
            customer, cart, content, placed_at_ms)
        SELECT 'TG-SECOND', mode, 'open', method, language, currency, total_minor, delivery, lines, customer, cart,
            content, placed_at_ms FROM orders";
    assert!(fresh.refusal_of(sql).contains("UNIQUE"), "one living order a cart");
}

#[tokio::test]
async fn tokens_and_keys_are_not_in_the_file() {
    let Fresh { store, dir } = fresh().await;
    let ours = start(&store, 100, NOW).await;
    store.add_token(ours.order, hash("a secret token"), NOW).await.unwrap();
    assert!(matches!(claim(&store, "a secret key", NOW).await, KeyClaim::Claimed(_)));
    let files: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.iter().any(|path| path.ends_with("shop.db-wal")), "{files:?}");
    for path in files {
        let bytes = std::fs::read(path).unwrap();
        let holds = |secret: &[u8]| bytes.windows(secret.len()).any(|window| window == secret);
        assert!(!holds(b"a secret"));
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_an_error() {
    let dir = folder();
    let path = dir.path().join("shop.db");
    std::fs::write(&path, "this is no database, and long enough to have a header of its own".repeat(20))
        .unwrap();
    assert!(matches!(SqliteStore::open(&path), Err(StoreError::Failed(_))));
    assert!(SqliteStore::open(&dir.path().join("no/such/folder/shop.db")).is_err());
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_on_the_machine_may_read_the_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let fresh = fresh().await;
    start(&fresh, 100, NOW).await;
    for name in ["shop.db", "shop.db-wal", "shop.db-shm"] {
        let mode = std::fs::metadata(fresh.dir.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name}: {mode:o}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shoppers_however_many_do_not_keep_a_notification_from_being_taken() {
    let fresh = fresh().await;
    let ours = start(&fresh, 100, NOW).await;
    // Somebody holds the file, so that everything has to queue.
    let holder = fresh.connection();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut shoppers = tokio::task::JoinSet::new();
    for number in 0..1500 {
        let store = Arc::clone(&fresh.store);
        shoppers.spawn(async move {
            store.claim_key(hash(&format!("key {number}")), hash("request"), NOW, LEASE).await
        });
    }
    for _ in 0..400 {
        let refused = shoppers.join_next().await.unwrap().unwrap();
        assert!(matches!(refused, Err(StoreError::Overloaded)), "{refused:?}");
    }
    let told = {
        let (store, ours) = (Arc::clone(&fresh.store), ours.clone());
        tokio::spawn(async move { apply(&store, &ours, notify(&ours), NOW).await })
    };
    tokio::task::yield_now().await;
    holder.execute_batch("ROLLBACK").unwrap();
    assert!(told.await.unwrap().decision.takes_the_money());
    while let Some(shopper) = shoppers.join_next().await {
        assert!(matches!(shopper.unwrap(), Ok(KeyClaim::Claimed(_)) | Err(StoreError::Overloaded)));
    }
}

#[tokio::test]
async fn the_database_itself_refuses_a_second_use_of_a_quote_and_other_words_of_a_storefront() {
    let fresh = fresh().await;
    start_in(&fresh, "cart", 100, NOW).await;
    start_in(&fresh, "other cart", 100, NOW).await;
    let connection = fresh.connection();
    let copy = |quote: &str, cart: &str, state: &str, reference: &str| {
        connection.execute(
            &format!(
                "INSERT INTO orders (reference, mode, state, method, language, currency, total_minor, delivery, lines,
                     customer, cart, content, placed_at_ms, quote)
                 SELECT ?1, mode, ?2, method, language, currency, total_minor, delivery, lines, customer, {cart}, content,
                     placed_at_ms, {quote} FROM orders ORDER BY id LIMIT 1"
            ),
            (reference, state),
        )
    };
    // The first one's cart has a living order, so this one is of a cart of its own.
    let (quote, cart) = ("zeroblob(32)", "randomblob(32)");
    assert_eq!(copy(quote, cart, "cancelled", "A").unwrap(), 1);
    let other_cart = copy(quote, cart, "open", "B").unwrap_err().to_string();
    assert!(other_cart.contains("used for another cart"), "{other_cart}");
    let same_cart = "(SELECT cart FROM orders WHERE reference = 'A')";
    assert_eq!(copy(quote, same_cart, "refunded", "C").unwrap(), 1);
    let twice = copy(quote, same_cart, "open", "D").unwrap_err().to_string();
    assert!(twice.contains("orders.quote"), "{twice}");
    for change in ["quote = NULL", "shop_reference = 'x'", "return_url = 'https://evil.example'"] {
        let refused = connection.execute(&format!("UPDATE orders SET {change} WHERE reference = 'A'"), ());
        assert!(refused.unwrap_err().to_string().contains("frozen"), "{change}");
    }
}
