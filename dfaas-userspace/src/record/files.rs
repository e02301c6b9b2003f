use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use dfaas_sim::trace::RecordingWriter;

use super::RecordError;
use super::lines::{self, NODE, PEERS, TRACE};
use super::tally::Step;
use crate::agent::MeasuredReport;
use crate::written::{self, part};

/// The tables of a recording. While it goes on their names end in `.part` and they hold every interval that is over, so that
/// one that is killed loses nothing but its names.
#[derive(Debug)]
pub struct Files {
    trace: RecordingWriter<BufWriter<File>>,
    node: Table,
    peers: Table,
    interval: f64,
    paths: Paths,
}

/// Where a recording is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// The scenario.
    pub scenario: PathBuf,
    /// The trace.
    pub trace: PathBuf,
    /// The node by time.
    pub node: PathBuf,
    /// The peers by time.
    pub peers: PathBuf,
}

impl Paths {
    /// The files of a recording `output`, with or without `.toml`.
    pub fn of(output: &Path) -> Self {
        let base = if output.extension().is_some_and(|end| end == "toml") {
            output.with_extension("")
        } else {
            output.to_owned()
        };
        let with = |end: &str| {
            let mut name = base.clone().into_os_string();
            name.push(end);
            PathBuf::from(name)
        };
        Self {
            scenario: with(".toml"),
            trace: with(".csv"),
            node: with(".node.csv"),
            peers: with(".peers.csv"),
        }
    }

    fn tables(&self) -> [&PathBuf; 3] {
        [&self.trace, &self.node, &self.peers]
    }
}

/// An error that names the file.
pub(super) fn failed(path: &Path) -> impl Fn(io::Error) -> RecordError {
    move |cause| RecordError::File { path: path.to_owned(), cause }
}

impl Files {
    /// Opens the tables; `force`: in place of files that are there.
    ///
    /// # Errors
    /// If a file is there, or cannot be written.
    pub fn create(paths: Paths, interval: f64, force: bool) -> Result<Self, RecordError> {
        let [trace, node, peers] = paths.tables();
        let all = [trace, node, peers, &paths.scenario];
        if let Some(path) = all.into_iter().find(|path| !force && path.exists()) {
            return Err(RecordError::There { path: path.clone() });
        }
        let open = |path: &Path| {
            let part = part(path);
            let mut how = OpenOptions::new();
            how.write(true).truncate(force).create(force).create_new(!force);
            how.open(&part).map_err(|cause| match cause.kind() {
                io::ErrorKind::AlreadyExists => RecordError::There { path: part.clone() },
                _ => RecordError::File { path: part.clone(), cause },
            })
        };
        let trace = RecordingWriter::new(BufWriter::new(open(&paths.trace)?), interval, &TRACE);
        Ok(Self {
            trace: trace.map_err(failed(&paths.trace))?,
            node: Table::new(open(&paths.node)?, &NODE).map_err(failed(&paths.node))?,
            peers: Table::new(open(&paths.peers)?, &PEERS).map_err(failed(&paths.peers))?,
            interval,
            paths,
        })
    }

    /// Writes what a reading added, to the disk's cache.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write(&mut self, step: &Step, report: &MeasuredReport) -> Result<(), RecordError> {
        let rows = lines::trace(step, report);
        for at in 0..step.grown.intervals {
            let time = step.grown.start + at as f64 * self.interval;
            for row in &rows {
                let written = self.trace.line(time, &row.key, row.arrivals, &row.more);
                written.map_err(failed(&self.paths.trace))?;
            }
            let line = lines::node(time, self.interval, step, report);
            self.node.line(&line).map_err(failed(&self.paths.node))?;
        }
        for peer in &step.news {
            let line = lines::peer(step.grown.start, &report.node, peer);
            self.peers.line(&line).map_err(failed(&self.paths.peers))?;
        }
        self.flush()
    }

    fn flush(&mut self) -> Result<(), RecordError> {
        self.trace.flush().map_err(failed(&self.paths.trace))?;
        self.node.flush().map_err(failed(&self.paths.node))?;
        self.peers.flush().map_err(failed(&self.paths.peers))
    }

    /// Gives the tables their names.
    ///
    /// # Errors
    /// If a file cannot be written or renamed.
    pub fn finish(mut self) -> Result<Paths, RecordError> {
        self.flush()?;
        for path in self.paths.tables() {
            written::name(path).map_err(failed(path))?;
        }
        Ok(self.paths)
    }

    /// Removes the tables, in which there is nothing.
    pub fn discard(self) {
        for path in self.paths.tables() {
            // What stays behind is said when the next recording wants its name.
            let _ = std::fs::remove_file(part(path));
        }
    }
}

/// A comma-separated table.
#[derive(Debug)]
struct Table(csv::Writer<BufWriter<File>>);

impl Table {
    fn new(file: File, head: &[&str]) -> io::Result<Self> {
        let mut lines = csv::Writer::from_writer(BufWriter::new(file));
        lines.write_record(head)?;
        Ok(Self(lines))
    }

    fn line(&mut self, cells: &[String]) -> io::Result<()> {
        Ok(self.0.write_record(cells)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
