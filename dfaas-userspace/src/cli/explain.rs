use std::net::SocketAddr;
use std::process::ExitCode;

use super::args::Show;
use super::exit::Failure;
use super::flows::encoded;
use super::show::ask;
use super::table::table;
use crate::dataplane::Explanation;

pub(super) fn run(show: &Show, function: &str, client: Option<SocketAddr>) -> Result<ExitCode, Failure> {
    let mut path = format!("/explain?function={}", encoded(function));
    if let Some(client) = client {
        path.push_str(&format!("&client={}", encoded(&client.to_string())));
    }
    ask(show, &path, text)
}

fn text(explanation: &Explanation) -> String {
    let rows = explanation.steps.iter().map(|step| vec![step.step.clone(), step.says.clone()]);
    table(&["LOOKS AT", "AND FINDS"], &rows.collect::<Vec<_>>())
}
