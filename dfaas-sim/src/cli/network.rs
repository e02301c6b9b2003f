use std::path::PathBuf;

use clap::builder::RangedU64ValueParser;
use clap::{Args, ValueEnum};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::CommandError;
use super::files::{open, put, usage};
use super::generate::numbered;
use super::text;
use crate::network::{
    Class, Connect, Draw, Graph, Network, NetworkError, Node, Position, RttMatrix, Unit, erdos_renyi,
    geometric, light_mid_heavy, mesh, near_and_random, ring, scattered, star,
};

/// Forms of networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// Each pair is joined with --probability.
    ErdosRenyi,
    /// Pairs at most --radius apart are joined.
    Geometric,
    /// Each node is joined to --reach nodes on either side.
    Ring,
    /// All are joined to the first.
    Star,
    /// All are joined to all.
    Mesh,
    /// Each node is joined to its --near nearest and --random other ones.
    Near,
}

/// How random networks become connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Joining {
    /// Each node is joined to one after it first, as in the original's simulators.
    Forward,
    /// Drawn again until it is, --attempts times at most.
    Reject,
    /// Its parts are joined by one link each.
    Bridge,
    /// Not at all.
    AsDrawn,
}

/// Units of round-trip times in files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TimeUnit {
    /// Seconds.
    S,
    /// Milliseconds.
    Ms,
    /// Microseconds.
    Us,
}

impl From<TimeUnit> for Unit {
    fn from(unit: TimeUnit) -> Self {
        match unit {
            TimeUnit::S => Self::Seconds,
            TimeUnit::Ms => Self::Milliseconds,
            TimeUnit::Us => Self::Microseconds,
        }
    }
}

/// What a network is like.
#[derive(Debug, Clone, Args)]
pub struct NetworkArguments {
    /// Who is joined to whom.
    #[arg(value_enum)]
    pub form: Form,
    /// How many nodes; with --rtt the first of the matrix, all if absent.
    #[arg(long, value_parser = RangedU64ValueParser::<usize>::new().range(1..=MOST_NODES))]
    pub nodes: Option<usize>,
    /// Probability of a link, of erdos-renyi.
    #[arg(long, default_value_t = 0.1)]
    pub probability: f64,
    /// Longest link in kilometres, of geometric.
    #[arg(long, default_value_t = 20.0)]
    pub radius: f64,
    /// How random networks become connected.
    #[arg(long, value_enum, default_value = "forward")]
    pub connect: Joining,
    /// How often reject draws.
    #[arg(long, default_value_t = 1000)]
    pub attempts: usize,
    /// How far a ring reaches on either side.
    #[arg(long, default_value_t = 1)]
    pub reach: usize,
    /// Nearest neighbours, of near.
    #[arg(long, default_value_t = 12)]
    pub near: usize,
    /// Random neighbours, of near.
    #[arg(long, default_value_t = 4)]
    pub random: usize,
    /// Side of the square on which nodes stand, in kilometres.
    #[arg(long, default_value_t = 100.0)]
    pub side: f64,
    /// Round-trip time between nodes at the same place, in milliseconds.
    #[arg(long, default_value_t = 0.2)]
    pub base_ms: f64,
    /// Round-trip time of a kilometre, in milliseconds: 0.01 in straight fibre.
    #[arg(long, default_value_t = 0.02)]
    pub ms_per_km: f64,
    /// Stretch round-trip times so that this is the longest, in milliseconds.
    #[arg(long)]
    pub longest_ms: Option<f64>,
    /// Round-trip times from this square table instead.
    #[arg(long, requires = "rtt_unit", conflicts_with_all = ["side", "base_ms", "ms_per_km"])]
    pub rtt: Option<PathBuf>,
    /// Unit of the times in that table.
    #[arg(long, value_enum, requires = "rtt")]
    pub rtt_unit: Option<TimeUnit>,
    /// Kinds of nodes as name:share:cores, separated by commas; light, mid and heavy if absent.
    #[arg(long, value_delimiter = ',', value_parser = parse_class)]
    pub classes: Vec<Class>,
    /// Give kinds to nodes in exact proportions instead of each by itself.
    #[arg(long)]
    pub exact: bool,
    /// Seed of all that is random.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// File to write; standard output if absent.
    #[arg(short, long)]
    pub output: Option<PathBuf>,
    /// Say in JSON what was written.
    #[arg(long, requires = "output")]
    pub json: bool,
}

/// The most nodes: the matrix of their round-trip times has the square of this.
const MOST_NODES: u64 = 4096;
/// Nodes if nothing says how many: as many as the original's simulators have.
const NODES: usize = 10;

/// Reads `light:0.5:2`.
fn parse_class(text: &str) -> Result<Class, String> {
    let fields: Vec<&str> = text.split(':').collect();
    let class = match fields[..] {
        [name, share, cores] => share.parse().ok().zip(cores.parse().ok()).map(|(share, cores)| Class {
            name: name.to_owned(),
            share,
            cores,
        }),
        _ => None,
    };
    class.ok_or_else(|| "say name, share and cores, as light:0.5:2".to_owned())
}

/// Makes a network; what to print.
pub(super) fn network(arguments: &NetworkArguments) -> Result<String, CommandError> {
    let measured = match &arguments.rtt {
        Some(path) => {
            let unit = arguments.rtt_unit.ok_or_else(|| usage("--rtt needs --rtt-unit"))?;
            let delimiter = if path.extension().is_some_and(|end| end == "csv") { b',' } else { b'\t' };
            Some(RttMatrix::read(&path.display().to_string(), open(path)?, unit.into(), delimiter)?)
        }
        None => None,
    };
    let network = make(arguments, measured).map_err(usage)?;
    let mut content = Vec::new();
    network.write(&mut content).map_err(|cause| CommandError::Failed(cause.to_string()))?;
    put(arguments.output.as_deref(), content, || text::network(&network, arguments.json))
}

fn make(arguments: &NetworkArguments, measured: Option<RttMatrix>) -> Result<Network, NetworkError> {
    let rng = &mut ChaCha8Rng::seed_from_u64(arguments.seed);
    let nodes = arguments.nodes.or(measured.as_ref().map(RttMatrix::len)).unwrap_or(NODES);
    let (positions, mut rtt) = match measured {
        Some(rtt) => (None, rtt.among(&(0..nodes).collect::<Vec<_>>())?),
        None => {
            let positions = scattered(nodes, arguments.side, rng)?;
            let (base, per_km) = (arguments.base_ms / 1e3, arguments.ms_per_km / 1e3);
            let rtt = RttMatrix::from_positions(&positions, base, per_km)?;
            (Some(positions), rtt)
        }
    };
    if let Some(longest) = arguments.longest_ms {
        rtt = rtt.scaled_to_longest(longest / 1e3)?;
    }
    let graph = join(arguments, positions.as_deref(), &rtt, rng)?;
    let classes = if arguments.classes.is_empty() { light_mid_heavy() } else { arguments.classes.clone() };
    let draw = if arguments.exact { Draw::Exact } else { Draw::Independent };
    let drawn = draw.assign(&classes, nodes, rng)?;
    let nodes = numbered(nodes).into_iter().zip(drawn).enumerate().map(|(at, (name, class))| Node {
        name,
        class: classes[class].name.clone(),
        cores: classes[class].cores,
        position: positions.as_ref().map(|positions| positions[at]),
    });
    Network::new(nodes.collect(), graph, rtt)
}

fn join(
    arguments: &NetworkArguments,
    positions: Option<&[Position]>,
    rtt: &RttMatrix,
    rng: &mut ChaCha8Rng,
) -> Result<Graph, NetworkError> {
    let connect = match arguments.connect {
        Joining::Forward => Connect::Forward,
        Joining::Reject => Connect::Reject { attempts: arguments.attempts },
        Joining::Bridge => Connect::Bridge,
        Joining::AsDrawn => Connect::AsDrawn,
    };
    let nodes = rtt.len();
    Ok(match arguments.form {
        Form::ErdosRenyi => erdos_renyi(nodes, arguments.probability, connect, rng)?,
        Form::Geometric => geometric(positions.ok_or(NetworkError::NoPositions)?, arguments.radius, connect)?,
        Form::Ring => ring(nodes, arguments.reach),
        Form::Star => star(nodes),
        Form::Mesh => mesh(nodes),
        Form::Near => near_and_random(rtt, arguments.near, arguments.random, rng),
    })
}
