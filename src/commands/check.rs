//! `guichet check`: everything that can be known to be wrong without a network.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Context, Failure};
use crate::config::{Config, SourceSettings};
use crate::kernel::build_channels;
use crate::output::Shade;
use crate::state::StateFolder;

/// Reads the configuration, renders every template, reads the secrets, builds every source. Changes nothing.
pub fn check(context: &Context) -> Result<(), Failure> {
    let config = context.config()?;
    let found = look(config)?;
    if context.output.is_json() {
        return Ok(context
            .output
            .value(&json!({"config": config.origin(), "state": config.state, "sources": found}))?);
    }
    say(context, config, &found)?;
    Ok(context.output.line(&context.output.style().paint("all is well", Shade::Good))?)
}

/// What is configured, one value a source. Fails with the first thing that is wrong.
pub(super) fn look(config: &Config) -> Result<Vec<Value>, Failure> {
    // Nothing is made on disk: a check may run as another user than the daemon, and before it ever ran.
    let built = build_channels(config, &StateFolder::unopened(&config.state))?;
    config.desk_rules(Vec::new(), BTreeSet::new())?;
    let line = |(settings, channel): &(SourceSettings, std::sync::Arc<dyn guichet_contract::Channel>)| {
        json!({
            "name": settings.name,
            "channel": settings.channel,
            "enabled": settings.enabled,
            "acknowledge": settings.acknowledge,
            "sends": channel.abilities().sends,
            "addresses": channel.addresses(),
        })
    };
    Ok(built.iter().map(line).collect())
}

/// The same for a person.
pub(super) fn say(context: &Context, config: &Config, sources: &[Value]) -> Result<(), Failure> {
    let out = &context.output;
    out.line(&format!("configuration  {}", config.origin()))?;
    out.line(&format!("state folder   {}", config.state.display()))?;
    out.line(&format!("listens on     {}", config.http.listen))?;
    out.line(&format!("desk           {}, numbers like {}", config.desk.name, example_number(&config.desk.prefix)))?;
    out.line("notices        every template renders, in en and fr")?;
    for source in sources {
        let text = |key: &str| source.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let flag = |key: &str| source.get(key).and_then(Value::as_bool).unwrap_or_default();
        let addresses = source.get("addresses").and_then(Value::as_array);
        let addresses: Vec<&str> = addresses.into_iter().flatten().filter_map(Value::as_str).collect();
        let mut words = vec![text("channel")];
        words.extend((!addresses.is_empty()).then(|| addresses.join(", ")));
        words.extend((!flag("enabled")).then(|| "not enabled".to_owned()));
        words.extend((!flag("acknowledge")).then(|| "acknowledges nothing".to_owned()));
        out.line(&format!("source         {}: {}", text("name"), words.join(", ")))?;
    }
    Ok(())
}

fn example_number(prefix: &str) -> String {
    guichet_domain::reference::Reference::from_free(482_109_375).shown(prefix).to_string()
}
