use std::path::Path;
use std::process::ExitCode;

use super::exit::{Failure, print};
use crate::overlay::identity::{self, IdentityError};

pub(super) fn new(file: &Path) -> Result<ExitCode, Failure> {
    let key = identity::create(file).map_err(failed)?;
    print(&format!("{}\n", key.public().to_peer_id()))
}

pub(super) fn show(file: &Path, json: bool) -> Result<ExitCode, Failure> {
    let id = identity::load(file).map_err(failed)?.public().to_peer_id();
    if json {
        let answer = serde_json::json!({ "peer_id": id.to_string(), "file": file.display().to_string() });
        return print(&format!("{answer}\n"));
    }
    print(&format!("{id}\n"))
}

fn failed(cause: IdentityError) -> Failure {
    Failure::Failed(cause.to_string())
}
