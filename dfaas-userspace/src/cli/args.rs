use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use dfaas_sim::profile::Arrivals;
use humantime_serde::re::humantime::parse_duration;

/// Edge nodes with OpenFaaS share their load, in the kernel and without a coordinator
#[derive(Debug, Parser)]
#[command(name = "dfaas", version, arg_required_else_help = true)]
pub(super) struct Arguments {
    /// What to log: a level or a filter (RUST_LOG otherwise; info by default)
    #[arg(long, global = true, value_name = "FILTER")]
    pub log: Option<String>,

    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run a node: data plane, control, admin
    ///
    /// SIGTERM or Ctrl-C: detach and leave the machine as it was, waiting up to 10 s for open connections (a second
    /// signal ends the wait). SIGHUP or SIGQUIT: end at once and leave the data plane attached, for a successor that
    /// takes it over: that is how to upgrade.
    Agent {
        /// Configuration file
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Leave the data plane attached however the agent is ended
        #[arg(long)]
        keep: bool,
        /// Log every decision of the kernel programs; for finding faults.
        #[arg(long)]
        packet_log: bool,
    },
    /// Run a small OpenFaaS-compatible gateway with built-in functions
    Gateway {
        /// Configuration file
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Listen as Go programs do, with Multipath TCP
        #[arg(long)]
        mptcp: bool,
    },
    /// How the running agent is
    Status(Show),
    /// The peers of the running agent
    Peers(Show),
    /// The functions of the node's gateways, and who served them
    Functions(Show),
    /// The plans in force
    Plan(Show),
    /// The connections of the moment, or with --follow each invocation as it ends
    Flows(Flows),
    /// What the data plane would do with an invocation now, and why
    Explain {
        #[command(flatten)]
        show: Show,
        /// Name of the function, as a caller spells it
        #[arg(long, value_name = "NAME")]
        function: String,
        /// Who would call; any user otherwise
        #[arg(long, value_name = "IP:PORT")]
        client: Option<std::net::SocketAddr>,
    },
    /// Take no more work from peers; the node's own users are served as before
    ///
    /// Peers hear of it at once and send nothing new; nor do they grant anything to a node that takes nothing. It lasts until `dfaas resume`, or until the agent ends.
    Drain(Show),
    /// Take work from peers again
    Resume(Show),
    /// Record what the running agent counts, as a trace and a scenario that `dfaas sim` reads
    ///
    /// Arrivals of this node's own users by function, what became of them, service and processor times, replicas, peers and
    /// round-trip times. Ctrl-C ends it; what was recorded is kept. Recordings of several nodes that were made at the same
    /// time are put together by `dfaas sim trace merge`.
    Record(Record),
    /// Measure a function under rising load, as a measured run that the simulator reads
    ///
    /// Puts real load on the gateway, in steps, and says before how much. Nothing but the gateway that is named or configured
    /// is called.
    Profile(Profile),
    /// What this machine can do, and what stands in the way
    Doctor {
        /// Configuration file, to check what it names too
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Work with configuration files
    #[command(subcommand)]
    Config(ConfigCommand),
    /// The identity of a node in the overlay
    #[command(subcommand)]
    Id(IdCommand),
    /// Simulate federations: compare techniques on the same users, beside the best possible
    #[command(subcommand)]
    Sim(dfaas_sim::cli::Sim),
    /// Detach the data plane and remove what it pinned
    Unload {
        /// Configuration file that names the pin
        #[arg(long, value_name = "FILE", conflicts_with = "pin")]
        config: Option<PathBuf>,
        /// Folder of the pins
        #[arg(long, value_name = "PATH", default_value = "/sys/fs/bpf/dfaas")]
        pin: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Check an agent's configuration file
    Check {
        /// The file
        file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum IdCommand {
    /// Make a new identity; an existing one is never overwritten
    New {
        /// The file, as overlay.identity names it
        #[arg(long, value_name = "PATH", default_value = crate::overlay::identity::DEFAULT_FILE)]
        file: PathBuf,
    },
    /// Print a node's peer id, as other nodes name it in overlay.allow and overlay.bootstrap
    Show {
        /// The file, as overlay.identity names it
        #[arg(long, value_name = "PATH", default_value = crate::overlay::identity::DEFAULT_FILE)]
        file: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(super) struct Flows {
    #[command(flatten)]
    pub show: Show,
    /// Tell each invocation as it ends, until Ctrl-C
    #[arg(long)]
    pub follow: bool,
    /// Tell one invocation in N, drawn at random; for nodes that have many
    #[arg(long, value_name = "N", requires = "follow", value_parser = clap::value_parser!(u32).range(1..))]
    pub sample: Option<u32>,
    /// Only of this function
    #[arg(long, value_name = "NAME")]
    pub function: Option<String>,
    /// Only what this peer sent or serves
    #[arg(long, value_name = "NAME")]
    pub peer: Option<String>,
    /// Only what this backend serves: `local`, `reject` or a peer
    #[arg(long, value_name = "NAME")]
    pub backend: Option<String>,
    /// At most so many connections; with --follow: end after so many invocations
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
}

#[derive(Debug, Args)]
pub(super) struct Show {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// The agent's admin.socket
    #[arg(long, value_name = "PATH", default_value = "/run/dfaas/agent.sock")]
    pub socket: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct Record {
    #[command(flatten)]
    pub show: Show,
    /// How long, as 10m or 1h; until Ctrl-C otherwise
    #[arg(long = "for", value_name = "TIME", value_parser = parse_duration)]
    pub length: Option<Duration>,
    /// How long an interval is
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = parse_duration)]
    pub interval: Duration,
    /// The scenario; the tables stand beside it as NAME.csv, NAME.node.csv and NAME.peers.csv
    #[arg(short, long, value_name = "FILE", default_value = "recorded.toml")]
    pub output: PathBuf,
    /// Replace files that are there
    #[arg(long)]
    pub force: bool,
}

#[derive(Debug, Args)]
pub(super) struct Profile {
    /// The function, by any of its names
    pub function: String,
    /// The gateway; that of --config otherwise, else http://127.0.0.1:8080
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// An agent's configuration file, for its gateway
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Requests a second of each step, rising, as 1,5,10,20
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        required_unless_present = "to",
        conflicts_with = "to"
    )]
    pub rates: Vec<f64>,
    /// Steps at equal distances up to so many requests a second
    #[arg(long, value_name = "RATE")]
    pub to: Option<f64>,
    /// How many, with --to
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub steps: u32,
    /// How long a step is, as 30s
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = seconds)]
    pub seconds: Duration,
    /// poisson: requests come independently of each other; even: at the same distance
    #[arg(long, value_name = "HOW", default_value = "poisson")]
    pub arrivals: Arrivals,
    /// What the times of requests are drawn from
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// End when a smaller part of the requests is answered well in time
    #[arg(long, value_name = "PART", default_value_t = 0.9)]
    pub success: f64,
    /// Time within which an answer is of use; the function's dfaas.timeout_ms otherwise, else 1s
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub timeout: Option<Duration>,
    /// Time without load before the first step
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = parse_duration)]
    pub idle: Duration,
    /// What is posted; nothing otherwise
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
    /// User of the gateway's admin API, where its functions are listed
    #[arg(long, value_name = "NAME", requires = "password_file")]
    pub user: Option<String>,
    /// File with the password
    #[arg(long, value_name = "FILE", requires = "user")]
    pub password_file: Option<PathBuf>,
    /// The gateway's metrics, for execution times and replicas, as http://127.0.0.1:8082
    #[arg(long, value_name = "URL")]
    pub metrics: Option<String>,
    /// Where the cgroups of functions are, as gateway.cgroup
    #[arg(long, value_name = "PATTERN")]
    pub cgroup: Option<String>,
    /// The node, or kind of node, that the file is about; node.name or the host name otherwise
    #[arg(long, value_name = "NAME")]
    pub node: Option<String>,
    /// What is written; FUNCTION.profile.json otherwise
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace a file that is there
    #[arg(long)]
    pub force: bool,
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// A time, or a number of seconds.
fn seconds(text: &str) -> Result<Duration, String> {
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).map_err(|cause| cause.to_string());
    }
    parse_duration(text).map_err(|cause| cause.to_string())
}
