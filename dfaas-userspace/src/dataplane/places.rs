//! The node's own endpoints: where users call, and where peers reach the data port.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use dfaas_common::address::Endpoint;
use dfaas_common::config::place;
use nix::ifaddrs::getifaddrs;
use nix::sys::socket::SockaddrStorage;

use super::kernel::{Kernel, map_error};
use super::{DataPlaneError, convert};

/// The address of an interface, if it is one at which other hosts reach this one.
fn reachable(address: &SockaddrStorage) -> Option<IpAddr> {
    if let Some(v4) = address.as_sockaddr_in() {
        return Some(v4.ip().into());
    }
    // A link-local address means nothing without its interface.
    let v6 = address.as_sockaddr_in6().map(|v6| v6.ip())?;
    (!v6.is_unicast_link_local()).then_some(v6.into())
}

/// The addresses of these interfaces at which other hosts reach this one, in order.
pub fn own_addresses(interfaces: &[String]) -> std::io::Result<Vec<IpAddr>> {
    let ours = getifaddrs()?.filter(|a| interfaces.contains(&a.interface_name));
    let addresses: BTreeSet<IpAddr> = ours.filter_map(|a| reachable(&a.address?)).collect();
    Ok(addresses.into_iter().collect())
}

impl Kernel {
    /// Addresses at which peers may reach the data port, in order.
    fn data_addresses(&self) -> Result<Vec<IpAddr>, DataPlaneError> {
        if let Some(address) = self.settings.data_address {
            return Ok(vec![address]);
        }
        own_addresses(&self.settings.interfaces).map_err(|e| DataPlaneError::Setup {
            what: "reading the addresses of the interfaces".to_owned(),
            cause: e.to_string(),
            hint: "set overlay.data_address",
        })
    }

    /// Writes the node's endpoints, and no others.
    pub(super) fn write_places(&mut self) -> Result<(), DataPlaneError> {
        let addresses = self.data_addresses()?;
        let mut wanted: BTreeMap<Endpoint, u32> =
            self.settings.listen.iter().map(|at| (convert::endpoint(*at), place::LISTEN)).collect();
        for address in &addresses {
            wanted.insert(convert::endpoint(SocketAddr::new(*address, self.settings.data_port)), place::DATA);
        }
        let present: BTreeSet<Endpoint> =
            self.places.keys().collect::<Result<_, _>>().map_err(map_error("PLACES"))?;
        for gone in present.iter().filter(|e| !wanted.contains_key(e)) {
            self.places.remove(gone).map_err(map_error("PLACES"))?;
        }
        for (at, role) in wanted {
            self.places.insert(at, role, 0).map_err(map_error("PLACES"))?;
        }
        self.data_addresses = addresses;
        Ok(())
    }

    /// Follows addresses that come and go: those that IPv6 hosts give themselves come late and change.
    pub(super) fn follow_addresses(&mut self) -> Result<(), DataPlaneError> {
        if self.data_addresses()? == self.data_addresses { Ok(()) } else { self.write_places() }
    }
}
