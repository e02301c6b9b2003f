//! Attaching programs to interfaces by links that are pinned: they outlive the agent, and its successor puts its own
//! programs in their place without a moment in between.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use aya::programs::links::{FdLink, PinnedLink};
use aya::programs::tc::{SchedClassifier, SchedClassifierLink, TcAttachOptions, TcAttachType};
use aya::programs::xdp::{XdpLink, XdpMode};
use aya::programs::{LinkOrder, Xdp};

use super::DataPlaneError;
use super::link::Links;
use super::object::{Object, program, setup};

/// A hook of an interface for packets.
const HOOKS: [(&str, TcAttachType, &str); 2] =
    [("dfaas_ingress", TcAttachType::Ingress, "ingress"), ("dfaas_egress", TcAttachType::Egress, "egress")];

type Failure = Box<dyn std::error::Error>;

/// Where the link of a hook is pinned. bpffs takes no dots, which names of VLAN devices have; no interface has a colon.
fn pin(folder: &Path, interface: &str, hook: &str) -> PathBuf {
    folder.join("links").join(format!("{}-{hook}", interface.replace('.', ":")))
}

/// The interface whose link has a pin of this name.
fn interface(pin: &str) -> String {
    pin.rsplit_once('-').map_or(pin, |(interface, _)| interface).replace(':', ".")
}

/// Number of the program that is attached by our pinned link for native XDP, if there is one.
pub fn own_xdp(folder: &Path, interface: &str) -> Option<u32> {
    let link = PinnedLink::from_pin(pin(folder, interface, "xdp")).ok()?;
    Some(FdLink::from(link).info().ok()?.program_id())
}

/// How long the kernel may take to let go of a link without a pin; it waits for programs that still run.
const LETTING_GO: Duration = Duration::from_secs(2);

/// Takes native XDP off an interface, if it is there: once this is done no frame meets it any more.
pub fn detach_xdp(folder: &Path, interface: &str) {
    let path = pin(folder, interface, "xdp");
    let number = own_xdp(folder, interface);
    match fs::remove_file(&path) {
        Ok(()) => {}
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return,
        Err(e) => return tracing::warn!("{}: {e}", path.display()),
    }
    let attached = || {
        let links = Links::read().unwrap_or_default();
        number.is_some() && links.named(interface).is_some_and(|link| link.xdp == number)
    };
    let begun = Instant::now();
    while attached() {
        if begun.elapsed() > LETTING_GO {
            tracing::warn!(
                "{interface}: the kernel still holds native XDP; does somebody else hold its link?"
            );
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Takes native XDP off all interfaces: it must not answer handshakes that no other program goes on with.
pub fn detach_all_xdp(folder: &Path) {
    for path in pins(folder) {
        let file = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if file.ends_with("-xdp") {
            detach_xdp(folder, &interface(file));
        }
    }
}

fn pins(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(folder.join("links")).into_iter().flatten();
    entries.flatten().map(|entry| entry.path())
}

/// Detaches from interfaces that are not in `keep`.
pub fn detach_others(folder: &Path, keep: &[String]) {
    let mut pins: Vec<_> = pins(folder).collect();
    // Native XDP first: what it answers needs the others.
    pins.sort_by_key(|path| !path.to_string_lossy().ends_with("-xdp"));
    for path in pins {
        let Some(file) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let interface = interface(file);
        if !keep.contains(&interface) {
            tracing::info!("detaching from {interface}: it is not configured any more");
            if file.ends_with("-xdp") {
                detach_xdp(folder, &interface);
                continue;
            }
            if let Err(e) = fs::remove_file(&path) {
                tracing::warn!("{}: {e}", path.display());
            }
        }
    }
}

impl Object {
    /// Attaches the programs to an interface, or puts them in the place of those that are pinned there.
    pub fn attach(&mut self, folder: &Path, interface: &str) -> Result<(), DataPlaneError> {
        for (name, kind, hook) in HOOKS {
            let program: &mut SchedClassifier = program(&mut self.ebpf, name)?;
            put(program, &pin(folder, interface, hook), replace, |program| {
                let options = TcAttachOptions::TcxOrder(LinkOrder::default());
                let id = program.attach_with_options(interface, kind, options)?;
                Ok(program.take_link(id)?.try_into()?)
            })
            .map_err(|e| {
                failed(interface, &*e, "does the interface exist, and is the kernel 6.6 or newer?")
            })?;
        }
        Ok(())
    }

    /// Attaches the program for native XDP, or puts it in the place of the one that is pinned there. `pair`: the interface
    /// is one end of a virtual pair.
    pub fn attach_xdp(&mut self, folder: &Path, interface: &str, pair: bool) -> Result<(), DataPlaneError> {
        self.load_xdp()?;
        let name = if pair { "dfaas_xdp_pair" } else { "dfaas_xdp" };
        let program: &mut Xdp = program(&mut self.ebpf, name)?;
        put(program, &pin(folder, interface, "xdp"), replace_xdp, |program| {
            let id = program.attach(interface, XdpMode::Driver)?;
            Ok(program.take_link(id)?.try_into()?)
        })
        .map_err(|e| {
            failed(interface, &*e, "set dataplane.mode to \"auto\" or \"tcx\"; `dmesg` may say more")
        })
    }
}

fn failed(interface: &str, cause: &dyn std::error::Error, hint: &'static str) -> DataPlaneError {
    setup(format!("attaching to {interface}"), cause, hint)
}

/// Puts a program in the place of that of the link pinned at `path`, or attaches it and pins its link there.
fn put<P>(
    program: &mut P,
    path: &Path,
    replace: impl FnOnce(&mut P, &Path) -> Result<(), Failure>,
    attach: impl FnOnce(&mut P) -> Result<FdLink, Failure>,
) -> Result<(), Failure> {
    if path.exists() {
        match replace(program, path) {
            Ok(()) => return Ok(()),
            // The interface was deleted and made again since; its old link is dead.
            Err(e) => {
                tracing::info!("the link pinned at {} is dead ({e}); attaching anew", path.display());
                fs::remove_file(path)?;
            }
        }
    }
    attach(program)?.pin(path)?;
    Ok(())
}

/// Puts the program in the place of that of a pinned link, without a moment in between.
fn replace(program: &mut SchedClassifier, path: &Path) -> Result<(), Failure> {
    let link: SchedClassifierLink = FdLink::from(PinnedLink::from_pin(path)?).try_into()?;
    let id = program.attach_to_link(link)?;
    // The pin keeps the link; our descriptor is not needed.
    drop(program.take_link(id)?);
    Ok(())
}

/// The same for native XDP.
fn replace_xdp(program: &mut Xdp, path: &Path) -> Result<(), Failure> {
    let link: XdpLink = FdLink::from(PinnedLink::from_pin(path)?).try_into()?;
    let id = program.attach_to_link(link)?;
    drop(program.take_link(id)?);
    Ok(())
}
