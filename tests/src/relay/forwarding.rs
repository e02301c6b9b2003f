//! Where frames go, as a learning bridge knows it (IEEE 802.1D, 7.7 and 7.8). No I/O.

use std::collections::BTreeMap;

/// Bytes of the two addresses at the beginning of a frame.
const ADDRESSES: usize = 12;

/// Most addresses that are remembered: many times those of a lab.
const MOST: usize = 4096;

type Address = [u8; 6];

/// Behind which port each address was seen last.
#[derive(Debug, Default)]
pub(super) struct Forwarding {
    known: BTreeMap<Address, usize>,
}

/// Where a frame goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// To this port.
    To(usize),
    /// To all ports but the one that it came from.
    Others,
    /// Nowhere: it is no frame, or whoever it is for is where it came from.
    Nowhere,
}

impl Forwarding {
    /// Learns who sent a frame, and says where it goes.
    pub(super) fn way(&mut self, from: usize, frame: &[u8]) -> Way {
        let Some((Ok(to), Ok(sender))) =
            frame.get(..ADDRESSES).map(|both| (Address::try_from(&both[..6]), Address::try_from(&both[6..])))
        else {
            return Way::Nowhere;
        };
        if !is_group(sender) && (self.known.len() < MOST || self.known.contains_key(&sender)) {
            self.known.insert(sender, from);
        }
        match self.known.get(&to) {
            Some(&port) if port == from => Way::Nowhere,
            Some(&port) => Way::To(port),
            None => Way::Others,
        }
    }
}

/// Whether an address means many; such a one sends nothing.
fn is_group(address: Address) -> bool {
    address[0] & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(to: u8, from: u8) -> Vec<u8> {
        let mut frame = vec![2, 0, 0, 0, 0, to, 2, 0, 0, 0, 0, from, 8, 0];
        if to == 255 {
            frame[..6].fill(255);
        }
        frame
    }

    #[test]
    fn what_is_for_all_or_for_somebody_unknown_goes_to_all_others() {
        let mut forwarding = Forwarding::default();
        assert_eq!(forwarding.way(0, &frame(255, 1)), Way::Others);
        assert_eq!(forwarding.way(0, &frame(2, 1)), Way::Others);
    }

    #[test]
    fn who_has_spoken_is_found_there_and_followed_when_moving() {
        let mut forwarding = Forwarding::default();
        forwarding.way(0, &frame(255, 1));
        assert_eq!(forwarding.way(1, &frame(1, 2)), Way::To(0));
        forwarding.way(2, &frame(255, 1));
        assert_eq!(forwarding.way(1, &frame(1, 2)), Way::To(2));
        assert_eq!(forwarding.way(2, &frame(1, 3)), Way::Nowhere);
    }

    #[test]
    fn what_is_no_frame_goes_nowhere_and_teaches_nothing() {
        let mut forwarding = Forwarding::default();
        assert_eq!(forwarding.way(0, &frame(255, 1)[..11]), Way::Nowhere);
        let mut from_all = frame(255, 1);
        from_all[6..12].fill(255);
        forwarding.way(0, &from_all);
        assert_eq!(forwarding.way(1, &frame(255, 1)), Way::Others, "nobody is at the address of all");
    }

    #[test]
    fn no_more_addresses_are_remembered_than_there_is_room_for() {
        let mut forwarding = Forwarding::default();
        for number in 0..MOST + 10 {
            let mut frame = frame(255, 0);
            frame[8..12].copy_from_slice(&(number as u32).to_be_bytes());
            forwarding.way(0, &frame);
        }
        assert_eq!(forwarding.known.len(), MOST);
    }
}
