//! The agent's configuration file: TOML in, checked settings or clear errors out.

mod check;
mod error;
mod forms;
mod model;
mod ports;
mod positions;
mod raw;
mod topology;

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde::Deserialize as _;

pub use error::{ConfigError, ConfigErrors};
pub(crate) use forms::{http_url as valid_http_url, name as valid_name, region as valid_region};
pub use model::{
    Admin, Config, Control, External, ForeignGateway, FunctionOverride, Gateway, Overlay, OverlayPeer,
    Secret, StaticPeer,
};
use positions::{Positions, line_of};
pub use topology::Topology;

/// Keys (and what is under them) that are accepted and checked for form, and have no effect in this version.
const WITHOUT_EFFECT: &[&str] = &[];

/// Reads and checks the file, and the password and token files that it names.
///
/// # Errors
/// Everything that is wrong with it, each with its key.
pub fn load(file: &Path) -> Result<Config, ConfigErrors> {
    let text = std::fs::read_to_string(file)
        .map_err(|cause| ConfigErrors::one(file, "", format!("cannot read: {cause}")))?;
    let host_name = nix::unistd::gethostname().unwrap_or_default();
    let config = parse(&text, file, &host_name.to_string_lossy(), &|path| std::fs::read_to_string(path))?;
    let swarm_key = config.overlay.as_ref().and_then(|overlay| overlay.psk_file.as_deref());
    match swarm_key.map(exposed) {
        Some(Err(reason)) => Err(ConfigErrors(vec![ConfigError {
            file: file.to_owned(),
            line: Positions::of(&text).line("overlay.psk_file"),
            key: "overlay.psk_file".to_owned(),
            reason,
        }])),
        _ => Ok(config),
    }
}

/// Whether others than its owner and group may read a file that holds a secret. The group may: a key that several
/// services share has to be readable by them.
fn exposed(path: &Path) -> Result<(), String> {
    let mode = match std::fs::metadata(path) {
        Ok(metadata) => metadata.permissions().mode() & 0o7777,
        Err(cause) => return Err(format!("cannot read {}: {cause}", path.display())),
    };
    if mode & 0o007 == 0 {
        return Ok(());
    }
    Err(format!("mode {mode:04o} lets everybody read {path}; `chmod o= {path}`", path = path.display()))
}

/// Checks a configuration's text. `file` is used in messages only, `host_name` is the name of a node that has none,
/// and `read` reads the files that the text names.
///
/// # Errors
/// Everything that is wrong with it, each with its key.
pub fn parse(
    text: &str,
    file: &Path,
    host_name: &str,
    read: &dyn Fn(&Path) -> io::Result<String>,
) -> Result<Config, ConfigErrors> {
    let positions = Positions::of(text);
    let error = |line, key: &str, reason: String| ConfigError {
        file: file.to_owned(),
        line,
        key: key.to_owned(),
        reason,
    };
    let mut errors = Vec::new();
    let mut unknown = Vec::new();
    let raw = {
        let deserializer = toml::de::Deserializer::parse(text).map_err(|cause| {
            let line = cause.span().map(|span| line_of(text, span.start));
            ConfigErrors(vec![error(line, "", format!("not TOML: {}", cause.message()))])
        })?;
        let mut note = |path: serde_ignored::Path<'_>| unknown.push(dotted(&path));
        let deserializer = serde_ignored::Deserializer::new(deserializer, &mut note);
        let mut track = serde_path_to_error::Track::new();
        let deserializer = serde_path_to_error::Deserializer::new(deserializer, &mut track);
        raw::Raw::deserialize(deserializer).map_err(|cause| (track.path().to_string(), cause))
    };
    for key in &unknown {
        errors.push(error(positions.line(key), key, "unknown key".to_owned()));
    }
    let raw = match raw {
        Ok(raw) => raw,
        Err((key, cause)) => {
            errors.push(error(positions.line(&key), &key, cause.message().to_owned()));
            return Err(ConfigErrors(errors));
        }
    };
    let mut checker = check::Checker { errors: Vec::new(), read, host_name };
    let config = checker.config(file, raw);
    errors.extend(checker.errors.into_iter().map(|(key, reason)| error(positions.line(&key), &key, reason)));
    errors.sort_by_key(|error| error.line.unwrap_or(0));
    match config {
        Some(mut config) if errors.is_empty() => {
            let unused = |key: &&str| {
                WITHOUT_EFFECT.contains(key) || (key.starts_with("functions.") && key.ends_with(".timeout"))
            };
            config.without_effect = positions.keys().filter(unused).map(str::to_owned).collect();
            Ok(config)
        }
        _ => Err(ConfigErrors(errors)),
    }
}

/// The path as the other errors write it: `static_peer[0].name`.
fn dotted(path: &serde_ignored::Path<'_>) -> String {
    use serde_ignored::Path as P;
    match path {
        P::Root => String::new(),
        P::Seq { parent, index } => format!("{}[{index}]", dotted(parent)),
        P::Map { parent, key } => match dotted(parent).as_str() {
            "" => key.clone(),
            parent => format!("{parent}.{key}"),
        },
        P::Some { parent } | P::NewtypeStruct { parent } | P::NewtypeVariant { parent } => dotted(parent),
    }
}
