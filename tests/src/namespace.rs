//! Running code inside a network namespace.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread::JoinHandle;

use anyhow::{Context as _, Result, bail};
use nix::sched::{CloneFlags, setns};

/// A named network namespace, as `ip netns` keeps them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespace {
    name: String,
}

impl Namespace {
    pub(crate) fn new(name: String) -> Self {
        Self { name }
    }

    /// Its name, for `ip netns exec NAME`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file that stands for it.
    pub fn path(&self) -> PathBuf {
        PathBuf::from("/run/netns").join(&self.name)
    }

    pub(crate) fn open(&self) -> Result<File> {
        File::open(self.path()).with_context(|| format!("network namespace {} is not there", self.name))
    }

    /// Starts a thread that enters the namespace and runs `work` there. Sockets made by `work` belong to the
    /// namespace wherever they are used later.
    pub fn spawn<T, F>(&self, work: F) -> Result<JoinHandle<Result<T>>>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let file = self.open()?;
        let name = self.name.clone();
        std::thread::Builder::new()
            .name(name.clone())
            .spawn(move || {
                setns(&file, CloneFlags::CLONE_NEWNET)
                    .with_context(|| format!("cannot enter network namespace {name}"))?;
                Ok(work())
            })
            .context("cannot start a thread")
    }

    /// Runs `work` inside the namespace, on a thread of its own, and waits for it. A panic of `work` goes on in the
    /// caller.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T> {
        let file = self.open()?;
        let thread = std::thread::scope(|scope| {
            scope
                .spawn(|| {
                    setns(&file, CloneFlags::CLONE_NEWNET)
                        .with_context(|| format!("cannot enter network namespace {}", self.name))?;
                    Ok(work())
                })
                .join()
        });
        thread.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// Runs a program inside the namespace to its end and returns what it prints. The error names the program and what
    /// it complained about.
    pub fn output(&self, program: &str, args: &[&str], input: &str) -> Result<String> {
        let command = || {
            let mut child = Command::new(program)
                .args(args)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .with_context(|| format!("cannot run `{program}`: `cargo xtask setup` installs it"))?;
            if let Some(mut stdin) = child.stdin.take() {
                stdin.write_all(input.as_bytes()).with_context(|| format!("`{program}` does not listen"))?;
            }
            child.wait_with_output().with_context(|| format!("cannot wait for `{program}`"))
        };
        let output = self.run(command)??;
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            bail!("`{program} {}` failed ({}): {}", args.join(" "), output.status, stderr.trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Runs the future that `make` returns on a current-thread runtime inside the namespace, and waits for it.
    pub fn block_on<T: Send, F: Future<Output = T>>(&self, make: impl FnOnce() -> F + Send) -> Result<T> {
        self.run(|| Ok(runtime()?.block_on(async { make().await })))?
    }

    /// Starts a thread with a current-thread runtime inside the namespace for the future that `make` returns.
    pub fn spawn_async<T, M, F>(&self, make: M) -> Result<JoinHandle<Result<T>>>
    where
        T: Send + 'static,
        M: FnOnce() -> F + Send + 'static,
        F: Future<Output = T>,
    {
        // Made here, so that failing is the caller's error and the thread's result stays flat.
        let runtime = runtime()?;
        self.spawn(move || runtime.block_on(async { make().await }))
    }
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start a runtime")
}
