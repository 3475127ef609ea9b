//! The commands. Arguments become one of them; its end becomes an exit code.
//!
//! To add a command: its variant in `cli.rs`, a file here, its line in [`perform`]. What reads or changes tickets goes
//! through [`crate::client`], so that it is the same with and without a daemon.

mod agent;
mod backup;
mod check;
mod cli;
mod completions;
mod config;
mod doctor;
mod explain;
pub mod failure;
mod first_admin;
mod import;
mod inject;
mod message;
mod outbox;
mod quarantine;
mod reconcile;
pub mod run;
mod secret;
mod shown;
mod simulate;
mod ticket;
mod version;

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use clap::Parser as _;
use clap::error::ErrorKind as ClapKind;
use guichet_domain::Clock as _;
use guichet_domain::reference::Reference;
use guichet_store::{Db, Options};
use tokio::runtime::Runtime;

use crate::ambient::{SystemClock, SystemIds};
use crate::client::{COUNTED, Client};
use crate::config::{Config, Place};
use crate::kernel::{self, Kernel};
use crate::logging::{self, Wish};
use crate::output::{Output, complain};
use crate::state::StateFolder;
use cli::{Cli, Command, ConfigCommand};
use failure::{Exit, Failure};

/// What every command needs.
pub(crate) struct Context {
    /// Where things are.
    place: Place,
    /// Where results go.
    output: Output,
    config: OnceLock<Config>,
}

/// Runs the command the arguments name and gives its exit code; see `docs/OPERATIONS.md`.
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => return misread(&error, &arguments),
    };
    let is_inject = matches!(cli.command, Some(Command::Inject(_)));
    let ended = catch_unwind(AssertUnwindSafe(|| start(cli)));
    let failure = match ended {
        Ok(Ok(())) => return ExitCode::SUCCESS,
        Ok(Err(failure)) => failure,
        Err(_) => Failure::new("this is a defect of guichet", "report it with the lines above"),
    };
    if failure.exit == Exit::Unheard {
        return ExitCode::SUCCESS;
    }
    complain(&failure.to_string());
    // A mail server takes any other code than 75 as "never", and sends the mail back.
    let exit = match failure.exit {
        _ if is_inject => Exit::NotNow,
        Exit::NotNow => Exit::Failed,
        exit => exit,
    };
    ExitCode::from(exit as u8)
}

/// Says what is wrong with the command line, or prints the help that was asked for.
fn misread(error: &clap::Error, arguments: &[OsString]) -> ExitCode {
    // A terminal that went away is no reason to fail otherwise.
    drop(error.print());
    let asked_for = matches!(error.kind(), ClapKind::DisplayHelp | ClapKind::DisplayVersion);
    match (asked_for, arguments.iter().any(|word| word == "inject")) {
        (true, _) => ExitCode::SUCCESS,
        (false, true) => ExitCode::from(Exit::NotNow as u8),
        (false, false) => ExitCode::from(Exit::Usage as u8),
    }
}

fn start(cli: Cli) -> Result<(), Failure> {
    let Cli { config, state, json, log, command } = cli;
    let command = command.unwrap_or(Command::Run);
    let output = Output::new(json, SystemClock.now());
    let context = Context { place: Place { config, state }, output, config: OnceLock::new() };
    match command {
        Command::Completions { shell } => return completions::completions(&context, shell),
        Command::Config(ConfigCommand::Example) => return config::example(&context),
        Command::Config(ConfigCommand::Schema) => return config::schema(&context),
        _ => {}
    }
    let settings = context.config()?;
    let otherwise = if matches!(command, Command::Run) { "info" } else { "warn" };
    logging::set_up(Wish { flag: log.as_deref(), settings: Some(&settings.log), otherwise })?;
    let runtime = runtime(&command)?;
    let ended = runtime.block_on(perform(&context, command));
    // Nothing that was answered for is left in a task.
    runtime.shutdown_background();
    ended
}

fn runtime(command: &Command) -> Result<Runtime, Failure> {
    let mut builder = match command {
        Command::Run => tokio::runtime::Builder::new_multi_thread(),
        _ => tokio::runtime::Builder::new_current_thread(),
    };
    builder.enable_all().build().map_err(|error| Failure::of_file("the runtime", &error))
}

async fn perform(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Run => Ok(run::run(context.config()?).await?),
        Command::Check | Command::Config(ConfigCommand::Show) => check::check(context),
        Command::Doctor => Box::pin(doctor::doctor(context)).await,
        Command::Inject(args) => inject::inject(context, args).await,
        Command::Import(args) => import::import(context, &args).await,
        Command::Simulate(args) => simulate::simulate(context, &args).await,
        Command::Explain(args) => explain::explain(context, &args.reference).await,
        Command::Ticket(command) => ticket::ticket(context, command).await,
        Command::Quarantine(command) => quarantine::quarantine(context, command).await,
        Command::Outbox(command) => outbox::outbox(context, command).await,
        Command::Reconcile(args) => reconcile::reconcile(context, &args).await,
        Command::Backup(args) => backup::backup(context, &args).await,
        Command::Agent(command) => agent::agent(context, command).await,
        Command::Config(ConfigCommand::Example) => config::example(context),
        Command::Config(ConfigCommand::Schema) => config::schema(context),
        Command::Completions { shell } => completions::completions(context, shell),
    }
}

impl Context {
    /// The configuration; read once.
    fn config(&self) -> Result<&Config, Failure> {
        if let Some(config) = self.config.get() {
            return Ok(config);
        }
        let config = Config::load(&self.place)?;
        Ok(self.config.get_or_init(|| config))
    }

    /// The state folder, made when it is not there.
    fn state(&self) -> Result<StateFolder, Failure> {
        Ok(StateFolder::open(&self.config()?.state)?)
    }

    /// The database, opened beside whoever else has it open.
    async fn database(&self) -> Result<Db, Failure> {
        let target = kernel::target(self.config()?, &self.state()?);
        Ok(Db::open(&target, &Options::default()).await?)
    }

    /// The kernel on that database.
    async fn kernel(&self) -> Result<Arc<Kernel>, Failure> {
        let (clock, ids) = (Arc::new(SystemClock), Arc::new(SystemIds::default()));
        Ok(Box::pin(Kernel::open(self.config()?, self.state()?, clock, ids)).await?)
    }

    /// A way to the API: the daemon's, else one in this process.
    async fn client(&self) -> Result<Client, Failure> {
        let agent = who();
        if let Some(client) = Client::to_daemon(&self.state()?, agent.clone()).await? {
            return Ok(client);
        }
        Ok(Client::here(self.kernel().await?, &self.config()?.http, agent))
    }

    /// A ticket's number as a person gave it.
    fn reference(&self, text: &str) -> Result<String, Failure> {
        let prefix = &self.config()?.desk.prefix;
        let read = Reference::parse(text, prefix)
            .map_err(|error| Failure::new(format!("\"{text}\": {error}"), "`guichet ticket list` shows the tickets"))?;
        Ok(read.shown(prefix).to_string())
    }

    /// Ends the client, and says what waits for a daemon.
    async fn end(&self, client: Client) -> Result<(), Failure> {
        let waiting = client.waiting().await?;
        client.finish().await;
        if waiting > 0 {
            let rows = match waiting {
                1 => "1 message waits in the outbox and leaves".to_owned(),
                most if most >= COUNTED => format!("at least {most} messages wait in the outbox and leave"),
                some => format!("{some} messages wait in the outbox and leave"),
            };
            self.output.remark(&format!("the daemon is not running: {rows} when it starts"));
        }
        Ok(())
    }
}

/// The name of whoever acts here, for the timeline.
fn who() -> Option<String> {
    let named = |key: &str| std::env::var(key).ok().filter(|name| !name.trim().is_empty());
    named("GUICHET_AGENT").or_else(|| named("SUDO_USER")).or_else(|| named("LOGNAME")).or_else(|| named("USER"))
}

/// The only one of the ids that were found for an end a person typed.
fn only_one(mut found: Vec<String>, given: &str, list: &str) -> Result<String, Failure> {
    match (found.pop(), found.len()) {
        (Some(id), 0) => Ok(id),
        (Some(_), more) => Err(Failure::new(
            format!("\"{given}\" is the end of {} ids", more + 1),
            "give the whole id; --json shows it",
        )),
        (None, _) => Err(Failure::new(format!("there is no \"{given}\""), format!("`{list}` shows what there is"))),
    }
}
