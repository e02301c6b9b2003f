//! The packet log of the programs, passed on to the agent's own.

use std::os::fd::{AsRawFd as _, BorrowedFd};

use aya::Ebpf;
use aya_log::EbpfLogger;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// Hands what the programs log to `tracing`.
struct Forward;

impl log::Log for Forward {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        tracing::info!(target: "packets", "{}", record.args());
    }

    fn flush(&self) {}
}

/// Follows the log on a thread of its own, until the process ends.
pub fn follow(ebpf: &mut Ebpf) -> Result<(), Box<dyn std::error::Error>> {
    let mut logger = EbpfLogger::init_with_logger(ebpf, Forward)?;
    std::thread::Builder::new().name("packet-log".to_owned()).spawn(move || {
        loop {
            // SAFETY: the logger owns the descriptor and lives as long as this thread.
            let descriptor = unsafe { BorrowedFd::borrow_raw(logger.as_raw_fd()) };
            let mut ready = [PollFd::new(descriptor, PollFlags::POLLIN)];
            match poll(&mut ready, PollTimeout::NONE) {
                Ok(_) | Err(nix::errno::Errno::EINTR) => logger.flush(),
                Err(e) => {
                    tracing::warn!("the packet log ended: {e}");
                    return;
                }
            }
        }
    })?;
    Ok(())
}
