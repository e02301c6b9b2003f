//! `X-Forwarded-For`: a header line that is inserted into the first request of a leg, so that a backend elsewhere learns
//! who asks. Always as long as the longest address of the family takes, blanks behind the address: fields are read
//! without them (RFC 9110, 5.5), and an even length keeps sums simple.

use crate::address::{Address, is_ipv4, to_bytes};
use crate::opaque::opaque;

const NAME: &[u8; 17] = b"X-Forwarded-For: ";

/// Bytes of a line with an IPv4 address.
pub const LINE: u32 = 34;
/// Bytes of a line with an IPv6 address.
pub const LINE_6: u32 = 58;

/// Room for a line, zeros behind it.
pub type Line = [u8; 64];

/// Bytes of the line for a client.
#[inline(always)]
#[must_use]
pub const fn length(client: &Address) -> u32 {
    if is_ipv4(client) { LINE } else { LINE_6 }
}

/// A place in a line.
struct Writer<'a> {
    line: &'a mut Line,
    at: u32,
}

impl Writer<'_> {
    #[inline(always)]
    fn push(&mut self, byte: u8) {
        self.line[(opaque(self.at) & 63) as usize] = byte;
        self.at += 1;
    }

    #[inline(always)]
    fn digit(&mut self, value: u32) {
        let value = (value & 15) as u8;
        self.push(value + if value < 10 { b'0' } else { b'a' - 10 });
    }

    /// A byte in decimal digits. By multiplication, as the programs cannot divide cheaply: right for all bytes.
    #[inline(always)]
    fn decimal(&mut self, value: u32) {
        let hundreds = (value * 41) >> 12;
        let tens = ((value - 100 * hundreds) * 103) >> 10;
        if hundreds != 0 {
            self.digit(hundreds);
        }
        if hundreds + tens != 0 {
            self.digit(tens);
        }
        self.digit(value - 100 * hundreds - 10 * tens);
    }
}

/// Writes the line for a client: its length.
#[inline(always)]
pub fn write(line: &mut Line, client: &Address) -> u32 {
    let length = length(client);
    for (i, byte) in line.iter_mut().enumerate() {
        *byte = if i < NAME.len() {
            NAME[i]
        } else if (i as u32) < LINE - 2 {
            b' '
        } else {
            0
        };
    }
    let bytes = to_bytes(client);
    let mut writer = Writer { line, at: NAME.len() as u32 };
    if length == LINE {
        for (i, byte) in bytes.into_iter().enumerate().skip(12) {
            writer.decimal(byte as u32);
            if i != 15 {
                writer.push(b'.');
            }
        }
        [line[LINE as usize - 2], line[LINE as usize - 1]] = *b"\r\n";
    } else {
        for (i, byte) in bytes.into_iter().enumerate() {
            writer.digit(byte as u32 >> 4);
            writer.digit(byte as u32);
            if i & 1 == 1 && i != 15 {
                writer.push(b':');
            }
        }
        [line[LINE_6 as usize - 2], line[LINE_6 as usize - 1]] = *b"\r\n";
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::{from_bytes, mapped};
    use proptest::prelude::*;
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    /// What a server reads in the line.
    fn read(client: &Address) -> IpAddr {
        let mut line = [b'?'; 64];
        let length = write(&mut line, client) as usize;
        assert!(line[length..].iter().all(|&b| b == 0));
        let text = std::str::from_utf8(&line[..length]).expect("ASCII");
        let value = text.strip_prefix("X-Forwarded-For:").and_then(|t| t.strip_suffix("\r\n"));
        value.expect("a header line").trim().parse().expect("an address")
    }

    proptest! {
        #[test]
        fn an_ipv4_client_is_named(bytes: [u8; 4]) {
            prop_assert_eq!(read(&mapped(u32::from_ne_bytes(bytes))), IpAddr::V4(Ipv4Addr::from(bytes)));
        }

        #[test]
        fn an_ipv6_client_is_named(mut bytes: [u8; 16]) {
            bytes[0] = 0x20;
            prop_assert_eq!(read(&from_bytes(bytes)), IpAddr::V6(Ipv6Addr::from(bytes)));
        }
    }

    #[test]
    fn lengths_are_even_and_those_of_the_longest_addresses() {
        assert_eq!(LINE as usize, "X-Forwarded-For: 255.255.255.255\r\n".len());
        assert_eq!(LINE_6 as usize, NAME.len() + 39 + 2);
        assert_eq!((LINE | LINE_6) & 1, 0);
    }
}
