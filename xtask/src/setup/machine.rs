//! What the machine itself must have; nothing of it can be installed.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

/// The oldest kernel with tcx.
const OLDEST_KERNEL: (u32, u32) = (6, 6);

/// One clear line for each right or feature that is missing.
pub fn check() -> Result<()> {
    let release = nix::sys::utsname::uname().context("cannot tell the kernel's version")?;
    let release = release.release().to_string_lossy();
    let missing = missing(
        nix::unistd::geteuid().is_root(),
        &release,
        Path::new("/sys/kernel/btf/vmlinux").exists(),
        Path::new("/proc/self/ns/net").exists(),
    );
    if missing.is_empty() {
        return Ok(());
    }
    // The first line gets its `error: ` where it is printed.
    bail!("{}", missing.join("\nerror: "))
}

fn missing(root: bool, release: &str, btf: bool, namespaces: bool) -> Vec<String> {
    let mut missing = Vec::new();
    if !root {
        missing
            .push("not root: loading kernel programs and making network namespaces need root rights".into());
    }
    match version(release) {
        Some(version) if version >= OLDEST_KERNEL => {}
        Some(_) => missing.push(format!("kernel {release} is too old: 6.6 or newer is needed (tcx)")),
        None => missing.push(format!("cannot read the kernel version `{release}`: 6.6 or newer is needed")),
    }
    if !btf {
        missing
            .push("no /sys/kernel/btf/vmlinux: the kernel must be built with CONFIG_DEBUG_INFO_BTF".into());
    }
    if !namespaces {
        missing.push(
            "no /proc/self/ns/net: the kernel must be built with CONFIG_NET_NS, and /proc mounted".into(),
        );
    }
    missing
}

/// Major and minor number of a release such as `6.18.44-amd64`.
fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_of_distributions_are_understood() {
        assert_eq!(version("6.18.44-fc-v595"), Some((6, 18)));
        assert_eq!(version("6.6-rc1"), Some((6, 6)));
        assert_eq!(version("6.12.5+deb13-amd64"), Some((6, 12)));
        assert_eq!(version("unknown"), None);
    }

    #[test]
    fn each_missing_thing_has_its_own_line() {
        assert_eq!(missing(true, "6.6.0", true, true), Vec::<String>::new());
        let lines = missing(false, "6.1.0-20-amd64", false, false);
        assert_eq!(lines.len(), 4);
        assert!(lines[1].contains("6.1.0-20-amd64"));
        assert_eq!(missing(true, "5.15.0", true, true).len(), 1);
    }
}
