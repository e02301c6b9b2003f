//! One node of the federation: its gateway and its agent.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::Signal;

use crate::family::Family;
use crate::http;
use crate::lab::Lab;
use crate::namespace::Namespace;
use crate::process::Process;
use crate::settings::{ADMIN_PORT, Agent, Gateway, node_name};

/// How long a gateway or an agent may take until it is ready.
const READY: Duration = Duration::from_secs(30);

/// How long they may take to end when asked to.
const STOP: Duration = Duration::from_secs(10);

/// The `dfaas` program: `DFAAS_BIN`, else the one beside the running test or tool.
pub fn dfaas_binary() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("DFAAS_BIN") {
        return Ok(path.into());
    }
    let own = std::env::current_exe().context("cannot tell the path of this program")?;
    own.ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join("dfaas"))
        .find(|path| path.is_file())
        .context("the dfaas program is not built: run `cargo xtask test`, or set DFAAS_BIN to its path")
}

/// A node of a [`Lab`]. Its programs are started and stopped one by one; all end when it is dropped.
#[derive(Debug)]
pub struct Node {
    pub(crate) index: u8,
    pub(crate) namespace: Namespace,
    pub(crate) folder: PathBuf,
    pub(crate) binary: PathBuf,
    configured: Mutex<Configured>,
    gateway: Option<Process>,
    agent: Option<Process>,
}

/// What is kept of the agent's configuration.
#[derive(Debug, Default)]
struct Configured {
    log: Option<String>,
    family: Family,
}

impl Node {
    /// Writes both configuration files of node `index` (from 1) for the program that [`dfaas_binary`] finds. Nothing
    /// runs yet.
    pub fn new(lab: &Lab, index: u8, agent: &Agent, gateway: &Gateway) -> Result<Self> {
        Self::with_binary(lab, index, agent, gateway, &dfaas_binary()?)
    }

    /// The same for this program.
    pub fn with_binary(
        lab: &Lab,
        index: u8,
        agent: &Agent,
        gateway: &Gateway,
        binary: &Path,
    ) -> Result<Self> {
        let folder = lab.folder().join(node_name(index));
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make folder {}", folder.display()))?;
        let node = Self {
            index,
            namespace: lab.node(index),
            folder,
            binary: binary.to_owned(),
            configured: Mutex::default(),
            gateway: None,
            agent: None,
        };
        node.configure_agent(lab, agent)?;
        node.configure_gateway(gateway)?;
        Ok(node)
    }

    /// Writes another configuration for the agent's next start.
    pub fn configure_agent(&self, lab: &Lab, agent: &Agent) -> Result<()> {
        if let Ok(mut configured) = self.configured.lock() {
            *configured = Configured { log: agent.log.clone(), family: agent.family };
        }
        self.write("agent.toml", &agent.render(lab, self.index, &self.admin_socket(), &self.identity_file())?)
    }

    /// Writes another configuration for the gateway's next start.
    pub fn configure_gateway(&self, gateway: &Gateway) -> Result<()> {
        self.write("gateway.toml", &gateway.render(self.index)?)
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        let path = self.folder.join(name);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Its name.
    pub fn name(&self) -> String {
        node_name(self.index)
    }

    /// The network namespace of the node.
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// Where users call it; by IPv4, if they call by both families.
    pub fn address(&self) -> SocketAddr {
        self.family().node_address(self.index)
    }

    /// Everywhere that users call it, IPv4 first.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.family().node_addresses(self.index)
    }

    /// Over which families it is called.
    pub fn family(&self) -> Family {
        self.configured.lock().map_or_else(|_| Family::default(), |configured| configured.family)
    }

    /// The agent's admin address, inside the node's namespace.
    pub fn admin_address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, ADMIN_PORT).into()
    }

    /// The agent's socket for `dfaas status` and its like.
    pub fn admin_socket(&self) -> PathBuf {
        self.folder.join("agent.sock")
    }

    /// Everything that the node's agents wrote to their log so far.
    pub fn agent_log(&self) -> String {
        let text = std::fs::read(self.folder.join("agent.log")).unwrap_or_default();
        String::from_utf8_lossy(&text).into_owned()
    }

    /// The agent's configuration file.
    pub fn agent_file(&self) -> PathBuf {
        self.folder.join("agent.toml")
    }

    /// Where its identity is; see [`Node::identify`].
    pub fn identity_file(&self) -> PathBuf {
        self.folder.join("identity.pem")
    }

    /// Starts the gateway and waits until it answers.
    pub fn start_gateway(&mut self) -> Result<()> {
        let mut process = self.start("gateway")?;
        wait_ready(&mut process, &self.namespace, self.address(), "/healthz")?;
        self.gateway = Some(process);
        Ok(())
    }

    /// Starts the agent and waits until it is ready.
    pub fn start_agent(&mut self) -> Result<()> {
        let mut process = self.start("agent")?;
        wait_ready(&mut process, &self.namespace, self.admin_address(), "/readyz")?;
        self.agent = Some(process);
        Ok(())
    }

    /// Starts the agent and does not wait: without its gateway it may never be ready.
    pub fn launch_agent(&mut self) -> Result<()> {
        self.agent = Some(self.start("agent")?);
        Ok(())
    }

    /// Sends the running agent `signal`, if it has not got one already, and waits until it ends. An error if that
    /// takes longer than `limit`; it is killed then.
    pub fn end_agent(&mut self, signal: Option<Signal>, limit: Duration) -> Result<ExitStatus> {
        let mut process = self.agent.take().with_context(|| format!("no agent runs on {}", self.name()))?;
        signal.map_or(Ok(()), |signal| process.signal(signal))?;
        let ended = process.wait(limit)?;
        ended.with_context(|| format!("the agent did not end within {limit:?}\n{}", process.log_tail()))
    }

    fn start(&self, part: &str) -> Result<Process> {
        let mut command = Command::new(&self.binary);
        let filter = self.configured.lock().ok().and_then(|configured| configured.log.clone());
        if let Some(filter) = filter.filter(|_| part == "agent") {
            command.args(["--log", &filter]);
        }
        command.arg(part).arg("--config").arg(self.folder.join(format!("{part}.toml")));
        let name = format!("{part} of {}", self.name());
        Process::spawn(&name, &self.namespace, command, &self.folder.join(format!("{part}.log")))
    }

    /// The running gateway.
    pub fn gateway(&self) -> Option<&Process> {
        self.gateway.as_ref()
    }

    /// The running agent.
    pub fn agent(&self) -> Option<&Process> {
        self.agent.as_ref()
    }

    /// Ends the gateway in order; nothing if it does not run.
    pub fn stop_gateway(&mut self) -> Result<Option<ExitStatus>> {
        self.gateway.take().map(|mut process| process.stop(STOP)).transpose()
    }

    /// Ends the agent in order; nothing if it does not run.
    pub fn stop_agent(&mut self) -> Result<Option<ExitStatus>> {
        self.agent.take().map(|mut process| process.stop(STOP)).transpose()
    }

    /// Kills the gateway with SIGKILL.
    pub fn kill_gateway(&mut self) -> Result<()> {
        kill(self.gateway.take())
    }

    /// Kills the agent with SIGKILL.
    pub fn kill_agent(&mut self) -> Result<()> {
        kill(self.agent.take())
    }

    /// An error if a program that was started has ended by itself, with the last lines of its log.
    pub fn check(&mut self) -> Result<()> {
        self.gateway.iter_mut().chain(&mut self.agent).try_for_each(Process::check)
    }

    /// The last lines of the running programs' logs.
    pub fn log_tails(&self) -> String {
        let tails: Vec<_> = self.gateway.iter().chain(&self.agent).map(Process::log_tail).collect();
        tails.join("\n")
    }
}

impl Drop for Node {
    /// While a test fails it tells its state, as long as its programs run.
    fn drop(&mut self) {
        if std::thread::panicking() && self.agent.is_some() {
            eprintln!("{:?}\n{}", self.family(), self.dump());
        }
    }
}

fn kill(process: Option<Process>) -> Result<()> {
    let Some(mut process) = process else { return Ok(()) };
    process.signal(Signal::SIGKILL)?;
    process.wait(STOP)?;
    Ok(())
}

/// Asks until the answer is 200; ends early if the process ends.
pub(crate) fn wait_ready(
    process: &mut Process,
    namespace: &Namespace,
    address: SocketAddr,
    path: &str,
) -> Result<()> {
    let deadline = Instant::now() + READY;
    loop {
        let answer = http::get(namespace, address, path, Duration::from_secs(2));
        let reason = match answer {
            Ok(answer) if answer.status().is_success() => return Ok(()),
            Ok(answer) => {
                let body = String::from_utf8_lossy(answer.body());
                format!("{} {}", answer.status(), body.trim())
            }
            Err(error) => format!("{error:#}"),
        };
        process.check()?;
        if Instant::now() >= deadline {
            let log = process.log_tail();
            bail!("http://{address}{path} is not ready after {READY:?}: {reason}\n{log}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
