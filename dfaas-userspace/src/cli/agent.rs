use std::path::Path;
use std::process::ExitCode;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use super::exit::{Failure, print};
use super::runtime;
use crate::admin::Listeners;
use crate::agent::{self, Exit, Lock, Outcome};
use crate::config::Config;
use crate::overlay::Overlay;
use crate::{config, dataplane, overlay};

pub(super) fn run(file: &Path, keep: bool, packet_log: bool) -> Result<ExitCode, Failure> {
    let mut config = config::load(file)?;
    config.dataplane.packet_log = packet_log;
    agent::check_interfaces(&config)?;
    let failed = |cause: &dyn std::fmt::Display| Failure::Failed(cause.to_string());
    let _lock = Lock::acquire(&config.dataplane.pin, &config.admin.socket).map_err(|cause| failed(&cause))?;
    let runtime = runtime()?;
    // Before the data plane is touched, so that no signal finds the agent deaf.
    let shutdown =
        runtime.block_on(async { listen(keep) }).map_err(|cause| failed(&format!("signals: {cause}")))?;
    let admin = runtime.block_on(Listeners::bind(&config.admin)).map_err(|cause| failed(&cause))?;
    // Bound like the admin interface before anything is attached.
    let overlay = runtime.block_on(start_overlay(&config))?;
    let dataplane = dataplane::open(&config.dataplane).map_err(|cause| failed(&cause))?;
    tracing::info!(node = config.name, strategy = config.control.strategy, "the agent runs");
    match runtime.block_on(agent::run(config, admin, dataplane, overlay, shutdown)) {
        Ok(Outcome::Left(left)) => tracing::info!("detached; {} connections cut", left.abandoned),
        Ok(Outcome::Kept) => tracing::info!("ended; the data plane is still attached"),
        Err(cause) => return Err(failed(&cause)),
    }
    // A connection that somebody still holds open must not keep the process.
    runtime.shutdown_background();
    Ok(ExitCode::SUCCESS)
}

/// The overlay that the configuration wants, if it wants one; a node without an identity gets one now.
async fn start_overlay(config: &Config) -> Result<Option<Overlay>, Failure> {
    let (Some(settings), Some(wanted)) = (overlay::Settings::of(config), &config.overlay) else {
        return Ok(None);
    };
    let failed = |cause: String| Failure::Failed(format!("overlay: {cause}"));
    let key =
        overlay::identity::load_or_create(&wanted.identity).map_err(|cause| failed(cause.to_string()))?;
    let overlay = overlay::start(settings, key).await.map_err(|cause| failed(cause.to_string()))?;
    tracing::info!(id = %overlay.id, "on the overlay");
    Ok(Some(overlay))
}

/// Turns signals into words for the agent.
fn listen(keep: bool) -> std::io::Result<mpsc::Receiver<Exit>> {
    let (tell, shutdown) = mpsc::channel(2);
    let leave = if keep { Exit::Keep } else { Exit::Leave };
    let signals = [
        (signal(SignalKind::terminate())?, leave),
        (signal(SignalKind::interrupt())?, leave),
        (signal(SignalKind::hangup())?, Exit::Keep),
        (signal(SignalKind::quit())?, Exit::Keep),
    ];
    for (signal, exit) in signals {
        tokio::spawn(pass_on(signal, exit, tell.clone()));
    }
    Ok(shutdown)
}

async fn pass_on(mut signal: Signal, exit: Exit, tell: mpsc::Sender<Exit>) {
    while signal.recv().await.is_some() {
        if tell.send(exit).await.is_err() {
            return;
        }
    }
}

pub(super) fn unload(file: Option<&Path>, pin: &Path) -> Result<ExitCode, Failure> {
    let config = file.map(config::load).transpose()?;
    let pin = config.as_ref().map_or(pin, |config| &config.dataplane.pin);
    let _lock = Lock::of_pin(pin).map_err(|cause| Failure::Failed(cause.to_string()))?;
    match dataplane::unload(pin) {
        Ok(true) => print(&format!("the data plane at {} is detached and removed\n", pin.display())),
        Ok(false) => print(&format!("there is no data plane at {}\n", pin.display())),
        Err(cause) => Err(Failure::Failed(cause.to_string())),
    }
}
