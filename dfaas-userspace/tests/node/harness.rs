//! An agent with its double and its gateway.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use dfaas_userspace::admin::Listeners;
use dfaas_userspace::agent::{self, AgentError, Exit, Outcome, Provided};
use dfaas_userspace::config::{self, Config};
use dfaas_userspace::overlay::Overlay;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::double::Double;
use crate::scripted::Gateway;

/// How long something that must come about may take; only a broken agent comes near it.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Node {
    pub dataplane: Double,
    pub gateway: Gateway,
    pub folder: TempDir,
    pub admin: String,
    pub shutdown: mpsc::Sender<Exit>,
    agent: JoinHandle<Result<Outcome, AgentError>>,
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    socket.local_addr().expect("a bound socket has an address").port()
}

/// A configuration with fast clocks and one peer; `more` is appended. Unless it begins with another strategy, that is
/// `static`, with which one agent alone has something to decide.
pub fn configuration(folder: &Path, gateway: &str, admin: &str, more: &str) -> String {
    format!(
        "[node]\nname = \"a\"\n\
         [dataplane]\ninterfaces = [\"lo\"]\nlisten = [\"127.0.0.1:8080\"]\npin = \"{folder}/pin\"\n\
         [gateway]\nurl = \"{gateway}\"\npoll = \"100ms\"\n\
         [admin]\nsocket = \"{folder}/run/agent.sock\"\nlisten = \"{admin}\"\n\
         [[static_peer]]\nname = \"b\"\naddress = \"192.0.2.2\"\nshare = 24\n\
         [control]\n{period}{strategy}{more}",
        period = if more.contains("period") { "" } else { "period = \"200ms\"\n" },
        strategy = if more.starts_with("strategy") { "" } else { "strategy = \"static\"\n" },
        folder = folder.display(),
    )
}

pub fn parse(text: &str) -> Config {
    config::parse(text, Path::new("agent.toml"), "a", &|path| std::fs::read_to_string(path))
        .unwrap_or_else(|errors| panic!("{errors}"))
}

/// Binds and runs, as the command does.
pub async fn run(
    config: Config,
    dataplane: Double,
    told: mpsc::Receiver<Exit>,
) -> Result<Outcome, AgentError> {
    run_with(config, dataplane, None, told).await
}

/// The same on an overlay.
pub async fn run_with(
    config: Config,
    dataplane: Double,
    overlay: Option<Overlay>,
    told: mpsc::Receiver<Exit>,
) -> Result<Outcome, AgentError> {
    let admin = Listeners::bind(&config.admin).await.expect("the addresses of the test are free");
    agent::run(config, admin, dataplane.boxed(), overlay, told).await
}

impl Node {
    pub async fn start(functions: &[&str]) -> Self {
        Self::with("", functions).await
    }

    /// As `start`, with more configuration after `[control]`.
    pub async fn with(more: &str, functions: &[&str]) -> Self {
        Self::over(Double::default(), Gateway::start(functions).await, more)
    }

    pub fn over(dataplane: Double, gateway: Gateway, more: &str) -> Self {
        Self::within(TempDir::new().expect("a temporary folder"), dataplane, gateway, more)
    }

    /// As `over`, in a folder where an earlier agent may have left something.
    pub fn within(folder: TempDir, dataplane: Double, gateway: Gateway, more: &str) -> Self {
        Self::on(None, folder, dataplane, gateway, more)
    }

    /// As `within`, on an overlay.
    pub fn on(
        overlay: Option<Overlay>,
        folder: TempDir,
        dataplane: Double,
        gateway: Gateway,
        more: &str,
    ) -> Self {
        let admin = format!("127.0.0.1:{}", free_port());
        let url = format!("http://{}", gateway.address);
        let config = parse(&configuration(folder.path(), &url, &admin, more));
        let (shutdown, told) = mpsc::channel(2);
        let agent = tokio::spawn(run_with(config, dataplane.clone(), overlay, told));
        Self { dataplane, gateway, folder, admin, shutdown, agent }
    }

    /// As `within`, with these providers in place of the gateways that the configuration names.
    pub fn provided(
        providers: Vec<Provided>,
        folder: TempDir,
        dataplane: Double,
        gateway: Gateway,
        more: &str,
    ) -> Self {
        let admin = format!("127.0.0.1:{}", free_port());
        let url = format!("http://{}", gateway.address);
        let config = parse(&configuration(folder.path(), &url, &admin, more));
        let (shutdown, told) = mpsc::channel(2);
        let boxed = dataplane.boxed();
        let agent = tokio::spawn(async move {
            let admin = Listeners::bind(&config.admin).await.expect("the addresses of the test are free");
            agent::run_over(config, providers, admin, boxed, None, told).await
        });
        Self { dataplane, gateway, folder, admin, shutdown, agent }
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("run/agent.sock")
    }

    pub async fn ready(self) -> Self {
        eventually("the node is ready", async || {
            self.get("/readyz").await.is_ok_and(|(code, _)| code == 200)
        })
        .await;
        self
    }

    /// Status and body at the TCP address.
    pub async fn get(&self, path: &str) -> reqwest::Result<(u16, String)> {
        let response = reqwest::get(format!("http://{}{path}", self.admin)).await?;
        Ok((response.status().as_u16(), response.text().await?))
    }

    /// Waits until the health says `ok` for the check `name`; the reason then.
    pub async fn health(&self, name: &str, ok: bool) -> String {
        let mut reason = String::new();
        eventually(&format!("health of {name} is {ok}"), async || {
            let Ok((code, body)) = self.get("/healthz").await else { return false };
            let health: agent::Health = serde_json::from_str(&body).expect("health is JSON");
            assert_eq!(code == 200, health.ok, "{body}");
            let check = health.checks.into_iter().find(|check| check.name == name).expect("a known check");
            reason = check.reason;
            check.ok == ok
        })
        .await;
        reason
    }

    /// Tells the agent to end, and how it did.
    pub async fn end(self, exit: Exit) -> (Result<Outcome, AgentError>, TempDir) {
        // An agent that has ended already says how by its result.
        let _ = self.shutdown.send(exit).await;
        (self.agent.await.expect("the agent does not panic"), self.folder)
    }
}

/// Waits until `true`; fails if that does not come.
pub async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !condition().await {
        assert!(begun.elapsed() < PATIENCE, "did not come about: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
