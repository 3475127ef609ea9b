//! Who asks, for channels that serve people over HTTP.

use std::net::{IpAddr, Ipv4Addr};

/// Who sent a request: in the extensions of every request to a channel's routes. The daemon has read what trusted proxies
/// say (`[http] trusted_proxies`), so that channels need not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// The address of the person, or of the last hop nobody vouches for.
    pub ip: IpAddr,
    /// Whether the person's connection is encrypted, as far as the proxy says.
    pub secure: bool,
}

impl Default for Peer {
    /// This machine: for requests that came by no network.
    fn default() -> Self {
        Self { ip: IpAddr::V4(Ipv4Addr::LOCALHOST), secure: false }
    }
}

impl Peer {
    /// What rates are counted by: the address, of IPv6 the /64 that one subscriber has.
    pub fn counted(&self) -> IpAddr {
        match self.ip.to_canonical() {
            IpAddr::V6(ip) => IpAddr::V6((u128::from(ip) >> 64 << 64).into()),
            ip @ IpAddr::V4(_) => ip,
        }
    }
}
