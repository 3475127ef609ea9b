//! Where the configuration and the state are.

use std::path::{Path, PathBuf};

/// What the command line and the environment say of both.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// `--config`, or `$GUICHET_CONFIG`.
    pub config: Option<PathBuf>,
    /// `--state`.
    pub state: Option<PathBuf>,
}

impl Place {
    /// The file: as named, else `$CONFIGURATION_DIRECTORY/guichet.toml` (systemd), else `/etc/guichet/guichet.toml`; a
    /// named one need not exist (reading it then fails), the others count only when they do.
    pub fn config_file(&self) -> Option<PathBuf> {
        if let Some(named) = &self.config {
            return Some(named.clone());
        }
        let systemd = std::env::var_os("CONFIGURATION_DIRECTORY").map(PathBuf::from);
        let folders = systemd.into_iter().chain([PathBuf::from("/etc/guichet")]);
        folders.map(|folder| folder.join("guichet.toml")).find(|file| file.exists())
    }

    /// The state folder: `--state`, else the configuration's, else `$STATE_DIRECTORY` (systemd), else `./var`.
    pub fn state_folder(&self, configured: Option<&Path>) -> PathBuf {
        let systemd = || std::env::var_os("STATE_DIRECTORY").map(PathBuf::from);
        let named = self.state.clone().or_else(|| configured.map(Path::to_owned));
        named.or_else(systemd).unwrap_or_else(|| PathBuf::from("var"))
    }
}
