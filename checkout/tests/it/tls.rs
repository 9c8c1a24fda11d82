//! TLS to PostgreSQL: a database that does not prove who it is hears nothing, least of all a password.
//!
//! A front of our own takes TLS and passes what is said on to the server of `TEST_DATABASE_URL`, which may have none.

use std::io;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use checkout::store::postgres::{PostgresAddress, PostgresStore};
use checkout::store::{Store as _, StoreError};
use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::server::TlsStream;

use crate::database::Database;

/// What a client sends first that wants TLS: its length, and the number that PostgreSQL has for this.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// What stands before the database, on an address of this machine.
struct Front {
    port: u16,
    /// How many bytes it was told that were meant for the database.
    heard: Arc<AtomicUsize>,
    /// Has it forget the connections there are, as a router does: nobody is told.
    forgets: Arc<Notify>,
}

impl Front {
    /// Starts one that takes TLS, or says that it has none.
    async fn start(database: &Database, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(AtomicUsize::new(0));
        let behind: PgConnectOptions = database.url().parse().unwrap();
        let forgets = Arc::new(Notify::new());
        let (theirs, forgotten) = (Arc::clone(&heard), Arc::clone(&forgets));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let forgotten = Arc::clone(&forgotten);
                let passing = pass_on(stream, tls.clone(), behind.clone(), Arc::clone(&theirs));
                tokio::spawn(async move {
                    let mut passing = std::pin::pin!(passing);
                    tokio::select! {
                        _ = &mut passing => {}
                        // Both sides stay open, and hear nothing.
                        () = forgotten.notified() => std::future::pending().await,
                    }
                });
            }
        });
        Self { port, heard, forgets }
    }

    /// The database's address by this front, under one of its names.
    fn address(&self, database: &Database, host: &str, query: &str) -> PostgresAddress {
        let url = database.url();
        let (before, own) = url.split_once('?').unwrap();
        let (authority, name) = before.split_once("://").unwrap().1.split_once('/').unwrap();
        let user = authority.rsplit_once('@').map_or(String::new(), |(user, _)| format!("{user}@"));
        let elsewhere = |part: &&str| {
            !["host", "port", "ssl"].iter().any(|name| part.starts_with(name)) && !part.is_empty()
        };
        let own: Vec<&str> = own.split('&').filter(elsewhere).chain([query]).collect();
        let url = format!("postgres://{user}{host}:{}/{name}?{}", self.port, own.join("&"));
        PostgresAddress::parse(&url).unwrap()
    }

    fn heard(&self) -> usize {
        self.heard.load(Ordering::SeqCst)
    }
}

async fn pass_on(
    mut stream: TcpStream,
    tls: Option<TlsAcceptor>,
    behind: PgConnectOptions,
    heard: Arc<AtomicUsize>,
) -> io::Result<()> {
    let mut request = [0; SSL_REQUEST.len()];
    stream.read_exact(&mut request).await?;
    if request != SSL_REQUEST {
        heard.fetch_add(request.len(), Ordering::SeqCst);
        return Ok(());
    }
    let mut first = vec![0; 4096];
    let Some(tls) = tls else {
        stream.write_all(b"N").await?;
        heard.fetch_add(stream.read(&mut first).await?, Ordering::SeqCst);
        return Ok(());
    };
    stream.write_all(b"S").await?;
    let mut client = tls.accept(stream).await?;
    let read = client.read(&mut first).await?;
    heard.fetch_add(read, Ordering::SeqCst);
    let first = &first[..read];
    if let Some(socket) = behind.get_socket() {
        let socket = socket.join(format!(".s.PGSQL.{}", behind.get_port()));
        join(client, UnixStream::connect(socket).await?, first).await
    } else {
        join(client, TcpStream::connect((behind.get_host(), behind.get_port())).await?, first).await
    }
}

/// Lets both speak with each other, after what the client has said already.
async fn join(
    mut client: TlsStream<TcpStream>,
    mut server: impl AsyncRead + AsyncWrite + Unpin,
    first: &[u8],
) -> io::Result<()> {
    server.write_all(first).await?;
    copy_bidirectional(&mut client, &mut server).await.map(drop)
}

/// Makes an authority `ca.pem`, another one `other.pem`, and a certificate `db.pem` of the first for `localhost`.
fn make_certificates(dir: &Path) {
    let script = "
        set -e
        for ca in ca other; do
            openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=$ca -keyout $ca.key -out $ca.pem
        done
        openssl req -newkey rsa:2048 -nodes -subj /CN=db -keyout db.key -out db.csr
        printf 'subjectAltName=DNS:localhost\\nbasicConstraints=CA:FALSE\\n' > db.ext
        openssl x509 -req -in db.csr -days 2 -CA ca.pem -CAkey ca.key -CAcreateserial -extfile db.ext -out db.pem
    ";
    let made = Command::new("sh").args(["-c", script]).current_dir(dir).output().unwrap();
    assert!(made.status.success(), "{made:?}");
}

fn acceptor(dir: &Path) -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_file(dir.join("db.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(dir.join("db.key")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// Why no store was opened.
async fn refusal(address: &PostgresAddress) -> String {
    match PostgresStore::connect(address, 2).await {
        Ok(_) => panic!("{address:?} was trusted"),
        Err(StoreError::Failed(why)) => why,
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_database_that_does_not_prove_who_it_is_hears_nothing() {
    let dir = tempfile::tempdir().unwrap();
    make_certificates(dir.path());
    let database = Database::migrated().await;
    let root = |name: &str| format!("sslrootcert={}", dir.path().join(name).display());
    let (ca, other) = (root("ca.pem"), root("other.pem"));

    let front = Front::start(&database, Some(acceptor(dir.path()))).await;
    for (host, query) in [
        ("localhost", format!("sslmode=verify-full&{other}")),
        ("localhost", format!("sslmode=verify-ca&{other}")),
        // Not among those that this machine trusts, either.
        ("localhost", "sslmode=verify-full".to_owned()),
        // Its certificate is for another name.
        ("127.0.0.1", format!("sslmode=verify-full&{ca}")),
    ] {
        let why = refusal(&front.address(&database, host, &query)).await;
        assert!(why.contains("certificate"), "{host} {query}: {why}");
        assert_eq!(front.heard(), 0, "{host} {query}");
    }
    // What is asked for is also what is given where the other side says that it has no TLS.
    let without = Front::start(&database, None).await;
    for mode in ["require", "verify-ca", "verify-full"] {
        let why = refusal(&without.address(&database, "localhost", &format!("sslmode={mode}&{ca}"))).await;
        assert!(why.to_lowercase().contains("tls"), "{mode}: {why}");
        assert_eq!(without.heard(), 0, "{mode}");
    }

    for (host, mode) in [("localhost", "verify-full"), ("127.0.0.1", "verify-ca")] {
        let before = front.heard();
        let address = front.address(&database, host, &format!("sslmode={mode}&{ca}"));
        PostgresStore::connect(&address, 2).await.unwrap_or_else(|error| panic!("{host} {mode}: {error}"));
        assert!(front.heard() > before);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_died_without_a_word_cost_nobody_an_answer() {
    let dir = tempfile::tempdir().unwrap();
    make_certificates(dir.path());
    let database = Database::migrated().await;
    let front = Front::start(&database, Some(acceptor(dir.path()))).await;
    let root = format!("sslrootcert={}", dir.path().join("ca.pem").display());
    let store = PostgresStore::connect(&front.address(&database, "localhost", &root), 32).await.unwrap();
    let as_many_as_there_may_be = async || {
        let answers = futures_util::future::join_all((0..24).map(|_| store.ready())).await;
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    };
    store.ready().await.unwrap();
    front.forgets.notify_waiters();
    store.ready().await.unwrap();
    as_many_as_there_may_be().await;
    front.forgets.notify_waiters();
    store.ready().await.unwrap();
    // Nor does whoever waits no longer take a place with him.
    as_many_as_there_may_be().await;
    front.forgets.notify_waiters();
    for _ in 0..24 {
        let _ = tokio::time::timeout(Duration::from_millis(50), store.ready()).await;
    }
    store.ready().await.unwrap();
}
