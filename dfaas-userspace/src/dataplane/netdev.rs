//! Asking the kernel whether a driver runs XDP programs (the generic netlink family `netdev`, Linux 6.3 and newer).

use std::io;

use netlink_packet_core::{NlaBuffer, NlasIterator};
use netlink_sys::protocols::NETLINK_GENERIC;
use netlink_sys::{Socket, SocketAddr};

/// `NLM_F_REQUEST`.
const REQUEST: u16 = 1;
/// `NLMSG_ERROR`.
const ERROR: u16 = 2;
/// Length of a netlink header.
const HEADER: usize = 16;
/// Length of the header of a generic message behind it.
const GENERIC: usize = 4;

/// The family that knows the numbers of all families, and what it is asked and answers (`linux/genetlink.h`).
mod control {
    pub const FAMILY: u16 = 0x10;
    pub const GET_FAMILY: u8 = 3;
    pub const FAMILY_ID: u16 = 1;
    pub const FAMILY_NAME: u16 = 2;
}

/// The family `netdev` (`linux/netdev.h`).
mod device {
    pub const NAME: &[u8] = b"netdev\0";
    pub const GET: u8 = 1;
    pub const INTERFACE: u16 = 1;
    pub const XDP_FEATURES: u16 = 3;
    /// `NETDEV_XDP_ACT_BASIC`: passes, drops and sends back.
    pub const BASIC: u64 = 1;
}

/// Whether the driver of the interface with this index runs XDP programs that pass, drop and send back frames.
pub fn runs_xdp(interface: u32) -> io::Result<bool> {
    let mut socket = Socket::new(NETLINK_GENERIC)?;
    socket.bind_auto()?;
    socket.connect(&SocketAddr::new(0, 0))?;
    let ask = |family: u16, command: u8, attribute: u16, value: &[u8], wanted: u16| {
        socket.send(&message(family, command, attribute, value), 0)?;
        let (answer, _) = socket.recv_from_full()?;
        find(&answer, wanted)
    };
    let family =
        ask(control::FAMILY, control::GET_FAMILY, control::FAMILY_NAME, device::NAME, control::FAMILY_ID)?;
    let family = number(&family) as u16;
    let features =
        ask(family, device::GET, device::INTERFACE, &interface.to_ne_bytes(), device::XDP_FEATURES)?;
    Ok(number(&features) & device::BASIC != 0)
}

/// A request with one attribute.
fn message(family: u16, command: u8, attribute: u16, value: &[u8]) -> Vec<u8> {
    let length = 4 + value.len();
    let total = HEADER + GENERIC + length.next_multiple_of(4);
    let mut message = Vec::with_capacity(total);
    message.extend((total as u32).to_ne_bytes());
    message.extend(family.to_ne_bytes());
    message.extend(REQUEST.to_ne_bytes());
    // Sequence number and sender: nobody else uses the socket.
    message.extend([0; 8]);
    // The version is 1.
    message.extend([command, 1, 0, 0]);
    message.extend((length as u16).to_ne_bytes());
    message.extend(attribute.to_ne_bytes());
    message.extend(value);
    message.resize(total, 0);
    message
}

/// The value of an attribute of the kernel's answer.
fn find(answer: &[u8], wanted: u16) -> io::Result<Vec<u8>> {
    let invalid = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let kind = answer.get(4..6).and_then(|b| b.try_into().ok()).map(u16::from_ne_bytes);
    if kind == Some(ERROR) {
        let code = answer.get(HEADER..HEADER + 4).and_then(|b| b.try_into().ok()).map(i32::from_ne_bytes);
        return Err(io::Error::from_raw_os_error(code.unwrap_or(0).wrapping_neg()));
    }
    let attributes = answer.get(HEADER + GENERIC..).ok_or_else(|| invalid("a short answer"))?;
    for attribute in NlasIterator::new(attributes) {
        let attribute: NlaBuffer<&[u8]> = attribute.map_err(|e| invalid(&e.to_string()))?;
        if attribute.kind() == wanted {
            return Ok(attribute.value().to_vec());
        }
    }
    Err(invalid("an answer without what was asked for"))
}

/// A number of at most eight bytes, in the order of this machine.
fn number(bytes: &[u8]) -> u64 {
    match *bytes {
        [a, b] => u16::from_ne_bytes([a, b]).into(),
        [a, b, c, d] => u32::from_ne_bytes([a, b, c, d]).into(),
        _ => bytes.try_into().map_or(0, u64::from_ne_bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_runs_no_xdp_and_an_invented_interface_is_an_error() {
        assert!(!runs_xdp(1).expect("the loopback"));
        assert!(runs_xdp(0x7fff_fff0).is_err());
    }

    #[test]
    fn answers_that_are_cut_short_are_errors() {
        let good = message(5, 1, device::XDP_FEATURES, &7u64.to_ne_bytes());
        assert_eq!(number(&find(&good, device::XDP_FEATURES).unwrap()), 7);
        assert!(find(&good, device::INTERFACE).is_err());
        for length in 0..good.len() {
            assert!(find(&good[..length], device::XDP_FEATURES).is_err(), "{length}");
        }
    }
}
