//! Connections: how many there may be, how long one may say nothing, and how they end.
//!
//! What somebody opens and does not use costs memory, and keeps others out. (The gateway comes from few addresses,
//! straight or by a proxy that is trusted, so a limit for each client never meets it.)

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use checkout::people::household;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use ipnet::IpNet;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::Instant;
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

/// How many connections there may be. For whoever comes later one is closed of whoever has most.
const CONNECTIONS: usize = 4096;
/// How many of them may be one client's. A trusted proxy may have all of them.
const CONNECTIONS_OF_ONE: usize = 256;
/// How long a connection may be quiet before a request, and how long its head may take: longer than any usual proxy
/// keeps an idle connection, so that none is closed here while the proxy sends a notification over it.
const HEAD_WITHIN: Duration = Duration::from_secs(130);
/// How much of a head is kept: a signed quote in an address has up to 8 KiB, and cookies come with it.
const HEAD_BYTES: usize = 32 * 1024;
/// How long a client may take nothing of what is sent to it.
const TAKEN_WITHIN: Duration = Duration::from_mins(1);
/// How long to wait where the system has no room for another connection.
const PAUSE: Duration = Duration::from_millis(500);
/// How long an idle connection stays open when the server ends, and a new one when its place is needed. Its client may
/// have sent a request that is still on its way; nobody would answer it.
const LAST_REQUEST_WITHIN: Duration = Duration::from_secs(2);
/// How long a client may take to receive what was answered, when the server ends or its place is needed.
const RECEIVED_WITHIN: Duration = Duration::from_secs(10);

/// Serves an application on a listener until `stop` is true, or its sender gone; then takes no new connection, and
/// ends when what is running is finished.
pub(crate) async fn serve(
    listener: TcpListener,
    application: Router,
    trusted_proxies: Vec<IpNet>,
    stop: watch::Receiver<bool>,
) {
    serve_at_most(CONNECTIONS, listener, application, trusted_proxies, stop).await;
}

async fn serve_at_most(
    connections: usize,
    listener: TcpListener,
    application: Router,
    trusted_proxies: Vec<IpNet>,
    mut stop: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(connections));
    let clients = Arc::new(Clients::default());
    let running = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if is_of_one_connection(&error) => continue,
            Err(error) => {
                tracing::error!(%error, "no connection can be taken");
                clients.make_room();
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let address = peer.ip().to_canonical();
        let is_proxy = trusted_proxies.iter().any(|network| network.contains(&address));
        let line = Arc::new(Line::new());
        let guest = if is_proxy { None } else { Some(Clients::enter(&clients, address, &line)) };
        if matches!(guest, Some(None)) {
            // Closing says it: whoever has so many open knows why.
            continue;
        }
        let place = tokio::select! {
            place = place_of(&places, &clients) => place,
            // What was taken already is answered.
            _ = stop.wait_for(|stop| *stop) => None,
        };
        line.gets_its_place();
        // A request is answered in one piece: waiting for more to send only delays it.
        let _ = stream.set_nodelay(true);
        let connection = converse(stream, peer, application.clone(), line, stop.clone());
        running.spawn(async move {
            connection.await;
            drop(guest);
            drop(place);
        });
    }
    drop(listener);
    running.close();
    running.wait().await;
}

/// A place for a connection. Where all are taken, somebody is asked for one, and somebody else after a while.
async fn place_of(places: &Arc<Semaphore>, clients: &Clients) -> Option<OwnedSemaphorePermit> {
    while places.available_permits() == 0 {
        clients.make_room();
        let place = tokio::time::timeout(PAUSE, Arc::clone(places).acquire_owned()).await;
        if let Ok(place) = place {
            return place.ok();
        }
    }
    // The semaphore is never closed.
    Arc::clone(places).acquire_owned().await.ok()
}

/// One connection, with its requests, until it ends by itself or, after `stop`, with its last request.
async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    application: Router,
    line: Arc<Line>,
    mut stop: watch::Receiver<bool>,
) {
    let mut seen = line.requests.subscribe();
    let theirs = Arc::clone(&line);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request: Request = request.map(axum::body::Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        let answering = Answering::begin(Arc::clone(&theirs));
        let answer = application.clone().oneshot(request);
        async move {
            let answer: Result<Response, Infallible> = answer.await;
            drop(answering);
            answer
        }
    });
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(TAKEN_WITHIN));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(Box::pin(stream)), service);
    let mut connection = pin!(connection);
    // A client that breaks off is nobody's error.
    let is_unwanted = tokio::select! {
        biased;
        _ = &mut connection => return,
        _ = stop.wait_for(|stop| *stop) => false,
        () = line.unwanted.cancelled() => true,
    };
    if is_unwanted {
        connection.as_mut().graceful_shutdown();
        tokio::select! {
            biased;
            () = line.becomes_spare() => {}
            _ = connection => {}
        }
        return;
    }
    let before = *seen.borrow_and_update();
    if before.running == 0 {
        let another = seen.wait_for(|now| now.begun > before.begun);
        tokio::select! {
            _ = &mut connection => return,
            _ = another => {}
            () = tokio::time::sleep(LAST_REQUEST_WITHIN) => {}
        }
    }
    connection.as_mut().graceful_shutdown();
    let answered = async {
        let _ = seen.wait_for(|now| now.running == 0).await;
        tokio::time::sleep(RECEIVED_WITHIN).await;
    };
    tokio::select! {
        _ = connection => {}
        () = answered => {}
    }
}

/// What is known of a connection.
struct Line {
    requests: watch::Sender<Requests>,
    /// Its place is needed.
    unwanted: CancellationToken,
}

/// What is known of its requests.
#[derive(Clone, Copy, Default)]
struct Requests {
    begun: u64,
    running: u32,
    /// Since when none is answered; nothing while it waits for a place.
    quiet_since: Option<Instant>,
}

impl Line {
    fn new() -> Self {
        let requests = watch::Sender::new(Requests::default());
        Self { requests, unwanted: CancellationToken::new() }
    }

    fn gets_its_place(&self) {
        self.requests.send_modify(|requests| requests.quiet_since = Some(Instant::now()));
    }

    /// From when on nobody misses it: it has no request, and neither a first one nor the last answer is on its way.
    fn spare_from(&self) -> Option<Instant> {
        let requests = *self.requests.borrow();
        let patience = if requests.begun == 0 { LAST_REQUEST_WITHIN } else { RECEIVED_WITHIN };
        requests.quiet_since.filter(|_| requests.running == 0).and_then(|since| since.checked_add(patience))
    }

    fn is_spare(&self) -> bool {
        self.spare_from().is_some_and(|at| at <= Instant::now())
    }

    fn has_place(&self) -> bool {
        self.requests.borrow().quiet_since.is_some()
    }

    async fn becomes_spare(&self) {
        let mut seen = self.requests.subscribe();
        while !self.is_spare() {
            match self.spare_from() {
                Some(at) => tokio::time::sleep_until(at).await,
                // Its sender is here.
                None => drop(seen.changed().await),
            }
        }
    }
}

/// A request that is being answered.
struct Answering(Arc<Line>);

impl Answering {
    fn begin(line: Arc<Line>) -> Self {
        line.requests.send_modify(|requests| {
            requests.begun = requests.begun.saturating_add(1);
            requests.running = requests.running.saturating_add(1);
        });
        Self(line)
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.requests.send_modify(|requests| {
            requests.running = requests.running.saturating_sub(1);
            requests.quiet_since = Some(Instant::now());
        });
    }
}

/// Whether only the connection that was about to be taken is gone.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    )
}

/// The connections of each client, the oldest first. Those of trusted proxies are not among them.
#[derive(Default)]
struct Clients(Mutex<HashMap<IpAddr, Vec<Arc<Line>>>>);

/// A client's place; given back when it is dropped.
struct Guest {
    clients: Arc<Clients>,
    household: IpAddr,
    line: Arc<Line>,
}

impl Clients {
    /// A place for another connection of a client, if it has not too many.
    fn enter(this: &Arc<Self>, address: IpAddr, line: &Arc<Line>) -> Option<Guest> {
        let household = household(address);
        let mut clients = this.lock();
        let lines = clients.entry(household).or_default();
        if lines.len() >= CONNECTIONS_OF_ONE {
            return None;
        }
        lines.push(Arc::clone(line));
        drop(clients);
        Some(Guest { clients: Arc::clone(this), household, line: Arc::clone(line) })
    }

    /// Asks whoever has most connections for one: the oldest spare one, or else the oldest, which ends with the answer that
    /// is on its way.
    fn make_room(&self) {
        let clients = self.lock();
        let oldest = |lines: &Vec<Arc<Line>>| {
            let mut open = lines.iter().filter(|line| line.has_place() && !line.unwanted.is_cancelled());
            let spare = open.clone().find(|line| line.is_spare());
            Some((lines.len(), spare.is_some(), Arc::clone(spare.or_else(|| open.next())?)))
        };
        let asked = clients.values().filter_map(oldest).max_by_key(|(count, spare, _)| (*count, *spare));
        if let Some((.., line)) = asked {
            line.unwanted.cancel();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, Vec<Arc<Line>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut clients = self.clients.lock();
        if let Some(lines) = clients.get_mut(&self.household) {
            lines.retain(|line| !Arc::ptr_eq(line, &self.line));
            if lines.is_empty() {
                clients.remove(&self.household);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use futures_util::future::join_all;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
    use tokio::net::{TcpSocket, TcpStream};
    use tokio::task::JoinHandle;

    use super::*;

    /// Serves one connection.
    fn serves(stream: DuplexStream, application: Router, stop: watch::Receiver<bool>) -> JoinHandle<()> {
        let peer = "192.0.2.1:1000".parse().unwrap();
        tokio::spawn(converse(stream, peer, application, Arc::new(Line::new()), stop))
    }

    /// How long a connection lives over which somebody sends `parts`, a minute apart, and what was answered.
    async fn lives(parts: &[&str]) -> (Duration, String) {
        let (ours, theirs) = tokio::io::duplex(1024);
        let application = Router::new().route("/", get(|| async { "hello" }));
        let began = Instant::now();
        let (_never, stop) = watch::channel(false);
        let served = serves(theirs, application, stop);
        let (mut reading, mut writing) = tokio::io::split(ours);
        let writer = async {
            for part in parts {
                if writing.write_all(part.as_bytes()).await.is_err() {
                    break;
                }
                tokio::time::sleep(Duration::from_mins(1)).await;
            }
        };
        let mut answer = String::new();
        let ((), read) = tokio::join!(writer, reading.read_to_string(&mut answer));
        drop((read, served.await));
        (began.elapsed(), answer)
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_does_not_end_ends_the_connection_however_it_drips() {
        for head in
            [&[][..], &["GET"], &["GET /", " HTTP/1.1\r\n", "a: b\r\n", "c: d\r\n", "e: f\r\n", "g: h\r\n"]]
        {
            let (lived, answer) = lives(head).await;
            assert!(lived >= HEAD_WITHIN && lived <= Duration::from_mins(7), "{head:?}: {lived:?}");
            assert!(!answer.contains("200"), "{answer}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_is_longer_than_any_of_ours_is_not_kept() {
        let head = |bytes| format!("GET / HTTP/1.1\r\nhost: a\r\ncookie: {}\r\n\r\n", "y".repeat(bytes));
        let (_, answer) = lives(&[&head(HEAD_BYTES / 2)]).await;
        assert!(answer.contains("hello"), "{answer}");
        let (_, answer) = lives(&[&head(HEAD_BYTES)]).await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_quiet_connection_serves_the_next_request_for_two_minutes() {
        let request = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
        let (_, answer) = lives(&[request, "", request]).await;
        assert_eq!(answer.matches("hello").count(), 2, "{answer}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_of_its_answer_loses_the_connection() {
        let (mut ours, theirs) = tokio::io::duplex(1024);
        let application = Router::new().route("/", get(|| async { "hello ".repeat(1_000) }));
        let (_never, stop) = watch::channel(false);
        let served = serves(theirs, application, stop);
        let began = Instant::now();
        ours.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        served.await.unwrap();
        assert!(
            began.elapsed() >= TAKEN_WITHIN && began.elapsed() < TAKEN_WITHIN * 2,
            "{:?}",
            began.elapsed()
        );
    }

    /// How long a connection outlives the end of the server over which somebody sent this, and what was answered.
    async fn outlives(sent: &str, answer_after: Duration) -> (Duration, String) {
        let (mut ours, theirs) = tokio::io::duplex(1024);
        let slow = move || async move {
            tokio::time::sleep(answer_after).await;
            "hello"
        };
        let application = Router::new().route("/", get(slow));
        let (stop, stopped) = watch::channel(false);
        let served = serves(theirs, application, stopped);
        ours.write_all(sent.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1)).await;
        stop.send(true).unwrap();
        let began = Instant::now();
        let mut answer = String::new();
        let _ = ours.read_to_string(&mut answer).await;
        served.await.unwrap();
        (began.elapsed(), answer)
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_waits_for_what_is_running_and_for_nobody_who_says_nothing() {
        let request = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
        let (lived, answer) = outlives(request, Duration::from_secs(25)).await;
        assert!(answer.contains("hello") && lived < Duration::from_secs(26), "{lived:?} {answer}");
        for nothing in ["", "G", "GET / HTTP/1.1\r\nhost: "] {
            let (lived, _) = outlives(nothing, Duration::ZERO).await;
            assert!(
                lived <= LAST_REQUEST_WITHIN + RECEIVED_WITHIN + Duration::from_secs(1),
                "{nothing:?}: {lived:?}"
            );
        }
    }

    /// Sends something over a new connection from one of this machine's addresses.
    async fn send(from: &str, server: SocketAddr, sent: &str) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
        let mut stream = socket.connect(server).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        stream
    }

    /// Reads until an answer ends with `end`.
    async fn is_answered(stream: &mut TcpStream, end: &str) -> bool {
        let mut answer = Vec::new();
        while !answer.ends_with(end.as_bytes()) {
            if stream.read_buf(&mut answer).await.unwrap_or(0) == 0 {
                return false;
            }
        }
        true
    }

    #[tokio::test]
    async fn where_all_places_are_taken_whoever_has_most_of_them_gives_one_back() {
        const REQUEST: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = listener.local_addr().unwrap();
        let (busy, is_busy) = watch::channel(true);
        let slow = move || {
            let mut is_busy = is_busy.clone();
            async move {
                let _ = is_busy.wait_for(|busy| !busy).await;
                "slow"
            }
        };
        let application = Router::new().route("/", get(|| async { "hello" })).route("/slow", get(slow));
        let (_stop, stopped) = watch::channel(false);
        tokio::spawn(serve_at_most(6, listener, application, Vec::new(), stopped));

        let mut first = send("127.0.0.1", server, REQUEST).await;
        assert!(is_answered(&mut first, "hello").await);
        // Somebody else takes all places that are left, with heads that do not end.
        let mut others = Vec::new();
        for _ in 0..5 {
            others.push(send("127.0.0.2", server, "GET / HTTP/1.1\r\nhost:").await);
        }
        // He loses one for each who comes, his oldest first; who has one keeps it.
        let mut second = send("127.0.0.3", server, REQUEST).await;
        assert!(is_answered(&mut second, "hello").await);
        assert!(!is_answered(&mut others[0], "hello").await, "closed");
        first.write_all(REQUEST.as_bytes()).await.unwrap();
        assert!(is_answered(&mut first, "hello").await, "open");

        // What is running is never broken off: the next one waits for it.
        drop((first, second, others));
        let request = "GET /slow HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
        let running = join_all((0..6).map(|_| send("127.0.0.2", server, request))).await;
        let mut next = send("127.0.0.3", server, REQUEST).await;
        let early = tokio::time::timeout(LAST_REQUEST_WITHIN * 3 / 2, is_answered(&mut next, "hello")).await;
        assert!(early.is_err(), "{early:?}");
        busy.send(false).unwrap();
        assert!(is_answered(&mut next, "hello").await);
        for mut stream in running {
            assert!(is_answered(&mut stream, "slow").await);
        }

        // Nor does it help to ask for something now and then.
        drop(next);
        let mut kept = Vec::new();
        for _ in 0..6 {
            let mut stream = send("127.0.0.2", server, REQUEST).await;
            assert!(is_answered(&mut stream, "hello").await);
            kept.push(stream);
        }
        let mut last = send("127.0.0.3", server, REQUEST).await;
        let answered = tokio::time::timeout(LAST_REQUEST_WITHIN, is_answered(&mut last, "hello")).await;
        assert_eq!(answered, Ok(true));
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_spare_when_neither_a_request_nor_an_answer_can_be_on_its_way() {
        let line = Arc::new(Line::new());
        tokio::time::advance(LAST_REQUEST_WITHIN).await;
        assert!(!line.is_spare(), "it has no place");
        line.gets_its_place();
        assert!(!line.is_spare(), "its first request may be on its way");
        tokio::time::advance(LAST_REQUEST_WITHIN).await;
        assert!(line.is_spare());
        let answering = Answering::begin(Arc::clone(&line));
        tokio::time::advance(RECEIVED_WITHIN * 2).await;
        assert!(!line.is_spare(), "it has a request");
        drop(answering);
        assert!(!line.is_spare(), "its answer may be on its way");
        tokio::time::advance(RECEIVED_WITHIN).await;
        assert!(line.is_spare());
    }
}
