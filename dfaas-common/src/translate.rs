//! What changes in the TCP header of a spliced connection on its way through the node.

use crate::cookie::{LIFE, NO_SCALE};
use crate::flow::Flow;
use crate::options::{HeaderImage, Options};

/// The window scale that we offer to clients: windows up to 8 MB in steps of 128 bytes.
pub const OUR_SCALE: u8 = 7;

/// TCP flags, the low byte.
pub mod flag {
    /// No more data from the sender.
    pub const FIN: u8 = 0x01;
    /// Synchronise sequence numbers.
    pub const SYN: u8 = 0x02;
    /// Reset the connection.
    pub const RST: u8 = 0x04;
    /// Push.
    pub const PSH: u8 = 0x08;
    /// The acknowledgment number is valid.
    pub const ACK: u8 = 0x10;
}

/// Offsets in a TCP header.
mod at {
    pub const SEQUENCE: u32 = 4;
    pub const ACKNOWLEDGMENT: u32 = 8;
    pub const FLAGS: u32 = 13;
    pub const WINDOW: u32 = 14;
}

/// The differences to apply to one direction; all additions are modulo 2^32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Translation {
    /// Added to the sequence number.
    pub sequence: u32,
    /// Added to the acknowledgment number and the edges of SACK blocks.
    pub acknowledgment: u32,
    /// Added to the timestamp value.
    pub time: u32,
    /// Added to the timestamp echo.
    pub echo: u32,
    /// The oldest echo that the receiver knows; a little older ones become this.
    ///
    /// Until it has heard of the backend, a client echoes the timestamp of our SYN-ACK, which is older than the
    /// backend's. Linux (since 6.15) answers such a segment to a half-open connection with a challenge.
    pub oldest_echo: Option<u32>,
    /// The sender's window scale: how far the window is shifted left to get bytes.
    pub window_left: u8,
    /// The scale by which the receiver will read it.
    pub window_right: u8,
}

impl Translation {
    /// From the client to the backend.
    #[inline(always)]
    #[must_use]
    pub const fn to_backend(flow: &Flow) -> Self {
        // A backend that answered without a scale reads windows unscaled (RFC 7323, 2.2).
        let scaled = flow.client_scale != NO_SCALE && flow.backend_scale == NO_SCALE;
        Self {
            sequence: flow.shift,
            acknowledgment: flow.sequence_delta,
            time: flow.client_clock,
            echo: 0u32.wrapping_sub(flow.backend_clock),
            oldest_echo: Some(flow.backend_time),
            window_left: if scaled { flow.client_scale } else { 0 },
            window_right: 0,
        }
    }

    /// From the backend to the client.
    #[inline(always)]
    #[must_use]
    pub const fn to_client(flow: &Flow) -> Self {
        let left = if flow.client_scale == NO_SCALE || flow.backend_scale == NO_SCALE {
            0
        } else {
            flow.backend_scale
        };
        let right = if flow.client_scale == NO_SCALE { 0 } else { flow.told_scale };
        Self {
            sequence: 0u32.wrapping_sub(flow.sequence_delta),
            acknowledgment: 0u32.wrapping_sub(flow.shift),
            time: flow.backend_clock,
            echo: 0u32.wrapping_sub(flow.client_clock),
            oldest_echo: None,
            window_left: left,
            window_right: right,
        }
    }
}

impl Translation {
    /// A timestamp echo as the receiver knows it.
    #[inline(always)]
    #[must_use]
    pub const fn echo_of(&self, echo: u32) -> u32 {
        let echo = echo.wrapping_add(self.echo);
        match self.oldest_echo {
            Some(oldest) if oldest.wrapping_sub(echo) <= LIFE => oldest,
            _ => echo,
        }
    }
}

/// A window field as the receiver must read it, in its own scale; what does not fit is clamped to 65,535.
#[inline(always)]
#[must_use]
pub const fn window(field: u16, left: u8, right: u8) -> u16 {
    let scaled = (field as u32) << (left & 15) >> (right & 15);
    if scaled > 65_535 { 65_535 } else { scaled as u16 }
}

/// Applies a translation to a header in place. Checksum and ports are the caller's.
#[inline(always)]
pub fn apply(header: &mut HeaderImage, options: &Options, change: &Translation) {
    let flags = header.byte(at::FLAGS);
    if change.sequence != 0 {
        header.set_number(at::SEQUENCE, header.number(at::SEQUENCE).wrapping_add(change.sequence));
    }
    let acknowledges = flags & flag::ACK != 0;
    if acknowledges && change.acknowledgment != 0 {
        header.set_number(
            at::ACKNOWLEDGMENT,
            header.number(at::ACKNOWLEDGMENT).wrapping_add(change.acknowledgment),
        );
        for block in 0..4 {
            if block < options.sack_blocks {
                let edge = options.sack_at + 8 * block;
                header.set_number(edge, header.number(edge).wrapping_add(change.acknowledgment));
                header.set_number(edge + 4, header.number(edge + 4).wrapping_add(change.acknowledgment));
            }
        }
    }
    // Windows of RST segments mean nothing; leave them.
    if change.window_left != change.window_right && flags & flag::RST == 0 {
        let field = (header.byte(at::WINDOW) as u16) << 8 | header.byte(at::WINDOW + 1) as u16;
        let field = window(field, change.window_left, change.window_right);
        header.0[at::WINDOW as usize] = (field >> 8) as u8;
        header.0[at::WINDOW as usize + 1] = field as u8;
    }
    if options.time_at != 0 {
        let time = options.time_at;
        header.set_number(time, header.number(time).wrapping_add(change.time));
        if acknowledges {
            header.set_number(time + 4, change.echo_of(header.number(time + 4)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn header(sequence: u32, acknowledgment: u32, window: u16, options: &[u8]) -> (HeaderImage, u32) {
        let mut image = HeaderImage([0; 64]);
        image.set_number(4, sequence);
        image.set_number(8, acknowledgment);
        image.0[13] = flag::ACK;
        image.0[14..16].copy_from_slice(&window.to_be_bytes());
        image.0[20..20 + options.len()].copy_from_slice(options);
        (image, 20 + options.len() as u32)
    }

    fn flow(delta: u32, backend_clock: u32, client_clock: u32, client_scale: u8, backend_scale: u8) -> Flow {
        // SAFETY: a flow is plain numbers; all zero is a valid value.
        let empty: Flow = unsafe { core::mem::zeroed() };
        let told_scale = OUR_SCALE;
        Flow {
            sequence_delta: delta,
            backend_clock,
            client_clock,
            client_scale,
            backend_scale,
            told_scale,
            ..empty
        }
    }

    #[test]
    fn sack_blocks_move_with_the_acknowledgment_and_timestamps_with_their_clocks() {
        let options = [1, 1, 8, 10, 0, 0, 0, 5, 0, 0, 0, 6, 1, 1, 5, 10, 0, 0, 1, 0, 0, 0, 2, 0];
        let (mut image, length) = header(1000, 2000, 500, &options);
        let parsed = Options::parse(&image, length);
        let mut flow = flow(7, 100, 40, 7, 7);
        flow.backend_time = 6u32.wrapping_sub(100);
        apply(&mut image, &parsed, &Translation::to_backend(&flow));
        assert_eq!((image.number(4), image.number(8)), (1000, 2007));
        assert_eq!((image.number(24), image.number(28)), (45, 6u32.wrapping_sub(100)));
        assert_eq!((image.number(36), image.number(40)), (0x107, 0x207));
        assert_eq!(image.0[14..16], 500u16.to_be_bytes());
    }

    #[test]
    fn the_clients_acknowledgments_are_untouched_on_the_way_back() {
        let (mut image, length) = header(1000, 2000, 500, &[1, 1, 8, 10, 0, 0, 0, 5, 0, 0, 0, 46]);
        let parsed = Options::parse(&image, length);
        apply(&mut image, &parsed, &Translation::to_client(&flow(7, 100, 40, 7, 9)));
        assert_eq!((image.number(4), image.number(8)), (993, 2000));
        assert_eq!((image.number(24), image.number(28)), (105, 6));
        assert_eq!(image.0[14..16], 2000u16.to_be_bytes(), "500 << 9 bytes are 2000 steps of 128");
    }

    #[test]
    fn windows_are_clamped_and_unscaled_clients_get_them_as_they_are() {
        assert_eq!(window(65_535, 14, 7), 65_535);
        assert_eq!(window(100, 0, 7), 0);
        let unscaled = Translation::to_client(&flow(0, 0, 0, NO_SCALE, NO_SCALE));
        assert_eq!((unscaled.window_left, unscaled.window_right), (0, 0));
        let plain_backend = Translation::to_backend(&flow(0, 0, 0, 7, NO_SCALE));
        assert_eq!((plain_backend.window_left, plain_backend.window_right), (7, 0));
    }

    #[test]
    fn an_echo_from_before_the_backend_becomes_that_of_its_syn_ack() {
        let mut flow = flow(7, 100, 0, 7, 7);
        flow.backend_time = 5_000;
        for (echo, seen) in [(5_095, 5_000), (5_100, 5_000), (5_101, 5_001), (9_000, 8_900)] {
            let mut options = vec![1, 1, 8, 10, 0, 0, 0, 5];
            options.extend(u32::to_be_bytes(echo));
            let (mut image, length) = header(1, 2, 500, &options);
            let parsed = Options::parse(&image, length);
            apply(&mut image, &parsed, &Translation::to_backend(&flow));
            assert_eq!(image.number(28), seen, "{echo}");
        }
    }

    proptest! {
        #[test]
        fn there_and_back_is_the_identity_for_numbers_and_times(
            delta: u32, backend_clock: u32, client_clock: u32, sequence: u32, acknowledgment: u32, time: u32, echo: u32
        ) {
            let mut options = vec![1, 1, 8, 10];
            options.extend(time.to_be_bytes());
            options.extend(echo.to_be_bytes());
            let (before, length) = header(sequence, acknowledgment, 1, &options);
            let parsed = Options::parse(&before, length);
            let mut flow = flow(delta, backend_clock, client_clock, 7, 7);
            // Echoes of what the backend has sent are never older than its SYN-ACK.
            flow.backend_time = echo.wrapping_sub(backend_clock);
            let mut image = before;
            apply(&mut image, &parsed, &Translation::to_backend(&flow));
            // What the backend sends with these numbers swapped must reach the client as the client sent them.
            let mut answer = image;
            answer.set_number(4, image.number(8));
            answer.set_number(8, image.number(4));
            answer.set_number(24, image.number(28));
            answer.set_number(28, image.number(24));
            apply(&mut answer, &parsed, &Translation::to_client(&flow));
            prop_assert_eq!((answer.number(4), answer.number(8)), (acknowledgment, sequence));
            prop_assert_eq!((answer.number(24), answer.number(28)), (echo, time));
        }
    }
}
