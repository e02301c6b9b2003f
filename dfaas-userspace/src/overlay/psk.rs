//! The key of a private swarm, in the file form that libp2p programs share.

use libp2p::pnet::{KeyParseError, PreSharedKey};

/// Reads a swarm key: `/key/swarm/psk/1.0.0/`, `/base16/`, and 64 hexadecimal digits, a line each.
///
/// # Errors
/// One sentence that says what is wrong and repeats nothing of the key.
pub fn parse(text: &str) -> Result<PreSharedKey, String> {
    // The library splits bytes where letters may not be split.
    if !text.is_ascii() {
        return Err("not a swarm key: it is not plain ASCII".to_owned());
    }
    let reason = match text.trim().parse() {
        Ok(key) => return Ok(key),
        Err(KeyParseError::InvalidKeyFile) => "it has fewer than three lines",
        Err(KeyParseError::InvalidKeyType) => "its first line is not /key/swarm/psk/1.0.0/",
        Err(KeyParseError::InvalidKeyEncoding) => "its second line is not /base16/",
        Err(KeyParseError::InvalidKeyLength) => "its third line is not 64 digits long",
        Err(KeyParseError::InvalidKeyChar(_)) => "its third line is not all hexadecimal digits",
    };
    Err(format!("not a swarm key: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_swarm_key_is_three_lines() {
        let digits = "0123456789abcdef".repeat(4);
        let key = parse(&format!("/key/swarm/psk/1.0.0/\n/base16/\n{digits}\n")).unwrap();
        assert_eq!(key.to_key_file(), format!("/key/swarm/psk/1.0.0/\n/base16/\n{digits}\n"));
        assert!(!format!("{key:?}").contains("0123"));
    }

    #[test]
    fn a_mistake_is_told_without_the_key() {
        let digits = "0123456789abcdef".repeat(4);
        let cases = [
            (String::new(), "fewer than three lines"),
            (format!("{digits}\n"), "fewer than three lines"),
            (format!("/key/swarm/psk/2.0.0/\n/base16/\n{digits}"), "first line"),
            (format!("/key/swarm/psk/1.0.0/\n/base64/\n{digits}"), "second line"),
            (format!("/key/swarm/psk/1.0.0/\n/base16/\n{}", &digits[1..]), "64 digits long"),
            (format!("/key/swarm/psk/1.0.0/\n/base16/\n{}", digits.replace('f', "g")), "hexadecimal"),
            (format!("/key/swarm/psk/1.0.0/\n/base16/\n0é{}", &digits[3..]), "plain ASCII"),
        ];
        for (text, expected) in cases {
            let error = parse(&text).unwrap_err();
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains("0123"), "{error}");
        }
    }
}
