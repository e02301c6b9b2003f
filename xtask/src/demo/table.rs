//! Text of the live table. No I/O.

use std::fmt::Write as _;

use dfaas_tests::load::Second;

use super::options::Strategy;
use super::plan::Plan;

/// Width of the longest bar.
const BAR: u64 = 30;

/// One second in one line.
pub fn line(second: &Second, plan: &Plan) -> String {
    let mut line = format!("second {:>3}: sent {:>4}", second.second + 1, second.sent);
    for (_, name, _) in plan.nodes() {
        let served = second.by_node.get(&name).unwrap_or(&0);
        // Writing to a string cannot fail.
        let _ = write!(line, " | {name} {served:>3}");
    }
    let _ = write!(line, " | rejected {:>3} | failed {:>3}", second.rejected, second.failed);
    if second.outstanding() > 0 {
        let _ = write!(line, " | under way {}", second.outstanding());
    }
    line
}

/// The newest of `known` seconds and all so far, as lines of a fixed number.
pub fn block(strategy: Strategy, seconds: u64, known: &[Second], plan: &Plan) -> Vec<String> {
    let last = known.last().cloned().unwrap_or_default();
    let sum = |of: &dyn Fn(&Second) -> u64| known.iter().map(of).sum::<u64>();
    let widest = last.sent.max(1);
    let row = |name: &str, capacity: &str, now: u64, total: u64| {
        let bar = "#".repeat(usize::try_from(now.min(widest) * BAR / widest).unwrap_or(0));
        format!("  {name:<10} {capacity:>8} {now:>11} {total:>9}  {bar}")
    };
    let mut lines = vec![
        format!("{strategy}: second {} of {seconds}, {} invocations sent", known.len(), sum(&|s| s.sent)),
        format!("  {:<10} {:>8} {:>11} {:>9}", "", "capacity", "this second", "so far"),
    ];
    for (_, name, capacity) in plan.nodes() {
        let served = |second: &Second| second.by_node.get(&name).copied().unwrap_or(0);
        lines.push(row(&name, &format!("{capacity}/s"), served(&last), sum(&served)));
    }
    lines.push(row("rejected", "", last.rejected, sum(&|s| s.rejected)));
    lines.push(row("failed", "", last.failed, sum(&|s| s.failed)));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(second: usize) -> Second {
        let by_node = [("node-1".to_owned(), 10), ("node-3".to_owned(), 20)].into();
        Second { second, sent: 45, ok: 30, rejected: 12, failed: 2, by_node }
    }

    #[test]
    fn a_line_counts_seconds_from_one_and_names_nodes_that_served_nothing() {
        assert_eq!(
            line(&second(0), &Plan::new(3)),
            "second   1: sent   45 | node-1  10 | node-2   0 | node-3  20 | rejected  12 | failed   2 | under way 1"
        );
    }

    #[test]
    fn the_block_has_the_same_number_of_lines_before_and_after_the_first_second() {
        let plan = Plan::new(3);
        let empty = block(Strategy::Static, 40, &[], &plan);
        let full = block(Strategy::Static, 40, &[second(0), second(1)], &plan);
        assert_eq!(empty.len(), full.len());
        assert!(full[0].starts_with("static: second 2 of 40, 90 invocations"), "{}", full[0]);
        assert!(full[4].contains("24/s") && full[4].contains("40"), "{}", full[4]);
    }
}
