//! Builds the kernel programs of `dfaas-ebpf` and leaves the object in `OUT_DIR/dfaas-programs`.
//!
//! The programs need `core` built for the BPF target, so a compiler that accepts `-Z build-std` together with the
//! library source. `cargo xtask setup` provides one; here it is only found.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use aya_build::{Package, Toolchain};

/// The toolchain that `cargo xtask setup` links where no nightly with library source is to be had.
const LINKED: &str = "dfaas-bpf";

fn main() -> Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=DFAAS_BPF_TOOLCHAIN");
    let manifest = std::env::var("CARGO_MANIFEST_DIR").context("CARGO_MANIFEST_DIR is set by cargo")?;
    let root = Path::new(&manifest).join("../dfaas-ebpf");
    let root = root.to_str().context("the path of the checkout is not UTF-8")?;
    println!("cargo:rerun-if-changed={manifest}/../dfaas-common/src");

    let toolchain = toolchain()?;
    if toolchain == LINKED {
        // SAFETY: a build script has one thread here; nothing reads the environment at the same time.
        unsafe { std::env::set_var("RUSTC_BOOTSTRAP", "1") };
    }
    aya_build::build_ebpf(
        [Package { name: "dfaas-ebpf", root_dir: root, ..Default::default() }],
        Toolchain::Custom(&toolchain),
    )
    .context("building the kernel programs failed; `cargo xtask setup` installs what they need")
}

/// The first toolchain that has the library source: the one named by the environment, a nightly, the linked one.
fn toolchain() -> Result<String> {
    if let Ok(name) = std::env::var("DFAAS_BPF_TOOLCHAIN") {
        return Ok(name);
    }
    for name in ["nightly", LINKED] {
        if has_library_source(name) {
            return Ok(name.to_owned());
        }
    }
    bail!(
        "no Rust toolchain here can build for BPF (a nightly with rust-src is needed): run `cargo xtask setup`"
    )
}

fn has_library_source(toolchain: &str) -> bool {
    let output = Command::new("rustup").args(["run", toolchain, "rustc", "--print", "sysroot"]).output();
    let Ok(output) = output else { return false };
    if !output.status.success() {
        return false;
    }
    let sysroot = String::from_utf8_lossy(&output.stdout);
    Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library/core").exists()
}
