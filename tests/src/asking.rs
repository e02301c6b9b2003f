//! What a node is asked, and what it says: its commands, its metrics, its gateway.

use std::process::{Command, ExitStatus};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;

use crate::http::{self, Answer};
use crate::node::Node;
use crate::process::Process;

/// Longest wait for an answer.
const ANSWER: Duration = Duration::from_secs(10);

impl Node {
    /// Its identity on the overlay, made now if it has none.
    pub fn identify(&self) -> Result<String> {
        let file = self.identity_file();
        let command = if file.exists() { "show" } else { "new" };
        let (status, said) = self.dfaas(&["id", command, "--file", &file.to_string_lossy()], ANSWER)?;
        let id = said.split_whitespace().find(|word| word.starts_with("12D3"));
        match id {
            Some(id) if status.success() => Ok(id.to_owned()),
            _ => bail!("`dfaas id {command}` says: {said}"),
        }
    }

    /// What a command of the agent says as JSON: `status`, `peers`, `plan`, `functions`.
    pub fn json(&self, command: &str) -> Result<serde_json::Value> {
        let socket = self.admin_socket();
        let args = [command, "--json", "--socket", &*socket.to_string_lossy()];
        let (status, said) = self.dfaas(&args, ANSWER)?;
        if !status.success() {
            bail!("`dfaas {command}` says: {said}");
        }
        serde_json::from_str(&said).with_context(|| format!("`dfaas {command}` says no JSON: {said}"))
    }

    /// Tells the agent to take nothing from peers any more (`drain`), or to take it again (`resume`).
    pub fn tell(&self, word: &str) -> Result<()> {
        let socket = self.admin_socket();
        let (status, said) = self.dfaas(&[word, "--socket", &socket.to_string_lossy()], ANSWER)?;
        if !status.success() {
            bail!("`dfaas {word}` says: {said}");
        }
        Ok(())
    }

    /// The names of the peers that invocations may be sent to.
    pub fn usable_peers(&self) -> Result<Vec<String>> {
        let peers = self.json("peers")?;
        let peers = peers["peers"].as_array().cloned().unwrap_or_default();
        let usable = peers.iter().filter(|peer| peer["usable"] == true);
        Ok(usable.filter_map(|peer| Some(peer["name"].as_str()?.to_owned())).collect())
    }

    /// `dfaas` with these arguments inside the node's namespace, run to its end; its output goes to `log`.
    pub fn dfaas(&self, args: &[&str], limit: Duration) -> Result<(ExitStatus, String)> {
        let log = self.folder.join(format!("{}.log", args.first().unwrap_or(&"dfaas")));
        // One log for each run, so that it holds this run's output alone.
        let _ = std::fs::remove_file(&log);
        let mut command = Command::new(&self.binary);
        command.args(args);
        let mut process =
            Process::spawn(&format!("dfaas {}", args.join(" ")), &self.namespace, command, &log)?;
        let Some(status) = process.wait(limit)? else {
            bail!("`dfaas {}` did not end within {limit:?}\n{}", args.join(" "), process.log_tail());
        };
        let output = std::fs::read(&log).with_context(|| format!("cannot read {}", log.display()))?;
        Ok((status, String::from_utf8_lossy(&output).into_owned()))
    }

    /// `dfaas` with these arguments inside the node's namespace, which goes on until it is ended; its output is what
    /// [`Process::output`] says.
    pub fn start_dfaas(&self, name: &str, args: &[&str]) -> Result<Process> {
        let log = self.folder.join(format!("{name}.log"));
        let _ = std::fs::remove_file(&log);
        let mut command = Command::new(&self.binary);
        command.args(args);
        Process::spawn(&format!("dfaas {}", args.join(" ")), &self.namespace, command, &log)
    }

    /// What the agent's `/metrics` says.
    pub fn metrics(&self) -> Result<String> {
        let answer = http::get(&self.namespace, self.admin_address(), "/metrics", Duration::from_secs(5))?;
        Ok(String::from_utf8_lossy(answer.body()).into_owned())
    }

    /// The sum of all lines of `/metrics` with this name that carry all of these labels, written `key="value"`.
    pub fn metric(&self, name: &str, labels: &[&str]) -> Result<f64> {
        let text = self.metrics()?;
        let lines = text.lines().filter(|line| {
            let (head, _) = line.split_once(['{', ' ']).unwrap_or_default();
            head == name && labels.iter().all(|label| line.contains(label))
        });
        lines
            .map(|line| {
                let value = line.rsplit(' ').next().unwrap_or_default();
                value.parse::<f64>().with_context(|| format!("no number in the metric `{line}`"))
            })
            .sum()
    }

    /// Invocations of its users that it has bound to a backend: `local`, `reject` or a node's name.
    ///
    /// # Errors
    /// If the agent does not tell.
    pub fn bound_to(&self, backend: &str) -> Result<f64> {
        let backend = format!("backend=\"{backend}\"");
        self.metric("dfaas_invocations_total", &[&backend, "origin=\"user\""])
    }

    /// What its agent tells about itself, and its metrics but zeros, to see what went wrong; the logs of a failed test's
    /// processes are shown anyway.
    pub fn dump(&self) -> String {
        let socket = self.admin_socket();
        let socket = socket.to_string_lossy();
        let told = ["status", "peers", "plan", "functions"].map(|command| {
            let said = self.dfaas(&[command, "--socket", &socket], Duration::from_secs(5));
            let said = said.map_or_else(|error| format!("{error:#}\n"), |(_, text)| text);
            format!("--- {command}\n{said}")
        });
        let metrics = self.metrics().unwrap_or_else(|error| format!("no metrics: {error:#}"));
        let telling = |line: &&str| {
            let (histogram, zero) = (line.starts_with("dfaas_strategy_tick"), line.ends_with(" 0"));
            !(line.starts_with('#') || histogram || zero)
        };
        let metrics: Vec<_> = metrics.lines().filter(telling).collect();
        format!("=== {}\n{}--- metrics\n{}", self.name(), told.concat(), metrics.join("\n"))
    }

    /// Asks the gateway to change its functions, as an operator of the node does; `credentials` go into the header
    /// `Authorization`.
    pub fn change_functions(
        &self,
        method: &str,
        credentials: &str,
        body: &serde_json::Value,
    ) -> Result<Answer> {
        let request = Request::builder()
            .method(method)
            .uri("/system/functions")
            .header("host", self.address().to_string())
            .header("authorization", credentials)
            .header("connection", "close")
            .body(Full::new(Bytes::from(body.to_string())))
            .context("cannot make the request")?;
        http::exchange(self.namespace(), self.address(), request, ANSWER)
    }
}
