use std::io::{ErrorKind, IsTerminal as _, Write as _};
use std::process::ExitCode;

use super::args::Flows;
use super::exit::Failure;
use super::{runtime, show, text_flows};
use crate::admin;
use crate::agent::{FlowsReport, FollowLine};

pub(super) fn run(flows: &Flows) -> Result<ExitCode, Failure> {
    if !flows.follow {
        return show::ask::<FlowsReport>(&flows.show, &path("/flows", flows), text_flows::flows);
    }
    runtime()?.block_on(async {
        tokio::select! {
            followed = follow(flows) => followed,
            // Whoever follows ends it so.
            _ = tokio::signal::ctrl_c() => Ok(ExitCode::SUCCESS),
        }
    })
}

/// The path to ask for; names may have any characters.
fn path(base: &str, flows: &Flows) -> String {
    let mut query = Vec::new();
    let names = [("function", &flows.function), ("peer", &flows.peer), ("backend", &flows.backend)];
    for (key, value) in names.into_iter().filter_map(|(key, value)| Some((key, value.as_ref()?))) {
        query.push(format!("{key}={}", encoded(value)));
    }
    // The reader counts what it is told; the agent would not know when to end.
    query.extend(flows.limit.filter(|_| !flows.follow).map(|limit| format!("limit={limit}")));
    query.extend(flows.sample.map(|sample| format!("sample={sample}")));
    if query.is_empty() { base.to_owned() } else { format!("{base}?{}", query.join("&")) }
}

/// A name as it may stand in a query (RFC 3986, 2).
pub(super) fn encoded(name: &str) -> String {
    let mut text = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// Prints lines as they come; whether there is still a reader.
fn tell(text: &str) -> Result<bool, Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(cause) if cause.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(cause) => Err(Failure::Failed(format!("standard output: {cause}"))),
    }
}

async fn follow(flows: &Flows) -> Result<ExitCode, Failure> {
    let failed = |cause: &dyn std::fmt::Display| Failure::Failed(cause.to_string());
    let path = path("/flows/follow", flows);
    let mut lines = admin::follow(&flows.show.socket, &path).await.map_err(|cause| failed(&cause))?;
    let colours = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let mut left = flows.limit.unwrap_or(usize::MAX);
    while let Some(some) = lines.next().await.map_err(|cause| failed(&cause))? {
        let mut text = String::new();
        for line in some {
            let parsed: FollowLine = serde_json::from_slice(&line).map_err(|cause| {
                failed(&format!("the agent's line cannot be read ({cause}); is it of another version?"))
            })?;
            let invocation = matches!(parsed, FollowLine::Invocation(_));
            if invocation && left == 0 {
                break;
            }
            left -= usize::from(invocation);
            if flows.show.json {
                text.push_str(&String::from_utf8_lossy(&line));
                text.push('\n');
            } else {
                text.push_str(&text_flows::line(&parsed, colours));
            }
        }
        if !tell(&text)? || left == 0 {
            return Ok(ExitCode::SUCCESS);
        }
    }
    Err(Failure::Failed("the agent has ended".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_odd_characters_arrives_as_it_is() {
        assert_eq!(encoded("figlet.openfaas-fn"), "figlet.openfaas-fn");
        assert_eq!(encoded("a b&c=é"), "a%20b%26c%3D%C3%A9");
    }
}
