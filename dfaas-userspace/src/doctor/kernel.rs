use std::fs::read_to_string;
use std::path::Path;

use nix::sys::statfs::{BPF_FS_MAGIC, statfs};

use super::Finding;

/// Where the agent mounts bpffs by itself.
const MOUNT_POINT: &str = "/sys/fs/bpf";

const CAP_NET_ADMIN: u32 = 12;
const CAP_SYS_ADMIN: u32 = 21;
const CAP_BPF: u32 = 39;

pub(super) fn examine(pin: &Path) -> Vec<Finding> {
    vec![version(), btf(), bpffs(pin), jit(), rights()]
}

fn version() -> Finding {
    let release = nix::sys::utsname::uname().map(|name| name.release().to_string_lossy().into_owned());
    release.map_or_else(
        |cause| Finding::fail("kernel", cause.to_string(), "uname must work"),
        |release| judge_release(&release),
    )
}

fn judge_release(release: &str) -> Finding {
    match parse_release(release) {
        Some(version) if version >= (6, 9) => Finding::ok("kernel", release),
        Some(version) if version >= (6, 6) => {
            Finding::warn("kernel", release, "works; 6.9 or newer can also adopt local connections")
        }
        Some(_) => Finding::fail("kernel", release, "tcx needs Linux 6.6 or newer"),
        None => Finding::warn("kernel", release, "its version cannot be read; Linux 6.6 or newer is needed"),
    }
}

fn parse_release(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

fn btf() -> Finding {
    let path = "/sys/kernel/btf/vmlinux";
    if Path::new(path).exists() {
        return Finding::ok("btf", path);
    }
    Finding::fail("btf", format!("no {path}"), "use a kernel with CONFIG_DEBUG_INFO_BTF=y")
}

fn bpffs(pin: &Path) -> Finding {
    let there = pin.ancestors().find(|folder| folder.exists());
    let on_it = |folder: &Path| statfs(folder).is_ok_and(|found| found.filesystem_type() == BPF_FS_MAGIC);
    if there.is_some_and(on_it) {
        return Finding::ok("bpffs", format!("{} lies on it", pin.display()));
    }
    if pin.starts_with(MOUNT_POINT) {
        return Finding::warn("bpffs", format!("not mounted at {MOUNT_POINT}"), "the agent mounts it there");
    }
    let advice = "choose dataplane.pin below /sys/fs/bpf";
    Finding::fail("bpffs", format!("{} does not lie on a bpf file system", pin.display()), advice)
}

fn jit() -> Finding {
    let path = "/proc/sys/net/core/bpf_jit_enable";
    match read_to_string(path).as_deref().map(str::trim) {
        Ok("0") => Finding::warn("jit", "off", "programs are slow: sysctl net.core.bpf_jit_enable=1"),
        Ok(_) => Finding::ok("jit", "on"),
        // The setting is shown in the first network namespace only.
        Err(_) => Finding::ok("jit", "its setting cannot be read in this network namespace"),
    }
}

fn rights() -> Finding {
    let status = read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let held = line.and_then(|text| u64::from_str_radix(text.trim(), 16).ok()).unwrap_or(0);
    if may_load(held) {
        return Finding::ok("rights", "may load and attach programs");
    }
    Finding::fail("rights", "may not load programs", "run as root, or with CAP_BPF and CAP_NET_ADMIN")
}

fn may_load(held: u64) -> bool {
    let has = |capability: u32| held >> capability & 1 == 1;
    has(CAP_NET_ADMIN) && (has(CAP_BPF) || has(CAP_SYS_ADMIN))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn kernels_are_judged_by_number_not_by_text() {
        let level = |release| judge_release(release).level;
        assert_eq!(level("6.18.44-fc-v595"), Level::Ok);
        assert_eq!(level("7.0-rc1"), Level::Ok);
        assert_eq!(level("6.6.0"), Level::Warn);
        assert_eq!(level("6.1.0-28-amd64"), Level::Fail);
        assert_eq!(level("5.19"), Level::Fail);
        assert_eq!(level("strange"), Level::Warn);
    }

    #[test]
    fn loading_needs_net_admin_and_one_of_bpf_and_sys_admin() {
        assert!(may_load(0x0000_01ff_ffff_ffff));
        assert!(may_load(1 << CAP_BPF | 1 << CAP_NET_ADMIN));
        assert!(!may_load(1 << CAP_BPF));
        assert!(!may_load(0));
    }
}
