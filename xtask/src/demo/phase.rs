//! One phase: a fresh lab, its nodes, the load, the live table.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use dfaas_tests::load::{self, Load, Report};
use dfaas_tests::policy::Policy;
use dfaas_tests::{Lab, Node, Topology, federation};

use super::options::{Options, Strategy};
use super::plan::{FUNCTION, MODEL_PORT, Plan};
use super::scenario;
use super::table;

/// How often the demonstration looks whether there is something to show.
const LOOK: Duration = Duration::from_millis(100);

/// Runs it and removes everything it made, whether it ends well or not.
pub fn run(options: &Options, plan: &Plan, strategy: Strategy, dfaas: &Path) -> Result<Report> {
    println!("\n{strategy}: starting {} nodes", options.nodes);
    let topology = Topology { nodes: options.nodes, users: 1, ..Topology::default() };
    let lab = Lab::new(topology).context("cannot make the network namespaces")?;
    let mut nodes = make(options, plan, strategy, &lab, dfaas)?;
    let _models = models(plan, strategy, &nodes)?;
    let begin = scenario::begin_with(options);
    // One after the other: the first agent may have to mount the kernel's BPF file system for all.
    for node in &mut nodes[..begin] {
        let name = node.name();
        node.start_gateway().with_context(|| format!("the gateway of {name} did not start"))?;
        node.start_agent().with_context(|| format!("the agent of {name} did not start"))?;
    }
    if strategy.overlay() {
        federation::wait_formed(&nodes[..begin].iter().collect::<Vec<_>>())?;
        println!("{strategy}: the nodes have found each other");
    }
    observe(options, plan, strategy, &lab, &mut nodes)
}

/// The nodes with their files; nothing runs yet.
fn make(options: &Options, plan: &Plan, strategy: Strategy, lab: &Lab, dfaas: &Path) -> Result<Vec<Node>> {
    let settings = |index| (plan.agent(index, strategy, &options.period), plan.gateway(index));
    if strategy.overlay() {
        let (nodes, _) = federation::nodes(lab, options.nodes, dfaas, |index, _| settings(index))?;
        return Ok(nodes);
    }
    let node = |index| {
        let (agent, gateway) = settings(index);
        Node::with_binary(lab, index, &agent, &gateway, dfaas)
    };
    (1..=options.nodes).map(node).collect()
}

/// A model server for each node, if they ask one.
fn models(plan: &Plan, strategy: Strategy, nodes: &[Node]) -> Result<Vec<Policy>> {
    if strategy != Strategy::External {
        return Ok(Vec::new());
    }
    let capacities: BTreeMap<String, f64> =
        plan.nodes().map(|(_, name, capacity)| (name, f64::from(capacity))).collect();
    nodes.iter().map(|node| Policy::start(node.namespace(), MODEL_PORT, capacities.clone())).collect()
}

fn observe(
    options: &Options,
    plan: &Plan,
    strategy: Strategy,
    lab: &Lab,
    nodes: &mut [Node],
) -> Result<Report> {
    let target = nodes.first().context("there is no node")?.address();
    let load = Load::new(target, FUNCTION, options.rate(), Duration::from_secs(options.seconds));
    let load = Load { later: scenario::later(options), ..load };
    let mut moment = scenario::moment(options);
    let mut running = load::start(&lab.users(1), load)?;
    let mut screen = Screen::new(options, plan, strategy);
    while !running.is_finished() {
        std::thread::sleep(LOOK);
        nodes.iter_mut().try_for_each(Node::check)?;
        if let Some(progress) = running.progress() {
            if let Some(moment) = moment.take_if(|moment| progress.elapsed >= moment.second) {
                screen.say(&moment.what);
                scenario::happen(options.scenario, nodes)?;
            }
            screen.show(&progress.seconds, progress.elapsed);
        }
    }
    let report = running.finish()?;
    screen.show(report.seconds(), report.seconds().len());
    Ok(report)
}

/// The live table: in place on a terminal, else one line a second.
struct Screen<'a> {
    options: &'a Options,
    plan: &'a Plan,
    strategy: Strategy,
    terminal: bool,
    /// Lines of the table that are on the terminal.
    drawn: usize,
    /// Seconds that were printed.
    printed: usize,
}

impl<'a> Screen<'a> {
    fn new(options: &'a Options, plan: &'a Plan, strategy: Strategy) -> Self {
        let terminal = std::io::stdout().is_terminal();
        Self { options, plan, strategy, terminal, drawn: 0, printed: 0 }
    }

    /// Says what happens now; the table begins anew below it.
    fn say(&mut self, what: &str) {
        let _ = writeln!(std::io::stdout(), "{what}");
        self.drawn = 0;
    }

    /// Shows the seconds before `elapsed`.
    fn show(&mut self, seconds: &[load::Second], elapsed: usize) {
        let known = &seconds[..elapsed.min(seconds.len())];
        let mut out = std::io::stdout().lock();
        // A demonstration whose reader has gone still ends in order: what cannot be shown is not shown.
        if self.terminal {
            let lines = table::block(self.strategy, self.options.seconds, known, self.plan);
            let up = if self.drawn == 0 { String::new() } else { format!("\x1b[{}A", self.drawn) };
            let body: String = lines.iter().map(|line| format!("\x1b[K{line}\n")).collect();
            let _ = write!(out, "{up}{body}");
            self.drawn = lines.len();
        } else {
            for second in known.iter().skip(self.printed) {
                let _ = writeln!(out, "{}", table::line(second, self.plan));
            }
            self.printed = self.printed.max(known.len());
        }
        let _ = out.flush();
    }
}
