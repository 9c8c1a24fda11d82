//! Connections: what one client may open, and that a restart refuses none.

use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use checkout::clock::SystemClock;
use checkout::records::EventKind;
use futures_util::future::join_all;
use server::config::Config;
use server::serve::open_checkout;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use crate::cli::{Process, tillgate, unconfigured};
use crate::kill::prepare;
use crate::shop::{Shop, configuration, folder};

/// A connection to a shop from one of this machine's addresses.
async fn connect(shop: &Shop, from: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
    let address: SocketAddr = shop.url.strip_prefix("http://").unwrap().parse().unwrap();
    socket.connect(address).await.unwrap()
}

/// What is answered to a request over a connection; nothing where it is closed.
async fn ask(stream: &mut TcpStream) -> String {
    let request = b"GET /favicon.svg HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n";
    let mut answer = String::new();
    if stream.write_all(request).await.is_ok() {
        drop(stream.read_to_string(&mut answer).await);
    }
    answer
}

/// Whether another connection of that client is answered.
async fn is_served(shop: &Shop, from: &str) -> bool {
    ask(&mut connect(shop, from).await).await.starts_with("HTTP/1.1 200")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_opens_many_connections_keeps_nobody_else_out() {
    let shop = Shop::new().await;
    let mut open = Vec::new();
    // A request on each: it was taken before the next one comes.
    while open.len() < 2_000 {
        let mut stream = connect(&shop, "127.0.0.1").await;
        let sent = stream.write_all(b"GET /favicon.svg HTTP/1.1\r\nhost: shop\r\n\r\n").await;
        let mut first = [0_u8; 1];
        if sent.is_err() || !matches!(stream.read(&mut first).await, Ok(1)) {
            break;
        }
        open.push(stream);
    }
    assert_eq!(open.len(), 256);
    assert!(!is_served(&shop, "127.0.0.1").await);
    assert!(is_served(&shop, "127.0.0.2").await, "somebody else");
    open.truncate(100);
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while !is_served(&shop, "127.0.0.1").await {
        assert!(tokio::time::Instant::now() < deadline, "places are given back");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trusted_proxy_opens_as_many_as_it_needs() {
    let shop = Shop::with(|table, _| {
        table.insert("trusted_proxies".into(), vec!["127.0.0.1"].into());
    })
    .await;
    let streams = join_all((0..400).map(|_| connect(&shop, "127.0.0.1"))).await;
    assert!(is_served(&shop, "127.0.0.1").await);
    drop(streams);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_does_not_come_is_not_waited_for_and_holds_up_nobody() {
    let shop = Shop::new().await;
    let began = Instant::now();
    let slow = join_all(
        [
            ("/mypos/notify", 20, "400"),
            ("/mypos/ok", 20, "303"),
            ("/checkout/pay", 40, "503"),
            ("/api/checkout/start", 40, "504"),
        ]
        .map(async |(path, seconds, status)| {
            let mut stream = connect(&shop, "127.0.0.1").await;
            let head = format!(
                "POST {path} HTTP/1.1\r\nhost: {host}\r\norigin: {url}\r\n\
                 content-type: application/x-www-form-urlencoded\r\ncontent-length: 1000\r\n\r\na",
                host = shop.url.trim_start_matches("http://"),
                url = shop.url
            );
            stream.write_all(head.as_bytes()).await.unwrap();
            let mut answer = [0_u8; 12];
            let answered = stream.read_exact(&mut answer);
            tokio::time::timeout(Duration::from_secs(seconds), answered).await.expect(path).unwrap();
            assert_eq!(String::from_utf8_lossy(&answer), format!("HTTP/1.1 {status}"), "{path}");
            began.elapsed()
        }),
    );
    let sale = async {
        shop.paid().await;
        began.elapsed()
    };
    let (answered, sold) = tokio::join!(slow, sale);
    assert!(answered.iter().all(|after| *after > sold), "sold after {sold:?}, given up after {answered:?}");
}

/// Starts `tillgate serve` as systemd does: with the socket that is listened on already.
fn serve_on(listener: &TcpListener, file: &Path) -> Process {
    let socket: OwnedFd = listener.try_clone().unwrap().into();
    let hand_over = r#"exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec "$@""#;
    let mut command = unconfigured("sh");
    command.args(["-c", hand_over, "sh"]).arg(tillgate().get_program()).args(["serve", "--config"]).arg(file);
    let log = std::fs::OpenOptions::new().create(true).append(true).open(file.with_extension("log")).unwrap();
    command.stdin(Stdio::from(socket)).stdout(Stdio::null()).stderr(log);
    Process(command.spawn().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_refuses_no_notification() {
    let dir = folder();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let table = configuration(dir.path(), &url, "http://127.0.0.1:1/vmp/checkout");
    let file = dir.path().join("tillgate.toml");
    std::fs::write(&file, table.to_string()).unwrap();
    let config = Config::parse(&table.to_string(), []).unwrap();
    let checkout = open_checkout(&config, None, std::sync::Arc::new(SystemClock)).await.unwrap();
    let prepared = prepare(&checkout).await;

    // Each notification comes over a connection of its own, as the gateway's do.
    let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap();
    let (sent, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let log = || std::fs::read_to_string(file.with_extension("log")).unwrap_or_default();
    let senders = (0..4).map(async |sender| {
        while !is_over.load(Ordering::SeqCst) {
            for one in prepared.iter().skip(sender).step_by(4) {
                let answer = client.post(format!("{url}/mypos/notify")).body(one.body.clone()).send().await;
                let answer = answer.unwrap_or_else(|error| panic!("refused: {error:?}\n{}", log()));
                assert_eq!(answer.text().await.unwrap(), "OK");
                sent.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    let restarts = async {
        let mut process = serve_on(&listener, &file);
        for _ in 0..5 {
            // Nobody but this process answers from here on.
            let before = sent.load(Ordering::SeqCst);
            while sent.load(Ordering::SeqCst) < before + 40 {
                let ended = process.0.try_wait().unwrap();
                assert!(ended.is_none(), "{ended:?}\n{}", log());
                tokio::task::yield_now().await;
            }
            let ended = Command::new("kill").arg(process.0.id().to_string()).status().unwrap();
            assert!(ended.success());
            let code = tokio::task::spawn_blocking(move || process.0.wait().unwrap()).await.unwrap();
            assert!(code.success(), "it finished what was running: {code}\n{}", log());
            process = serve_on(&listener, &file);
        }
        let before = sent.load(Ordering::SeqCst);
        while sent.load(Ordering::SeqCst) < before + 40 {
            tokio::task::yield_now().await;
        }
        is_over.store(true, Ordering::SeqCst);
        process
    };
    let (_, _process) = tokio::join!(join_all(senders), restarts);
    for one in &prepared {
        let file = checkout.order_of_cart(&one.cart_id).await.unwrap().unwrap();
        let events = checkout.store().events(file.order.id).await.unwrap();
        assert_eq!(events.iter().filter(|event| event.what.kind == EventKind::Notified).count(), 1);
    }
}
