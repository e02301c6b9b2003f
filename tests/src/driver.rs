//! What a network interface's driver counts, as `ethtool -S` shows it, and the call by which drivers are asked and told.

use std::collections::BTreeMap;
use std::net::UdpSocket;
use std::os::fd::AsRawFd as _;

use anyhow::{Context as _, Result, bail};
use nix::libc;

// From linux/ethtool.h.
const GET_STRINGS: u32 = 0x1b;
const GET_STATISTICS: u32 = 0x1d;
const GET_SET_INFO: u32 = 0x37;
/// The set of the counters' names (`ETH_SS_STATS`).
const STATISTICS: u32 = 1;
/// Bytes of a name.
const NAME: usize = 32;

/// Gives the driver of an interface, in the network namespace of the calling thread, a command: the first word of `words`,
/// which must have room for the answer.
pub(crate) fn tell(interface: &str, words: &mut [u32]) -> Result<()> {
    let socket = UdpSocket::bind("127.0.0.1:0").context("cannot make a socket")?;
    // SAFETY: all-zero bytes are a valid `ifreq`.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    if interface.len() >= request.ifr_name.len() {
        bail!("interface name {interface} is too long");
    }
    for (to, from) in request.ifr_name.iter_mut().zip(interface.bytes()) {
        *to = libc::c_char::from_ne_bytes([from]);
    }
    request.ifr_ifru.ifru_data = words.as_mut_ptr().cast();
    // SAFETY: the descriptor is open; `request` and the words that it points to outlive the call, and callers make these
    // as long as the answer to their command.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCETHTOOL, &raw mut request) };
    if result < 0 {
        return Err(std::io::Error::last_os_error().into());
    }
    Ok(())
}

/// The counters of an interface, in the network namespace of the calling thread.
pub fn counters(interface: &str) -> Result<BTreeMap<String, u64>> {
    let failed = || format!("cannot read the driver's counters of {interface}");
    let mut info = [GET_SET_INFO, 0, 0, 0, 0];
    info[2 + usize::from(cfg!(target_endian = "big"))] = 1 << STATISTICS;
    tell(interface, &mut info).with_context(failed)?;
    let count = info[4] as usize;
    let mut names = vec![0; 3 + count * NAME / size_of::<u32>()];
    names[..3].copy_from_slice(&[GET_STRINGS, STATISTICS, info[4]]);
    tell(interface, &mut names).with_context(failed)?;
    let mut values = vec![0; 2 + 2 * count];
    values[..2].copy_from_slice(&[GET_STATISTICS, info[4]]);
    tell(interface, &mut values).with_context(failed)?;
    let bytes = |words: &[u32]| words.iter().flat_map(|word| word.to_ne_bytes()).collect::<Vec<u8>>();
    let (names, values) = (bytes(&names[3..]), bytes(&values[2..]));
    let name = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned();
    let value = |bytes: &[u8]| bytes.try_into().map_or(0, u64::from_ne_bytes);
    Ok(names.chunks(NAME).map(name).zip(values.chunks(8).map(value)).collect())
}
