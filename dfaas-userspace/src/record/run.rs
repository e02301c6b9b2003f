use std::future::Future;
use std::path::PathBuf;
use std::pin::pin;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dfaas_sim::Scenario;
use tokio::time::{Instant, sleep_until};

use super::RecordError;
use super::files::{Files, Paths, failed};
use super::lines;
use super::summary::Summary;
use super::tally::{Step, Tally};
use super::view::view;
use crate::admin;
use crate::agent::MeasuredReport;
use crate::written;

/// What is to be recorded, and where to.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The agent's admin.socket.
    pub socket: PathBuf,
    /// How long an interval is. They begin at whole multiples of it since 1970, so that recordings of several nodes can be
    /// merged.
    pub interval: Duration,
    /// How long to record; nothing: until it is stopped.
    pub length: Option<Duration>,
    /// The scenario; the tables stand beside it.
    pub output: PathBuf,
    /// Whether files that are there are replaced.
    pub force: bool,
}

/// How a recording gets on.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// It begins in so long.
    Begins(Duration),
    /// Intervals are over.
    Counted {
        /// Seconds since it began.
        seconds: f64,
        /// What users asked for a second in the last interval, by function.
        rates: Vec<(String, f64)>,
        /// Peers that invocations can be sent to.
        peers: usize,
    },
    /// The agent does not answer; it is asked again with the next interval.
    Trouble(String),
}

/// Records a running agent until the time is over or `stop` comes; what was recorded. Only whole intervals are kept, and
/// what is told by `tell` is kept already.
///
/// # Errors
/// If the agent does not answer at the beginning, a file cannot be written, or no interval was over.
pub async fn record(
    settings: &Settings,
    stop: impl Future<Output = ()>,
    tell: &mut (dyn FnMut(Progress) + Send),
) -> Result<Summary, RecordError> {
    let mut stop = pin!(stop);
    let interval = settings.interval.as_secs_f64();
    read(settings).await?;
    let mut files = Files::create(Paths::of(&settings.output), interval, settings.force)?;
    let (start, begin) = beginning(interval);
    let mut tally = match Tally::new(start, interval) {
        Ok(tally) => tally,
        Err(cause) => {
            files.discard();
            return Err(cause.into());
        }
    };
    tell(Progress::Begins(begin - Instant::now()));
    let most = settings.length.map(|length| (length.as_secs_f64() / interval).ceil().max(1.0) as u32);
    let (mut trouble, mut next) = (None, 0_u32);
    loop {
        let reading = async {
            sleep_until(begin + settings.interval * next).await;
            let asked = begin.elapsed();
            // The agent reads its counters somewhere between.
            read(settings).await.map(|report| (report, (asked + begin.elapsed()) / 2))
        };
        let reading = tokio::select! {
            reading = reading => reading,
            () = &mut stop => break,
        };
        match reading {
            Ok((report, at)) => {
                let told: Option<String> = trouble.take();
                let step = tally.take(start + at.as_secs_f64(), report.clone(), told.as_deref());
                if let Some(step) = step {
                    files.write(&step, &report)?;
                    tell(counted(&tally, &step, interval));
                }
            }
            Err(cause) => {
                let text = cause.to_string();
                tell(Progress::Trouble(text.clone()));
                trouble = Some(text);
            }
        }
        if Some(next) == most {
            break;
        }
        // Readings whose time is over are left out, and the next one says so.
        next = (next + 1).max((begin.elapsed().as_secs_f64() / interval).round() as u32);
        next = next.min(most.unwrap_or(u32::MAX));
    }
    keep(tally, files, trouble)
}

async fn read(settings: &Settings) -> Result<MeasuredReport, RecordError> {
    let body = admin::get(&settings.socket, "/measured").await?;
    serde_json::from_slice(&body).map_err(|cause| RecordError::Answer(cause.to_string()))
}

/// The next moment at which an interval begins: in seconds since 1970, and on the clock that never jumps.
fn beginning(interval: f64) -> (f64, Instant) {
    let (now, clock) = (SystemTime::now(), Instant::now());
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    let start = (now / interval).ceil() * interval;
    (start, clock + Duration::try_from_secs_f64(start - now).unwrap_or_default())
}

fn counted(tally: &Tally, step: &Step, interval: f64) -> Progress {
    let (_, intervals) = tally.counted().unwrap_or_default();
    let rate = |name: &String| (name.clone(), step.arrivals(name) / interval);
    Progress::Counted {
        seconds: intervals as f64 * interval,
        rates: tally.functions().keys().map(rate).collect(),
        peers: tally.last().map_or(0, |report| report.peers.iter().filter(|peer| peer.usable).count()),
    }
}

/// Gives the files their names, and writes the scenario.
fn keep(mut tally: Tally, files: Files, trouble: Option<String>) -> Result<Summary, RecordError> {
    let nothing = |why: Option<String>| {
        RecordError::Nothing(why.unwrap_or_else(|| "it was stopped before an interval was over".to_owned()))
    };
    if tally.counted().is_none() {
        files.discard();
        return Err(nothing(trouble));
    }
    if let Some(why) = &trouble {
        tally.note(format!("at the end the agent did not answer ({why}); that time is not in the files"));
    }
    let paths = files.finish()?;
    let mut written = vec![paths.trace.clone(), paths.node.clone(), paths.peers.clone()];
    let trace = paths.trace.file_name().map(PathBuf::from).unwrap_or_default();
    let Some(view) = view(&tally, &trace) else {
        let why = "no function was seen, so there is no scenario".to_owned();
        return Summary::of(&tally, written, vec![why]).ok_or_else(|| nothing(trouble));
    };
    written.insert(0, paths.scenario.clone());
    let mut summary = Summary::of(&tally, written, Vec::new()).ok_or_else(|| nothing(trouble))?;
    let text = lines::scenario(&view, &summary);
    written::put(&paths.scenario, text.as_bytes()).map_err(failed(&paths.scenario))?;
    Scenario::read(&paths.scenario)
        .map_err(|cause| RecordError::Scenario { path: paths.scenario.clone(), cause })?;
    summary.notes.extend(view.notes);
    Ok(summary)
}
