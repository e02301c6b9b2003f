//! `bpf-linker`, whose LLVM must be at least as new as the compiler's.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::packages;
use super::toolchain::Compiler;

const VERSION: &str = "0.13.0";

/// The versions of LLVM with which this version of the linker can be built.
const LLVM: std::ops::RangeInclusive<u32> = 21..=23;

/// Finds or installs the linker for this compiler; returns its name for messages.
pub fn ensure(compiler: &Compiler) -> Result<String> {
    if let Some(linker) = find() {
        match linker.llvm {
            Some(llvm) if llvm < compiler.llvm => {
                println!(
                    "setup: {} has LLVM {llvm}, too old for the compiler's LLVM {}",
                    linker.version, compiler.llvm
                );
            }
            _ => return Ok(linker.version),
        }
    }
    install(compiler)?;
    let linker =
        find().context("bpf-linker was installed, but it does not run: is ~/.cargo/bin on the PATH?")?;
    Ok(linker.version)
}

struct Linker {
    version: String,
    /// Major version of its LLVM; `None` if it is linked in.
    llvm: Option<u32>,
}

fn find() -> Option<Linker> {
    let path = packages::on_path("bpf-linker")?;
    let output = Command::new(&path).arg("--version").output().ok()?;
    if !output.status.success() {
        return None;
    }
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Some(Linker { version, llvm: shared_llvm(&path) })
}

fn shared_llvm(path: &Path) -> Option<u32> {
    let output = Command::new("ldd").arg(path).output().ok()?;
    parse_ldd(&String::from_utf8_lossy(&output.stdout))
}

/// The major version in `libLLVM.so.22.1` or `libLLVM-22.so`.
fn parse_ldd(libraries: &str) -> Option<u32> {
    let name = libraries.split_whitespace().find(|word| word.starts_with("libLLVM"))?;
    name.split(|c: char| !c.is_ascii_digit()).find_map(|number| number.parse().ok())
}

/// With the distribution's LLVM if it is new enough, else the project's own program with LLVM linked in.
fn install(compiler: &Compiler) -> Result<()> {
    let versions = LLVM.filter(|&llvm| llvm >= compiler.llvm);
    for llvm in versions {
        if packages::offered(&format!("llvm-{llvm}-dev")) {
            return build(llvm);
        }
    }
    if packages::on_path("cargo-binstall").is_some() {
        println!("setup: cargo binstall bpf-linker");
        return cargo(Command::new("cargo").args(["binstall", "--no-confirm", "--force"]).arg(named()));
    }
    bail!(
        "bpf-linker {VERSION} with LLVM {} or newer is missing, and this system offers no such LLVM to build it: \
         run `cargo install cargo-binstall`, then this again; or put the program from \
         https://github.com/aya-rs/bpf-linker/releases on the PATH",
        compiler.llvm
    )
}

fn build(llvm: u32) -> Result<()> {
    let (dev, polly) = (format!("llvm-{llvm}-dev"), format!("libpolly-{llvm}-dev"));
    packages::install(&[&dev, &polly, "zlib1g-dev", "libzstd-dev"], "LLVM, to build bpf-linker")?;
    println!("setup: building bpf-linker {VERSION} with LLVM {llvm} (about a minute)");
    cargo(
        Command::new("cargo")
            .env("LLVM_PREFIX", format!("/usr/lib/llvm-{llvm}"))
            .args(["install", "--force", "--no-default-features"])
            .args(["--features", &format!("llvm-{llvm}")])
            .arg(named()),
    )
}

fn named() -> String {
    format!("bpf-linker@{VERSION}")
}

/// Runs cargo quietly; what it says is shown only when it fails.
fn cargo(command: &mut Command) -> Result<()> {
    // Not in the checkout: its configuration and toolchain are not the linker's affair.
    let output = command.current_dir("/").output().context("cannot run cargo")?;
    if !output.status.success() {
        bail!("installing bpf-linker failed:\n{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_linkers_llvm_is_read_from_its_libraries() {
        let text =
            "\tlinux-vdso.so.1 (0x0)\n\tlibLLVM.so.22.1 => /usr/lib/llvm-22/lib/libLLVM.so.22.1 (0x0)\n";
        assert_eq!(parse_ldd(text), Some(22));
        assert_eq!(parse_ldd("\tlibLLVM-19.so => /usr/lib/x.so (0x0)\n"), Some(19));
        assert_eq!(parse_ldd("\tstatically linked\n"), None);
    }
}
