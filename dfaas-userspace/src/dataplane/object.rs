//! Loading the programs, with maps new or taken over.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use aya::maps::{Map, MapData, ProgramArray};
use aya::programs::links::{FdLink, PinnedLink};
use aya::programs::tc::{SchedClassifier, SchedClassifierLink, TcAttachOptions, TcAttachType};
use aya::programs::{LinkOrder, ProgramError};
use aya::{Ebpf, EbpfLoader};

use super::{DataPlaneError, packet_log};
use dfaas_common::steps::STEPS;

/// The programs as built by `build.rs`.
static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/dfaas-programs"));

/// Maps that are kept over restarts, by pins of their names. Working memory is not.
const PINNED: &[&str] = &[
    "ADMISSIONS",
    "BOUND",
    "CONFIG",
    "CURSORS",
    "DROPS",
    "FLOWS",
    "FREE",
    "FUNCTIONS",
    "FUNCTION_LABELS",
    "GATEWAY_LABELS",
    "GREETINGS",
    "HAPPENED",
    "HOMES",
    "LATE",
    "LOADS",
    "MOVES",
    "NAMES",
    "PATHS",
    "PEERS",
    "PEER_BOUND",
    "PEER_COUNTS",
    "PEER_LABELS",
    "PEER_NUMBERS",
    "PEER_RATES",
    "PINS",
    "PLACES",
    "PLANS",
    "REPORTS",
    "RING",
    "SLOTS",
    "TABLE",
    "TALLIES",
    "USERS",
];

/// Programs and maps in the kernel.
pub struct Object {
    ebpf: Ebpf,
    /// Where the entry programs find the steps. The kernel empties it when nobody holds or pins it any more.
    _steps: ProgramArray<MapData>,
    steps_pin: Option<PathBuf>,
}

/// The programs that are not jumped to.
const ENTRIES: &[&str] = &["dfaas_ingress", "dfaas_egress", "dfaas_sweep"];

/// A hook of an interface.
const HOOKS: [(&str, TcAttachType, &str); 2] =
    [("dfaas_ingress", TcAttachType::Ingress, "ingress"), ("dfaas_egress", TcAttachType::Egress, "egress")];

fn setup(what: String, cause: &dyn std::error::Error, hint: &'static str) -> DataPlaneError {
    // The sources matter: the outer message is often only the name of the system call.
    let mut text = cause.to_string();
    let mut source = cause.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    DataPlaneError::Setup { what, cause: text, hint }
}

impl Object {
    /// Loads the programs, with a log of every decision if asked. Maps that are pinned in `folder` are taken over, the
    /// others are made and pinned there.
    pub fn load(folder: Option<&Path>, max_flows: u32, packet_log: bool) -> Result<Self, DataPlaneError> {
        let paths: Vec<_> = PINNED.iter().map(|name| (*name, folder.map(|f| f.join(name)))).collect();
        let mut loader = EbpfLoader::new();
        loader.map_max_entries("FLOWS", max_flows * 2);
        loader.map_max_entries("TABLE", max_flows);
        loader.map_max_entries("FREE", max_flows);
        // The level of the kernel's log, 0 for none; fixed from here on.
        let level = if packet_log { log::Level::Info as u8 } else { 0 };
        loader.override_global("AYA_LOG_LEVEL", &level, true);
        for (name, path) in &paths {
            if let Some(path) = path {
                loader.map_pin_path(name, path.as_path());
            }
        }
        let steps_pin = folder.map(steps_pin).transpose()?;
        if let Some(path) = &steps_pin {
            loader.map_pin_path("PROGRAMS", path.as_path());
        }
        let mut ebpf = loader.load(OBJECT).map_err(|e| {
            setup(
                "loading the maps".into(),
                &e,
                "run as root on a kernel of 6.6 or newer with BTF; see `dfaas doctor`",
            )
        })?;
        for name in ENTRIES.iter().chain(STEPS) {
            program(&mut ebpf, name)?.load().map_err(|e| match e {
                // The log is long; its last lines say why.
                ProgramError::LoadError { io_error, verifier_log } => DataPlaneError::Setup {
                    what: format!("loading program {name}"),
                    cause: format!("{io_error}: {}", tail(&verifier_log.to_string())),
                    hint: "run as root on a kernel of 6.6 or newer; see `dfaas doctor`",
                },
                e => setup(format!("loading program {name}"), &e, "see `dfaas doctor`"),
            })?;
        }
        let steps = ebpf
            .take_map("PROGRAMS")
            .ok_or_else(|| DataPlaneError::Map { map: "PROGRAMS", cause: "not in the object".to_owned() })?;
        let mut steps = ProgramArray::try_from(steps)
            .map_err(|e| DataPlaneError::Map { map: "PROGRAMS", cause: e.to_string() })?;
        for (index, name) in (0..).zip(STEPS) {
            let failed =
                |e: &dyn std::error::Error| setup(format!("program {name}"), e, "see `dfaas doctor`");
            let fd = program(&mut ebpf, name)?.fd().map_err(|e| failed(&e))?;
            let fd = fd.try_clone().map_err(|e| failed(&e))?;
            steps
                .set(index, &fd, 0)
                .map_err(|e| DataPlaneError::Map { map: "PROGRAMS", cause: e.to_string() })?;
        }
        if packet_log {
            packet_log::follow(&mut ebpf)
                .map_err(|e| setup("the packet log".into(), &*e, "leave --packet-log out"))?;
        }
        Ok(Self { ebpf, _steps: steps, steps_pin })
    }

    /// Takes a map out.
    pub fn take<M: TryFrom<Map, Error = aya::maps::MapError>>(
        &mut self,
        name: &'static str,
    ) -> Result<M, DataPlaneError> {
        let map = self
            .ebpf
            .take_map(name)
            .ok_or_else(|| DataPlaneError::Map { map: name, cause: "not in the object".to_owned() })?;
        M::try_from(map).map_err(|e| DataPlaneError::Map { map: name, cause: e.to_string() })
    }

    /// A loaded program.
    pub fn program(&self, name: &str) -> Option<&SchedClassifier> {
        self.ebpf.program(name).and_then(|p| p.try_into().ok())
    }

    /// Attaches the programs to an interface, or puts them in the place of those that are pinned there.
    pub fn attach(&mut self, folder: &Path, interface: &str) -> Result<(), DataPlaneError> {
        for (name, kind, hook) in HOOKS {
            let path = folder.join("links").join(format!("{interface}-{hook}"));
            attach_one(program(&mut self.ebpf, name)?, &path, interface, kind)?;
        }
        Ok(())
    }

    /// Lets go of the steps of earlier programs, which nothing jumps to any more.
    pub fn unpin_other_steps(&self, folder: &Path) {
        let Ok(entries) = fs::read_dir(folder.join("steps")) else { return };
        for entry in entries.flatten().filter(|e| Some(e.path()) != self.steps_pin) {
            if let Err(e) = fs::remove_file(entry.path()) {
                tracing::warn!("{}: {e}", entry.path().display());
            }
        }
    }

    /// Detaches from interfaces that are not in `keep`.
    pub fn detach_others(folder: &Path, keep: &[String]) {
        let Ok(entries) = fs::read_dir(folder.join("links")) else { return };
        for entry in entries.flatten() {
            let file = entry.file_name();
            let Some(file) = file.to_str() else { continue };
            let interface = file.rsplit_once('-').map_or(file, |(interface, _)| interface);
            if !keep.iter().any(|k| k == interface) {
                tracing::info!("detaching from {interface}: it is not configured any more");
                if let Err(e) = fs::remove_file(entry.path()) {
                    tracing::warn!("{}: {e}", entry.path().display());
                }
            }
        }
    }
}

/// A place for the pin of the steps of the programs that are about to be loaded: nothing else has its name. Without a
/// pin the kernel would take the steps from the entry programs when this process ends.
fn steps_pin(folder: &Path) -> Result<PathBuf, DataPlaneError> {
    let folder = folder.join("steps");
    fs::create_dir_all(&folder)
        .map_err(|e| setup(format!("making {}", folder.display()), &e, "is bpffs writable?"))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(folder.join(format!("{}-{}", std::process::id(), now.as_nanos())))
}

fn program<'a>(ebpf: &'a mut Ebpf, name: &str) -> Result<&'a mut SchedClassifier, DataPlaneError> {
    let missing = || DataPlaneError::Setup {
        what: format!("program {name}"),
        cause: "not in the object".to_owned(),
        hint: "build again with `cargo xtask build`",
    };
    ebpf.program_mut(name).ok_or_else(missing)?.try_into().map_err(|_| missing())
}

fn attach_one(
    program: &mut SchedClassifier,
    path: &Path,
    interface: &str,
    kind: TcAttachType,
) -> Result<(), DataPlaneError> {
    let hint = "does the interface exist, and is the kernel 6.6 or newer?";
    let what = || format!("attaching to {interface}");
    if path.exists() {
        match replace(program, path) {
            Ok(()) => return Ok(()),
            // The interface was deleted and made again since; its old link is dead.
            Err(e) => {
                tracing::info!("the link pinned at {} is dead ({e}); attaching anew", path.display());
                fs::remove_file(path).map_err(|e| setup(what(), &e, hint))?;
            }
        }
    }
    let id = program
        .attach_with_options(interface, kind, TcAttachOptions::TcxOrder(LinkOrder::default()))
        .map_err(|e| setup(what(), &e, hint))?;
    let link = program.take_link(id).map_err(|e| setup(what(), &e, hint))?;
    let link: FdLink = link.try_into().map_err(|e| setup(what(), &e, hint))?;
    link.pin(path).map_err(|e| setup(format!("pinning {}", path.display()), &e, "is bpffs writable?"))?;
    Ok(())
}

/// Puts the program in the place of that of a pinned link, without a moment in between.
fn replace(program: &mut SchedClassifier, path: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let link: SchedClassifierLink = FdLink::from(PinnedLink::from_pin(path)?).try_into()?;
    let id = program.attach_to_link(link)?;
    // The pin keeps the link; our descriptor is not needed.
    drop(program.take_link(id)?);
    Ok(())
}

/// The last lines of a long text.
fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}
