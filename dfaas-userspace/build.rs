//! Builds the kernel programs of `dfaas-ebpf` and leaves the object in `OUT_DIR/dfaas-programs`.
//!
//! The programs need `core` built for the BPF target, so a compiler that accepts `-Z build-std` together with the
//! library source. `cargo xtask setup` provides one; here it is only found.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use aya_build::{Package, Toolchain};

/// The toolchain that `cargo xtask setup` links where no nightly with library source is to be had.
const LINKED: &str = "dfaas-bpf";

/// A file of kernel programs that were built before, from the same sources: for packagers whose builders have no compiler
/// for BPF.
const PREBUILT: &str = "DFAAS_PROGRAMS";
/// What the programs are called by the build.
const OBJECT: &str = "dfaas-programs";

fn main() -> Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=DFAAS_BPF_TOOLCHAIN");
    println!("cargo:rerun-if-env-changed={PREBUILT}");
    let own = PathBuf::from(std::env::var_os("OUT_DIR").context("OUT_DIR is set by cargo")?);
    if let Some(object) = std::env::var_os(PREBUILT) {
        println!("cargo:rerun-if-changed={}", Path::new(&object).display());
        return take(Path::new(&object), &own);
    }
    let manifest = std::env::var("CARGO_MANIFEST_DIR").context("CARGO_MANIFEST_DIR is set by cargo")?;
    let root = Path::new(&manifest).join("../dfaas-ebpf");
    let root = root.to_str().context("the path of the checkout is not UTF-8")?;
    println!("cargo:rerun-if-changed={manifest}/../dfaas-common/src");

    let toolchain = toolchain()?;
    if toolchain == LINKED {
        // SAFETY: a build script has one thread here; nothing reads the environment at the same time.
        unsafe { std::env::set_var("RUSTC_BOOTSTRAP", "1") };
    }
    let common = common_folder(&own);
    std::fs::create_dir_all(&common).with_context(|| format!("cannot make {}", common.display()))?;
    let lock = common.join("lock");
    let lock = File::create(&lock).with_context(|| format!("cannot make {}", lock.display()))?;
    lock.lock().context("cannot wait for another build of the kernel programs")?;
    // SAFETY: a build script has one thread here; nothing reads the environment at the same time.
    unsafe { std::env::set_var("OUT_DIR", &common) };
    aya_build::build_ebpf(
        [Package { name: "dfaas-ebpf", root_dir: root, ..Default::default() }],
        Toolchain::Custom(&toolchain),
    )
    .context("building the kernel programs failed; `cargo xtask setup` installs what they need")?;
    if own == common { Ok(()) } else { take(&common.join(OBJECT), &own) }
}

fn take(object: &Path, own: &Path) -> Result<()> {
    let copied = std::fs::copy(object, own.join(OBJECT));
    copied.map(drop).with_context(|| format!("cannot copy the kernel programs {}", object.display()))
}

/// Where all builds of a target folder keep the kernel programs, which are the same for each: they take minutes, and
/// tests, lints and releases have folders of their own. `own` is `target/PROFILE/build/NAME/out`.
fn common_folder(own: &Path) -> PathBuf {
    let build = own.ancestors().find(|folder| folder.file_name().is_some_and(|name| name == "build"));
    let target = build.and_then(Path::parent).and_then(Path::parent);
    target.map_or_else(|| own.to_owned(), |target| target.join("kernel-programs"))
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
