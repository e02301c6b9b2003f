//! The test programs among cargo's messages. No I/O.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A program that runs tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The package it is of.
    pub package: String,
    /// Its target in the package, a library, a program or a file of tests.
    target: String,
    executable: PathBuf,
    /// Folder of the package: where cargo runs tests.
    folder: PathBuf,
}

impl Program {
    /// For people: `package target`.
    pub fn name(&self) -> String {
        format!("{} {}", self.package, self.target)
    }

    /// Runs it as cargo does.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.executable);
        command.current_dir(&self.folder).env("CARGO_MANIFEST_DIR", &self.folder);
        command
    }
}

/// The test program that a line of `cargo test --message-format json` tells of.
pub fn parse(message: &str) -> Option<Program> {
    let message: Value = serde_json::from_str(message).ok()?;
    if message["reason"] != "compiler-artifact" || message["profile"]["test"] != true {
        return None;
    }
    let folder = Path::new(message["manifest_path"].as_str()?).parent()?.to_owned();
    // `path+file:///folder#name@version`, or `path+file:///folder/name#version` where the folder has the name.
    let (before, after) = message["package_id"].as_str()?.rsplit_once('#')?;
    let package = match after.split_once('@') {
        Some((name, _)) => name,
        None => before.rsplit_once('/')?.1,
    };
    Some(Program {
        package: package.to_owned(),
        target: message["target"]["name"].as_str()?.to_owned(),
        executable: message["executable"].as_str()?.into(),
        folder,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn message(id: &str, test: bool, executable: Option<&str>) -> String {
        json!({
            "reason": "compiler-artifact",
            "package_id": id,
            "manifest_path": "/x/tests/Cargo.toml",
            "target": {"name": "flood", "kind": ["test"]},
            "profile": {"test": test},
            "executable": executable,
        })
        .to_string()
    }

    #[test]
    fn test_programs_are_found_with_their_package() {
        for (id, name) in [
            ("path+file:///x/tests#dfaas-tests@0.1.0", "dfaas-tests flood"),
            ("path+file:///x/xtask#0.1.0", "xtask flood"),
        ] {
            let program = parse(&message(id, true, Some("/t/flood-1"))).expect("a program");
            assert_eq!(program.name(), name);
            let command = program.command();
            assert_eq!(
                (command.get_program(), command.get_current_dir()),
                ("/t/flood-1".as_ref(), Some("/x/tests".as_ref()))
            );
        }
    }

    #[test]
    fn what_is_built_for_tests_but_runs_none_is_left_out() {
        let id = "path+file:///x/tests#dfaas-tests@0.1.0";
        assert_eq!(parse(&message(id, false, Some("/t/dfaas"))), None);
        assert_eq!(parse(&message(id, true, None)), None);
        assert_eq!(parse("warning: no JSON"), None);
    }
}
