//! The file system on which maps and links are pinned.

use std::fs;
use std::path::{Path, PathBuf};

use dfaas_common::ABI_VERSION;
use nix::mount::{MsFlags, mount};
use nix::sys::statfs::{BPF_FS_MAGIC, statfs};

use super::DataPlaneError;

/// Where bpffs is mounted by convention.
const MOUNT_POINT: &str = "/sys/fs/bpf";

/// The folder of this layout version below the configured one.
pub fn versioned(pin: &Path) -> PathBuf {
    pin.join(format!("v{ABI_VERSION}"))
}

fn failed(what: String, cause: &dyn std::fmt::Display, hint: &'static str) -> DataPlaneError {
    DataPlaneError::Setup { what, cause: cause.to_string(), hint }
}

/// Makes sure that `pin` lies on bpffs, mounting it at `/sys/fs/bpf` where needed, and that no data plane of another
/// layout version is there.
pub fn prepare(pin: &Path) -> Result<PathBuf, DataPlaneError> {
    let mounted = |path: &str| statfs(path).is_ok_and(|s| s.filesystem_type() == BPF_FS_MAGIC);
    if pin.starts_with(MOUNT_POINT) && !mounted(MOUNT_POINT) {
        tracing::info!("bpffs is not mounted; mounting it at {MOUNT_POINT}");
        mount(Some("bpf"), MOUNT_POINT, Some("bpf"), MsFlags::empty(), None::<&str>).map_err(|e| {
            failed(
                format!("mounting bpffs at {MOUNT_POINT}"),
                &e,
                "run as root, or mount it: mount -t bpf bpf /sys/fs/bpf",
            )
        })?;
    }
    if let Some(other) = other_version(pin) {
        return Err(failed(
            format!("{}", other.display()),
            &format!("a data plane of another layout version is pinned here (this one has v{ABI_VERSION})"),
            "run `dfaas unload` of the version that made it, or of this one, then start again",
        ));
    }
    let folder = versioned(pin);
    fs::create_dir_all(folder.join("links")).map_err(|e| {
        failed(format!("{}", folder.display()), &e, "dataplane.pin must be a folder on bpffs")
    })?;
    let on_bpffs = statfs(&folder).is_ok_and(|s| s.filesystem_type() == BPF_FS_MAGIC);
    if !on_bpffs {
        return Err(failed(
            format!("{}", folder.display()),
            &"not on a bpf file system",
            "set dataplane.pin to a folder below /sys/fs/bpf",
        ));
    }
    Ok(folder)
}

fn other_version(pin: &Path) -> Option<PathBuf> {
    let own = versioned(pin);
    fs::read_dir(pin).ok()?.flatten().map(|entry| entry.path()).find(|path| {
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("");
        *path != own && name.strip_prefix('v').is_some_and(|n| n.parse::<u32>().is_ok())
    })
}

/// Removes everything below the configured folder; links detach with their pins. `false` if there was nothing.
pub fn remove(pin: &Path) -> Result<bool, DataPlaneError> {
    if !pin.exists() {
        return Ok(false);
    }
    fs::remove_dir_all(pin).map_err(|e| {
        failed(format!("removing {}", pin.display()), &e, "run as root; remove the folder by hand")
    })?;
    Ok(true)
}
