//! The forms of single values. Each function says in one sentence what is wrong.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;

use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};

/// An address with a port that can be listened at or called: both are given.
pub(super) fn socket_address(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text.parse().map_err(|_| {
        format!("\"{text}\" is not an address with a port, like 192.0.2.10:8080 or [2001:db8::1]:8080")
    })?;
    if address.port() == 0 {
        return Err(format!("\"{text}\" has port 0; name the port"));
    }
    Ok(SocketAddr::new(address.ip().to_canonical(), address.port()))
}

/// An address with a port at which another host, or a part of this one, is reached.
pub(super) fn remote_address(text: &str) -> Result<SocketAddr, String> {
    let address = socket_address(text)?;
    one_host(address.ip()).map(|_| address)
}

/// The address of one other node.
pub(super) fn host_address(text: &str) -> Result<IpAddr, String> {
    let address: IpAddr = text
        .parse()
        .map_err(|_| format!("\"{text}\" is not an IP address, like 192.0.2.11 or 2001:db8::2"))?;
    one_host(address.to_canonical())
}

/// Whether packets to this address go to one host, wherever they leave this one.
fn one_host(address: IpAddr) -> Result<IpAddr, String> {
    if address.is_unspecified() || address.is_multicast() {
        return Err(format!("{address} is not the address of one node"));
    }
    if matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local()) {
        return Err(format!(
            "{address} is link-local; name one that is reached without saying by which interface"
        ));
    }
    Ok(address)
}

/// The address that a URL names, with its port; `None` if its host is a name.
pub(super) fn url_address(url: &reqwest::Url) -> Option<SocketAddr> {
    let ip: IpAddr = url.host_str()?.trim_matches(['[', ']']).parse().ok()?;
    Some(SocketAddr::new(ip.to_canonical(), url.port_or_known_default()?))
}

/// `first-last`, ports above the privileged ones.
pub(super) fn port_range(text: &str) -> Result<RangeInclusive<u16>, String> {
    let parsed = text.split_once('-').and_then(|(first, last)| {
        Some((first.trim().parse::<u16>().ok()?, last.trim().parse::<u16>().ok()?))
    });
    let Some((first, last)) = parsed else {
        return Err(format!("\"{text}\" is not a range of ports, like 20000-29999"));
    };
    if first > last {
        return Err(format!("\"{text}\" ends before it begins"));
    }
    if first < 1024 {
        return Err(format!("\"{text}\" begins below 1024; source ports must be unprivileged"));
    }
    Ok(first..=last)
}

/// An `http://` address without credentials, query or fragment.
pub(crate) fn http_url(text: &str) -> Result<reqwest::Url, String> {
    let mut url: reqwest::Url = text
        .parse()
        .map_err(|cause| format!("\"{text}\" is not a URL, like http://127.0.0.1:8080: {cause}"))?;
    if url.scheme() != "http" {
        return Err(format!("\"{text}\": only http:// addresses are supported"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("credentials do not belong in the URL; use user and password_file".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("\"{text}\" must end with its path"));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

/// An overlay listen address: `/ip4/A/tcp/P` or `/ip4/A/udp/P/quic-v1`, also with `ip6`.
pub(super) fn overlay_listen(text: &str) -> Result<OverlayListen, String> {
    let wrong = || {
        format!(
            "\"{text}\" is not a listen address, like /ip4/0.0.0.0/tcp/31600 or /ip4/0.0.0.0/udp/31600/quic-v1"
        )
    };
    let parts: Vec<&str> = text.split('/').collect();
    let (family, address, transport, port) = match parts.as_slice() {
        ["", family, address, "tcp", port] => (*family, *address, "tcp", *port),
        ["", family, address, "udp", port, "quic-v1"] => (*family, *address, "udp", *port),
        _ => return Err(wrong()),
    };
    let address: IpAddr = address.parse().map_err(|_| wrong())?;
    if (family == "ip4") != address.is_ipv4() || !matches!(family, "ip4" | "ip6") {
        return Err(wrong());
    }
    match port.parse() {
        Ok(0) | Err(_) => Err(format!("\"{text}\" has no valid {transport} port")),
        Ok(port) => Ok(OverlayListen {
            address: text.parse().map_err(|_| wrong())?,
            port,
            loopback: address.is_loopback(),
        }),
    }
}

/// Where the overlay listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OverlayListen {
    /// As libp2p writes it.
    pub address: Multiaddr,
    /// The TCP or UDP port.
    pub port: u16,
    /// Whether only this machine reaches it.
    pub loopback: bool,
}

/// A bootstrap address: where and over what a node is reached, and its peer id at the end.
pub(super) fn bootstrap(text: &str) -> Result<(PeerId, Multiaddr), String> {
    let wrong = |reason: &str| {
        format!(
            "\"{text}\" is not a bootstrap address, like /ip4/192.0.2.1/tcp/31600/p2p/12D3KooW...: {reason}"
        )
    };
    let address: Multiaddr = text.parse().map_err(|_| wrong("no multiaddress"))?;
    let parts: Vec<Protocol<'_>> = address.iter().collect();
    let id = match parts.as_slice() {
        [Protocol::Ip4(_) | Protocol::Ip6(_), Protocol::Tcp(_), Protocol::P2p(id)] => *id,
        [Protocol::Ip4(_) | Protocol::Ip6(_), Protocol::Udp(_), Protocol::QuicV1, Protocol::P2p(id)] => *id,
        [Protocol::Dns(_) | Protocol::Dns4(_) | Protocol::Dns6(_) | Protocol::Dnsaddr(_), ..] => {
            return Err(wrong("names are not looked up; write the IP address"));
        }
        [.., Protocol::P2p(_)] => return Err(wrong("neither TCP nor QUIC over IP")),
        _ => return Err(wrong("it does not end with /p2p/ and a peer id")),
    };
    Ok((id, address))
}

/// The id of a node of the overlay.
pub(super) fn peer_id(text: &str) -> Result<PeerId, String> {
    text.parse().map_err(|_| format!("\"{text}\" is not a peer id, as `dfaas id show` prints it"))
}

/// A region: free text that fits in one line of a table.
pub(crate) fn region(text: &str) -> Result<(), String> {
    if text.chars().count() > 63 || text.chars().any(char::is_control) {
        return Err("a region has up to 63 printable characters".to_owned());
    }
    Ok(())
}

/// A name that can stand in metrics labels and commands.
pub(crate) fn name(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("must not be empty".to_owned());
    }
    if text.len() > 63 || !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)) {
        return Err(format!("\"{text}\" is not a name: up to 63 letters, digits, '-', '.' and '_'"));
    }
    if matches!(text, "local" | "reject") {
        return Err(format!("\"{text}\" is a word of the metrics; choose another name"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlay_addresses_give_their_port() {
        assert_eq!(overlay_listen("/ip4/0.0.0.0/udp/31600/quic-v1").unwrap().port, 31600);
        let loopback = overlay_listen("/ip6/::1/tcp/4001").unwrap();
        assert_eq!((loopback.port, loopback.loopback), (4001, true));
        for wrong in
            ["", "/ip4/::/tcp/1", "/ip4/1.2.3.4/tcp/0", "/ip4/1.2.3.4/tcp/x", "/dns4/a/tcp/1", "1.2.3.4:5"]
        {
            assert!(overlay_listen(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_bootstrap_address_says_where_and_who() {
        let id = "12D3KooWGQmdpbHXzJxqHCxpnL9jsV4QQqYGB3uZTgbDzHmMCy5P";
        for good in ["/ip4/192.0.2.1/tcp/31600", "/ip6/2001:db8::1/udp/31600/quic-v1"] {
            let (peer, address) = bootstrap(&format!("{good}/p2p/{id}")).unwrap();
            assert_eq!((peer.to_string(), address.to_string()), (id.to_owned(), format!("{good}/p2p/{id}")));
            assert!(bootstrap(good).unwrap_err().contains("does not end with /p2p/"), "{good}");
        }
        for (wrong, reason) in [
            ("", "does not end with"),
            ("192.0.2.1:31600", "no multiaddress"),
            ("/ip4/192.0.2.1/tcp/31600/p2p/x", "no multiaddress"),
            (&*format!("/dns4/milan-2.example/tcp/31600/p2p/{id}"), "not looked up"),
            (&*format!("/ip4/192.0.2.1/udp/31600/p2p/{id}"), "neither TCP nor QUIC"),
        ] {
            let error = bootstrap(wrong).unwrap_err();
            assert!(error.contains(reason), "{wrong}: {error}");
        }
    }

    #[test]
    fn a_gateway_address_loses_its_last_slash_and_keeps_its_path() {
        assert_eq!(http_url("http://127.0.0.1:8080/").unwrap().as_str(), "http://127.0.0.1:8080/");
        assert_eq!(http_url("http://h/openfaas/").unwrap().path(), "/openfaas");
        for wrong in ["127.0.0.1:8080", "https://h", "http://a:b@h", "http://h?x=1", "ftp://h"] {
            assert!(http_url(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_url_tells_its_address_where_its_host_is_one() {
        let address = |url: &str| url_address(&http_url(url).unwrap()).map(|at| at.to_string());
        assert_eq!(address("http://192.0.2.1:31112/x").as_deref(), Some("192.0.2.1:31112"));
        assert_eq!(address("http://192.0.2.1").as_deref(), Some("192.0.2.1:80"));
        assert_eq!(address("http://[2001:db8::1]:8080").as_deref(), Some("[2001:db8::1]:8080"));
        assert_eq!(address("http://gateway.example:8080"), None);
    }

    #[test]
    fn an_address_is_of_the_family_that_packets_have_however_it_is_written() {
        assert_eq!(socket_address("[::ffff:192.0.2.1]:8080").unwrap().to_string(), "192.0.2.1:8080");
        assert_eq!(host_address("::ffff:192.0.2.1").unwrap().to_string(), "192.0.2.1");
        assert!(remote_address("[2001:db8::1]:8080").is_ok());
        for wrong in
            ["[fe80::1]:8080", "0.0.0.0:8080", "[ff02::1]:8080", "[::]:80", "192.0.2.1", "192.0.2.1:0"]
        {
            assert!(remote_address(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn port_ranges_run_upwards_above_the_privileged_ports() {
        assert_eq!(port_range("20000-29999"), Ok(20000..=29999));
        for wrong in ["", "20000", "5-4", "80-90", "1-70000", "a-b", "30000-20000"] {
            assert!(port_range(wrong).is_err(), "{wrong}");
        }
    }
}
