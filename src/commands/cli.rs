//! The command line: what can be asked for, and how.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::agent::AgentCommand;
use super::outbox::OutboxCommand;
use super::quarantine::QuarantineCommand;
use super::ticket::TicketCommand;

/// An omnichannel intake gateway for help desks: every request becomes one ticket, acknowledged and closed on the
/// channel it came from.
///
/// Without a command it runs the daemon. Commands work beside a running daemon, or without one.
#[derive(Debug, Parser)]
#[command(name = "guichet", version, long_version = super::version::long(), max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 done, 1 it did not work, 2 wrong command line, 75 not now (inject), 78 wrong settings."
)]
pub struct Cli {
    /// The configuration file.
    #[arg(long, global = true, value_name = "FILE", env = "GUICHET_CONFIG", hide_env_values = true)]
    pub config: Option<PathBuf>,
    /// The state folder: database, large messages, socket of the daemon.
    #[arg(long, global = true, value_name = "FOLDER")]
    pub state: Option<PathBuf>,
    /// Write JSON for programs.
    #[arg(long, global = true)]
    pub json: bool,
    /// What is logged on standard error: info, debug, guichet=debug, ...
    #[arg(long, global = true, value_name = "FILTER")]
    pub log: Option<String>,
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the daemon (also without any command).
    Run,
    /// Read the configuration, the templates and the secrets, build every source; touches no network.
    Check,
    /// Check, then try every source, the database, the disk; changes nothing.
    Doctor,
    /// Take in one message, as a mail server's pipe or from a file.
    Inject(InjectArgs),
    /// Take in mailboxes: mbox files, maildirs, .eml files and folders of them.
    Import(ImportArgs),
    /// Say what would become of a message, without taking it in.
    Simulate(SimulateArgs),
    /// Say why things happened to a ticket as they did.
    Explain(ReferenceArgs),
    /// Work on tickets.
    #[command(subcommand, visible_alias = "tickets")]
    Ticket(TicketCommand),
    /// What was kept aside.
    #[command(subcommand)]
    Quarantine(QuarantineCommand),
    /// What must leave, and what became of it.
    #[command(subcommand)]
    Outbox(OutboxCommand),
    /// Compare what was received with what is there and with what the mailboxes hold; exits with 1 when they differ.
    Reconcile(ReconcileArgs),
    /// Write a whole copy of the database to a new file, beside a running daemon.
    Backup(BackupArgs),
    /// The people who work here, and the tokens of their programs.
    #[command(subcommand)]
    Agent(AgentCommand),
    /// The configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Write the completions for a shell to standard output.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// `inject`
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 when the message is durable (the mail server may forget it), 75 in every other case: the mail \
    server keeps it and tries again.\n\nPostfix, in aliases:   support: \"|/usr/bin/guichet inject --source local\""
)]
pub struct InjectArgs {
    /// The source that takes it in.
    #[arg(long, short = 's', value_name = "SOURCE")]
    pub source: String,
    /// The envelope's sender, where the message has no Return-Path; mail servers set $SENDER. Empty or <> for none.
    #[arg(long, short = 'f', value_name = "ADDRESS", env = "SENDER", hide_env_values = true)]
    pub sender: Option<String>,
    /// The envelope's recipient, where the message has no Delivered-To; mail servers set $RECIPIENT.
    #[arg(long, short = 'r', value_name = "ADDRESS", env = "RECIPIENT", hide_env_values = true)]
    pub recipient: Option<String>,
    /// Say nothing when all is well.
    #[arg(long, short = 'q')]
    pub quiet: bool,
    /// The message; standard input when absent or "-".
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// `reconcile`
#[derive(Debug, Args)]
#[command(
    after_help = "HELD lies on the source's server: KNOWN had to be taken in and is here, MISSING is not (and named below), AHEAD \
    is not taken in yet, ASIDE is history that was left aside or mail that others put there, NAMELESS was taken in and can be \
    told from others no more."
)]
pub struct ReconcileArgs {
    /// Ask no server: compare the database with itself.
    #[arg(long)]
    pub offline: bool,
}

/// `import`
#[derive(Debug, Args)]
#[command(
    after_help = "What was imported already is a duplicate, so an import that was interrupted is simply run again."
)]
pub struct ImportArgs {
    /// The source that takes them in.
    #[arg(long, short = 's', value_name = "SOURCE")]
    pub source: String,
    /// Acknowledge what is opened. Without it nobody is written to.
    #[arg(long)]
    pub acknowledge: bool,
    /// Files and folders, in this order.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
}

/// `simulate`
#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// The source that would take it in.
    #[arg(long, short = 's', value_name = "SOURCE")]
    pub source: String,
    /// The message; standard input when absent or "-".
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// One ticket.
#[derive(Debug, Args)]
pub struct ReferenceArgs {
    /// The ticket's number, as it is written or said: GT-482-109-3753, 482 109 3753.
    #[arg(value_name = "REFERENCE")]
    pub reference: String,
}

/// `backup`
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// The file to write; it must not exist yet.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// `config`
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print every key with its default, and the settings of every kind of source.
    Example,
    /// Print the JSON Schema (2020-12) of the file, for editors.
    Schema,
    /// Print where the configuration is and what it comes to.
    Show,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_stand_before_or_behind_the_command() {
        let before = Cli::try_parse_from(["guichet", "--json", "--state", "/x", "ticket", "list"]).unwrap();
        let behind = Cli::try_parse_from(["guichet", "ticket", "list", "--state", "/x", "--json"]).unwrap();
        assert_eq!((before.json, &before.state), (behind.json, &behind.state));
        assert!(before.json);
    }
}
