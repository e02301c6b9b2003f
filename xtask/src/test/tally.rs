//! Reads what libtest prints. No I/O.

/// Tests so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    passed: u64,
    failed: u64,
    skipped: u64,
    /// A test program has said how many tests it runs, and not yet how they ended.
    open: bool,
    /// Failed tests before this run of cargo.
    failed_before: u64,
}

impl Tally {
    /// A run of cargo begins.
    pub fn begin(&mut self) {
        self.failed_before = self.failed;
    }

    /// One line of its output.
    pub fn line(&mut self, line: &str) {
        if is_start(line) {
            self.close();
            self.open = true;
        } else if let Some([passed, failed, skipped]) = parse_result(line) {
            self.open = false;
            self.passed += passed;
            self.failed += failed;
            self.skipped += skipped;
        }
    }

    /// The run of cargo has ended. If it failed, something in it has.
    pub fn end(&mut self, success: bool) {
        self.close();
        if !success && self.failed == self.failed_before {
            self.failed += 1;
        }
    }

    /// A test program that ended without saying how died in a test.
    fn close(&mut self) {
        if std::mem::take(&mut self.open) {
            self.failed += 1;
        }
    }

    /// Whether there was no test at all.
    pub fn is_empty(&self) -> bool {
        self.passed + self.failed + self.skipped == 0
    }

    /// Whether at least one test ran and none failed.
    pub fn all_passed(&self) -> bool {
        self.failed == 0 && self.passed > 0
    }

    /// The one line at the end.
    pub fn closing_line(&self) -> String {
        format!("{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// `running 12 tests`
fn is_start(line: &str) -> bool {
    let mut words = line.split_whitespace();
    words.next() == Some("running")
        && words.next().is_some_and(|number| number.parse::<u64>().is_ok())
        && matches!(words.next(), Some("test" | "tests"))
        && words.next().is_none()
}

/// Passed, failed and ignored of `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; ...`.
fn parse_result(line: &str) -> Option<[u64; 3]> {
    // A test that prints without a newline may stand before it on the same line.
    let (_, counts) = line.split_once("test result: ")?;
    let (_, counts) = counts.split_once(". ")?;
    let count =
        |what: &str| counts.split(';').find_map(|part| part.trim().strip_suffix(what)?.trim().parse().ok());
    Some([count("passed")?, count("failed")?, count("ignored")?])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(text: &str, success: bool) -> Tally {
        let mut tally = Tally::default();
        tally.begin();
        text.lines().for_each(|line| tally.line(line));
        tally.end(success);
        tally
    }

    const GOOD: &str = "running 2 tests\ntest a ... ok\ntest b ... ignored\n\
        test result: ok. 1 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.00s\n";

    #[test]
    fn results_of_all_programs_are_added_up() {
        let failing = "running 3 tests\n\
            test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s\n";
        let tally = tally(&[GOOD, failing, GOOD].concat(), false);
        assert_eq!(tally.closing_line(), "3 passed, 2 failed, 2 skipped");
        assert!(!tally.all_passed());
    }

    #[test]
    fn a_program_that_dies_is_a_failure() {
        let tally = tally(&["running 5 tests\ntest a ... ", GOOD].concat(), false);
        assert_eq!(tally.closing_line(), "1 passed, 1 failed, 1 skipped");
    }

    #[test]
    fn a_failed_run_without_any_output_is_a_failure() {
        assert_eq!(tally("", false).closing_line(), "0 passed, 1 failed, 0 skipped");
    }

    #[test]
    fn no_test_at_all_is_no_success() {
        let none = "running 0 tests\n\
            test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 9 filtered out; finished in 0.00s\n";
        assert!(tally(none, true).is_empty() && !tally(none, true).all_passed());
        assert!(tally(GOOD, true).all_passed());
    }

    #[test]
    fn what_tests_print_about_running_is_no_start() {
        assert!(!is_start("running late"));
        assert!(!is_start("running 3 nodes"));
        assert!(is_start("running 1 test"));
    }
}
