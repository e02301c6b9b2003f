//! A lab in which the ways stand side by side, each with nodes of its own.

use std::net::{Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use super::call::Call;
use super::haproxy;
use super::others::inode;
use super::run::Run;
use super::way::Way;
use super::workload::Workload;
use crate::node::wait_ready;
use crate::settings::{Agent, Gateway, INVOCATION_PORT, StaticPeer, node_name};
use crate::{Family, Lab, Node, Process, Topology};

/// How long a run may take beyond its time.
const PATIENCE: Duration = Duration::from_secs(60);

/// The programs that run in the lab.
#[derive(Debug, Clone)]
pub struct Programs {
    /// The agent.
    pub dfaas: PathBuf,
    /// Server and caller.
    pub traffic: PathBuf,
    /// The proxy, if it is one of the ways.
    pub haproxy: Option<PathBuf>,
}

/// Nodes with their servers, and the agents and the proxy that the ways need. All ends when it is dropped.
#[derive(Debug)]
pub struct Site {
    family: Family,
    ways: Vec<Way>,
    programs: Programs,
    threads: usize,
    own: Vec<u64>,
    servers: Vec<Process>,
    proxy: Option<Process>,
    nodes: Vec<Node>,
    // Dropped last: all of them run in it.
    lab: Lab,
}

impl Site {
    /// Everything runs over this family, and each way has been seen to lead where it shall.
    ///
    /// # Errors
    /// If something does not start, with the last lines of its log.
    pub fn new(family: Family, ways: &[Way], programs: &Programs) -> Result<Self> {
        let highest = ways.iter().map(|way| way.serving()).max().context("there is no way to compare")?;
        let lab = Lab::new(Topology { nodes: highest, ..Topology::default() })
            .context("cannot make the network namespaces")?;
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let namespaces = (1..=highest).flat_map(|index| [lab.node(index), lab.users(index)]);
        let own = namespaces.filter_map(|namespace| inode(&namespace.path())).collect();
        let mut site = Self {
            family,
            ways: ways.to_vec(),
            programs: programs.clone(),
            threads,
            own,
            servers: Vec::new(),
            proxy: None,
            nodes: Vec::new(),
            lab,
        };
        site.make_nodes()?;
        for way in site.ways.clone() {
            site.start(way).with_context(|| format!("cannot start the way `{}`", way.name()))?;
        }
        Ok(site)
    }

    fn make_nodes(&mut self) -> Result<()> {
        let family = self.family;
        let peers = |way: u8| vec![StaticPeer::node_over(family, way, 1.0)];
        for index in 1..=self.lab.nodes() {
            let agent = Agent { family, ..Agent::default() };
            let agent = match index {
                _ if index == Way::Peer.called() => {
                    Agent { static_local: 0.0, peers: peers(Way::Peer.serving()), ..agent }
                }
                // It takes invocations from whom it knows.
                _ if index == Way::Peer.serving() => Agent { peers: peers(Way::Peer.called()), ..agent },
                _ => agent,
            };
            let gateway = Gateway { family, ..Gateway::default() };
            self.nodes.push(Node::with_binary(&self.lab, index, &agent, &gateway, &self.programs.dfaas)?);
        }
        Ok(())
    }

    /// The server answers first, then the node that it is on, then the node that users call.
    fn start(&mut self, way: Way) -> Result<()> {
        self.start_server(way.serving())?;
        match way {
            Way::Direct => {}
            Way::Local => self.node(way.called())?.start_agent()?,
            Way::Peer => {
                self.node(way.serving())?.start_agent()?;
                // Its agent asks the node's own gateway for functions, although none is called there.
                self.start_server(way.called())?;
                self.node(way.called())?.start_agent()?;
            }
            Way::Haproxy => self.start_proxy()?,
        }
        let run = self.run(way, Workload::Connect, 0.05, 0.05)?;
        let reasons: Vec<_> = run.errors.keys().filter(|reason| !reason.starts_with("no request")).collect();
        ensure!(reasons.is_empty(), "its first answers are wrong: {reasons:?}");
        Ok(())
    }

    fn start_server(&mut self, index: u8) -> Result<()> {
        let name = node_name(index);
        let listen = SocketAddr::from((Ipv6Addr::UNSPECIFIED, INVOCATION_PORT));
        let mut command = Command::new(&self.programs.traffic);
        command.args(["serve", &name, &listen.to_string(), &self.threads.to_string()]);
        let log = self.lab.folder().join(format!("server-{index}.log"));
        let namespace = self.lab.node(index);
        let mut process = Process::spawn(&format!("the server of {name}"), &namespace, command, &log)?;
        wait_ready(&mut process, &namespace, self.family.node_address(index), "/healthz")?;
        self.servers.push(process);
        Ok(())
    }

    fn start_proxy(&mut self) -> Result<()> {
        let program = self.programs.haproxy.as_ref().context("there is no program haproxy")?;
        let called = Way::Haproxy.called();
        let listen = self.family.node_address(called);
        let server = SocketAddr::new(self.family.peer_address(Way::Haproxy.serving()), INVOCATION_PORT);
        let file = self.lab.folder().join("haproxy.cfg");
        std::fs::write(&file, haproxy::configuration(listen, server, self.threads))
            .with_context(|| format!("cannot write {}", file.display()))?;
        let mut command = Command::new(program);
        command.arg("-db").arg("-f").arg(&file);
        let namespace = self.lab.node(called);
        let mut process =
            Process::spawn("haproxy", &namespace, command, &self.lab.folder().join("haproxy.log"))?;
        wait_ready(&mut process, &namespace, listen, "/healthz")?;
        self.proxy = Some(process);
        Ok(())
    }

    fn node(&mut self, index: u8) -> Result<&mut Node> {
        self.nodes.get_mut(usize::from(index) - 1).with_context(|| format!("the lab has no node {index}"))
    }

    /// Calls by one way for `seconds`, after a warm-up of so many seconds.
    ///
    /// # Errors
    /// If it cannot be run, if one of the programs has ended, or if the data plane did not steer what it was to
    /// steer. What goes wrong with requests is in the [`Run`].
    pub fn run(&mut self, way: Way, workload: Workload, warm_up: f64, seconds: f64) -> Result<Run> {
        let before = self.steered(way)?;
        let run = self.call(way, workload, warm_up, seconds)?;
        self.check()?;
        if let (Some(before), Some(after)) = (before, self.steered(way)?) {
            let least =
                if workload.keeps_connections() { workload.connections() as u64 } else { run.requests };
            let steered = after - before;
            // Else it would be measured how fast the kernel is without the data plane.
            ensure!(
                steered >= least as f64 || run.failed() > 0,
                "the data plane of {} has steered {steered} connections as it should, of at least {least}",
                node_name(way.called())
            );
        }
        Ok(run)
    }

    fn call(&self, way: Way, workload: Workload, warm_up: f64, seconds: f64) -> Result<Run> {
        let call = Call {
            target: self.family.node_address(way.called()),
            workload,
            node: node_name(way.serving()),
            warm_up,
            seconds,
            threads: self.threads,
            own: self.own.clone(),
        };
        let job = serde_json::to_string(&call).context("cannot write the job of the caller")?;
        let mut command = Command::new(&self.programs.traffic);
        command.args(["call", &job]);
        let log = self.lab.folder().join("call.log");
        // One log for each run: what it says is its outcome.
        let _ = std::fs::remove_file(&log);
        let mut process = Process::spawn("the caller", &self.lab.users(way.called()), command, &log)?;
        let limit = PATIENCE + Duration::try_from_secs_f64(warm_up + seconds).unwrap_or_default();
        match process.wait(limit)? {
            Some(status) if status.success() => {}
            Some(status) => bail!("the caller failed ({status})\n{}", process.log_tail()),
            None => bail!("the caller did not end within {limit:?}\n{}", process.log_tail()),
        }
        let said = std::fs::read_to_string(&log).with_context(|| format!("cannot read {}", log.display()))?;
        serde_json::from_str(&said).with_context(|| format!("the caller told no outcome:\n{said}"))
    }

    /// Invocations that the data plane of the called node has bound to where the way leads; `None` if there is none.
    fn steered(&self, way: Way) -> Result<Option<f64>> {
        let Some(backend) = way.backend() else { return Ok(None) };
        let node = self.nodes.get(usize::from(way.called()) - 1).context("the node is not there")?;
        node.bound_to(&backend).map(Some)
    }

    /// An error if a program has ended by itself, with the last lines of its log.
    fn check(&mut self) -> Result<()> {
        self.nodes.iter_mut().try_for_each(Node::check)?;
        self.servers.iter_mut().chain(&mut self.proxy).try_for_each(Process::check)
    }
}
