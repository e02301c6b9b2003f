//! A program that is ended while it holds a lab leaves nothing behind.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

fn namespaces_of(lab: &str) -> usize {
    let Ok(entries) = std::fs::read_dir("/run/netns") else { return 0 };
    entries.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with(lab)).count()
}

#[test]
fn ctrl_c_and_termination_remove_the_lab_and_tell_the_signal() {
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143), (Signal::SIGHUP, 129)] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_lab"))
            .arg("2")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let last =
            output.lines().map(|line| line.unwrap()).find(|line| line.contains("stands until")).unwrap();
        let lab = last.split(' ').next().unwrap();
        assert_eq!(namespaces_of(lab), 5);
        let folder = std::env::temp_dir().join(lab);
        assert!(folder.is_dir());

        kill(Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code), "{signal}");
        assert_eq!(namespaces_of(lab), 0, "{signal}");
        assert!(!Path::new(&folder).exists(), "{signal}");
    }
}
