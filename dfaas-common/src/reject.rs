//! The complete answers that the programs give themselves.

/// 429: a limit was reached (RFC 6585, 4).
pub const TOO_MANY: &[u8] = b"HTTP/1.1 429 Too Many Requests\r\n\
Content-Type: application/json\r\n\
Content-Length: 53\r\n\
Retry-After: 1\r\n\
Connection: close\r\n\
\r\n\
{\"status\":429,\"error\":\"a limit of the node is spent\"}";

/// 503: no backend accepts the invocation (RFC 9110, 15.6.4).
pub const UNAVAILABLE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
Content-Type: application/json\r\n\
Content-Length: 53\r\n\
Retry-After: 1\r\n\
Connection: close\r\n\
\r\n\
{\"status\":503,\"error\":\"no node takes the invocation\"}";

/// Bytes of a rejected request's body that are acknowledged and discarded before the connection is reset.
pub const DISCARD_LIMIT: u32 = 65_536;

/// The one's complement sum of a text as it lies in memory, to be added to that of the header before it.
#[must_use]
pub const fn sum(text: &[u8]) -> u64 {
    let mut total = 0u64;
    let mut i = 0;
    while i < text.len() {
        let second = if i + 1 < text.len() { text[i + 1] } else { 0 };
        total += u16::from_ne_bytes([text[i], second]) as u64;
        i += 2;
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::fold;

    #[test]
    fn the_answers_say_how_long_their_bodies_are() {
        for text in [TOO_MANY, UNAVAILABLE] {
            let text = String::from_utf8(text.to_vec()).expect("the answers are ASCII");
            let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
            assert!(head.contains(&format!("Content-Length: {}", body.len())), "{text}");
        }
    }

    #[test]
    fn the_sum_of_an_odd_number_of_bytes_pads_with_zero() {
        assert_eq!(fold(sum(b"abc")), fold(sum(b"abc\0")));
        assert_ne!(fold(sum(b"abc")), fold(sum(b"acb")));
    }
}
