//! Rules of the kernel's packet filter inside a namespace, by the command `nft`.

use std::net::{Ipv4Addr, SocketAddrV4};

use anyhow::{Context as _, Result};

use crate::namespace::Namespace;

/// A namespace that loses TCP packets of both families at random, those that come in and those that go out.
#[derive(Debug)]
pub struct Loss {
    namespace: Namespace,
}

impl Loss {
    /// Loses `percent` of the packets from now on, until it is dropped.
    pub fn start(namespace: &Namespace, percent: u8) -> Result<Self> {
        let rule = format!("meta l4proto tcp numgen random mod 100 < {percent} counter drop");
        let chain = |hook: &str| format!("chain {hook} {{\ntype filter hook {hook} priority 0\n{rule}\n}}\n");
        let rules = format!("table inet loss {{\n{}{}}}\n", chain("input"), chain("output"));
        namespace.output("nft", &["-f", "-"], &rules)?;
        Ok(Self { namespace: namespace.clone() })
    }

    /// Packets lost so far.
    pub fn dropped(&self) -> Result<u64> {
        let rules = self.namespace.output("nft", &["list", "table", "inet", "loss"], "")?;
        let counts = rules.split("counter packets ").skip(1).map(|rest| {
            let number = rest.split(' ').next().unwrap_or_default();
            number.parse::<u64>().with_context(|| format!("no number of packets in {rules}"))
        });
        counts.sum()
    }
}

impl Drop for Loss {
    fn drop(&mut self) {
        if let Err(error) = self.namespace.output("nft", &["delete", "table", "inet", "loss"], "") {
            eprintln!("lab: {error:#}");
        }
    }
}

/// Sends what comes to `from` on to `to`, a port of a container, as container runtimes publish ports: destination NAT,
/// with connection tracking.
pub fn publish(namespace: &Namespace, from: SocketAddrV4, to: (Ipv4Addr, u16)) -> Result<()> {
    let rule = format!("ip daddr {} tcp dport {} dnat to {}:{}", from.ip(), from.port(), to.0, to.1);
    let rules = format!(
        "table ip publish {{\nchain prerouting {{\ntype nat hook prerouting priority -100\n{rule}\n}}\n}}\n"
    );
    namespace.output("nft", &["-f", "-"], &rules).map(drop)
}
