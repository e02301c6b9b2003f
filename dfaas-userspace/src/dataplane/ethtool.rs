//! Asking a driver what it does for the stack, as `ethtool` asks it.

use std::collections::BTreeSet;
use std::io;
use std::net::UdpSocket;
use std::os::fd::AsRawFd as _;

use nix::libc;

// Commands, from linux/ethtool.h.
const GET_DRIVER: u32 = 0x03;
const GET_STRINGS: u32 = 0x1b;
const GET_SET_INFO: u32 = 0x37;
const GET_FEATURES: u32 = 0x3a;

/// `ETH_SS_FEATURES`: the set of the features' names.
const FEATURES: u32 = 4;
/// Bytes of a name in such a set (`ETH_GSTRING_LEN`).
const NAME: usize = 32;
/// Words of `struct ethtool_drvinfo`; the driver's name is the 32 bytes behind the first.
const DRIVER_WORDS: usize = 49;
/// Words for a block of 32 features: available, requested, active, never changed.
const BLOCK: usize = 4;

/// An interface to be asked about.
struct Asked {
    socket: UdpSocket,
    request: libc::ifreq,
}

impl Asked {
    fn new(interface: &str) -> io::Result<Self> {
        // SAFETY: all-zero bytes are a valid `ifreq`.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        if interface.len() >= request.ifr_name.len() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the name of the interface is too long"));
        }
        for (to, from) in request.ifr_name.iter_mut().zip(interface.bytes()) {
            *to = libc::c_char::from_ne_bytes([from]);
        }
        // Any socket will do.
        Ok(Self { socket: UdpSocket::bind("127.0.0.1:0").or_else(|_| UdpSocket::bind("[::1]:0"))?, request })
    }

    /// Gives a command, the first word of `words`, which must have room for its answer.
    fn tell(&mut self, words: &mut [u32]) -> io::Result<()> {
        self.request.ifr_ifru.ifru_data = words.as_mut_ptr().cast();
        // SAFETY: the descriptor is open; the request and the words that it points to outlive the call, and callers make
        // these as long as the kernel's answer to their command.
        match unsafe { libc::ioctl(self.socket.as_raw_fd(), libc::SIOCETHTOOL, &raw mut self.request) } {
            0.. => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

/// The name of the driver of an interface.
pub fn driver(interface: &str) -> io::Result<String> {
    let mut words = [0; DRIVER_WORDS];
    words[0] = GET_DRIVER;
    Asked::new(interface)?.tell(&mut words)?;
    Ok(text(&bytes(&words[1..])[..NAME]))
}

/// The features of an interface that are switched on, by the names that `ethtool -k` uses for the driver's own
/// (`rx-vlan-hw-parse`).
pub fn features(interface: &str) -> io::Result<BTreeSet<String>> {
    let mut asked = Asked::new(interface)?;
    // Command, reserved, a mask of 64 bits with one bit for each set, and how many names are in it.
    let mut info = [GET_SET_INFO, 0, 0, 0, 0];
    info[2 + usize::from(cfg!(target_endian = "big"))] = 1 << FEATURES;
    asked.tell(&mut info)?;
    let count = info[4] as usize;
    let mut names = vec![0; 3 + count * NAME / size_of::<u32>()];
    names[..3].copy_from_slice(&[GET_STRINGS, FEATURES, info[4]]);
    asked.tell(&mut names)?;
    let blocks = count.div_ceil(32);
    let mut features = vec![0; 2 + blocks * BLOCK];
    features[..2].copy_from_slice(&[GET_FEATURES, blocks as u32]);
    asked.tell(&mut features)?;
    let names = bytes(&names[3..]);
    let active = |index: usize| features[2 + index / 32 * BLOCK + 2] >> (index % 32) & 1 == 1;
    Ok(names
        .chunks(NAME)
        .enumerate()
        .filter(|(index, _)| active(*index))
        .map(|(_, name)| text(name))
        .collect())
}

fn bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_ne_bytes()).collect()
}

/// The text before the first zero.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_has_features_by_name_and_an_invented_interface_has_none() {
        let features = features("lo").unwrap();
        assert!(features.contains("loopback"), "{features:?}");
        assert!(!features.contains("rx-lro"), "{features:?}");
        assert!(driver("dfaas-none").is_err() && super::features("dfaas-none").is_err());
        assert!(driver("a-name-that-is-far-too-long").is_err());
    }
}
