use std::path::Path;
use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::exit::Failure;
use super::runtime;
use crate::gateway::{self, GatewayConfig};

pub(super) fn run(file: &Path, mptcp: bool) -> Result<ExitCode, Failure> {
    let mut config = GatewayConfig::from_file(file).map_err(|cause| Failure::Usage(cause.to_string()))?;
    if mptcp {
        config.set_mptcp(true);
    }
    let runtime = runtime()?;
    let ended = runtime.block_on(async {
        let shutdown = CancellationToken::new();
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let stop = shutdown.clone();
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            stop.cancel();
        });
        gateway::run(config, shutdown).await
    });
    runtime.shutdown_background();
    ended.map(|()| ExitCode::SUCCESS).map_err(|cause| Failure::Failed(format!("{cause:#}")))
}
