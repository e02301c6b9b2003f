//! A federation's network on one machine.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::cleanup;
use crate::ip::ip;
use crate::names::{
    LabName, MAX_NODES, MAX_USERS, container_address, container_address6, node_address, node_address6,
    peer_address, peer_address6, user_address, user_address6,
};
use crate::namespace::Namespace;
use crate::offloads::{self, Offloads};
use crate::registry;

/// What a lab is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Topology {
    /// How many nodes, from 1.
    pub nodes: u8,
    /// How many addresses the users beside each node have, from 1.
    pub users: u8,
    /// Offloads of the interfaces of nodes and users.
    pub offloads: Offloads,
}

impl Default for Topology {
    fn default() -> Self {
        Self { nodes: 3, users: 1, offloads: Offloads::default() }
    }
}

/// Network namespaces in which nodes run: node `i` has `peers0` (10.77.0.i/24, on a switch with the others) and
/// `users0` (10.77.i.1/24, towards its users, who have 10.77.i.10 and up). The same over IPv6: fd77::i/64, fd77:i::1/64,
/// and fd77:i::10 and up. Dropping it ends all processes in there and removes everything.
#[derive(Debug)]
pub struct Lab {
    name: LabName,
    topology: Topology,
}

impl Lab {
    /// Makes the namespaces and interfaces. Needs root and `ip`; the error names the command that failed.
    pub fn new(topology: Topology) -> Result<Self> {
        ensure!((1..=MAX_NODES).contains(&topology.nodes), "a lab has 1 to {MAX_NODES} nodes");
        ensure!((1..=MAX_USERS).contains(&topology.users), "a node has 1 to {MAX_USERS} user addresses");
        // From here on dropping removes what was made so far.
        let lab = Self { name: registry::register()?, topology };
        {
            let _making = registry::enter();
            lab.make()?;
        }
        Ok(lab)
    }

    fn make(&self) -> Result<()> {
        let folder = self.folder();
        std::fs::DirBuilder::new()
            .mode(0o700)
            .create(&folder)
            .with_context(|| format!("cannot make folder {}", folder.display()))?;
        let switch = self.switch();
        make_namespace(&switch)?;
        on(&switch, "link add name bridge0 type bridge forward_delay 0")?;
        on(&switch, "link set dev bridge0 up")?;
        (1..=self.topology.nodes).try_for_each(|index| self.make_node(index))
    }

    fn make_node(&self, index: u8) -> Result<()> {
        let (switch, node, users) = (self.switch(), self.node(index), self.users(index));
        make_namespace(&node)?;
        make_namespace(&users)?;

        let port = format!("node{index}");
        on(&node, &format!("link add name peers0 type veth peer name {port} netns {}", switch.name()))?;
        on(&switch, &format!("link set dev {port} master bridge0 up"))?;
        add_address(&node, "peers0", peer_address(index).into())?;
        add_address(&node, "peers0", peer_address6(index).into())?;
        on(&node, "link set dev peers0 up")?;

        on(&node, &format!("link add name users0 type veth peer name eth0 netns {}", users.name()))?;
        add_address(&node, "users0", node_address(index).into())?;
        add_address(&node, "users0", node_address6(index).into())?;
        on(&node, "link set dev users0 up")?;
        for user in 0..self.topology.users {
            add_address(&users, "eth0", user_address(index, user).into())?;
            add_address(&users, "eth0", user_address6(index, user).into())?;
        }
        on(&users, "link set dev eth0 up")?;
        on(&users, &format!("route add default via {}", node_address(index)))?;
        on(&users, &format!("-6 route add default via {}", node_address6(index)))?;

        let offloads = self.topology.offloads;
        node.run(|| ["peers0", "users0"].iter().try_for_each(|name| offloads::set(name, offloads)))??;
        switch.run(|| offloads::set(&port, offloads))??;
        users.run(|| {
            offloads::set("eth0", offloads)?;
            // Many short connections from few addresses: nearly all ports.
            std::fs::write("/proc/sys/net/ipv4/ip_local_port_range", "1024 65535")
                .context("cannot set the range of local ports")
        })?
    }

    /// Name of the lab, the start of all names of its namespaces.
    pub fn name(&self) -> String {
        self.name.to_string()
    }

    /// How many nodes it has.
    pub fn nodes(&self) -> u8 {
        self.topology.nodes
    }

    /// The namespace of node `index`, from 1.
    pub fn node(&self, index: u8) -> Namespace {
        Namespace::new(format!("{}n{index}", self.name.prefix()))
    }

    /// Makes a namespace behind node `index`, as a container runtime does: a veth pair, forwarding switched on. Nothing
    /// leads there yet; see [`crate::firewall::publish`].
    pub fn add_container(&self, index: u8) -> Result<Namespace> {
        let _making = registry::enter();
        let (node, container) = (self.node(index), Namespace::new(format!("{}c{index}", self.name.prefix())));
        make_namespace(&container)?;
        let outside = Ipv4Addr::new(10, 78, index, 1);
        let outside6 = Ipv6Addr::new(0xfd78, index.into(), 0, 0, 0, 0, 0, 1);
        on(&node, &format!("link add name pods0 type veth peer name eth0 netns {}", container.name()))?;
        add_address(&node, "pods0", outside.into())?;
        add_address(&node, "pods0", outside6.into())?;
        on(&node, "link set dev pods0 up")?;
        add_address(&container, "eth0", container_address(index).into())?;
        add_address(&container, "eth0", container_address6(index).into())?;
        on(&container, "link set dev eth0 up")?;
        on(&container, &format!("route add default via {outside}"))?;
        on(&container, &format!("-6 route add default via {outside6}"))?;
        let offloads = self.topology.offloads;
        container.run(|| offloads::set("eth0", offloads))??;
        node.run(|| {
            offloads::set("pods0", offloads)?;
            let forward = |family| std::fs::write(format!("/proc/sys/net/{family}"), "1");
            forward("ipv4/ip_forward").context("cannot switch forwarding on")?;
            forward("ipv6/conf/all/forwarding").context("cannot switch forwarding of IPv6 on")
        })??;
        Ok(container)
    }

    /// The namespace of the users beside node `index`, from 1.
    pub fn users(&self, index: u8) -> Namespace {
        Namespace::new(format!("{}u{index}", self.name.prefix()))
    }

    /// The namespace of the switch between the nodes.
    pub fn switch(&self) -> Namespace {
        Namespace::new(format!("{}sw", self.name.prefix()))
    }

    /// A folder that lives as long as the lab, for configuration, sockets and logs.
    pub fn folder(&self) -> PathBuf {
        cleanup::folder(self.name)
    }

    /// Where node `index` pins its programs and maps; removed with the lab.
    pub fn pin(&self, index: u8) -> PathBuf {
        Path::new(cleanup::BPFFS).join(format!("{}n{index}", self.name.pin_prefix()))
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        registry::unregister(self.name);
    }
}

/// Gives an interface an address, at once: nobody else can have it.
fn add_address(namespace: &Namespace, interface: &str, address: IpAddr) -> Result<()> {
    let (bits, at_once) = if address.is_ipv6() { (64, " nodad") } else { (24, "") };
    on(namespace, &format!("address add {address}/{bits} dev {interface}{at_once}"))
}

fn make_namespace(namespace: &Namespace) -> Result<()> {
    ip(&format!("netns add {}", namespace.name()))?;
    on(namespace, "link set dev lo up")
}

fn on(namespace: &Namespace, words: &str) -> Result<()> {
    ip(&format!("-n {} {words}", namespace.name())).map(drop)
}
