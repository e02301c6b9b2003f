use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use super::Finding;
use crate::dataplane::Settings;

/// Longest wait for one listing.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Most rules that are told one by one.
const MAX_TOLD: usize = 5;

/// Commands that list the rules, as far as they are installed.
const LISTINGS: &[&[&str]] = &[&["nft", "list", "ruleset"], &["iptables-save"], &["ip6tables-save"]];

/// Best effort: rules that name a steered port may be meant to guard it, and steered packets never meet them.
pub(super) async fn examine(settings: &Settings) -> Vec<Finding> {
    let mut ports: BTreeSet<u16> = settings.listen.iter().map(|address| address.port()).collect();
    ports.insert(settings.data_port);
    let mut asked = Vec::new();
    let mut found = Vec::new();
    for listing in LISTINGS {
        let Some(text) = output(listing).await else { continue };
        asked.push(listing[0]);
        found.extend(mentions(&text, &ports).map(|rule| format!("{}: {rule}", listing[0])));
    }
    if found.is_empty() {
        let text = if asked.is_empty() {
            "no rules can be listed here".to_owned()
        } else {
            format!("no rule of {} names a steered port", asked.join(", "))
        };
        return vec![Finding::ok("firewall", text)];
    }
    let advice = "steered packets pass before this rule: say who may come in dataplane.users";
    let more = found.len().saturating_sub(MAX_TOLD);
    found.truncate(MAX_TOLD);
    let mut findings: Vec<Finding> =
        found.into_iter().map(|rule| Finding::warn("firewall", rule, advice)).collect();
    if more > 0 {
        findings.push(Finding::warn("firewall", format!("{more} more rules name a steered port"), advice));
    }
    findings
}

async fn output(command: &[&str]) -> Option<String> {
    let mut process = Command::new(command[0]);
    process.args(&command[1..]).stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(TIMEOUT, process.output()).await.ok()?.ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The rules of `text` that name one of `ports` as a number of its own.
fn mentions<'a>(text: &'a str, ports: &'a BTreeSet<u16>) -> impl Iterator<Item = &'a str> {
    let names = |line: &&str| {
        let guards = line.contains("dport") || line.contains("sport");
        guards
            && line
                .split(|c: char| !c.is_ascii_digit())
                .any(|word| word.parse().is_ok_and(|port| ports.contains(&port)))
    };
    text.lines().map(str::trim).filter(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rules_about_a_steered_port_are_told() {
        let rules = "table inet filter {\n\
            \ttcp dport 8080 drop\n\ttcp dport { 22, 8080 } accept\n\ttcp dport 18080 drop\n\
            \tip saddr 80.80.0.0/16 accept # 8080\n}\n-A INPUT -p tcp -m tcp --dport 31601 -j DROP\n";
        let ports = BTreeSet::from([8080, 31601]);
        let found: Vec<&str> = mentions(rules, &ports).collect();
        assert_eq!(
            found,
            [
                "tcp dport 8080 drop",
                "tcp dport { 22, 8080 } accept",
                "-A INPUT -p tcp -m tcp --dport 31601 -j DROP"
            ]
        );
    }
}
