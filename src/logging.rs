//! The log: one place where it is set up, on standard error.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, fmt};

use crate::config::{LogFormat, LogSettings};

/// What libraries say at the level of our own lines is of no use to an operator. Whoever wants it names them.
const QUIET: &str = "async_imap=warn,sqlx=warn,hyper=warn,hyper_util=warn,reqwest=warn,rustls=warn,html5ever=off,\
     selectors=off,tower=warn";

/// What decides what is logged. The command line comes first, then `$RUST_LOG`, then the configuration.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// `--log`.
    pub flag: Option<&'a str>,
    /// `[log]`.
    pub settings: Option<&'a LogSettings>,
    /// When nobody says anything: `info` for the daemon, `warn` for a command somebody watches.
    pub otherwise: &'a str,
}

/// A filter that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{origin} = \"{filter}\": {why}; write levels such as info, or warn,guichet=debug")]
pub struct FilterError {
    origin: &'static str,
    filter: String,
    why: String,
}

/// Sets up the log of this process. A second call changes nothing.
pub fn set_up(wish: Wish<'_>) -> Result<(), FilterError> {
    let filter = filter(wish, std::env::var("RUST_LOG").ok().as_deref())?;
    let format = wish.settings.map(|settings| settings.format).unwrap_or_default();
    let builder = fmt().with_env_filter(filter).with_writer(io::stderr);
    let set = if format == LogFormat::Json {
        builder.json().flatten_event(true).finish().try_init()
    } else {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let builder = builder.with_ansi(io::stderr().is_terminal() && !refused).with_target(false);
        // The journal stamps each line itself.
        if std::env::var_os("JOURNAL_STREAM").is_some() {
            builder.without_time().finish().try_init()
        } else {
            builder.finish().try_init()
        }
    };
    // A test that runs two commands in one process sets it up twice; the first one stands.
    drop(set);
    Ok(())
}

fn filter(wish: Wish<'_>, environment: Option<&str>) -> Result<EnvFilter, FilterError> {
    let configured = wish.settings.and_then(|settings| settings.filter.as_deref());
    let environment = environment.filter(|filter| !filter.trim().is_empty());
    let (origin, filter) = match (wish.flag, environment, configured) {
        (Some(flag), ..) => ("--log", flag),
        (None, Some(environment), _) => ("$RUST_LOG", environment),
        (None, None, Some(configured)) => ("[log] filter", configured),
        (None, None, None) => ("the default", wish.otherwise),
    };
    EnvFilter::builder().parse(format!("{QUIET},{filter}")).map_err(|error| FilterError {
        origin,
        filter: filter.to_owned(),
        why: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(flag: Option<&str>, environment: Option<&str>, configured: Option<&str>) -> String {
        let settings = LogSettings { filter: configured.map(str::to_owned), ..LogSettings::default() };
        filter(Wish { flag, settings: Some(&settings), otherwise: "info" }, environment).unwrap().to_string()
    }

    #[test]
    fn the_command_line_comes_first_then_the_environment_then_the_file() {
        assert!(chosen(Some("error"), Some("debug"), Some("trace")).ends_with("error"));
        assert!(chosen(None, Some("debug"), Some("trace")).ends_with("debug"));
        assert!(chosen(None, Some(""), Some("trace")).ends_with("trace"));
        assert!(chosen(None, None, None).ends_with("info"));
    }

    #[test]
    fn libraries_stay_quiet_unless_they_are_named() {
        assert!(chosen(Some("debug"), None, None).contains("sqlx=warn"));
        assert!(chosen(Some("debug,sqlx=info"), None, None).contains("sqlx=info"));
    }

    #[test]
    fn a_filter_that_cannot_be_read_says_where_it_stands() {
        let error = filter(Wish { flag: Some("guichet=loud"), settings: None, otherwise: "info" }, None).unwrap_err();
        let error = error.to_string();
        assert!(error.starts_with("--log = \"guichet=loud\": ") && error.contains("guichet=debug"), "{error}");
    }
}
