//! The command line: the real binary, its words and its exit codes.

use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use mypos::{ConfigurationPackage, Fields, PrivateKey};
use serde_json::Value;

use crate::gateway::FakeGateway;
use crate::keys::{FIRST, STRANGER};
use crate::messages::{Message, notify};
use crate::shop::{configuration, folder};

/// The binary, with nothing of our environment that could configure it.
pub fn tillgate() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tillgate"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("TILLGATE_") || name.starts_with("MYPOS_") {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
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

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn out(output: &Output) -> String {
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
