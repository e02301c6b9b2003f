//! The living labs of this process, and who removes them when the process ends before they are dropped.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Once, RwLock, RwLockReadGuard, TryLockError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::signal::unix::{SignalKind, signal};

use crate::cleanup;
use crate::names::LabName;

/// Whoever makes something for a lab holds it for reading; who ends the process holds it for writing, for good, so
/// that nothing is made after it was looked for.
static LABS: RwLock<BTreeSet<LabName>> = RwLock::new(BTreeSet::new());

/// Permission to make or change things of a lab. While the process is being ended it is never given.
pub(crate) fn enter() -> RwLockReadGuard<'static, BTreeSet<LabName>> {
    LABS.read().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Reserves a name, after removing what dead runs left behind.
pub(crate) fn register() -> Result<LabName> {
    if !nix::unistd::geteuid().is_root() {
        bail!("network namespaces need root: run this as root");
    }
    install()?;
    let mut labs = LABS.write().unwrap_or_else(std::sync::PoisonError::into_inner);
    remove_leftovers(&labs);
    let pid = std::process::id();
    let number = (0..).find(|&number| !labs.contains(&LabName { pid, number })).unwrap_or_default();
    let name = LabName { pid, number };
    labs.insert(name);
    Ok(name)
}

/// Removes a lab and frees its name.
pub(crate) fn unregister(lab: LabName) {
    let mut labs = LABS.write().unwrap_or_else(std::sync::PoisonError::into_inner);
    report(&cleanup::remove(lab));
    labs.remove(&lab);
}

fn remove_leftovers(living: &BTreeSet<LabName>) {
    let own = std::process::id();
    for lab in cleanup::all_labs() {
        let owner_lives = lab.pid != own && Path::new("/proc").join(lab.pid.to_string()).exists();
        if !owner_lives && !living.contains(&lab) {
            eprintln!("lab: removing {lab}, left behind by a run that was killed");
            report(&cleanup::remove(lab));
        }
    }
}

fn report(problems: &[String]) {
    use std::io::Write as _;
    for problem in problems {
        // The terminal may be gone; that must not stop the removal.
        let _ = writeln!(std::io::stderr(), "lab: {problem}");
    }
}

/// Signals that end a program, and the panic hook where a panic runs no destructors.
fn install() -> Result<()> {
    static ONCE: Once = Once::new();
    let mut result = Ok(());
    ONCE.call_once(|| {
        if cfg!(panic = "abort") {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |info| {
                before(info);
                remove_all_after_panic();
            }));
        }
        result = watch_signals();
    });
    result
}

fn watch_signals() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start a runtime for signals")?;
    let guard = runtime.enter();
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot watch SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot watch SIGTERM")?;
    let mut hang_up = signal(SignalKind::hangup()).context("cannot watch SIGHUP")?;
    drop(guard);
    std::thread::Builder::new()
        .name("lab-signals".to_owned())
        .spawn(move || {
            let number = runtime.block_on(async {
                tokio::select! {
                    _ = interrupt.recv() => 2,
                    _ = terminate.recv() => 15,
                    _ = hang_up.recv() => 1,
                }
            });
            let labs = LABS.write().unwrap_or_else(std::sync::PoisonError::into_inner);
            for &lab in labs.iter() {
                report(&[format!("interrupted: removing {lab}")]);
                report(&cleanup::remove(lab));
            }
            // With the lock held: nobody else makes anything any more. As a shell reports a death by signal.
            std::process::exit(128 + number);
        })
        .context("cannot start the thread that watches signals")?;
    Ok(())
}

/// The panicking thread may itself hold the lock; then the list is out of reach, but the names tell.
fn remove_all_after_panic() {
    let own = std::process::id();
    for _ in 0..50 {
        match LABS.try_write() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(20)),
            _ => break,
        }
    }
    for lab in cleanup::all_labs().into_iter().filter(|lab| lab.pid == own) {
        report(&cleanup::remove(lab));
    }
}
