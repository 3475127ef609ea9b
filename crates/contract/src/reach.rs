//! Where this machine may be led by an address somebody else wrote.
//!
//! Whoever may name an address could otherwise make this machine ask what only this machine may ask: a cloud's metadata, a
//! printer, the database next door. A name is judged by what it resolves to, at the moment of connecting and not before: a name
//! that was public when it was checked may be private when it is used.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::pin::Pin;
use std::sync::Arc;

/// Asks for the addresses of a name.
pub type Lookup = Arc<dyn Fn(String) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> + Send + Sync>;

/// A name that leads to nothing but private addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Private;

impl fmt::Display for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name leads to a private or reserved address; set allow_private = true if that is meant")
    }
}

impl Error for Private {}

/// Whether an error was caused by [`Private`].
pub fn is_private(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<Private>() {
            return true;
        }
        next = error.source();
    }
    false
}

/// The machine's own resolver.
pub fn system() -> Lookup {
    Arc::new(|name| {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    })
}

/// The addresses of a name that may be connected to.
pub async fn resolve(
    lookup: &Lookup,
    name: &str,
    allow_private: bool,
) -> Result<Vec<IpAddr>, Box<dyn Error + Send + Sync>> {
    let mut addresses = lookup(name.to_owned()).await?;
    addresses.retain(|address| allow_private || is_public(*address));
    if addresses.is_empty() {
        return Err(Box::new(Private));
    }
    Ok(addresses)
}

/// Whether the address belongs to somebody on the open internet. What is reserved, private, or another address in
/// disguise is not (IANA's special-purpose registries, 2025).
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    // Azure's host agent answers here, in the middle of public space.
    const AZURE: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);
    !matches!(
        address.octets(),
        [0 | 10 | 127 | 224..=255, ..]
            | [100, 64..=127, ..]
            | [169, 254, ..]
            | [172, 16..=31, ..]
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [192, 168, ..]
            | [198, 18 | 19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
    ) && address != AZURE
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    // Only 2000::/3 is given out. That leaves aside loopback, unique-local, link-local and multicast addresses, IPv4 in
    // IPv6 (::ffff:0:0/96) and NAT64 (64:ff9b::/96, 64:ff9b:1::/48).
    let global = matches!(address.segments(), [0x2000..=0x3fff, ..]);
    let reserved = matches!(
        address.segments(),
        // IETF protocols with Teredo, documentation twice, 6to4.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..]
    );
    global && !reserved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_open_internet_is_public() {
        for private in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "100.100.100.200",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "239.255.255.250",
            "240.0.0.1",
            "255.255.255.255",
            "168.63.129.16",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001::1",
            "2001:0:53aa:64c::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:0808:0808::1",
            "3fff::1",
            "4000::1",
            "5f00::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.255.255",
            "172.32.0.1",
            "192.0.1.1",
            "198.17.255.255",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2001:4860:4860::8888",
            "2a01:e0a::1",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }
}
