//! Bad days of the real program: its database crashes, its disk is full, the gateway does not answer, the clock jumps.
//! Shoppers see pages, and nothing that was answered `OK` is lost.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use checkout::clock::SystemClock;
use checkout::store::postgres::{PostgresAddress, PostgresStore};
use domain::{OrderState, PaymentState};
use futures_util::future::join_all;
use reqwest::redirect::Policy;
use server::config::Config;
use server::serve::open_checkout;

use crate::cli::{Process, tillgate, unconfigured};
use crate::database::{Database, administer};
use crate::gateway::Reply;
use crate::html::{self, heading};
use crate::kill::{configuration_on, free_ports, prepare, serve, serve_by};
use crate::messages::{notify, ok};
use crate::replicas::{buys, everybody_paid_once, until_it_works};
use crate::shop::{Answer, HOUR, MINUTE, Shop, folder};

const SHOPPERS: usize = 120;
const AT_ONCE: usize = 12;
const CRASHES: usize = 3;

fn client() -> reqwest::Client {
    reqwest::Client::builder().redirect(Policy::none()).no_proxy().build().unwrap()
}

/// Whether somebody who looks at it sees a page of the shop, whatever it says.
fn is_page(answer: &Answer) -> bool {
    answer.header("content-type").starts_with("text/html") && !heading(&answer.body).is_empty()
}

/// A PostgreSQL server of its own that can crash. Where there is only somebody else's, its connections are cut instead.
enum Fragile {
    Own { url: String, restart: String, keeper: Child },
    Borrowed(Database),
}

impl Fragile {
    async fn start() -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/with-postgres.sh");
        let mut keeper = Command::new(script)
            .args(["sh", "-c", "echo \"$TEST_DATABASE_URL\"; echo \"$TEST_DATABASE_RESTART\"; exec cat"])
            .env_remove("TEST_DATABASE_URL")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(keeper.stdout.take().unwrap()).lines();
        let mut line = || said.next().and_then(Result::ok);
        if let (Some(url), Some(restart)) = (line(), line()) {
            let address = PostgresAddress::parse(&url).unwrap();
            PostgresStore::migrate(&address).await.unwrap();
            return Self::Own { url, restart, keeper };
        }
        keeper.wait().unwrap();
        Self::Borrowed(Database::migrated().await)
    }

    fn url(&self) -> String {
        match self {
            Self::Own { url, .. } => url.clone(),
            Self::Borrowed(database) => database.url(),
        }
    }

    async fn crashes(&self) {
        match self {
            Self::Own { restart, .. } => {
                let restart = restart.clone();
                let restarted = tokio::task::spawn_blocking(move || {
                    Command::new("sh").args(["-c", &restart]).stdout(Stdio::null()).status()
                });
                assert!(restarted.await.unwrap().unwrap().success());
            }
            Self::Borrowed(database) => {
                let name = database.name();
                administer(&format!(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
                ))
                .await;
            }
        }
    }
}

impl Drop for Fragile {
    fn drop(&mut self) {
        if let Self::Own { keeper, .. } = self {
            // The end of what it reads is the end of the server.
            drop(keeper.stdin.take());
            let _ = keeper.wait();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_crashes_under_load_loses_nothing_and_shoppers_see_pages() {
    let (dir, database, client) = (folder(), Fragile::start().await, client());
    let ports = free_ports();
    let url = format!("http://127.0.0.1:{}", ports[0]);
    let mut table = configuration_on(dir.path(), &url, ports);
    table.insert("database_url".into(), database.url().into());
    let file = dir.path().join("tillgate.toml");
    std::fs::write(&file, table.to_string()).unwrap();
    let process = serve(&file, ports, &client).await;

    let (begun, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let shoppers = (0..AT_ONCE).map(async |_| {
        let mut requests = Vec::new();
        while begun.fetch_add(1, Ordering::SeqCst) < SHOPPERS {
            requests.push(buys(&client, &url).await);
            done.fetch_add(1, Ordering::SeqCst);
        }
        requests
    });
    let looker = async {
        while done.load(Ordering::SeqCst) < SHOPPERS {
            for path in ["/", "/checkout", "/checkout/result/0123456789012345678901"] {
                let page = Answer::of(client.get(format!("{url}{path}"))).await;
                assert!(is_page(&page), "{page:?}");
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let crashes = async {
        for crash in 0..CRASHES {
            let when = SHOPPERS * (crash + 1) / (CRASHES + 1);
            until_it_works("shoppers", async || (done.load(Ordering::SeqCst) >= when).then_some(())).await;
            database.crashes().await;
            assert!(done.load(Ordering::SeqCst) < SHOPPERS, "it crashed when everybody had gone");
        }
    };
    let (requests, (), ()) = tokio::join!(join_all(shoppers), looker, crashes);
    let requests: Vec<_> = requests.into_iter().flatten().collect();
    assert_eq!(requests.len(), SHOPPERS);
    everybody_paid_once(&table, &requests).await;
    drop(process);
}

/// From now on the system lets no file of a process grow beyond so many bytes, as it does where the disk is full.
#[cfg(target_os = "linux")]
fn limit(process: &Process, bytes: &str) {
    let limit = format!("--fsize={bytes}:unlimited");
    let limited = Command::new("prlimit").args([&limit, "--pid", &process.0.id().to_string()]).status();
    assert!(limited.expect("prlimit (util-linux)").success());
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_said_and_nothing_that_was_answered_ok_is_lost() {
    let (dir, client) = (folder(), client());
    let ports = free_ports();
    let url = format!("http://127.0.0.1:{}", ports[0]);
    let table = configuration_on(dir.path(), &url, ports);
    let file = dir.path().join("tillgate.toml");
    std::fs::write(&file, table.to_string()).unwrap();
    let config = Config::parse(&table.to_string(), []).unwrap();
    let open = async || open_checkout(&config, None, Arc::new(SystemClock)).await.unwrap();
    let prepared = prepare(open().await.as_ref()).await;
    let mut limited = unconfigured("sh");
    limited
        .args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"])
        .arg(tillgate().get_program())
        .stdin(Stdio::null());
    let process = serve_by(limited, &file, ports, &client).await;
    let notified = async |which: std::ops::Range<usize>| {
        let mut answers = Vec::new();
        for one in &prepared[which] {
            let request = client.post(format!("{url}/mypos/notify")).body(one.body.clone());
            let answer = Answer::of(request).await;
            answers.push((answer.status, answer.body));
        }
        answers
    };
    let ready = format!("http://127.0.0.1:{}/readyz", ports[1]);
    let all = |answers: Vec<(u16, String)>, status, body: &str| {
        assert!(answers.iter().all(|answer| *answer == (status, body.to_owned())), "{answers:?}");
    };
    all(notified(0..40).await, 200, "OK");

    limit(&process, "4096");
    all(notified(40..80).await, 503, "try again");
    assert_eq!(Answer::of(client.get(&ready)).await.status, 503);
    // What was taken before is taken again, for that nothing has to be written but the fact.
    let again = notified(0..1).await;
    assert!(again[0].0 == 503 || again[0] == (200, "OK".to_owned()), "{again:?}");
    // Shoppers can look, and who pays is told in words and has typed nothing in vain.
    assert_eq!(Answer::of(client.get(format!("{url}/"))).await.status, 200);
    let form = crate::pay::plain_form(&crate::shop::purchase());
    let press = client
        .post(format!("{url}/checkout/pay"))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("origin", &url)
        .body(html::encode(form.iter().map(|(name, value)| (name, value))));
    let page = Answer::of(press).await;
    assert!(page.status >= 500 && is_page(&page), "{page:?}");
    assert!(page.body.contains("ada@example.com"), "what was typed is still there");

    limit(&process, "unlimited");
    until_it_works("room on the disk", async || {
        client.get(&ready).send().await.ok().filter(|answer| answer.status() == 200)
    })
    .await;
    let checkout = open().await;
    for (index, one) in prepared.iter().enumerate() {
        let file = checkout.order_of_cart(&one.cart_id).await.unwrap().unwrap();
        assert_eq!(file.order.state == OrderState::Paid, index < 40, "payment {index}");
    }
    all(notified(0..prepared.len()).await, 200, "OK");
}

/// A disk of some megabytes, which only root can make; gone with the test.
#[cfg(target_os = "linux")]
struct SmallDisk(tempfile::TempDir);

#[cfg(target_os = "linux")]
impl SmallDisk {
    fn mount() -> Option<Self> {
        let disk = Self(folder());
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=64m", "tillgate-test"]).arg(disk.0.path());
        mount.stderr(Stdio::null()).status().is_ok_and(|status| status.success()).then_some(disk)
    }

    /// Takes all the room that is left.
    fn fill(&self) {
        let mut filler = std::fs::File::create(self.0.path().join("filler")).unwrap();
        while filler.write_all(&[0; 4096]).is_ok() {}
    }

    fn make_room(&self) {
        std::fs::remove_file(self.0.path().join("filler")).unwrap();
    }
}

#[cfg(target_os = "linux")]
impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").args(["--lazy", "--quiet"]).arg(self.0.path()).status();
    }
}

/// As the test before, on a disk that is really full, with many notifications in one transaction.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_without_a_free_page_loses_nothing_either() {
    let Some(disk) = SmallDisk::mount() else {
        eprintln!("only root can make a small disk: nothing was tested here");
        return;
    };
    let client = client();
    let ports = free_ports();
    let url = format!("http://127.0.0.1:{}", ports[0]);
    let table = configuration_on(disk.0.path(), &url, ports);
    let file = disk.0.path().join("tillgate.toml");
    std::fs::write(&file, table.to_string()).unwrap();
    let config = Config::parse(&table.to_string(), []).unwrap();
    let open = async || open_checkout(&config, None, Arc::new(SystemClock)).await.unwrap();
    let prepared = prepare(open().await.as_ref()).await;
    let process = serve(&file, ports, &client).await;
    disk.fill();

    // The log's pages that are there already are written again, until it would have to grow.
    let press = async || {
        let body = html::encode(crate::pay::api_form(&crate::shop::purchase()).iter().map(|(n, v)| (n, v)));
        let request = client.post(format!("{url}/api/checkout/start")).body(body);
        Answer::of(request.header("content-type", "application/x-www-form-urlencoded")).await.status
    };
    let mut started = 0;
    while press().await == 200 {
        started += 1;
        assert!(started < 10_000, "the disk is not full");
    }
    let answers = join_all(prepared.iter().map(async |one| {
        Answer::of(client.post(format!("{url}/mypos/notify")).body(one.body.clone())).await
    }))
    .await;
    let taken: Vec<bool> = answers.iter().map(|answer| answer.body == "OK").collect();
    let refused = answers.iter().filter(|answer| answer.status == 503).count();
    assert_eq!(refused + taken.iter().filter(|taken| **taken).count(), prepared.len(), "{answers:?}");
    assert!(refused > 0, "the disk is not full");
    assert_eq!(Answer::of(client.get(format!("{url}/"))).await.status, 200, "shoppers can look");

    // Exactly what was answered `OK` is there for whoever reads the files, and the rest is taken when there is room.
    let states = async |expected: &[bool]| {
        let checkout = open().await;
        for (one, is_paid) in prepared.iter().zip(expected) {
            let file = checkout.order_of_cart(&one.cart_id).await.unwrap().unwrap();
            assert_eq!(file.order.state == OrderState::Paid, *is_paid, "{}", one.id);
        }
    };
    disk.make_room();
    until_it_works("room on the disk", async || (press().await == 200).then_some(())).await;
    states(&taken).await;
    for one in &prepared {
        let request = client.post(format!("{url}/mypos/notify")).body(one.body.clone());
        assert_eq!(Answer::of(request).await.body, "OK");
    }
    states(&vec![true; prepared.len()]).await;
    drop(process);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_never_answers_keeps_nobody_waiting() {
    let shop = Shop::new().await;
    let mut started = Vec::new();
    for _ in 0..10 {
        started.push(shop.started().await);
    }
    shop.gateway.says(|_| Reply::Nothing);
    shop.clock.advance(2 * MINUTE);
    let checkout = Arc::clone(&shop.checkout);
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let asking = tokio::spawn(async move { checkout.reconcile_due(async { drop(ended.await) }).await });
    until_it_works("questions", async || (shop.gateway.count("IPCGetPaymentStatus") >= 8).then_some(()))
        .await;
    // Every connection to the gateway hangs now.
    let (unheard, heard) = started.split_first().unwrap();
    for one in heard {
        let back = shop.post("/mypos/ok", ok(&one.id).signed()).await;
        let page = shop.get(back.location()).await;
        assert!(page.status == 200 && is_page(&page), "{page:?}");
        assert_eq!(shop.notify(notify(&one.id).signed()).await, (200, "OK".to_owned()));
        assert_eq!(shop.states(one).await, (OrderState::Paid, PaymentState::Paid));
    }
    shop.started().await;
    assert!(!asking.is_finished(), "the questions still have no answer");
    // Nor does a server that is to end wait for them.
    end.send(()).unwrap();
    let report = tokio::time::timeout(Duration::from_secs(5), asking).await.expect("it ends at once");
    assert_eq!((report.unwrap().unwrap().asked, shop.gateway.count("IPCGetPaymentStatus")), (8, 8));
    let due = shop.checkout.store().claim_due(shop.checkout.now_ms(), MINUTE, 50).await.unwrap();
    let due: Vec<_> = due.iter().map(|payment| &payment.gateway_order_id).collect();
    assert_eq!(due, [&unheard.id], "whoever comes next asks at once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_jumps_sells_on_and_loses_nothing() {
    let shop = Shop::new().await;
    let before = shop.started().await;
    for jump in [-3 * HOUR, 30 * MINUTE, -26 * HOUR] {
        shop.clock.advance(jump);
        let ours = shop.paid().await;
        assert_eq!(shop.states(&ours).await, (OrderState::Paid, PaymentState::Paid), "{jump}");
        let page = shop.get(&shop.result_page(&ours).await).await;
        assert!(page.body.contains("Thank you"), "{}", page.body);
        let handover = shop.get(&shop.started().await.location).await;
        assert!(handover.body.contains("IPCPurchase"), "{}", handover.body);
    }
    // What was started under the old time is still paid, or ends.
    assert_eq!(shop.notify(notify(&before.id).signed()).await.1, "OK");
    let late = shop.started().await;
    shop.gateway.says_status("1");
    shop.reconcile_after(30 * 24 * HOUR).await;
    assert_eq!(shop.states(&late).await, (OrderState::Paid, PaymentState::Paid), "the gateway knows it");
    shop.paid().await;
}
