//! A program that runs inside a namespace, with its output in a file.

use std::fs::File;
use std::os::fd::AsRawFd as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use nix::libc;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::namespace::Namespace;
use crate::registry;

/// How long a process may take to end after SIGTERM when it is dropped.
const GRACE: Duration = Duration::from_secs(3);

/// Lines of a log that are shown when something fails.
const TAIL: usize = 30;

/// A running program. Dropping it ends it: SIGTERM, and SIGKILL if that does not help. While a test panics its last
/// lines of output are shown.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command` inside `namespace`; standard output and error are appended to `log`. The mount namespace
    /// stays the caller's, so that what the program mounts and pins is seen by all. `name` is for messages.
    pub fn spawn(name: &str, namespace: &Namespace, mut command: Command, log: &Path) -> Result<Self> {
        let _making = registry::enter();
        let file = namespace.open()?;
        let output = File::options()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("cannot write the log {}", log.display()))?;
        let errors = output.try_clone().with_context(|| format!("cannot write the log {}", log.display()))?;
        command.stdin(Stdio::null()).stdout(output).stderr(errors);
        // Not in the terminal's foreground group: on Ctrl-C the lab ends it in order.
        command.process_group(0);
        let enter = move || {
            // SAFETY: the descriptor is open: the closure owns the file. `setns` is a bare system call.
            match unsafe { libc::setns(file.as_raw_fd(), libc::CLONE_NEWNET) } {
                0 => Ok(()),
                _ => Err(std::io::Error::last_os_error()),
            }
        };
        // SAFETY: between fork and exec the closure only makes one system call; it allocates nothing, takes no lock.
        unsafe { command.pre_exec(enter) };
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {name} ({})", command.get_program().display()))?;
        Ok(Self { name: name.to_owned(), child, log: log.to_owned() })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// All that it has said so far.
    pub fn output(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.child.id()).context("process id out of range")?;
        kill(Pid::from_raw(pid), signal).with_context(|| format!("cannot send {signal} to {}", self.name))
    }

    /// How it ended, if it did.
    pub fn exited(&mut self) -> Result<Option<ExitStatus>> {
        // While the program is being interrupted its processes end too, and nobody shall take that for a failure.
        let _living = registry::enter();
        self.child.try_wait().with_context(|| format!("cannot wait for {}", self.name))
    }

    /// Waits until it ends by itself, at most `limit`.
    pub fn wait(&mut self, limit: Duration) -> Result<Option<ExitStatus>> {
        let deadline = Instant::now() + limit;
        loop {
            let status = self.exited()?;
            if status.is_some() || Instant::now() >= deadline {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Ends it: SIGTERM, then after `grace` SIGKILL. Returns how it ended.
    pub fn stop(&mut self, grace: Duration) -> Result<ExitStatus> {
        if self.exited()?.is_none() {
            self.signal(Signal::SIGTERM)?;
        }
        if let Some(status) = self.wait(grace)? {
            return Ok(status);
        }
        self.child.kill().with_context(|| format!("cannot kill {}", self.name))?;
        self.child.wait().with_context(|| format!("cannot wait for {}", self.name))
    }

    /// An error if it has ended, with the last lines of its log.
    pub fn check(&mut self) -> Result<()> {
        match self.exited()? {
            None => Ok(()),
            Some(status) => Err(anyhow::anyhow!("{} ended ({status})\n{}", self.name, self.log_tail())),
        }
    }

    /// The last lines of its log, under a heading.
    pub fn log_tail(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.lines().collect();
        let shown = &lines[lines.len().saturating_sub(TAIL)..];
        if shown.is_empty() {
            return format!("--- {} wrote nothing", self.name);
        }
        format!("--- last lines of {}:\n{}", self.name, shown.join("\n"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.log_tail());
        }
        if let Err(error) = self.stop(GRACE) {
            eprintln!("lab: {error:#}");
        }
    }
}
