//! The command line: the real binary, its words and its exit codes.

use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use mypos::{ConfigurationPackage, Fields, PrivateKey};
use serde_json::Value;

use crate::database::Database;
use crate::gateway::{self, FakeGateway, Reply};
use crate::keys::{FIRST, STRANGER};
use crate::messages::{Message, notify};
use crate::shop::{Shop, configuration, folder};

/// The binary, with nothing of our environment that could configure it.
pub fn tillgate() -> Command {
    let mut command = unconfigured(env!("CARGO_BIN_EXE_tillgate"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A program, with nothing of our environment that could configure the binary.
pub fn unconfigured(program: &str) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("TILLGATE_") || name.starts_with("MYPOS_") {
            command.env_remove(name);
        }
    }
    command
}

/// A process that ends with the test.
pub struct Process(pub Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Looks again and again until something is there.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn run(command: &mut Command, input: &[u8]) -> Output {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    // A program that refuses its arguments ends without reading.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

pub fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

pub fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn fields_of(message: &Message) -> Fields {
    message.0.iter().cloned().collect()
}

struct Keys {
    dir: tempfile::TempDir,
}

impl Keys {
    fn new() -> Self {
        let dir = folder();
        let package = ConfigurationPackage::decode(&FIRST.package()).unwrap();
        std::fs::write(dir.path().join("gateway.pem"), package.public_certificate_pem).unwrap();
        std::fs::write(dir.path().join("public.pem"), FIRST.gateway.public_key().to_spki_pem()).unwrap();
        std::fs::write(dir.path().join("private.pem"), FIRST.gateway.to_pkcs8_pem()).unwrap();
        std::fs::write(dir.path().join("no.pem"), "no key at all").unwrap();
        Self { dir }
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    fn verify(&self, key: &str, arguments: &[&str], input: &[u8]) -> Output {
        let mut command = tillgate();
        command.args(["mypos", "verify", "--public-key", &self.path(key)]).args(arguments);
        run(&mut command, input)
    }
}

#[test]
fn verify_says_valid_or_invalid_of_forms_xml_and_json() {
    let keys = Keys::new();
    let message = notify(&"A".repeat(26)).and("Note", "Grüße & <more> \"x\"");
    let signed = FIRST.gateway.sign_fields(fields_of(&message)).unwrap();
    let strange = STRANGER.sign_fields(fields_of(&message)).unwrap();
    for (format, genuine, forged) in [
        ("form", signed.to_form(), strange.to_form()),
        ("xml", signed.to_xml("ipc_response").unwrap(), strange.to_xml("ipc_response").unwrap()),
        ("json", signed.to_json(), strange.to_json()),
    ] {
        for key in ["gateway.pem", "public.pem"] {
            let output = keys.verify(key, &["--format", format], genuine.as_bytes());
            assert_eq!(code(&output), 0, "{format}: {}", err(&output));
            let text = out(&output);
            assert_eq!(text.lines().last(), Some("valid"), "{format}");
            assert_eq!(text.lines().next(), Some("IPCmethod = IPCPurchaseNotify"), "{format}");
            assert!(text.contains("Note = Grüße & <more> \"x\"\n"), "{format}: {text}");
        }
        let output = keys.verify("gateway.pem", &["--format", format], forged.as_bytes());
        assert_eq!(code(&output), 1, "{format}");
        assert!(out(&output).lines().last().unwrap().starts_with("invalid: "), "{format}");

        let output = keys.verify("gateway.pem", &["--format", format, "--json"], genuine.as_bytes());
        let json: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((code(&output), &json["valid"], &json["reason"]), (0, &Value::Bool(true), &Value::Null));
        assert_eq!(json["fields"][2], serde_json::json!(["Amount", "50.00"]), "in order, as they came");
        let output = keys.verify("gateway.pem", &["--format", format, "--json"], forged.as_bytes());
        let json: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((code(&output), &json["valid"]), (1, &Value::Bool(false)));
        assert!(json["reason"].is_string());
    }
    // A file ends with a line break.
    let output = keys.verify("gateway.pem", &[], format!("{}\r\n", signed.to_form()).as_bytes());
    assert_eq!(code(&output), 0);
    let output = keys.verify("gateway.pem", &[], message.unsigned().as_bytes());
    assert_eq!(code(&output), 1, "not signed");
}

#[test]
fn verify_shows_nested_replies_in_the_order_that_was_signed() {
    let keys = Keys::new();
    let mut reply: Fields = [("IPCmethod", "IPCGetTxnStatus")].into_iter().collect();
    reply.push_nested("OrderStatus", fields_of(&notify("X")));
    reply.push("Status", "0");
    let signed = FIRST.gateway.sign_fields(reply).unwrap();
    let output = keys.verify("gateway.pem", &["--format", "json"], signed.to_json().as_bytes());
    assert_eq!(code(&output), 0);
    assert!(out(&output).contains("\nOrderStatus.IPCmethod = IPCPurchaseNotify\n"), "{}", out(&output));
}

#[test]
fn verify_says_what_cannot_be_read() {
    let keys = Keys::new();
    let signed = notify(&"A".repeat(26)).signed();
    for (key, arguments, input, words) in [
        ("missing.pem", &[][..], signed.as_str(), "missing.pem"),
        ("no.pem", &[], &signed, "no.pem"),
        ("private.pem", &[], &signed, "private.pem"),
        ("gateway.pem", &[], "a=%zz", "hexadecimal"),
        ("gateway.pem", &["--format", "xml"], "<other/>", "XML"),
        ("gateway.pem", &["--format", "json"], "[1]", "JSON"),
        ("gateway.pem", &["--format", "yaml"], "a: 1", "yaml"),
    ] {
        let output = keys.verify(key, arguments, input.as_bytes());
        assert_eq!(code(&output), 2, "{key} {arguments:?}");
        let message = err(&output);
        assert!(message.to_lowercase().contains(&words.to_lowercase()), "{key} {arguments:?}: {message}");
        assert!(out(&output).is_empty() && !message.contains("panicked"), "{message}");
    }
}

#[test]
fn sign_agrees_with_openssl() {
    let keys = Keys::new();
    let message = notify("ORDER").and("Note", "Grüße & <more> - \"x\"");
    let mut command = tillgate();
    command.args(["mypos", "sign", "--private-key", &keys.path("private.pem")]);
    let output = run(&mut command, message.unsigned().as_bytes());
    assert_eq!(code(&output), 0, "{}", err(&output));
    let ours = out(&output).trim().to_owned();

    let joined = message.0.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join("-");
    let base64 =
        run(Command::new("openssl").args(["base64", "-A"]).stdout(Stdio::piped()), joined.as_bytes());
    let signature = run(
        Command::new("openssl")
            .args(["dgst", "-sha256", "-sign", &keys.path("private.pem")])
            .stdout(Stdio::piped()),
        &base64.stdout,
    );
    let theirs =
        run(Command::new("openssl").args(["base64", "-A"]).stdout(Stdio::piped()), &signature.stdout);
    assert_eq!(ours, out(&theirs));
    assert!(ours.len() > 300);

    // And what OpenSSL signed is valid here.
    let body = crate::html::encode(message.0.into_iter().chain([("Signature".to_owned(), out(&theirs))]));
    assert_eq!(code(&keys.verify("public.pem", &[], body.as_bytes())), 0);
}

#[test]
fn sign_refuses_what_is_signed_and_what_it_cannot_read() {
    let keys = Keys::new();
    for (key, input) in [
        ("private.pem", notify("X").signed()),
        ("public.pem", notify("X").unsigned()),
        ("missing.pem", notify("X").unsigned()),
        ("private.pem", "a=%zz".to_owned()),
    ] {
        let mut command = tillgate();
        command.args(["mypos", "sign", "--private-key", &keys.path(key)]);
        let output = run(&mut command, input.as_bytes());
        assert_eq!(code(&output), 2, "{key}");
        assert!(out(&output).is_empty() && !err(&output).is_empty());
    }
}

/// What a test changes in a good configuration.
type Change = fn(&mut toml::Table);

/// Writes a configuration with a port that nobody uses.
fn configured(dir: &Path, endpoint: &str, change: impl FnOnce(&mut toml::Table)) -> String {
    let mut table = configuration(dir, "http://127.0.0.1:1", endpoint);
    change(&mut table);
    let path = dir.join("tillgate.toml").display().to_string();
    std::fs::write(&path, table.to_string()).unwrap();
    path
}

fn doctor(file: &str) -> (i32, Vec<Value>, Output) {
    let output = tillgate().args(["doctor", "--json", "--config", file]).output().unwrap();
    let findings = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (code(&output), findings, output)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_finds_a_good_set_up_good() {
    let dir = folder();
    let gateway = FakeGateway::start().await;
    let file = configured(dir.path(), &gateway.endpoint, |_| {});
    let (code, findings, output) = doctor(&file);
    assert_eq!(code, 0, "{output:?}");
    assert!(findings.len() >= 6);
    for finding in &findings {
        let what = finding["what"].as_str().unwrap();
        let expected = if what == "notify URL" { "warning" } else { "ok" };
        assert_eq!(finding["level"], expected, "{finding}");
    }
    let plain = tillgate().args(["doctor", "--config", &file]).output().unwrap();
    assert_eq!(plain.status.code(), Some(0));
    let text = out(&plain);
    assert!(text.contains("ok       catalogue: 2 articles"), "{text}");
    let secret = FIRST.store.to_pkcs8_pem();
    for line in secret.lines().filter(|line| line.len() > 20 && !line.contains("KEY")) {
        assert!(!text.contains(line) && !err(&plain).contains(line), "secrets are never printed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_says_what_is_wrong_and_how_to_mend_it() {
    let gateway = FakeGateway::start().await;
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let cases: [(&str, Change); 4] = [
        ("catalogue", |table| drop(table.insert("catalog".into(), "missing.toml".into()))),
        ("built site", |table| drop(table.insert("site_dir".into(), "missing".into()))),
        ("database", |table| {
            drop(table.insert("database_url".into(), "sqlite:/no/such/folder/shop.db".into()));
        }),
        ("configuration", |table| {
            crate::shop::store_entry(table)
                .insert("packages".into(), toml::Value::Array(vec!["missing.txt".into()]));
        }),
    ];
    for (what, change) in cases {
        let dir = folder();
        let file = configured(dir.path(), &gateway.endpoint, change);
        let (code, findings, output) = doctor(&file);
        assert_eq!(code, 1, "{what}: {output:?}");
        let finding = findings.iter().find(|finding| finding["level"] == "error" && finding["what"] == what);
        let finding = finding.unwrap_or_else(|| panic!("{what}: {findings:?}"));
        assert!(!finding["remedy"].as_str().unwrap().is_empty(), "{finding}");
    }
    let dir = folder();
    let file = configured(dir.path(), &format!("http://{free}/vmp/checkout"), |_| {});
    let (code, findings, _) = doctor(&file);
    assert_eq!(code, 1);
    assert!(findings.iter().any(|finding| finding["found"].as_str().unwrap().contains("cannot be reached")));

    for (text, words) in
        [("colour = 1", "colour"), ("= = =", "tillgate.toml"), ("public_url = \"pay\"", "public_url")]
    {
        std::fs::write(&file, text).unwrap();
        let output = tillgate().args(["doctor", "--config", &file]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(err(&output).contains(words), "{text}: {}", err(&output));
    }
    let output = tillgate().args(["doctor", "--config", "/no/such/file.toml"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("/no/such/file.toml"), "{}", err(&output));
}

#[test]
fn a_busy_port_is_said_in_one_sentence() {
    let dir = folder();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let file = configured(dir.path(), "http://127.0.0.1:1/vmp/checkout", |_| {});
    let output = tillgate().args(["serve", "--config", &file, "--listen", &address]).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let message = err(&output);
    let lines: Vec<_> = message.lines().filter(|line| line.starts_with("tillgate: ")).collect();
    let [line] = lines.as_slice() else { panic!("{message}") };
    assert!(line.contains(&address) && line.contains("--listen"), "{line}");
    assert!(!message.contains("panicked") && !message.contains("stack backtrace"), "{message}");
}

#[test]
fn serve_without_a_configuration_says_where_it_looked() {
    let dir = folder();
    let output = tillgate().arg("serve").current_dir(dir.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("tillgate.toml"), "{}", err(&output));
}

#[test]
fn the_sandbox_writes_its_configuration_package() {
    let dir = folder();
    let place = dir.path().join("new/sandbox");
    let mut command = tillgate();
    command.args(["sandbox", "--listen", "127.0.0.1:0", "--dir"]).arg(&place);
    let _process = Process(command.spawn().unwrap());
    let package = until("the configuration package", || {
        ConfigurationPackage::decode(&std::fs::read_to_string(place.join("configuration-package")).ok()?).ok()
    });
    assert_eq!(package.sid, sandbox::SID);
    assert!(package.private_key().unwrap().bits() >= 2048);
    package.public_key().unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(place.join("configuration-package")).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "it holds a private key");
    }
}

#[test]
fn the_keys_of_a_package_are_a_pair_for_openssl_too() {
    // A key that was written here is read there: nobody is locked in.
    let keys = Keys::new();
    let check =
        Command::new("openssl").args(["pkey", "-check", "-noout", "-in", &keys.path("private.pem")]).output();
    assert!(check.unwrap().status.success());
    assert!(PrivateKey::from_pem(&std::fs::read_to_string(keys.path("private.pem")).unwrap()).is_ok());
}

/// A shop whose files a command can open, with a paid order: its configuration and the order's reference.
async fn a_paid_shop(change: impl FnOnce(&mut toml::Table)) -> (Shop, String, String) {
    let shop = Shop::with(|table, _| change(table)).await;
    let ours = shop.paid().await;
    let reference = shop.file(&ours).await.order.new.reference;
    let file = configured(shop.dir.path(), &shop.gateway.endpoint, |table| {
        table.insert(
            "database_url".into(),
            format!("sqlite:{}", shop.dir.path().join("shop.db").display()).into(),
        );
    });
    (shop, file, reference)
}

pub fn command(arguments: &[&str], file: &str, input: &[u8]) -> Output {
    run(tillgate().args(arguments).args(["--config", file]), input)
}

pub fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_are_added_changed_and_shut_out_by_command() {
    let (shop, file, _) = a_paid_shop(|_| {}).await;
    let add = ["merchant", "add", "Anna@shop.example", "--role", "refund"];
    let output = command(&add, &file, b"correct horse battery\n");
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert_eq!(code(&command(&add, &file, b"correct horse battery\n")), 1, "there is one");
    for (arguments, input, words) in [
        (["merchant", "add", "anna"], &b"correct horse battery\n"[..], "no e-mail address"),
        (["merchant", "add", "bob@shop.example"], b"short\n", "at least 12 characters"),
        (["merchant", "add", "bob@shop.example"], b"", "at least 12 characters"),
    ] {
        let output = command(&arguments, &file, input);
        assert_eq!(code(&output), 2, "{arguments:?}");
        assert!(err(&output).contains(words), "{}", err(&output));
    }
    let sign_in = async |password: &str| {
        shop.checkout.sign_in("anna@shop.example", password, "192.0.2.1").await.is_ok()
    };
    assert!(sign_in("correct horse battery").await);
    let output = command(&["merchant", "passwd", "anna@shop.example"], &file, b"another long password\n");
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert!(!sign_in("correct horse battery").await && sign_in("another long password").await);
    for (arguments, role, disabled) in [
        (&["merchant", "role", "anna@shop.example", "view"][..], "view", false),
        (&["merchant", "disable", "anna@shop.example"], "view", true),
        (&["merchant", "enable", "anna@shop.example"], "view", false),
        (&["merchant", "forget-code", "anna@shop.example"], "view", false),
    ] {
        assert_eq!(code(&command(arguments, &file, b"")), 0, "{arguments:?}");
        let users = json_of(&command(&["merchant", "list", "--json"], &file, b""));
        let expected = serde_json::json!([
            { "email": "anna@shop.example", "role": role, "disabled": disabled, "second_factor": false }
        ]);
        assert_eq!(users, expected, "{arguments:?}");
    }
    let output = command(&["merchant", "disable", "nobody@shop.example"], &file, b"");
    assert_eq!(code(&output), 1);
    let log = shop.checkout.store().audit_log(None, 1).await.unwrap();
    assert!(log[0].actor.who.starts_with("cli:") && log[0].actor.address == "cli", "{log:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transactions_are_listed_and_shown_by_command() {
    let (_shop, file, reference) = a_paid_shop(|_| {}).await;
    let output = command(&["transactions", "list"], &file, b"");
    assert_eq!(code(&output), 0, "{}", err(&output));
    let text = out(&output);
    assert!(
        text.contains(&reference) && text.contains("50.00 EUR") && text.contains("ada@example.com"),
        "{text}"
    );
    let row = json_of(&command(&["transactions", "list", "--json", "--state", "paid"], &file, b""));
    assert_eq!((&row["order"], &row["total_minor"]), (&reference.as_str().into(), &5_000.into()));
    assert_eq!(row["gateway_reference"], "813705000006");
    for (arguments, exit) in [
        (&["transactions", "list", "--search", "nobody"][..], 0),
        (&["transactions", "list", "--attention"], 0),
        (&["transactions", "list", "--state", "sold"], 2),
        (&["transactions", "show", "TG-NONE-SUCH"], 1),
    ] {
        let output = command(arguments, &file, b"");
        assert_eq!((code(&output), out(&output).as_str()), (exit, ""), "{arguments:?}");
    }
    let shown = json_of(&command(&["transactions", "show", &reference, "--json"], &file, b""));
    assert_eq!(shown["payments"][0]["left_minor"], 5_000);
    assert!(shown["events"].as_array().unwrap().iter().any(|event| event["kind"] == "notified"));
    assert!(out(&command(&["transactions", "show", &reference], &file, b"")).contains("notified"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_by_command_says_by_its_exit_code_what_became_of_it() {
    let (shop, file, reference) = a_paid_shop(|_| {}).await;
    let refund = |amount: &str, key: &str| {
        let mut arguments =
            vec!["refund", &reference, "--amount", amount, "--reason", "arrived broken", "--json"];
        if !key.is_empty() {
            arguments.extend(["--key", key]);
        }
        command(&arguments, &file, b"")
    };
    let says = |code: &'static str| {
        shop.gateway.says(move |call| Reply::Signed(gateway::refund(call, code)));
    };
    says("0");
    let output = refund("12.34", "a-key-of-a-script-number-1");
    assert_eq!(code(&output), 0, "{}", err(&output));
    let done = json_of(&output);
    assert_eq!((&done["state"], &done["amount_minor"]), (&"done".into(), &1_234.into()));
    assert_eq!(
        json_of(&refund("12.34", "a-key-of-a-script-number-1"))["refund"],
        done["refund"],
        "run again"
    );
    assert_eq!(code(&refund("12.35", "a-key-of-a-script-number-1")), 1, "the key was another refund's");
    assert_eq!(code(&refund("12.35", "short")), 2);
    says("13");
    let output = refund("1", "");
    assert_eq!((code(&output), &json_of(&output)["answer"]), (1, &"13 E_NOT_SUFFICIENT_FUNDS".into()));
    says("99");
    let output = refund("1.00", "");
    assert_eq!((code(&output), &json_of(&output)["state"]), (4, &"unknown".into()));
    for (amount, exit, words) in [
        ("36.67", 1, "only 36.66 EUR of it can still be refunded"),
        ("0", 2, "more than zero"),
        ("1.234", 2, "must be in EUR"),
        ("-1", 2, ""),
        ("1,00", 2, "must be in EUR"),
    ] {
        let output = refund(amount, "");
        assert_eq!(code(&output), exit, "{amount}: {output:?}");
        assert!(err(&output).contains(words), "{amount}: {}", err(&output));
    }
    // The money is gone, and its code says so, though nobody reads the words.
    if cfg!(target_os = "linux") {
        says("0");
        let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let arguments = ["refund", &reference, "--amount", "1", "--reason", "unheard", "--config", &file];
        let output = tillgate().args(arguments).stdout(full()).output().unwrap();
        assert_eq!(code(&output), 0, "{output:?}");
        assert!(err(&output).starts_with("tillgate: standard output cannot be written: "), "{output:?}");
        let list =
            tillgate().args(["transactions", "list", "--config", &file]).stdout(full()).output().unwrap();
        assert_eq!(code(&list), 3, "{list:?}");
        let nobody = tillgate().args(arguments).stdout(full()).stderr(full()).output().unwrap();
        assert_eq!(code(&nobody), 0, "{nobody:?}");
    }
    let output = command(&["refund", "TG-NONE-SUCH", "--amount", "1", "--reason", "x"], &file, b"");
    assert_eq!((code(&output), err(&output).as_str()), (1, "tillgate: there is no such order\n"));
    assert_eq!(shop.gateway.count("IPCRefund"), if cfg!(target_os = "linux") { 5 } else { 3 });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_limit_for_approvals_binds_the_command_line_too() {
    let (shop, file, reference) = a_paid_shop(|_| {}).await;
    let path = Path::new(&file);
    let mut table: toml::Table = std::fs::read_to_string(path).unwrap().parse().unwrap();
    table.insert("refund_approval_above".into(), "10".into());
    std::fs::write(path, table.to_string()).unwrap();
    shop.gateway.says(|call| Reply::Signed(gateway::refund(call, "0")));
    for (amount, exit) in [("10", 0), ("0.01", 4)] {
        let output = command(&["refund", &reference, "--amount", amount, "--reason", "in parts"], &file, b"");
        assert_eq!(code(&output), exit, "{amount}: {}", err(&output));
    }
    assert_eq!(shop.gateway.count("IPCRefund"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_moves_to_postgresql_by_command() {
    let (shop, file, reference) = a_paid_shop(|_| {}).await;
    let database = Database::empty().await;
    let sqlite = shop.dir.path().join("shop.db").display().to_string();
    let from = ["migrate", "--from", &sqlite];
    let output = command(&from, &file, b"");
    assert_eq!(code(&output), 2, "a SQLite file is moved nowhere");
    assert!(err(&output).contains("database_url"), "{}", err(&output));

    configured(shop.dir.path(), &shop.gateway.endpoint, |table| {
        table.insert("database_url".into(), database.url().into());
    });
    let output = command(&["transactions", "list", "--json"], &file, b"");
    assert_eq!(code(&output), 3, "it has no tables yet");
    assert!(err(&output).contains("tillgate migrate"), "{}", err(&output));
    let (_, findings, _) = doctor(&file);
    let finding = findings.iter().find(|finding| finding["what"] == "database").unwrap();
    assert_eq!(finding["level"], "error");
    assert!(finding["remedy"].as_str().unwrap().contains("tillgate migrate"), "{finding}");

    let output = command(&from, &file, b"");
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert!(out(&output).contains("1  orders"), "{}", out(&output));
    let output = command(&["migrate"], &file, b"");
    assert!(code(&output) == 0 && out(&output).contains("up to date"), "{output:?}");
    let listed = json_of(&command(&["transactions", "list", "--json"], &file, b""));
    assert_eq!(listed["order"], reference.as_str(), "{listed}");
    assert_eq!(doctor(&file).0, 0);
    let output = command(&from, &file, b"");
    assert_eq!(code(&output), 3, "it was moved");
    assert!(err(&output).contains("was moved to"), "{}", err(&output));
}
