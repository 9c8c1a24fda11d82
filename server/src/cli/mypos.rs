//! `tillgate mypos verify` and `tillgate mypos sign`

use std::fs;
use std::io::{Read, stdin};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use mypos::{Fields, PrivateKey, PublicKey, Unverified, Value};

use super::{EXIT_NO, EXIT_OK, EXIT_USAGE, fail};

/// The longest message that is read.
const MAX_INPUT_BYTES: u64 = 1024 * 1024;

/// Look at messages of the myPOS protocol
#[derive(clap::Subcommand)]
pub(super) enum Command {
    Verify(Verify),
    Sign(Sign),
}

/// Verify the signature of a message on standard input
#[derive(clap::Args)]
#[command(
    after_help = "Prints the fields, then `valid` or `invalid`. Exit code 0: valid; 1: invalid; 2: cannot be read.\n\n\
                  `valid` means that the holder of the key signed these values in this order. It does not mean that\n\
                  the cut into fields is right: names and boundaries are not part of what is signed.\n\n\
                  Example: tillgate mypos verify --public-key api.pem < notify.txt"
)]
pub(super) struct Verify {
    /// The sender's certificate or public key, PEM
    #[arg(long, value_name = "FILE")]
    public_key: PathBuf,
    /// How the message is written
    #[arg(long, value_enum, default_value_t = Format::Form)]
    format: Format,
    /// Print one JSON object instead
    #[arg(long)]
    json: bool,
}

/// Sign a form-encoded message on standard input and print its Signature
#[derive(clap::Args)]
#[command(after_help = "Example: tillgate mypos sign --private-key store.pem < request.txt")]
pub(super) struct Sign {
    /// The sender's private key, PEM
    #[arg(long, value_name = "FILE")]
    private_key: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Form,
    Xml,
    Json,
}

/// Why there is nothing to answer.
#[derive(Debug, thiserror::Error)]
enum InputError {
    #[error("{0}: {1}")]
    File(PathBuf, #[source] std::io::Error),
    #[error("{0}: {1}")]
    Key(PathBuf, #[source] mypos::KeyError),
    #[error("standard input cannot be read: {0}")]
    Input(#[from] std::io::Error),
    #[error("standard input is no message: {0}")]
    Message(#[from] mypos::ParseError),
    #[error("the message already carries a Signature: remove it to sign anew")]
    Signed,
    #[error("signing failed: {0}")]
    Signing(#[from] mypos::KeyError),
}

impl Command {
    pub(super) fn run(self) -> u8 {
        let result = match self {
            Self::Verify(verify) => verify.run(),
            Self::Sign(sign) => sign.run(),
        };
        result.unwrap_or_else(|error| fail(EXIT_USAGE, &error))
    }
}

impl Verify {
    fn run(self) -> Result<u8, InputError> {
        let path = &self.public_key;
        let key = PublicKey::from_pem(&read(path)?).map_err(|error| InputError::Key(path.clone(), error))?;
        let input = input()?;
        // A line break at the end belongs to the file, not to the message.
        let message = match self.format {
            Format::Form => Unverified::from_form(input.trim_ascii_end()),
            Format::Xml => Unverified::from_xml(&input),
            Format::Json => Unverified::from_json(&input),
        }?;
        let verdict = message.verify(&key).map(drop);
        if self.json {
            let mut fields = Vec::new();
            flatten("", message.claimed(), &mut fields);
            let reason = verdict.as_ref().err().map(ToString::to_string);
            say!("{}", serde_json::json!({ "valid": verdict.is_ok(), "reason": reason, "fields": fields }));
        } else {
            let mut fields = Vec::new();
            flatten("", message.claimed(), &mut fields);
            for (name, value) in fields {
                say!("{name} = {value}");
            }
            match &verdict {
                Ok(()) => say!("valid"),
                Err(reason) => say!("invalid: {reason}"),
            }
        }
        Ok(if verdict.is_ok() { EXIT_OK } else { EXIT_NO })
    }
}

impl Sign {
    fn run(self) -> Result<u8, InputError> {
        let path = &self.private_key;
        let key = PrivateKey::from_pem(&read(path)?).map_err(|error| InputError::Key(path.clone(), error))?;
        let message = Unverified::from_form(input()?.trim_ascii_end())?;
        if message.has_signature() {
            return Err(InputError::Signed);
        }
        let signed = key.sign_fields(message.claimed().clone())?;
        say!("{}", signed.fields().text("Signature").unwrap_or_default());
        Ok(EXIT_OK)
    }
}

fn read(path: &Path) -> Result<String, InputError> {
    fs::read_to_string(path).map_err(|error| InputError::File(path.to_owned(), error))
}

fn input() -> Result<Vec<u8>, InputError> {
    let mut bytes = Vec::new();
    stdin().take(MAX_INPUT_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The fields in order, nested ones as `OrderStatus.IPCmethod`.
fn flatten(prefix: &str, fields: &Fields, into: &mut Vec<(String, String)>) {
    for field in fields {
        let name = format!("{prefix}{}", field.name);
        match &field.value {
            Value::Text(text) => into.push((name, text.clone())),
            Value::Nested(inner) => flatten(&format!("{name}."), inner, into),
        }
    }
}
