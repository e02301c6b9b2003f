//! The members met last, in a file beside the identity: a node starts again although its bootstrap nodes are gone.
//! It has the form of a bootstrap file, one address a line.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};

use super::identity::beside;

/// Most members in the file, and most addresses of each.
const MOST: (usize, usize) = (256, 4);
/// Most bytes that are read of it.
const LONGEST: u64 = 256 * 1024;

/// The memory of the node whose identity is in this file.
pub(super) fn of(identity: &Path) -> PathBuf {
    beside(identity, ".members")
}

/// Reads the members. What cannot be read is left out: it costs only the memory.
pub(super) fn recall(file: &Path) -> Vec<(PeerId, Multiaddr)> {
    let mut bytes = Vec::new();
    match File::open(file).and_then(|opened| opened.take(LONGEST).read_to_end(&mut bytes)) {
        Ok(_) => parse(&String::from_utf8_lossy(&bytes)),
        Err(cause) if cause.kind() == ErrorKind::NotFound => Vec::new(),
        Err(cause) => {
            tracing::warn!("{}: {cause}; members of earlier are found by bootstrap only", file.display());
            Vec::new()
        }
    }
}

/// Writes the members; under another name first, so that a reader finds the old ones or the new.
///
/// # Errors
/// If the file cannot be written.
pub(super) fn keep(file: &Path, members: &[(PeerId, Vec<Multiaddr>)]) -> io::Result<()> {
    let fresh = beside(file, ".new");
    fs::write(&fresh, format(members))?;
    fs::rename(&fresh, file)
}

fn parse(text: &str) -> Vec<(PeerId, Multiaddr)> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    let address = |line: &str| -> Option<(PeerId, Multiaddr)> {
        let address: Multiaddr = line.parse().ok()?;
        match address.iter().last()? {
            Protocol::P2p(peer) => Some((peer, address)),
            _ => None,
        }
    };
    lines.filter_map(address).take(MOST.0 * MOST.1).collect()
}

fn format(members: &[(PeerId, Vec<Multiaddr>)]) -> String {
    let mut text = "# Members of the federation that this node met last; written by dfaas.\n".to_owned();
    for (peer, addresses) in members.iter().take(MOST.0) {
        for address in addresses.iter().take(MOST.1) {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{address}/p2p/{peer}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(port: usize) -> Multiaddr {
        format!("/ip4/192.0.2.1/tcp/{port}").parse().unwrap()
    }

    #[test]
    fn what_is_kept_is_recalled() {
        let folder = tempfile::tempdir().unwrap();
        let file = of(&folder.path().join("identity.pem"));
        assert!(file.ends_with("identity.pem.members"));
        assert_eq!(recall(&file), []);
        let (a, b) = (PeerId::random(), PeerId::random());
        keep(&file, &[(a, vec![at(1), at(2)]), (b, vec![at(3)])]).unwrap();
        let full = |peer, port| (peer, super::super::address::with_id(at(port), peer));
        assert_eq!(recall(&file), [full(a, 1), full(a, 2), full(b, 3)]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing but the file stays");
    }

    #[test]
    fn a_damaged_file_gives_what_is_whole() {
        let peer = PeerId::random();
        let text =
            format!("\u{fffd}\n/ip4/1.2.3.4\n# x\n/ip4/192.0.2.1/tcp/7/p2p/{peer} # y\n/p2p\n/ip4/192.0.2.");
        assert_eq!(parse(&text).len(), 1);
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(recall(folder.path()), [], "a folder is no file");
        let file = folder.path().join("x");
        fs::write(&file, [0xff, 0x00, b'\n']).unwrap();
        assert_eq!(recall(&file), []);
    }

    #[test]
    fn the_file_is_bounded() {
        let members: Vec<_> = (0..2000).map(|_| (PeerId::random(), (1..100).map(at).collect())).collect();
        let text = format(&members);
        assert_eq!(text.lines().count(), 1 + MOST.0 * MOST.1);
        assert!((text.len() as u64) < LONGEST);
        assert_eq!(parse(&text.repeat(9)).len(), MOST.0 * MOST.1);
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error_and_no_panic() {
        assert!(keep(Path::new("/nowhere/x.members"), &[]).is_err());
    }
}
