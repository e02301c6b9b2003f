use std::path::Path;
use std::process::ExitCode;

use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::args::Show;
use super::exit::{Failure, print};
use super::{runtime, text, text_peers, text_plan};
use crate::admin::ClientError;
use crate::agent::{FunctionsReport, PeersReport, PlansReport, StatusReport};
use crate::{admin, config, doctor};

pub(super) fn status(show: &Show) -> Result<ExitCode, Failure> {
    ask::<StatusReport>(show, "/status", text::status)
}

pub(super) fn peers(show: &Show) -> Result<ExitCode, Failure> {
    ask::<PeersReport>(show, "/peers", text_peers::peers)
}

pub(super) fn functions(show: &Show) -> Result<ExitCode, Failure> {
    ask::<FunctionsReport>(show, "/functions", text::functions)
}

pub(super) fn plan(show: &Show) -> Result<ExitCode, Failure> {
    ask::<PlansReport>(show, "/plan", text_plan::plans)
}

/// Has the running agent take nothing from peers, or take it again.
pub(super) fn drain(show: &Show, path: &str) -> Result<ExitCode, Failure> {
    told(show, runtime()?.block_on(admin::post(&show.socket, path)), text::drain)
}

/// Asks the running agent and prints its answer as it came, or for people.
pub(super) fn ask<T: DeserializeOwned>(
    show: &Show,
    path: &str,
    human: impl Fn(&T) -> String,
) -> Result<ExitCode, Failure> {
    told(show, runtime()?.block_on(admin::get(&show.socket, path)), human)
}

fn told<T: DeserializeOwned>(
    show: &Show,
    body: Result<Bytes, ClientError>,
    human: impl Fn(&T) -> String,
) -> Result<ExitCode, Failure> {
    let body = body.map_err(|cause| Failure::Failed(cause.to_string()))?;
    if show.json {
        return print(&format!("{}\n", String::from_utf8_lossy(&body)));
    }
    let report = serde_json::from_slice(&body).map_err(|cause| {
        Failure::Failed(format!(
            "the agent's answer cannot be read ({cause}); is it of another version? Try --json"
        ))
    })?;
    print(&human(&report))
}

pub(super) fn doctor(file: Option<&Path>, json: bool) -> Result<ExitCode, Failure> {
    let diagnosis = runtime()?.block_on(doctor::examine(file.map(config::load)));
    if json {
        let body = serde_json::to_string(&diagnosis).map_err(|cause| Failure::Failed(cause.to_string()))?;
        print(&format!("{body}\n"))?;
    } else {
        print(&text::diagnosis(&diagnosis))?;
    }
    Ok(if diagnosis.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
