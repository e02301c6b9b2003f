use std::collections::BTreeMap;
use std::io::Read;

use super::{SeriesKey, Trace};
use crate::input::{InputError, Table};

/// Fields before the counts: owner, app, function, trigger.
const NAMES: usize = 4;
/// Seconds of an interval.
const MINUTE: f64 = 60.0;
/// Characters of a hash that are kept in names.
const KEPT: usize = 8;

/// A function of the Azure Functions trace of 2019 on one day (Shahrad et al., Serverless in the Wild, ATC 2020).
#[derive(Debug, Clone, PartialEq)]
pub struct AzureRow {
    /// Hash of the owner.
    pub owner: String,
    /// Hash of the application.
    pub app: String,
    /// Hash of the function, unique in its application.
    pub function: String,
    /// What it is called by, as `http`, `timer`, `queue`.
    pub trigger: String,
    /// Invocations in each minute.
    pub counts: Vec<f64>,
}

impl AzureRow {
    /// The first characters of the hashes of application and function: the same on every day, and not another's.
    pub fn name(&self) -> String {
        let first = |hash: &str| hash.chars().take(KEPT).collect::<String>();
        format!("{}-{}", first(&self.app), first(&self.function))
    }

    /// Invocations of the whole day.
    pub fn total(&self) -> f64 {
        self.counts.iter().sum()
    }
}

/// Reads the functions of a file one by one, so that a day of all of them need not fit into memory.
///
/// A line is owner, app, function, trigger and the counts of the minutes (1,440 in a published day), separated by commas.
/// The first line may name the columns, as in the published files, or not, as in slices of them.
#[derive(Debug)]
pub struct AzureRows<R> {
    table: Table<R>,
    /// Fields of the first line, which all others must have.
    width: Option<usize>,
}

impl<R: Read> AzureRows<R> {
    /// Reads from `reader`; `file` is for errors.
    pub fn new(file: &str, reader: R) -> Self {
        Self { table: Table::new(file, reader, b','), width: None }
    }

    /// The next function, if there is one.
    ///
    /// # Errors
    /// [`InputError`] with the place of what is wrong.
    pub fn next_row(&mut self) -> Result<Option<AzureRow>, InputError> {
        loop {
            if !self.table.advance()? {
                return Ok(None);
            }
            let width = self.table.width();
            let Some(expected) = self.width else {
                if width <= NAMES {
                    let reason =
                        format!("{width} fields; there must be owner, app, function, trigger and counts");
                    return Err(self.table.wrong_line(reason));
                }
                self.width = Some(width);
                if self.is_header()? {
                    continue;
                }
                return self.row().map(Some);
            };
            if width != expected {
                let reason = format!("{width} fields, and {expected} in the first line");
                return Err(self.table.wrong_line(reason));
            }
            return self.row().map(Some);
        }
    }

    /// Whether this line names columns. Where it does, the minutes are numbered, so that only the names before tell.
    fn is_header(&self) -> Result<bool, InputError> {
        let first = self.table.text(0, "owner")?.trim_start_matches('\u{feff}');
        Ok(first.eq_ignore_ascii_case("HashOwner"))
    }

    fn row(&self) -> Result<AzureRow, InputError> {
        let text = |at, name| self.table.text(at, name).map(str::to_owned);
        let mut counts = Vec::with_capacity(self.table.width() - NAMES);
        for at in NAMES..self.table.width() {
            counts.push(self.table.amount(at, "count of a minute")?);
        }
        Ok(AzureRow {
            owner: text(0, "owner")?,
            app: text(1, "app")?,
            function: text(2, "function")?,
            trigger: text(3, "trigger")?,
            counts,
        })
    }
}

/// Which functions of a file to take.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AzureSelection {
    /// Only those called by this, as `http`.
    pub trigger: Option<String>,
    /// Only so many, those with most invocations.
    pub busiest: Option<usize>,
}

/// Reads the selected functions of a file into a trace, not yet at any node. Holds no more of them in memory than it
/// selects.
///
/// # Errors
/// [`InputError`] with the place of what is wrong, or if no function is left.
pub fn read_azure(file: &str, reader: impl Read, select: &AzureSelection) -> Result<Trace, InputError> {
    let mut rows = AzureRows::new(file, reader);
    // By invocations, then the earlier line: totals are not negative, whose bits are in the order of their values.
    let mut kept: BTreeMap<(u64, u64), AzureRow> = BTreeMap::new();
    while let Some(row) = rows.next_row()? {
        if select.trigger.as_ref().is_some_and(|trigger| *trigger != row.trigger) {
            continue;
        }
        kept.insert((row.total().to_bits(), u64::MAX - rows.table.line()), row);
        if select.busiest.is_some_and(|most| kept.len() > most) {
            kept.pop_first();
        }
    }
    let whole = |cause| InputError::whole(file, cause);
    let minutes = kept.values().next().map(|row| row.counts.len());
    let minutes = minutes.ok_or_else(|| InputError::whole(file, "no function that was asked for"))?;
    let mut trace = Trace::new(0.0, MINUTE, minutes).map_err(whole)?;
    for row in kept.into_values() {
        trace.add(SeriesKey::anywhere(&row.name()), &row.counts).map_err(whole)?;
    }
    Ok(trace)
}
