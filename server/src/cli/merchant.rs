//! `tillgate merchant`

use std::io::{BufRead as _, IsTerminal as _, stdin};

use checkout::checkout::Checkout;
use checkout::people::{Actor, Role};
use checkout::sign_in::{DoorError, DoorProblem, PASSWORD_MIN_CHARS};
use checkout::store::merchant::UserChange;
use clap::ValueEnum;

use super::{ConfigFile, EXIT_FAILED, EXIT_NO, EXIT_OK, EXIT_USAGE, block_on, fail, os_user};

/// Who may sign in at the merchant's pages
#[derive(clap::Subcommand)]
pub(super) enum Command {
    Add(Add),
    Passwd(Named),
    Role(ChangeRole),
    Disable(Named),
    Enable(Named),
    ForgetCode(Named),
    List(List),
}

/// Add a user; the password is asked for, or read from standard input
#[derive(clap::Args)]
#[command(
    after_help = "Exit code 0: done; 1: the address has a user; 2: the input cannot be used; 3: it failed.\n\n\
                        Example: tillgate merchant add anna@shop.example --role refund"
)]
pub(super) struct Add {
    #[command(flatten)]
    named: Named,
    /// What the user may do; each role includes those before it
    #[arg(long, value_enum, default_value_t = RoleName::View)]
    role: RoleName,
}

/// Give a user another role
#[derive(clap::Args)]
pub(super) struct ChangeRole {
    #[command(flatten)]
    named: Named,
    /// The new role
    #[arg(value_enum)]
    role: RoleName,
}

/// A user by e-mail address
#[derive(clap::Args)]
pub(super) struct Named {
    /// The user's e-mail address
    email: String,
    #[command(flatten)]
    file: ConfigFile,
}

/// List the users
#[derive(clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    file: ConfigFile,
    /// Print them as JSON
    #[arg(long)]
    json: bool,
}

/// See transactions; give money back as well; see who did what as well
#[derive(Clone, Copy, ValueEnum)]
enum RoleName {
    View,
    Refund,
    Administer,
}

impl RoleName {
    const fn role(self) -> Role {
        match self {
            Self::View => Role::View,
            Self::Refund => Role::Refund,
            Self::Administer => Role::Administer,
        }
    }
}

/// What the command does, once the database is open.
enum Work {
    Add(String, Role, String),
    Password(String, String),
    Change(String, UserChange, &'static str),
    List { json: bool },
}

impl Command {
    pub(super) fn run(self) -> u8 {
        let (file, work) = match self {
            Self::Add(Add { named, role }) => match typed_password() {
                Ok(password) => (named.file, Work::Add(named.email, role.role(), password)),
                Err(error) => return fail(EXIT_USAGE, &error),
            },
            Self::Passwd(named) => match typed_password() {
                Ok(password) => (named.file, Work::Password(named.email, password)),
                Err(error) => return fail(EXIT_USAGE, &error),
            },
            Self::Role(ChangeRole { named, role }) => {
                let change = UserChange::Role(role.role());
                (named.file, Work::Change(named.email, change, "has another role now"))
            }
            Self::Disable(named) => {
                let change = UserChange::Disabled(true);
                (named.file, Work::Change(named.email, change, "is shut out, and every session has ended"))
            }
            Self::Enable(named) => {
                (named.file, Work::Change(named.email, UserChange::Disabled(false), "may sign in again"))
            }
            Self::ForgetCode(named) => {
                let change = UserChange::SecondFactor(None);
                (named.file, Work::Change(named.email, change, "signs in without a code now"))
            }
            Self::List(List { file, json }) => (file, Work::List { json }),
        };
        block_on(async {
            let checkout = match file.open().await {
                Ok(checkout) => checkout,
                Err(code) => return code,
            };
            match work.run(&checkout).await {
                Ok(()) => EXIT_OK,
                Err(DoorError::Problem(problem)) => fail(code_of(problem), &problem),
                Err(error) => fail(EXIT_FAILED, &error),
            }
        })
    }
}

const fn code_of(problem: DoorProblem) -> u8 {
    match problem {
        DoorProblem::EmailTaken | DoorProblem::NoSuchUser => EXIT_NO,
        _ => EXIT_USAGE,
    }
}

/// A password: asked for twice at a terminal, else one line of standard input.
fn typed_password() -> std::io::Result<String> {
    let wrong = |why: &str| std::io::Error::new(std::io::ErrorKind::InvalidInput, why.to_owned());
    if !stdin().is_terminal() {
        let mut line = String::new();
        stdin().lock().read_line(&mut line)?;
        return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    let first = rpassword::prompt_password(format!("Password, at least {PASSWORD_MIN_CHARS} characters: "))?;
    let second = rpassword::prompt_password("The same again: ")?;
    if first == second { Ok(first) } else { Err(wrong("the two passwords differ")) }
}

impl Work {
    async fn run(self, checkout: &Checkout) -> Result<(), DoorError> {
        let actor = Actor::command_line(&os_user());
        match self {
            Self::Add(email, role, password) => {
                checkout.add_user(&email, role, &password, actor).await?;
                say!("{email} may sign in at {}/merchant", checkout.settings.public_url);
            }
            Self::Password(email, password) => {
                checkout.set_password(&email, &password, actor).await?;
                say!("{email} has another password, and every session has ended");
            }
            Self::Change(email, change, done) => {
                checkout.change_user(&email, change, actor).await?;
                say!("{email} {done}");
            }
            Self::List { json } => {
                let users = checkout.store().users().await?;
                if json {
                    let users: Vec<_> = users
                        .iter()
                        .map(|user| {
                            serde_json::json!({
                                "email": user.email,
                                "role": user.role.name(),
                                "disabled": user.is_disabled,
                                "second_factor": user.has_second_factor,
                            })
                        })
                        .collect();
                    say!("{}", serde_json::Value::Array(users));
                } else {
                    for user in users {
                        let disabled = if user.is_disabled { ", shut out" } else { "" };
                        let factor = if user.has_second_factor { ", second factor" } else { "" };
                        say!("{}: {}{factor}{disabled}", user.email, user.role.name());
                    }
                }
            }
        }
        Ok(())
    }
}
