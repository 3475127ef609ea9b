//! Who sent a request, behind proxies too.

use std::net::{IpAddr, SocketAddr};

use axum::extract::Request;
use axum::http::HeaderMap;
use guichet_contract::web::Peer;
use serde::Deserialize;

/// The other end of the connection a request came by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hop(pub(super) SocketAddr);

/// A proxy that is believed: an address, or a network as `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct TrustedProxy {
    base: IpAddr,
    bits: u8,
}

impl TryFrom<String> for TrustedProxy {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("\"{text}\" is neither an address nor a network; write 10.0.0.7 or 10.0.0.0/8");
        let (base, bits) = match text.split_once('/') {
            Some((base, bits)) => (base, Some(bits.parse::<u8>().map_err(|_| wrong())?)),
            None => (text.as_str(), None),
        };
        let base: IpAddr = base.trim().parse().map_err(|_| wrong())?;
        let most = if base.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        if bits > most { Err(wrong()) } else { Ok(Self { base, bits }) }
    }
}

impl TrustedProxy {
    fn holds(&self, ip: IpAddr) -> bool {
        let same = |one: u128, other: u128, width: u32| {
            let rest = width - u32::from(self.bits);
            one.checked_shr(rest).unwrap_or(0) == other.checked_shr(rest).unwrap_or(0)
        };
        match (self.base, ip.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(ip)) => same(u32::from(base).into(), u32::from(ip).into(), 32),
            (IpAddr::V6(base), IpAddr::V6(ip)) => same(base.into(), ip.into(), 128),
            _ => false,
        }
    }
}

/// Who sent `request`: the nearest hop that is no trusted proxy. What others write into the forwarding headers counts for
/// nothing.
pub(super) fn peer(request: &Request, trusted: &[TrustedProxy]) -> Peer {
    match request.extensions().get::<Hop>() {
        Some(Hop(hop)) => resolve(hop.ip(), request.headers(), trusted),
        None => Peer::default(),
    }
}

fn resolve(hop: IpAddr, headers: &HeaderMap, trusted: &[TrustedProxy]) -> Peer {
    let believed = |ip: IpAddr| trusted.iter().any(|proxy| proxy.holds(ip));
    let hop = hop.to_canonical();
    if !believed(hop) {
        return Peer { ip: hop, secure: false };
    }
    let mut ip = hop;
    let said = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let said: Vec<&str> = said.flat_map(|value| value.split(',')).map(str::trim).collect();
    for named in said.iter().rev() {
        let Some(named) = address(named) else { break };
        ip = named;
        if !believed(ip) {
            break;
        }
    }
    let secure = headers.get("x-forwarded-proto").is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"https"));
    Peer { ip, secure }
}

/// An address as proxies write it: bare, with a port, in brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.trim_matches(['[', ']']).parse::<IpAddr>();
    bare.or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip())).ok().map(|ip| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn seen(hop: &str, forwarded: &[&'static str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", HeaderValue::from_static(value));
        }
        let trusted: Vec<_> = trusted.iter().map(|text| TrustedProxy::try_from((*text).to_owned()).unwrap()).collect();
        resolve(hop.parse().unwrap(), &headers, &trusted).ip.to_string()
    }

    #[test]
    fn what_a_stranger_writes_into_the_header_counts_for_nothing() {
        assert_eq!(seen("203.0.113.9", &["198.51.100.1"], &[]), "203.0.113.9");
        assert_eq!(seen("127.0.0.1", &["1.2.3.4, 198.51.100.1"], &["127.0.0.1"]), "198.51.100.1");
    }

    #[test]
    fn a_chain_of_our_own_proxies_is_followed_to_its_end() {
        let ours = ["127.0.0.0/8", "10.0.0.0/8", "2001:db8::/32"];
        assert_eq!(seen("127.0.0.1", &["9.9.9.9, 203.0.113.5", "10.1.2.3"], &ours), "203.0.113.5");
        assert_eq!(seen("::ffff:127.0.0.1", &["[2001:db9::1]:4711"], &ours), "2001:db9::1");
        assert_eq!(seen("10.0.0.1", &["nonsense, 10.0.0.2"], &ours), "10.0.0.2");
    }

    #[test]
    fn what_is_no_network_is_refused_with_an_example() {
        for wrong in ["10.0.0.0/33", "proxy", "", "10.0.0.0/x"] {
            assert!(TrustedProxy::try_from(wrong.to_owned()).unwrap_err().contains("10.0.0.0/8"));
        }
        assert!(TrustedProxy::try_from("0.0.0.0/0".to_owned()).unwrap().holds("8.8.8.8".parse().unwrap()));
    }
}
