//! PostgreSQL: the suite, and what only a server can be tested for. Each test has a database of its own on the
//! server of `TEST_DATABASE_URL`.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use checkout::people::Role;
use checkout::records::Mode;
use checkout::records::{EventKind, NewEvent};
use checkout::rules::Cause;
use checkout::store::merchant::{Entrance, Filter, From, NewUser, UserChange};
use checkout::store::moving::move_shop;
use checkout::store::postgres::{PostgresAddress, PostgresStore};
use checkout::store::sqlite::{SqliteStore, backup};
use checkout::store::{Reserved, StoreError};
use domain::{OrderState, PaymentState};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

use crate::database::{Database, administer};
use crate::world::*;

/// How many connections a store has.
const CONNECTIONS: u32 = 8;

async fn open(database: &Database) -> Shared {
    Arc::new(PostgresStore::connect(&database.address(), CONNECTIONS).await.unwrap())
}

/// What the database says to a statement that it must refuse.
async fn refusal_of(database: &Database, sql: &str) -> String {
    database.connection().await.execute(AssertSqlSafe(sql)).await.expect_err(sql).to_string()
}

struct Fresh {
    store: Shared,
    database: Database,
}

impl Deref for Fresh {
    type Target = Shared;
    fn deref(&self) -> &Shared {
        &self.store
    }
}

/// A store of its own.
async fn fresh() -> Fresh {
    let database = Database::migrated().await;
    Fresh { store: open(&database).await, database }
}

conformance!(fresh);
merchant_conformance!(fresh);
outbox_conformance!(fresh);

#[tokio::test]
async fn a_database_is_migrated_by_one_command_and_never_by_serving() {
    let database = Database::empty().await;
    let Err(StoreError::Failed(why)) = PostgresStore::connect(&database.address(), CONNECTIONS).await else {
        panic!("an empty database was served from");
    };
    assert!(why.contains("tillgate migrate"), "{why}");
    assert!(PostgresStore::migrate(&database.address()).await.unwrap() > 0);
    assert_eq!(PostgresStore::migrate(&database.address()).await.unwrap(), 0);
    let store = open(&database).await;
    store.ready().await.unwrap();

    // A newer version was here: what it left is what it promises that this one can work with.
    let newer = "INSERT INTO tillgate_migrations (version, description, success, checksum, execution_time)
         SELECT max(version) + 1, 'newer', TRUE, '', 0 FROM tillgate_migrations";
    database.connection().await.execute(newer).await.unwrap();
    paid(&open(&database).await, 100, NOW).await;
    assert_eq!(PostgresStore::migrate(&database.address()).await.unwrap(), 0);
    // Unless it says that it cannot.
    let only_newer = "UPDATE oldest_version SET steps = (SELECT count(*) FROM tillgate_migrations)";
    database.connection().await.execute(only_newer).await.unwrap();
    let Err(StoreError::Failed(why)) = PostgresStore::connect(&database.address(), CONNECTIONS).await else {
        panic!("it was served from");
    };
    assert!(why.contains("start the newer one"), "{why}");
}

#[tokio::test]
async fn a_server_that_answers_before_a_change_is_on_disk_is_refused() {
    let database = fresh().await.database;
    let sql = format!("ALTER DATABASE {} SET synchronous_commit = off", database.name());
    administer(&sql).await;
    let Err(StoreError::Failed(why)) = PostgresStore::connect(&database.address(), CONNECTIONS).await else {
        panic!("it was taken");
    };
    assert!(why.contains("synchronous_commit"), "{why}");
}

#[test]
fn an_address_that_cannot_be_read_says_how_one_looks_and_hides_its_password() {
    for bad in ["postgres://shop:secret@host:port/db", "mysql://shop:secret@host/db", "postgres:"] {
        match PostgresAddress::parse(bad) {
            Err(error) => {
                let text = error.to_string();
                assert!(text.contains("postgres://user:password@host"), "{text}");
                assert!(!text.contains("secret"), "{text}");
            }
            Ok(address) => assert!(!address.for_people().contains("secret")),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_stores_on_one_database_behave_like_one() {
    let fresh = fresh().await;
    let stores = [Arc::clone(&fresh.store), open(&fresh.database).await];
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
    assert_eq!(
        kinds(&stores[0], ours.order).await.iter().filter(|kind| **kind == EventKind::Notified).count(),
        1
    );
    let reserved = at_once(40, |index| {
        let (store, ours) = (Arc::clone(&stores[index % 2]), ours.clone());
        async move { reserve(&store, &ours, eur(10)).await.unwrap() }
    })
    .await;
    assert_eq!(reserved.iter().filter(|answer| **answer != Reserved::No).count(), 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_totals_are_those_of_the_orders_whatever_happens_at_once() {
    let fresh = fresh().await;
    let store = Arc::clone(&fresh.store);
    at_once(60, |index| {
        let store = Arc::clone(&store);
        async move {
            let ours = start(&store, 100, NOW).await;
            if index % 2 == 0 {
                apply(&store, &ours, notify(&ours), NOW).await;
            }
            match index % 6 {
                0 => drop(apply(&store, &ours, Cause::Rollback, NOW).await),
                2 => {
                    let refund = reserved(&store, &ours, 100).await;
                    settle(&store, refund, domain::RefundEvent::AnsweredYes).await.unwrap();
                }
                _ => {}
            }
        }
    })
    .await;
    let totals = store.totals(Filter::all(Mode::Test)).await.unwrap();
    assert_eq!(totals.by_currency.len(), 1);
    let total = totals.by_currency[0];
    assert_eq!((total.orders, total.total_minor, total.refunded_minor), (60, 6000, 1000));
    for (state, orders) in [(OrderState::Open, 40), (OrderState::Paid, 10), (OrderState::Refunded, 10)] {
        let filter = Filter { states: vec![state], ..Filter::all(Mode::Test) };
        let counted = store.totals(filter.clone()).await.unwrap().by_currency[0].orders;
        assert_eq!(counted, orders, "{state:?}");
        let listed = store.transactions(filter, From::Newest, 100).await.unwrap().rows.len();
        assert_eq!(i64::try_from(listed).unwrap(), orders, "{state:?}");
    }
}

#[tokio::test]
async fn totals_of_all_days_begin_with_those_that_are_there() {
    let fresh = fresh().await;
    paid(&fresh.store, 100, NOW).await;
    paid(&fresh.store, 200, NOW + 86_400_000).await;
    let totals = async || fresh.store.totals(Filter::all(Mode::Test)).await.unwrap().by_currency;
    let before = totals().await;
    assert_eq!((before[0].orders, before[0].total_minor), (2, 300));
    // As the version before left it.
    for sql in [
        "DROP TABLE order_totals_of_all_days",
        "DROP FUNCTION total_new_days, total_changed_days CASCADE",
        "DELETE FROM tillgate_migrations WHERE version = 4",
    ] {
        fresh.database.connection().await.execute(sql).await.unwrap();
    }
    assert_eq!(PostgresStore::migrate(&fresh.database.address()).await.unwrap(), 1);
    assert_eq!(totals().await, before);
    paid(&fresh.store, 50, NOW).await;
    assert_eq!((totals().await[0].orders, totals().await[0].total_minor), (3, 350));
}

#[tokio::test]
async fn the_database_itself_keeps_what_was_agreed_and_what_happened() {
    let fresh = fresh().await;
    let ours = paid(&fresh, 100, NOW).await;
    assert!(matches!(reserve(&fresh, &ours, eur(60)).await, Ok(Reserved::Yes(_))));
    let database = &fresh.database;
    let columns: Vec<(String,)> = sqlx::query_as(
        "SELECT column_name::text FROM information_schema.columns WHERE table_name = 'orders' ORDER BY ordinal_position",
    )
    .fetch_all(&mut database.connection().await)
    .await
    .unwrap();
    assert!(columns.len() > 10);
    let mut changeable = Vec::new();
    for (column,) in columns {
        // A change that breaks no other rule of the column: what refuses it can only be the freeze.
        let changed = match column.as_str() {
            "mode" => "'live'".to_owned(),
            "currency" => "'USD'".to_owned(),
            "lines" | "customer" => "'{}'".to_owned(),
            "cart" | "content" | "quote" => "sha256('x')".to_owned(),
            "state" => "'cancelled'".to_owned(),
            "id" | "total_minor" | "placed_at_ms" | "day" | "refunded_minor" => format!("{column} + 1"),
            "attention_since_ms" => "1".to_owned(),
            _ => format!("{column} || 'x'"),
        };
        let sql = format!("UPDATE orders SET {column} = {changed} WHERE id = {}", ours.order.0);
        let mut connection = database.connection().await;
        let mut attempt = connection.begin().await.unwrap();
        if (&mut *attempt).execute(AssertSqlSafe(sql)).await.is_ok() {
            changeable.push(column);
        }
        attempt.rollback().await.unwrap();
    }
    assert_eq!(changeable, ["state", "method", "refunded_minor", "attention_since_ms"]);
    for (sql, words) in [
        ("DELETE FROM events", "events are only added"),
        ("UPDATE events SET detail = 'nothing happened'", "events are only added"),
        ("TRUNCATE events CASCADE", "events are only added"),
        ("DELETE FROM payments", "payments are kept"),
        ("UPDATE payments SET amount_minor = 1", "frozen when it starts"),
        ("DELETE FROM refunds", "refunds are kept"),
        ("UPDATE refunds SET amount_minor = 1", "does not change"),
        ("UPDATE refunds SET state = 'proposed'", "does not change"),
        ("UPDATE payments SET state = 'reversing'", "with refunds is not reversed"),
        (
            "INSERT INTO refunds (order_id, payment_id, kind, amount_minor, currency, reason, state, asked_by, made_at_ms)
             SELECT order_id, id, 'account', 41, currency, '', 'done', '', 0 FROM payments",
            "refund does not fit",
        ),
        (
            "INSERT INTO refunds (order_id, kind, amount_minor, currency, reason, state, asked_by, made_at_ms)
             SELECT order_id, 'hand', 1, currency, '', 'done', '', 0 FROM payments",
            "refund does not fit",
        ),
        (
            "INSERT INTO orders (reference, mode, state, method, language, currency, total_minor, delivery, lines, customer,
                 cart, content, placed_at_ms)
             SELECT 'TG-SECOND', mode, 'open', method, language, currency, total_minor, delivery, lines, customer, cart,
                 content, placed_at_ms FROM orders",
            "one_living_order_per_cart",
        ),
        ("DELETE FROM orders", "violates foreign key"),
        ("DELETE FROM audit", "only added to"),
    ] {
        let said = refusal_of(database, sql).await;
        assert!(said.contains(words), "{sql}: {said}");
    }
    apply(&fresh, &start(&fresh, 1, NOW).await, Cause::Rollback, NOW).await;
    let said = refusal_of(database, "UPDATE payments SET state = 'paid' WHERE state = 'reversed'").await;
    assert!(said.contains("stays reversed"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_limit_of_refunds_holds_for_whoever_does_not_hold_the_order() {
    let fresh = fresh().await;
    let ours = paid(&fresh, 100, NOW).await;
    let database = Arc::new(fresh.database);
    let inserted = at_once(20, |_| {
        let (database, payment) = (Arc::clone(&database), ours.payment.0);
        async move {
            let sql = format!(
                "INSERT INTO refunds (order_id, payment_id, kind, amount_minor, currency, reason, state, asked_by,
                     made_at_ms)
                 SELECT order_id, id, 'account', 30, currency, '', 'done', '', 0 FROM payments WHERE id = {payment}"
            );
            database.connection().await.execute(AssertSqlSafe(sql)).await.is_ok()
        }
    })
    .await;
    assert_eq!(inserted.iter().filter(|done| **done).count(), 3);
    drop(fresh.store);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shoppers_however_many_do_not_keep_a_notification_from_being_taken() {
    let fresh = fresh().await;
    let ours = start(&fresh, 100, NOW).await;
    // Somebody holds the keys, so that every shopper has to wait.
    let mut holder = fresh.database.connection().await;
    let mut held = holder.begin().await.unwrap();
    held.execute("LOCK TABLE idempotency_keys IN ACCESS EXCLUSIVE MODE").await.unwrap();
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
    assert!(apply(&fresh, &ours, notify(&ours), NOW).await.decision.takes_the_money());
    held.rollback().await.unwrap();
    shoppers.abort_all();
    while shoppers.join_next().await.is_some() {}
    assert_eq!(payment(&fresh, &ours).await.state, PaymentState::Paid);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_and_keys_are_not_in_the_database() {
    let fresh = fresh().await;
    let ours = start(&fresh, 100, NOW).await;
    fresh.add_token(ours.order, hash("a secret token"), NOW).await.unwrap();
    claim(&fresh, "a secret key", NOW).await;
    let text: Vec<(String,)> = sqlx::query_as(
        "SELECT t::text FROM order_tokens t UNION ALL SELECT k::text FROM idempotency_keys k UNION ALL
         SELECT p::text FROM payments p",
    )
    .fetch_all(&mut fresh.database.connection().await)
    .await
    .unwrap();
    assert!(text.len() > 2);
    assert!(text.iter().all(|(row,)| !row.contains("a secret") && !row.contains("6120736563726574")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_is_moved_from_a_file_with_nothing_lost() {
    let dir = crate::sqlite::folder();
    let path = dir.path().join("shop.db");
    let file: Shared = Arc::new(SqliteStore::open(&path).unwrap());
    // One of everything, and more of one thing than goes over at a time.
    let half_refunded = paid(&file, 100, NOW).await;
    let refund = reserved(&file, &half_refunded, 40).await;
    settle(&file, refund, domain::RefundEvent::AnsweredYes).await.unwrap();
    let reversed = paid(&file, 200, NOW).await;
    apply(&file, &reversed, Cause::Rollback, NOW).await;
    file.add_token(half_refunded.order, hash("token"), NOW).await.unwrap();
    for number in 0..600 {
        let raw = Some("ä".to_owned());
        let event = NewEvent { kind: EventKind::UnknownMessage, detail: format!("ä{number}"), raw };
        file.record(None, event, NOW).await.unwrap();
    }
    let user = NewUser { email: "anna@shop.example".into(), role: Role::Refund, password: "a hash".into() };
    assert!(file.add_user(user, anna(), NOW).await.unwrap());

    let database = Database::migrated().await;
    let moved = move_shop(&path, &database.address()).await.unwrap();
    let rows = |table: &str| moved.iter().find(|moved| moved.table == table).unwrap().rows;
    assert_eq!((rows("orders"), rows("payments"), rows("refunds"), rows("merchant_users")), (2, 2, 1, 1));
    assert!(rows("events") > 600);

    let store = open(&database).await;
    for ours in [&half_refunded, &reversed] {
        let (before, after) =
            (file.order_record(&ours.reference).await.unwrap(), store.order_record(&ours.reference).await);
        assert_eq!(format!("{before:?}"), format!("{:?}", after.unwrap()));
        let (before, after) = (events(&file, ours.order).await, events(&store, ours.order).await);
        assert_eq!(format!("{before:?}"), format!("{after:?}"));
    }
    let filter = Filter::all(Mode::Test);
    let before = file.totals(filter.clone()).await.unwrap().by_currency;
    assert_eq!(before, store.totals(filter).await.unwrap().by_currency);
    assert!(store.order_by_token(hash("token")).await.unwrap().is_some());
    assert!(store.credentials("anna@shop.example").await.unwrap().is_some());
    // It goes on there: the rules hold, and new numbers follow the old ones.
    assert!(matches!(reserve(&store, &half_refunded, eur(61)).await, Ok(Reserved::No)));
    assert!(matches!(reserve(&store, &half_refunded, eur(60)).await, Ok(Reserved::Yes(_))));
    paid(&store, 300, NOW).await;

    // Nobody goes on with the file, and nobody moves it a second time, or into a shop that is in use.
    assert!(file.claim_key(hash("key"), hash("request"), NOW, LEASE).await.is_err());
    assert!(file.ready().await.unwrap_err().to_string().contains("was moved to"));
    assert!(SqliteStore::open(&path).err().unwrap().to_string().contains("was moved to"));
    let other = Database::migrated().await;
    assert!(move_shop(&path, &other.address()).await.is_err());
    let another = dir.path().join("another.db");
    drop(SqliteStore::open(&another).unwrap());
    let into_used = move_shop(&another, &database.address()).await.unwrap_err().to_string();
    assert!(into_used.contains("empty"), "{into_used}");
    SqliteStore::open(&another).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_move_that_was_interrupted_is_finished_by_the_same_command() {
    let dir = crate::sqlite::folder();
    let (path, copy) = (dir.path().join("shop.db"), dir.path().join("copy.db"));
    let from: Shared = Arc::new(SqliteStore::open(&path).unwrap());
    let ours = paid(&from, 100, NOW).await;
    drop(from);
    assert_eq!(backup(&path, &copy).unwrap().orders, 1);
    let database = Database::migrated().await;
    let moved = move_shop(&path, &database.address()).await.unwrap();
    let mark = format!(
        "CREATE TABLE unfinished_move (source TEXT); INSERT INTO unfinished_move VALUES ('{}')",
        path.display()
    );
    // Once before the file was closed, and once after it.
    for is_closed in [false, true] {
        if !is_closed {
            for name in ["shop.db", "shop.db-wal", "shop.db-shm"] {
                drop(std::fs::remove_file(dir.path().join(name)));
            }
            std::fs::copy(&copy, &path).unwrap();
        }
        sqlx::raw_sql(AssertSqlSafe(mark.clone())).execute(&mut database.connection().await).await.unwrap();
        let Err(StoreError::Failed(why)) = PostgresStore::connect(&database.address(), 1).await else {
            panic!("it is served from before the file is closed");
        };
        assert!(why.contains("migrate --from"), "{why}");
        let elsewhere = move_shop(&copy, &database.address()).await.unwrap_err().to_string();
        assert!(elsewhere.contains("shop.db"), "{elsewhere}");
        assert_eq!(move_shop(&path, &database.address()).await.unwrap(), moved);
        assert!(SqliteStore::open(&path).err().unwrap().to_string().contains("was moved to"));
        assert_eq!(file(&open(&database).await, &ours).await.order.state, OrderState::Paid);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refunds_fit_whatever_isolation_the_database_has_by_itself() {
    let fresh = fresh().await;
    let sql = "ALTER DATABASE {} SET default_transaction_isolation = 'repeatable read'";
    administer(&sql.replace("{}", fresh.database.name())).await;
    let stores = [open(&fresh.database).await, open(&fresh.database).await];
    let ours = paid(&stores[0], 100, NOW).await;
    let reserved = at_once(20, |index| {
        let (store, ours) = (Arc::clone(&stores[index % 2]), ours.clone());
        async move { reserve(&store, &ours, eur(60)).await.unwrap() }
    })
    .await;
    assert_eq!(reserved.iter().filter(|answer| **answer != Reserved::No).count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_session_outlives_a_change_of_the_password() {
    let fresh = fresh().await;
    let user = NewUser { email: "anna@shop.example".into(), role: Role::Refund, password: "old".into() };
    assert!(fresh.add_user(user, anna(), NOW).await.unwrap());
    let user = fresh.credentials("anna@shop.example").await.unwrap().unwrap().user.id;
    let second_factor = UserChange::SecondFactor(Some((vec![1; 20], 0)));
    assert!(fresh.change_user("anna@shop.example", second_factor, anna(), NOW).await.unwrap());
    for round in 0..40 {
        let (waiting, full) = (hash(&format!("waiting {round}")), hash(&format!("full {round}")));
        let password = fresh.credentials("anna@shop.example").await.unwrap().unwrap().password;
        let entrance = Entrance::Password(password);
        let opened = fresh.open_session(waiting, user, entrance, anna(), NOW).await.unwrap();
        assert_eq!(opened, Some(false), "it waits for the code");
        // The code is right, and at the same moment the password is changed.
        at_once(2, |index| {
            let store = Arc::clone(&fresh.store);
            async move {
                if index == 0 {
                    let _ =
                        store.open_session(full, user, Entrance::Code(waiting), anna(), NOW).await.unwrap();
                } else {
                    let change = UserChange::Password { password: format!("new {round}"), keep: None };
                    assert!(store.change_user("anna@shop.example", change, anna(), NOW).await.unwrap());
                }
            }
        })
        .await;
        let left = fresh.session(full, 0, 0, NOW).await.unwrap();
        assert!(left.is_none(), "round {round}");
    }
}

/// How many rows have been read in a database so far. Its connections have to be closed: it counts what one has read
/// when that one ends.
async fn rows_read(database: &Database) -> i64 {
    let mut connection = database.connection().await;
    let others = "SELECT count(*) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
    let closed =
        async { while sqlx::query_scalar::<_, i64>(others).fetch_one(&mut connection).await.unwrap() > 0 {} };
    tokio::time::timeout(Duration::from_secs(30), closed).await.expect("a connection is still open");
    let read =
        "SELECT CAST(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) AS BIGINT) FROM pg_stat_user_tables";
    sqlx::query_scalar(read).fetch_one(&mut connection).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_look_for_expired_orders_does_not_read_the_others() {
    let database = Database::migrated().await;
    // As it is after some looks: one plan for whatever is looked for.
    administer(&format!("ALTER DATABASE {} SET plan_cache_mode = force_generic_plan", database.name())).await;
    // Old orders that are over, and a busy day's whose payments are still asked about.
    let fill = "INSERT INTO orders (reference, mode, state, method, language, currency, total_minor, delivery, lines,
             customer, cart, content, placed_at_ms, day, found_email, found_name, found_family_name)
         SELECT 'TG-' || i, 'test', CASE WHEN i > 2000 THEN 'open' ELSE 'expired' END, 'card', 'de', 'EUR', 500,
             'post', '[]', '{}', sha256(i::text::bytea), sha256(i::text::bytea), CASE WHEN i > 2000 THEN {now} ELSE 1 END,
             0, 'a', 'a', 'a'
         FROM generate_series(1, 9000) i;
         INSERT INTO payments (order_id, gateway_order_id, store, key_index, method, amount_minor, currency, state,
             state_since_ms, started_at_ms, expires_at_ms, form, handoff, salt, next_ask_at_ms)
         SELECT id, 'P' || id, 'main', 1, 'card', total_minor, currency,
             CASE WHEN state = 'open' THEN 'started' ELSE 'failed' END, placed_at_ms, placed_at_ms, placed_at_ms, '{}',
             cart, substr(cart, 1, 16), CASE WHEN state = 'open' THEN placed_at_ms END
         FROM orders;";
    let mut connection = database.connection().await;
    sqlx::raw_sql(AssertSqlSafe(fill.replace("{now}", &NOW.to_string())))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.execute("VACUUM ANALYZE").await.unwrap();
    connection.close().await.unwrap();

    let before = rows_read(&database).await;
    let store = open(&database).await;
    assert_eq!(store.expire(NOW - HOUR, NOW - HOUR, NOW).await.unwrap(), 0);
    drop(store);
    let read = rows_read(&database).await - before;
    assert!(read < 100, "{read} rows");
}
