//! What happens in the middle of a phase.

use std::time::Duration;

use anyhow::{Context as _, Result};
use dfaas_tests::Node;
use serde::Serialize;

use super::options::{Options, Scenario};
use super::report::PhaseReport;

/// Something that happens while users call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Moment {
    /// Seconds from the start.
    pub second: usize,
    /// What.
    pub what: String,
}

/// What happens in the middle; `None` if nothing does.
pub fn moment(options: &Options) -> Option<Moment> {
    let what = match options.scenario {
        Scenario::Overload => return None,
        Scenario::Step => format!("the load doubles to {} a second", 2.0 * options.rate()),
        Scenario::Kill => "agent and gateway of node-2 are killed".to_owned(),
        Scenario::Drain => "node-2 drains: it takes nothing from others".to_owned(),
        Scenario::Join => format!("node-{} starts", options.nodes),
    };
    Some(Moment { second: usize::try_from(options.seconds / 2).unwrap_or(usize::MAX), what })
}

/// How many of the nodes run from the beginning.
pub fn begin_with(options: &Options) -> usize {
    usize::from(options.nodes) - usize::from(options.scenario == Scenario::Join)
}

/// The load after the middle, if it is another.
pub fn later(options: &Options) -> Option<(Duration, f64)> {
    let step = options.scenario == Scenario::Step;
    step.then(|| (Duration::from_secs(options.seconds / 2), 2.0 * options.rate()))
}

/// Lets it happen to the nodes; what the users do changes by their schedule.
pub fn happen(scenario: Scenario, nodes: &mut [Node]) -> Result<()> {
    let none = "there is no such node";
    match scenario {
        Scenario::Overload | Scenario::Step => Ok(()),
        Scenario::Kill => {
            let node = nodes.get_mut(1).context(none)?;
            node.kill_agent()?;
            node.kill_gateway()
        }
        Scenario::Drain => nodes.get(1).context(none)?.tell("drain"),
        Scenario::Join => {
            let node = nodes.last_mut().context(none)?;
            node.start_gateway()?;
            // It is ready when it is; its users are not waiting.
            node.launch_agent()
        }
    }
}

/// What it cost the users, in a sentence.
pub fn told(phase: &PhaseReport, moment: &Moment) -> String {
    // Those that were due in the second before may have been under way.
    let near = |second: usize| second + 1 >= moment.second && second <= moment.second + 1;
    let failed: u64 = phase.series.iter().filter(|row| near(row.second)).map(|row| row.failed).sum();
    let others = phase.failed - failed;
    let when = format!("{} (second {})", moment.what, moment.second);
    match (failed, others) {
        (0, 0) => format!("{when}: no request failed, then or at any other time"),
        (_, 0) if phase.scenario == "kill" => {
            format!("{when}: {failed} requests that were under way there failed, and none at any other time")
        }
        _ => format!("{when}: {failed} requests failed within a second of it, {others} at other times"),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use dfaas_tests::load::Report;

    use super::super::options::Strategy;
    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn options(line: &str) -> Options {
        Line::parse_from(std::iter::once("demo").chain(line.split_whitespace())).options
    }

    #[test]
    fn the_load_of_a_step_doubles_to_what_the_others_begin_with() {
        let step = options("--scenario step --seconds 20");
        assert_eq!((step.rate(), later(&step)), (22.5, Some((Duration::from_secs(10), 45.0))));
        assert_eq!(moment(&step).unwrap().second, 10);
        let overload = options("");
        assert_eq!((overload.rate(), later(&overload), moment(&overload)), (45.0, None, None));
    }

    #[test]
    fn the_node_that_joins_does_not_run_from_the_beginning() {
        assert_eq!(
            (begin_with(&options("--scenario join")), begin_with(&options("--scenario kill"))),
            (2, 3)
        );
        assert!(options("--scenario kill --nodes 1").check().is_err());
        assert!(options("--scenario step --seconds 4").check().is_err());
    }

    #[test]
    fn failures_at_the_moment_are_told_from_those_at_other_times() {
        let options = options("--scenario kill --seconds 20");
        let at = moment(&options).unwrap();
        let phase = |failures: &[(usize, u64)]| {
            let mut phase = PhaseReport::new(&options, Strategy::Recalc, &Report::default());
            phase.series =
                (0..20).map(|second| dfaas_tests::load::Second { second, ..Default::default() }).collect();
            for (second, failed) in failures {
                phase.series[*second].failed = *failed;
                phase.failed += failed;
            }
            told(&phase, &at)
        };
        assert!(phase(&[]).ends_with("no request failed, then or at any other time"));
        assert!(
            phase(&[(9, 1), (10, 2)])
                .contains("3 requests that were under way there failed, and none at any")
        );
        assert!(
            phase(&[(10, 2), (14, 1)]).contains("2 requests failed within a second of it, 1 at other times")
        );
    }
}
