//! The ways to tell a caller something.

use guichet_contract::SettingsError;
use serde_json::Value;

/// The ways of a source.
#[derive(Debug, Default)]
pub(crate) struct Ways;

impl Ways {
    pub(crate) fn new(
        _sms: Option<Value>,
        _hook: Option<Value>,
        _callback: Option<Value>,
        _base: &str,
        _name: Option<&str>,
    ) -> Result<Self, SettingsError> {
        Ok(Self)
    }
}
