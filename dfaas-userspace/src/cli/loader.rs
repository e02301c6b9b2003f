//! The opener of the data plane, in one place. To be replaced by `crate::dataplane::{open, unload}` as soon as the
//! kernel half is merged.

use std::path::Path;

use crate::dataplane::{DataPlane, DataPlaneError, Settings};

/// Loads, attaches and pins the data plane, or takes over the one that is pinned.
pub(super) fn open(settings: &Settings) -> Result<Box<dyn DataPlane>, DataPlaneError> {
    Err(missing(&settings.pin))
}

/// Detaches what is pinned below `pin` and removes the pins; whether something was there.
pub(super) fn unload(pin: &Path) -> Result<bool, DataPlaneError> {
    Err(missing(pin))
}

fn missing(pin: &Path) -> DataPlaneError {
    DataPlaneError::Setup {
        what: format!("data plane at {}", pin.display()),
        cause: "this build has no loader".to_owned(),
        hint: "build one with the kernel programs",
    }
}
