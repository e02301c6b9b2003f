use crate::config::{Config, ConfigError, ConfigErrors};

/// Whether every interface that the configuration names exists on this machine.
///
/// # Errors
/// Those that do not, as errors of the configuration.
pub fn check_interfaces(config: &Config) -> Result<(), ConfigErrors> {
    let missing: Vec<ConfigError> = config
        .dataplane
        .interfaces
        .iter()
        .enumerate()
        .filter(|(_, name)| nix::net::if_::if_nametoindex(name.as_str()).is_err())
        .map(|(index, name)| ConfigError {
            file: config.file.clone(),
            line: None,
            key: format!("dataplane.interfaces[{index}]"),
            reason: format!("no interface \"{name}\" here; `ip link` lists what there is"),
        })
        .collect();
    if missing.is_empty() { Ok(()) } else { Err(ConfigErrors(missing)) }
}
