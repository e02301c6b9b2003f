use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

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
