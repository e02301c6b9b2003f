use std::fmt;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::input::InputError;
use crate::trace::{self, AzureSelection, Trace};

/// Why a command ends without success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandError {
    /// What was asked for has no meaning: exit code 2.
    Usage(String),
    /// It could not be done: exit code 1.
    Failed(String),
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Usage(text) | Self::Failed(text)) = self;
        f.write_str(text)
    }
}

impl std::error::Error for CommandError {}

impl From<InputError> for CommandError {
    fn from(error: InputError) -> Self {
        Self::Failed(error.to_string())
    }
}

/// What was asked for has no meaning.
pub(super) fn usage(cause: impl fmt::Display) -> CommandError {
    CommandError::Usage(cause.to_string())
}

/// Formats of traces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// The project's own table: time_s, node, function, arrivals.
    Recording,
    /// Azure Functions 2019, with or without a header.
    Azure,
    /// JSON of the original's load tests: {"function": {"node": [requests a second in each minute]}}.
    K6,
}

/// Where traces come from.
#[derive(Debug, Clone, Args)]
pub struct Source {
    /// Format of the files; otherwise it is seen from the name and the first line.
    #[arg(long, value_enum)]
    pub from: Option<Format>,
    /// Seconds of an interval, for recordings that do not say.
    #[arg(long)]
    pub interval: Option<f64>,
    /// Of an Azure file only functions called by this, as http.
    #[arg(long)]
    pub trigger: Option<String>,
    /// Of an Azure file only so many functions, those with most invocations.
    #[arg(long)]
    pub busiest: Option<usize>,
}

impl Source {
    /// Reads a trace.
    ///
    /// # Errors
    /// [`CommandError`] says which file or argument is wrong, and where.
    pub fn read(&self, path: &Path) -> Result<Trace, CommandError> {
        if self.interval.is_some_and(|interval| !(interval.is_finite() && interval > 0.0)) {
            return Err(usage("--interval must be finite and more than 0"));
        }
        let name = path.display().to_string();
        let mut reader = open(path)?;
        let format = match self.from {
            Some(format) => format,
            None if path.extension().is_some_and(|end| end == "json") => Format::K6,
            None => {
                let start = reader.fill_buf().map_err(|cause| InputError::io(&name, &cause))?;
                let line = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
                let own = String::from_utf8_lossy(line).split(',').any(|field| field.trim() == "time_s");
                if own { Format::Recording } else { Format::Azure }
            }
        };
        Ok(match format {
            Format::Recording => trace::read_recording(&name, reader, self.interval)?,
            Format::K6 => trace::read_k6(&name, reader)?,
            Format::Azure => {
                let select = AzureSelection { trigger: self.trigger.clone(), busiest: self.busiest };
                trace::read_azure(&name, reader, &select)?
            }
        })
    }
}

/// Where a trace goes.
#[derive(Debug, Clone, Args)]
pub struct Target {
    /// File to write; standard output if absent. A name that ends in .json is for a k6 trace.
    #[arg(short, long)]
    pub output: Option<PathBuf>,
    /// Format to write; otherwise it is seen from the name, and else a recording.
    #[arg(long, value_enum)]
    pub to: Option<Format>,
    /// Say in JSON what was written.
    #[arg(long, requires = "output")]
    pub json: bool,
}

impl Target {
    /// Writes a trace; what to print.
    pub(super) fn write(&self, trace: &Trace) -> Result<String, CommandError> {
        let json = self.output.as_ref().is_some_and(|path| path.extension().is_some_and(|end| end == "json"));
        let mut content = Vec::new();
        match self.to.unwrap_or(if json { Format::K6 } else { Format::Recording }) {
            Format::K6 => trace::write_k6(trace, &mut content).map_err(usage)?,
            Format::Recording => trace::write_recording(trace, &mut content)
                .map_err(|cause| CommandError::Failed(cause.to_string()))?,
            Format::Azure => return Err(usage("Azure files are read only; write a recording or a k6 trace")),
        }
        put(self.output.as_deref(), content, || super::text::trace(trace, 0, self.json))
    }
}

/// Opens a file for reading.
pub(super) fn open(path: &Path) -> Result<BufReader<File>, CommandError> {
    let file =
        File::open(path).map_err(|cause| CommandError::Failed(format!("{}: {cause}", path.display())))?;
    Ok(BufReader::new(file))
}

/// Writes a file and gives back what is to be said of it; without a file gives back the content.
pub(super) fn put(
    path: Option<&Path>,
    content: Vec<u8>,
    summary: impl FnOnce() -> Result<String, CommandError>,
) -> Result<String, CommandError> {
    let Some(path) = path else {
        return String::from_utf8(content).map_err(|cause| CommandError::Failed(cause.to_string()));
    };
    let failed = |cause: std::io::Error| CommandError::Failed(format!("{}: {cause}", path.display()));
    File::create(path).and_then(|mut file| file.write_all(&content)).map_err(failed)?;
    summary()
}
