//! `guichet completions`: what a shell needs to complete commands and options.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::cli::Cli;
use super::{Context, Failure};

/// Writes them to standard output.
pub fn completions(context: &Context, shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "guichet", &mut script);
    Ok(context.output.bytes(&script)?)
}
