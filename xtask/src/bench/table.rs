//! What is shown at the end: one table, and what must be known to read it. No I/O.

use std::fmt::Write as _;

use dfaas_tests::bench::Run;

use super::figure::Figure;
use super::report::{Report, WayReport, WorkloadReport};

/// Above this part of the median, the spread over rounds is worth a word.
const SPREAD: f64 = 0.2;

/// Above this part of the processors' time, what others take is worth a word.
const OTHERS: f64 = 0.03;

/// The machine, and all figures.
pub fn render(report: &Report) -> String {
    let machine = &report.machine;
    let mut text = format!(
        "kernel {}, {}, {} cores ({}), {}, {}\n{} {}, {}\n\n",
        machine.kernel,
        machine.system,
        machine.cores,
        machine.processor,
        machine.offloads,
        report.family,
        machine.dfaas,
        machine.commit,
        machine.haproxy
    );
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "{:<10}{:>10}{:>23}{:>11}{:>11}{:>11}{:>13}{:>8}",
        "", "rate", "(min .. max)", "of direct", "p50", "p99", "CPU/request", "errors"
    );
    for workload in &report.workloads {
        let _ = writeln!(text, "{}: {}; {}", workload.workload.name(), workload.description, workload.unit);
        for way in &workload.ways {
            let _ = writeln!(text, "{}", line(way));
        }
    }
    text
}

fn line(way: &WayReport) -> String {
    let range = format!("({} .. {})", grouped(way.rate.min), grouped(way.rate.max));
    format!(
        "  {:<8}{:>10}{range:>23}{:>11}{:>11}{:>11}{:>13}{:>8}",
        way.way.name(),
        grouped(way.rate.median),
        format!("{:.2}", way.of_direct.median),
        milliseconds(way.p50_us),
        milliseconds(way.p99_us),
        format!("{} us", grouped(way.cpu_us_per_request.median)),
        way.failed()
    )
}

/// What must be known to read the table.
pub fn notes(report: &Report) -> Vec<String> {
    let (rounds, seconds, cores) = (report.rounds, report.seconds, report.machine.cores);
    let mut notes = vec![
        format!(
            "Each figure is the median over the rounds ({rounds}, with {seconds} s each for a workload and way); \
             \"of direct\" is the median of the ratios within the rounds."
        ),
        format!(
            "Users, nodes and servers share the {cores} cores of this machine, and every part of a way costs rate: \
             compare the ways, not machines."
        ),
        "CPU/request is of the whole machine, users, servers and kernel, without what other programs took."
            .to_owned(),
        "Links are veth pairs in memory: no wire, no network card, no delay between nodes.".to_owned(),
    ];
    notes.extend(taken(report, "Other programs", |run| run.others_share));
    notes.extend(taken(report, "Other machines on this host", |run| run.stolen_share));
    let wide: Vec<_> = report.lines().filter(|(_, way)| way.rate.spread() > SPREAD).map(spread).collect();
    if !wide.is_empty() {
        notes.push(format!("Rates that differ by more than a fifth between rounds: {}.", wide.join(", ")));
    }
    notes
}

/// In how many runs others took a share of the time, if in any.
fn taken(report: &Report, whose: &str, share: impl Fn(&Run) -> f64) -> Option<String> {
    let runs = report.lines().flat_map(|(_, way)| &way.runs);
    let shares: Vec<_> = runs.map(share).collect();
    let (all, disturbed) = (shares.len(), shares.iter().filter(|&&share| share > OTHERS).count());
    let most = percent(shares.into_iter().fold(0.0, f64::max));
    let text = format!("{whose} took time in {disturbed} of the {all} runs, up to {most}: expect noise.");
    (disturbed > 0).then_some(text)
}

fn spread((workload, way): (&WorkloadReport, &WayReport)) -> String {
    format!("{} by {} ({})", workload.workload.name(), way.way.name(), percent(way.rate.spread()))
}

/// What went wrong, each with where.
pub fn errors(report: &Report) -> Vec<String> {
    let reasons = report.lines().flat_map(|(workload, way)| {
        let place = format!("{} by {}", workload.workload.name(), way.way.name());
        way.errors.iter().map(move |(reason, count)| format!("{place}: {count} x {reason}"))
    });
    reasons.collect()
}

/// Whole, with a comma between thousands.
pub fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn milliseconds(us: Figure) -> String {
    format!("{:.2} ms", us.median / 1000.0)
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::super::report::tests::example;
    use super::*;

    #[test]
    fn the_table_has_a_line_for_each_way_under_its_workload() {
        let text = render(&example());
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 3 + 1 + 2 * 3);
        assert!(lines[0].contains("6.18.44") && lines[1].contains("2.6.12"), "{text}");
        assert_eq!(
            lines[6],
            "  peer        16,000      (5,000 .. 20,000)       0.80    1.50 ms   20.00 ms       125 us       3"
        );
        assert!(lines[7].starts_with("download: answers of 5 MB") && lines[7].ends_with("; MB/s"), "{text}");
        let widths: Vec<_> = [3, 5, 6, 8, 9].map(|line: usize| lines[line].len()).into();
        assert!(widths.iter().all(|&width| width == widths[0]), "columns stand below each other: {text}");
    }

    #[test]
    fn noise_is_told_and_where_it_is() {
        let notes = notes(&example()).join("\n");
        assert!(notes.contains("Other programs took time in 12 of the 12 runs, up to 30 %"), "{notes}");
        assert!(!notes.contains("Other machines"), "what is not the case is not told: {notes}");
        assert!(notes.contains("connect by direct (75 %), connect by peer (94 %)"), "{notes}");
    }

    #[test]
    fn each_error_is_told_with_where_and_how_often() {
        let wanted = ["connect by peer: 3 x connect: timed out", "download by peer: 3 x connect: timed out"];
        assert_eq!(errors(&example()), wanted);
    }

    #[test]
    fn thousands_are_set_apart() {
        let cases = [(0.0, "0"), (999.4, "999"), (999.5, "1,000"), (1_234_567.0, "1,234,567")];
        for (value, text) in cases {
            assert_eq!(grouped(value), text);
        }
    }
}
