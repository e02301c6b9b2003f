//! The loopback interface, if it is one of the data plane's: answers of other hosts to connections of this one are put
//! in there, with addresses of this host as their source. The kernel takes such packets only if it is told to.
//!
//! What was changed is remembered in a folder beside the pins, so that whoever detaches last changes it back.

use std::path::Path;
use std::{fs, io};

/// Its name.
pub const NAME: &str = "lo";

/// Folder of the settings that were changed, an empty folder for each; bpffs holds no plain files.
const CHANGED: &str = "sysctl";

/// What must be 1: packets from own addresses may come in, and those of 127.0.0.0/8 may be routed.
const SETTINGS: [&str; 2] = ["accept_local", "route_localnet"];

fn file(setting: &str) -> String {
    format!("/proc/sys/net/ipv4/conf/{NAME}/{setting}")
}

/// Sets what is not set yet in this network namespace. A failure is only logged: it concerns the node's own clients
/// alone.
pub fn open(folder: &Path) {
    for setting in SETTINGS {
        let file = file(setting);
        let set = || -> io::Result<()> {
            if fs::read_to_string(&file)?.trim() != "0" {
                return Ok(());
            }
            fs::create_dir_all(folder.join(CHANGED).join(setting))?;
            fs::write(&file, "1")?;
            tracing::info!("{file} is 1 now, as {NAME} is in dataplane.interfaces; leaving sets it back");
            Ok(())
        };
        if let Err(e) = set() {
            tracing::warn!("{file}: {e}; clients on this host may get no answer from other nodes");
        }
    }
}

/// Sets back what was changed by [`open`], be it by an earlier agent.
pub fn close(folder: &Path) {
    for setting in SETTINGS {
        let (file, mark) = (file(setting), folder.join(CHANGED).join(setting));
        if !mark.exists() {
            continue;
        }
        let reset = fs::write(&file, "0").and_then(|()| fs::remove_dir(&mark));
        match reset {
            Ok(()) => tracing::info!("{file} is 0 again"),
            Err(e) => tracing::warn!("{file}: {e}; set it to 0 by hand"),
        }
    }
}

#[cfg(test)]
mod tests {
    use nix::sched::{CloneFlags, unshare};

    use super::*;

    fn now() -> Vec<String> {
        let read = |setting| fs::read_to_string(file(setting)).unwrap().trim().to_owned();
        SETTINGS.into_iter().map(read).collect()
    }

    #[test]
    fn only_what_was_changed_is_changed_back_and_only_once() {
        let test = || {
            unshare(CloneFlags::CLONE_NEWNET).expect("a network of its own: tests need root");
            let folder = tempfile::tempdir().unwrap();
            // One of them is the operator's own choice.
            fs::write(file("route_localnet"), "1").unwrap();
            fs::write(file("accept_local"), "0").unwrap();
            close(folder.path());
            assert_eq!(now(), ["0", "1"], "nothing was changed yet");
            open(folder.path());
            // Another agent takes over.
            open(folder.path());
            assert_eq!(now(), ["1", "1"]);
            close(folder.path());
            assert_eq!(now(), ["0", "1"]);
            fs::write(file("accept_local"), "1").unwrap();
            close(folder.path());
            assert_eq!(now(), ["1", "1"], "that was somebody else");
        };
        std::thread::scope(|scope| scope.spawn(test).join().expect("no panic"));
    }
}
