//! Which addresses a hook may lead to: those of the open internet, unless the operator means otherwise. They are judged at the
//! moment of connecting (`guichet_contract::reach`).

use std::error::Error;
use std::net::SocketAddr;

use guichet_contract::reach::{self, Lookup};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Resolves names and leaves out what is not public.
pub(crate) struct Guard {
    lookup: Lookup,
    allow_private: bool,
}

impl Guard {
    pub(crate) fn new(lookup: Lookup, allow_private: bool) -> Self {
        Self { lookup, allow_private }
    }

    /// Whether an error comes from here.
    pub(crate) fn refused(error: &(dyn Error + 'static)) -> bool {
        reach::is_private(error)
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let (lookup, allow_private) = (self.lookup.clone(), self.allow_private);
        Box::pin(async move {
            let addresses = reach::resolve(&lookup, name.as_str(), allow_private).await?;
            // The port is the URL's: 0 is filled in by the client.
            let addresses: Addrs = Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::sync::{Arc, Mutex};

    use super::*;

    fn answers(script: &[&[&str]]) -> Lookup {
        let script: Vec<Vec<IpAddr>> =
            script.iter().map(|line| line.iter().map(|address| address.parse().unwrap()).collect()).collect();
        let script = Mutex::new(script.into_iter());
        Arc::new(move |_| {
            let next = script.lock().unwrap().next().unwrap_or_default();
            Box::pin(async move { Ok(next) })
        })
    }

    async fn ask(guard: &Guard) -> Result<Vec<String>, String> {
        let found = guard.resolve("hooks.example".parse().unwrap()).await.map_err(|error| error.to_string())?;
        Ok(found.map(|address| address.ip().to_string()).collect())
    }

    #[tokio::test]
    async fn a_name_that_turns_private_is_refused_when_it_is_used() {
        let guard = Guard::new(answers(&[&["93.184.215.14"], &["127.0.0.1"], &[]]), false);
        assert_eq!(ask(&guard).await, Ok(vec!["93.184.215.14".to_owned()]));
        assert!(ask(&guard).await.unwrap_err().contains("allow_private"));
        assert!(ask(&guard).await.is_err());
    }

    #[tokio::test]
    async fn of_several_addresses_only_the_public_are_used_unless_private_ones_are_allowed() {
        let both: &[&str] = &["10.0.0.1", "8.8.8.8", "::1"];
        assert_eq!(ask(&Guard::new(answers(&[both]), false)).await, Ok(vec!["8.8.8.8".to_owned()]));
        assert_eq!(ask(&Guard::new(answers(&[both]), true)).await.unwrap().len(), 3);
    }
}
