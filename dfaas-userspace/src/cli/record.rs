use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use humantime_serde::re::humantime::format_duration;
use tokio::signal::unix::{SignalKind, signal};

use super::args::Record;
use super::exit::{Failure, print};
use super::table::table;
use super::{runtime, span};
use crate::record::{Progress, RecordError, Settings, Summary, record};

/// Shortest and longest interval: below, the agent would do little else; above, nothing is seen of how load changes.
const INTERVALS: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(3600));
/// Time between lines of progress where there is no terminal.
const LINES: f64 = 10.0;

impl From<RecordError> for Failure {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::There { .. } | RecordError::Interval(_) => Self::Usage(error.to_string()),
            other => Self::Failed(other.to_string()),
        }
    }
}

pub(super) fn run(arguments: &Record) -> Result<ExitCode, Failure> {
    let (least, most) = INTERVALS;
    if !(least..=most).contains(&arguments.interval) {
        let (least, most) = (format_duration(least), format_duration(most));
        return Err(Failure::Usage(format!("--interval must be from {least} to {most}")));
    }
    let settings = Settings {
        socket: arguments.show.socket.clone(),
        interval: arguments.interval,
        length: arguments.length,
        output: arguments.output.clone(),
        force: arguments.force,
    };
    let mut line = Line::new(arguments.length);
    let summary = runtime()?.block_on(async {
        let (stop, progress) = (stopped()?, &mut |progress| line.tell(&progress));
        Ok::<_, Failure>(record(&settings, stop, progress).await?)
    });
    line.end();
    let summary = summary?;
    if arguments.show.json {
        let text = serde_json::to_string(&summary).map_err(|cause| Failure::Failed(cause.to_string()))?;
        return print(&format!("{text}\n"));
    }
    print(&words(&summary))
}

/// Comes true with Ctrl-C or SIGTERM.
pub(super) fn stopped() -> Result<impl Future<Output = ()>, Failure> {
    let failed = |cause| Failure::Failed(format!("signals: {cause}"));
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Progress: one line that changes on a terminal, else a line now and then.
struct Line {
    terminal: bool,
    length: Option<Duration>,
    next: f64,
    open: bool,
}

impl Line {
    fn new(length: Option<Duration>) -> Self {
        Self { terminal: std::io::stderr().is_terminal(), length, next: 0.0, open: false }
    }

    fn tell(&mut self, progress: &Progress) {
        match progress {
            Progress::Begins(wait) if *wait >= Duration::from_secs(2) => {
                self.whole(&format!("begins in {}, with a whole interval", span(wait.as_secs_f64())));
            }
            Progress::Begins(_) => {}
            Progress::Trouble(why) => self.whole(&format!("{why}; it is asked again")),
            Progress::Counted { seconds, rates, peers } => {
                let of = self.length.map(|length| format!(" of {}", span(length.as_secs_f64())));
                let rates = rates.iter().filter(|(_, rate)| *rate > 0.0);
                let rates: Vec<String> = rates.map(|(name, rate)| format!("{name} {rate:.1}/s")).collect();
                let rates = if rates.is_empty() { "no invocations".to_owned() } else { rates.join(", ") };
                let text = format!("{}{}: {rates}; {peers} peers", span(*seconds), of.unwrap_or_default());
                if self.terminal {
                    // Back to the beginning of the line, and what stands there is cleared.
                    eprint!("\r\x1b[K{text}");
                    let _ = std::io::stderr().flush();
                    self.open = true;
                } else if *seconds >= self.next {
                    eprintln!("{text}");
                    self.next = seconds + LINES;
                }
            }
        }
    }

    fn whole(&mut self, text: &str) {
        self.end();
        eprintln!("{text}");
    }

    fn end(&mut self) {
        if std::mem::take(&mut self.open) {
            eprintln!();
        }
    }
}

fn words(summary: &Summary) -> String {
    let seconds = summary.intervals as f64 * summary.interval_s;
    let mut text = format!(
        "{}: {} in {} intervals of {} s\n",
        summary.node,
        span(seconds),
        summary.intervals,
        summary.interval_s
    );
    let rows: Vec<Vec<String>> = summary
        .functions
        .iter()
        .map(|(name, function)| {
            let takes = function.seconds.map_or("-".to_owned(), |took| format!("{:.1} ms", took * 1e3));
            vec![
                name.clone(),
                format!("{:.0}", function.arrivals),
                format!("{:.2}", function.arrivals / seconds),
                format!("{:.0}", function.away),
                format!("{:.0}", function.rejected),
                format!("{:.0}", function.from_peers),
                takes,
                function.by.replace('_', " "),
            ]
        })
        .collect();
    let head = ["FUNCTION", "ARRIVALS", "A SECOND", "TO PEERS", "REJECTED", "FROM PEERS", "TAKES", "BY"];
    if !rows.is_empty() {
        text.push_str(&table(&head, &rows));
    }
    for (name, rtt) in &summary.peers {
        let rtt = rtt.map_or("not measured".to_owned(), |rtt| format!("{rtt:.1} ms"));
        text.push_str(&format!("peer {name}: round trip {rtt}\n"));
    }
    if summary.gaps.is_empty() {
        text.push_str("no gaps: counters were read at both ends of every interval\n");
    }
    for gap in &summary.gaps {
        let at = gap.start - summary.start;
        text.push_str(&format!("gap of {} from {} on: {}\n", span(gap.seconds), span(at), gap.why));
    }
    summary.notes.iter().for_each(|note| text.push_str(&format!("{note}\n")));
    for file in &summary.files {
        text.push_str(&format!("wrote {}\n", file.display()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{FunctionSummary, Gap};

    #[test]
    fn what_is_not_well_known_is_said() {
        let function = FunctionSummary {
            arrivals: 450.0,
            away: 100.0,
            rejected: 5.0,
            from_peers: 0.0,
            seconds: Some(0.0123),
            by: "first_byte",
        };
        let gap = Gap { start: 1005.0, seconds: 3.0, known: "divided", why: "no agent".to_owned() };
        let summary = Summary {
            node: "a".to_owned(),
            start: 1000.0,
            interval_s: 1.0,
            intervals: 90,
            functions: [("ocr".to_owned(), function)].into(),
            peers: [("b".to_owned(), Some(1.25)), ("c".to_owned(), None)].into(),
            gaps: vec![gap],
            notes: vec!["one is assumed".to_owned()],
            files: vec!["recorded.toml".into()],
        };
        let text = words(&summary);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "a: 1m 30s in 90 intervals of 1 s");
        let cells: Vec<&str> = lines[2].split_whitespace().collect();
        assert_eq!(cells, ["ocr", "450", "5.00", "100", "5", "0", "12.3", "ms", "first", "byte"]);
        assert_eq!(lines[3], "peer b: round trip 1.2 ms");
        assert_eq!(lines[5], "gap of 3s from 5s on: no agent");
        assert_eq!(lines[6..], ["one is assumed", "wrote recorded.toml"]);
    }
}
