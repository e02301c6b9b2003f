use std::path::PathBuf;
use std::sync::Mutex;

use clap::Parser;
use dfaas_sim::cli::{CommandError, Sim, sim};
use tempfile::TempDir;

/// Users of node 0 ask for 6 processors of work, those of the others for 0.6 each; every node has 2.
pub const OVERLOAD: &str = r#"
warmup = "5s"
duration = "20s"
[nodes]
count = 3
cores = [2, 2, 2]
patience = 0.9
[network]
rtt = "4ms"
everybody = true
[[functions]]
name = "thirty"
cpu = "30ms"
[load]
rates = [
  { node = 0, function = "thirty", rate = 200 },
  { node = 1, function = "thirty", rate = 20 },
  { node = 2, function = "thirty", rate = 20 },
]
"#;

#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Sim,
}

/// A folder in which commands run, with a scenario.
pub struct Desk {
    folder: TempDir,
    /// Lines of progress since they were last taken.
    told: Mutex<Vec<String>>,
}

impl Desk {
    pub fn new() -> Self {
        let desk = Self { folder: tempfile::tempdir().expect("a folder"), told: Mutex::default() };
        desk.put("s.toml", OVERLOAD);
        desk
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn put(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect(name);
    }

    pub fn get(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect(name)
    }

    pub fn json(&self, name: &str) -> serde_json::Value {
        serde_json::from_str(&self.get(name)).expect(name)
    }

    /// Runs a command whose words that begin with `@` are in this folder.
    pub fn run(&self, line: &str) -> Result<String, CommandError> {
        let word = |word: &str| match word.strip_prefix('@') {
            Some(name) => self.path(name).display().to_string(),
            None => word.to_owned(),
        };
        let words = std::iter::once("sim".to_owned()).chain(line.split_whitespace().map(word));
        let arguments =
            Arguments::try_parse_from(words).map_err(|error| CommandError::Usage(error.to_string()))?;
        sim(&arguments.command, &|line| self.told.lock().expect("no panic before").push(line.to_owned()))
    }

    /// Lines of progress, without their count, in alphabetic order: threads finish as they do.
    pub fn told(&self) -> Vec<String> {
        let lines = std::mem::take(&mut *self.told.lock().expect("no panic before"));
        let what = |line: &String| line.split_once(": ").map_or(line.clone(), |(_, what)| what.to_owned());
        let mut lines: Vec<String> = lines.iter().map(what).collect();
        lines.sort();
        lines
    }
}
