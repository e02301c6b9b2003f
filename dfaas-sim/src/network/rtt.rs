use std::fmt;
use std::io::{Read, Write};

use super::error::amount;
use super::{NetworkError, Position};
use crate::input::{InputError, Table};

/// Unit of the times in a file. Published matrices come in several and do not say which, so it is always given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Microseconds.
    Microseconds,
}

impl Unit {
    /// How many of this unit a second has.
    fn per_second(self) -> f64 {
        match self {
            Self::Seconds => 1.0,
            Self::Milliseconds => 1e3,
            Self::Microseconds => 1e6,
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Seconds => "s",
            Self::Milliseconds => "ms",
            Self::Microseconds => "us",
        })
    }
}

/// Round-trip times between all nodes, in seconds. Measured ones may differ with the direction.
#[derive(Debug, Clone, PartialEq)]
pub struct RttMatrix {
    nodes: usize,
    /// Row by row, from whom first.
    seconds: Vec<f64>,
}

impl RttMatrix {
    /// A matrix of `rows` in seconds, from whom first.
    ///
    /// # Errors
    /// [`NetworkError`] if it is not square, or a time is negative or not finite.
    pub fn from_rows(rows: &[Vec<f64>]) -> Result<Self, NetworkError> {
        let nodes = rows.len();
        if let Some(row) = rows.iter().find(|row| row.len() != nodes) {
            return Err(NetworkError::Sizes { nodes, what: "a row of round-trip times", other: row.len() });
        }
        let seconds = rows.concat();
        seconds.iter().try_for_each(|seconds| amount("round-trip time", *seconds))?;
        Ok(Self { nodes, seconds })
    }

    /// Times that grow with the distance: `base` seconds and `per_km` seconds for each kilometre; none to oneself. Light
    /// in fibre takes 10 microseconds there and back for each kilometre, and cables are longer than the crow flies.
    ///
    /// # Errors
    /// [`NetworkError::Parameter`] if a number is negative or not finite.
    pub fn from_positions(positions: &[Position], base: f64, per_km: f64) -> Result<Self, NetworkError> {
        amount("base of the round-trip time", base)?;
        amount("round-trip time of a kilometre", per_km)?;
        let time = |from: usize, to: usize| {
            if from == to { 0.0 } else { base + per_km * positions[from].distance(positions[to]) }
        };
        let rows: Vec<Vec<f64>> = (0..positions.len())
            .map(|from| (0..positions.len()).map(|to| time(from, to)).collect())
            .collect();
        Self::from_rows(&rows)
    }

    /// The same times, stretched so that the longest is `seconds`. Nothing changes if all are zero.
    ///
    /// # Errors
    /// [`NetworkError::Parameter`] if `seconds` is negative or not finite.
    pub fn scaled_to_longest(mut self, seconds: f64) -> Result<Self, NetworkError> {
        amount("longest round-trip time", seconds)?;
        let longest = self.seconds.iter().copied().fold(0.0, f64::max);
        if longest > 0.0 {
            self.seconds.iter_mut().for_each(|time| *time *= seconds / longest);
        }
        Ok(self)
    }

    /// The times among some of the nodes, in the order given.
    ///
    /// # Errors
    /// [`NetworkError::Sizes`] if there is no such node.
    pub fn among(&self, nodes: &[usize]) -> Result<Self, NetworkError> {
        if let Some(other) = nodes.iter().copied().find(|node| *node >= self.nodes) {
            return Err(NetworkError::Sizes { nodes: self.nodes, what: "an index", other });
        }
        let row = |from: &usize| nodes.iter().map(|to| self.get(*from, *to)).collect::<Vec<_>>();
        Ok(Self { nodes: nodes.len(), seconds: nodes.iter().flat_map(row).collect() })
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes
    }

    /// Whether there is no node.
    pub fn is_empty(&self) -> bool {
        self.nodes == 0
    }

    /// Seconds from `from` to `to` and back.
    ///
    /// # Panics
    /// If there is no such node.
    pub fn get(&self, from: usize, to: usize) -> f64 {
        assert!(from < self.nodes && to < self.nodes, "{from} to {to} of {} nodes", self.nodes);
        self.seconds[from * self.nodes + to]
    }

    /// The times from each node to all, in seconds.
    pub fn rows(&self) -> impl Iterator<Item = &[f64]> {
        // A chunk of nothing is not allowed, and an empty matrix has no chunk.
        self.seconds.chunks(self.nodes.max(1))
    }

    /// Reads a square table without a header, its fields separated by tabs or by commas; `file` is for errors.
    ///
    /// # Errors
    /// [`InputError`] with the place of the first field that is no time, or the first row that is not as long as the
    /// first.
    pub fn read(file: &str, reader: impl Read, unit: Unit, delimiter: u8) -> Result<Self, InputError> {
        let mut table = Table::new(file, reader, delimiter);
        let (mut nodes, mut seconds, mut rows) = (0, Vec::new(), 0);
        while table.advance()? {
            if rows == 0 {
                nodes = table.width();
            } else if table.width() != nodes {
                let reason = format!("{} fields, and {nodes} in the first row", table.width());
                return Err(table.wrong_line(reason));
            }
            for to in 0..nodes {
                seconds.push(table.amount(to, "round-trip time")? / unit.per_second());
            }
            rows += 1;
        }
        if rows != nodes {
            return Err(table.wrong_file(format_args!(
                "{rows} rows of {nodes} fields; a matrix has as many rows as fields"
            )));
        }
        Ok(Self { nodes, seconds })
    }

    /// Writes a table separated by tabs. In seconds and without rounding to `decimals` it is read back exactly.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write(&self, mut to: impl Write, unit: Unit, decimals: Option<usize>) -> std::io::Result<()> {
        for row in self.rows() {
            let cells = row.iter().map(|seconds| {
                let time = seconds * unit.per_second();
                decimals.map_or_else(|| time.to_string(), |decimals| format!("{time:.decimals$}"))
            });
            writeln!(to, "{}", cells.collect::<Vec<_>>().join("\t"))?;
        }
        Ok(())
    }
}
