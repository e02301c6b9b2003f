//! Addresses and connection tuples.

/// An IPv6 address, or an IPv4 address mapped into IPv6 (RFC 4291, 2.5.5.2), as four words in network byte order.
pub type Address = [u32; 4];

/// The third word of every IPv4-mapped address.
const MAPPED: u32 = 0x0000_ffff_u32.to_be();

/// The mapped form of an IPv4 address; `word` is in network byte order, as it stands in a packet.
#[inline(always)]
#[must_use]
pub const fn mapped(word: u32) -> Address {
    [0, 0, MAPPED, word]
}

/// The IPv4 address inside a mapped one, in network byte order; `None` for a true IPv6 address.
#[inline(always)]
#[must_use]
pub const fn unmapped(address: &Address) -> Option<u32> {
    if address[0] == 0 && address[1] == 0 && address[2] == MAPPED { Some(address[3]) } else { None }
}

/// Whether an address is an IPv4 one.
#[inline(always)]
#[must_use]
pub const fn is_ipv4(address: &Address) -> bool {
    unmapped(address).is_some()
}

/// The bytes of an address.
#[must_use]
pub fn to_bytes(address: &Address) -> [u8; 16] {
    let mut bytes = [0; 16];
    for (chunk, word) in bytes.chunks_exact_mut(4).zip(address) {
        chunk.copy_from_slice(&word.to_ne_bytes());
    }
    bytes
}

/// The address with these bytes.
#[must_use]
pub const fn from_bytes(b: [u8; 16]) -> Address {
    [
        u32::from_ne_bytes([b[0], b[1], b[2], b[3]]),
        u32::from_ne_bytes([b[4], b[5], b[6], b[7]]),
        u32::from_ne_bytes([b[8], b[9], b[10], b[11]]),
        u32::from_ne_bytes([b[12], b[13], b[14], b[15]]),
    ]
}

/// A TCP connection as one of its ends sees it: `remote` is whoever sent the packet that the node receives.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Tuple {
    /// Address of the other side.
    pub remote: Address,
    /// Address of this node.
    pub local: Address,
    /// Port of the other side, network byte order.
    pub remote_port: u16,
    /// Port of this node, network byte order.
    pub local_port: u16,
}

impl Tuple {
    /// The ends of a packet that comes in.
    #[inline(always)]
    #[must_use]
    pub const fn arriving(&self) -> Ends {
        Ends {
            source: self.remote,
            destination: self.local,
            source_port: self.remote_port,
            destination_port: self.local_port,
        }
    }

    /// The ends of a packet that goes out.
    #[inline(always)]
    #[must_use]
    pub const fn leaving(&self) -> Ends {
        Ends {
            source: self.local,
            destination: self.remote,
            source_port: self.local_port,
            destination_port: self.remote_port,
        }
    }
}

/// Where a packet comes from and goes to, as it stands on the wire. Laid out as the IPv6 arm of the kernel's
/// `struct bpf_sock_tuple`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ends {
    /// Source address.
    pub source: Address,
    /// Destination address.
    pub destination: Address,
    /// Source port, network byte order.
    pub source_port: u16,
    /// Destination port, network byte order.
    pub destination_port: u16,
}

/// An address of this node together with a port: key of the map of places where connections are received.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Endpoint {
    /// The address.
    pub address: Address,
    /// The port, network byte order.
    pub port: u16,
    /// Zero.
    pub padding: u16,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv4_address_survives_mapping() {
        let word = u32::from_ne_bytes([192, 0, 2, 10]);
        assert_eq!(unmapped(&mapped(word)), Some(word));
        assert_eq!(to_bytes(&mapped(word))[10..], [0xff, 0xff, 192, 0, 2, 10]);
        assert_eq!(from_bytes(to_bytes(&mapped(word))), mapped(word));
    }

    #[test]
    fn an_ipv6_address_is_not_taken_for_a_mapped_one() {
        assert_eq!(unmapped(&from_bytes([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])), None);
    }

    #[test]
    fn keys_have_no_hidden_padding() {
        assert_eq!(size_of::<Tuple>(), 36);
        assert_eq!(size_of::<Ends>(), 36);
        assert_eq!(size_of::<Endpoint>(), 20);
    }
}
