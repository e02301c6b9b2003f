use std::collections::BTreeMap;
use std::io::{Read, Write};

use super::{MAX_INTERVALS, SeriesKey, Trace, TraceError};
use crate::input::{InputError, Table};

/// The columns that every recording has.
const TIME: &str = "time_s";
const NODE: &str = "node";
const FUNCTION: &str = "function";
const ARRIVALS: &str = "arrivals";
/// The column that may say how long an interval is.
const INTERVAL: &str = "interval_s";

/// How far from the beginning of an interval a time may be, in intervals.
const TOLERANCE: f64 = 0.1;

/// One line of a recording.
struct Row {
    line: u64,
    time: f64,
    series: usize,
    arrivals: f64,
}

/// Reads a recording: a comma-separated table whose first line names the columns, in any order.
///
/// | column | meaning |
/// |---|---|
/// | `time_s` | when the interval begins, in seconds on any one clock |
/// | `node` | where the requests arrived; empty if no node has them yet |
/// | `function` | what they were for |
/// | `arrivals` | how many came from users in this interval |
/// | `interval_s` | how long the interval is, in seconds; may be absent |
///
/// Other columns are passed over: recordings of agents and of load runs have more. Lines may come in any order; an
/// interval without a line had no request; several lines for the same are added up. The length of an interval is
/// `interval`, else what `interval_s` says, else the shortest time between two lines. `file` is for errors.
///
/// # Errors
/// [`InputError`] with the place of what is wrong.
pub fn read_recording(file: &str, reader: impl Read, interval: Option<f64>) -> Result<Trace, InputError> {
    let mut table = Table::new(file, reader, b',');
    if !table.advance()? {
        return Err(
            table.wrong_file("is empty; the first line names the columns, time_s,node,function,arrivals")
        );
    }
    let names: Vec<String> = (0..table.width())
        .map(|at| {
            table.text(at, "name of a column").map(|name| name.trim_start_matches('\u{feff}').to_owned())
        })
        .collect::<Result<_, _>>()?;
    let find = |name: &str| names.iter().position(|found| found == name);
    let column = |name: &str| find(name).ok_or_else(|| table.wrong_line(format_args!("no column {name}")));
    let [time, node, function, arrivals] =
        [column(TIME)?, column(NODE)?, column(FUNCTION)?, column(ARRIVALS)?];
    let length = find(INTERVAL);

    let (mut keys, mut rows, mut told) = (BTreeMap::new(), Vec::new(), None);
    while table.advance()? {
        let time_s: f64 = table.number(time, TIME)?;
        if !time_s.is_finite() {
            return Err(table.wrong(time, format_args!("{TIME} is {time_s}, and must be finite")));
        }
        let name = Some(table.text(node, NODE)?).filter(|name| !name.is_empty());
        let key =
            SeriesKey { node: name.map(str::to_owned), function: table.text(function, FUNCTION)?.to_owned() };
        let next = keys.len();
        let series = *keys.entry(key).or_insert(next);
        rows.push(Row {
            line: table.line(),
            time: time_s,
            series,
            arrivals: table.amount(arrivals, ARRIVALS)?,
        });
        if let Some(at) = length {
            let value = table.amount(at, INTERVAL)?;
            let first = *told.get_or_insert(value);
            if value != first || value == 0.0 {
                let reason = format!(
                    "{INTERVAL} is {value}; it must be more than 0 and the same in all lines ({first} in the first)"
                );
                return Err(table.wrong(at, reason));
            }
        }
    }
    if rows.is_empty() {
        return Err(table.wrong_file("has no line after the names of the columns"));
    }
    let interval = interval.or(told).or_else(|| shortest_gap(&rows)).ok_or_else(|| {
        table.wrong_file(
            "all lines have the same time: say how long an interval is, or add a column interval_s",
        )
    })?;
    gather(file, keys, &rows, interval, time as u64 + 1)
}

/// The shortest time between lines that have not the same.
fn shortest_gap(rows: &[Row]) -> Option<f64> {
    let mut times: Vec<f64> = rows.iter().map(|row| row.time).collect();
    times.sort_by(f64::total_cmp);
    times.windows(2).map(|pair| pair[1] - pair[0]).filter(|gap| *gap > 0.0).min_by(f64::total_cmp)
}

/// Puts each line into its interval. `column` is that of the time, for errors.
fn gather(
    file: &str,
    keys: BTreeMap<SeriesKey, usize>,
    rows: &[Row],
    interval: f64,
    column: u64,
) -> Result<Trace, InputError> {
    let whole = |cause: TraceError| InputError::whole(file, cause);
    let start = rows.iter().map(|row| row.time).fold(f64::INFINITY, f64::min);
    let (mut places, mut intervals) = (Vec::with_capacity(rows.len()), 0);
    for row in rows {
        let exact = (row.time - start) / interval;
        let place = exact.round();
        if place >= MAX_INTERVALS as f64 {
            return Err(whole(TraceError::TooLarge { intervals: exact, series: keys.len() }));
        }
        if (exact - place).abs() > TOLERANCE {
            let reason = format!(
                "{TIME} {} is no whole number of intervals of {interval} s after {start}; if an interval is longer or \
                 shorter, say so",
                row.time
            );
            return Err(InputError::place(file, row.line, column, reason));
        }
        places.push(place as usize);
        intervals = intervals.max(place as usize + 1);
    }
    super::model::fits(intervals, keys.len()).map_err(whole)?;
    let mut counts = vec![vec![0.0; intervals]; keys.len()];
    for (row, place) in rows.iter().zip(places) {
        counts[row.series][place] += row.arrivals;
    }
    let series = keys.into_iter().map(|(key, at)| (key, std::mem::take(&mut counts[at])));
    Trace::with_series(start, interval, intervals, series).map_err(whole)
}

/// Writes a recording line by line, for those who count while it goes on. What is written is read by [`read_recording`],
/// which passes over the columns that are not its own.
#[derive(Debug)]
pub struct RecordingWriter<W: Write> {
    lines: csv::Writer<W>,
    interval: String,
    more: usize,
}

impl<W: Write> RecordingWriter<W> {
    /// Writes the names of the columns: `time_s,node,function,arrivals,interval_s` and `more`. Intervals are `interval`
    /// seconds long.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn new(to: W, interval: f64, more: &[&str]) -> std::io::Result<Self> {
        let mut lines = csv::Writer::from_writer(to);
        lines.write_record([TIME, NODE, FUNCTION, ARRIVALS, INTERVAL].iter().chain(more))?;
        Ok(Self { lines, interval: interval.to_string(), more: more.len() })
    }

    /// Writes what arrived in the interval that begins at `time` seconds, and what stands in the other columns.
    ///
    /// # Errors
    /// Those of the writer, and if there are not as many other columns as were named.
    pub fn line(
        &mut self,
        time: f64,
        key: &SeriesKey,
        arrivals: f64,
        more: &[String],
    ) -> std::io::Result<()> {
        if more.len() != self.more {
            let text = format!("{} more columns where {} were named", more.len(), self.more);
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, text));
        }
        let node = key.node.as_deref().unwrap_or_default();
        let (time, arrivals) = (time.to_string(), arrivals.to_string());
        let own = [&time, node, &key.function, &arrivals, &self.interval];
        self.lines.write_record(own.into_iter().chain(more.iter().map(String::as_str)))?;
        Ok(())
    }

    /// Hands on what is kept back.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn flush(&mut self) -> std::io::Result<()> {
        self.lines.flush()
    }
}

/// Writes a recording, with the columns `time_s,node,function,arrivals,interval_s`. Intervals without requests have no
/// line, except the first and the last, which say where the trace begins and ends. It is read back exactly.
///
/// # Errors
/// Those of the writer.
pub fn write_recording(trace: &Trace, to: impl Write) -> std::io::Result<()> {
    let mut lines = RecordingWriter::new(to, trace.interval(), &[])?;
    let ends = [0, trace.intervals().saturating_sub(1)];
    for at in 0..trace.intervals() {
        let time = trace.start() + at as f64 * trace.interval();
        for (key, counts) in trace.series().filter(|(_, counts)| counts[at] > 0.0 || ends.contains(&at)) {
            lines.line(time, key, counts[at], &[])?;
        }
    }
    lines.flush()
}
