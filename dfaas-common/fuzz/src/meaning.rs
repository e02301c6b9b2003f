//! What a head means by the rules (RFC 9112, 6), from header lines that `httparse` has read.

use httparse::Header;

/// What header lines say of a message and its connection.
#[derive(Debug, PartialEq, Eq)]
pub struct Meaning {
    /// `Content-Length`, if there is one that makes sense.
    pub length: Option<u64>,
    pub chunked: bool,
    pub closes: bool,
    pub forwarded_for: bool,
    /// Two readers may disagree, or the connection becomes something else.
    pub doubtful: bool,
}

/// The meaning of these lines.
pub fn meaning(headers: &[Header<'_>]) -> Meaning {
    let values = |name: &str| -> Vec<&[u8]> {
        headers.iter().filter(|h| h.name.eq_ignore_ascii_case(name)).map(|h| h.value).collect()
    };
    let number = |value: &&[u8]| {
        let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
        std::str::from_utf8(value).ok().filter(|_| digits).and_then(|value| value.parse().ok())
    };
    let lengths: Vec<Option<u64>> = values("content-length").iter().map(number).collect();
    let codings = values("transfer-encoding");
    let options = values("connection").into_iter().flat_map(|value| value.split(|byte| *byte == b','));
    let options: Vec<String> =
        options.map(|option| String::from_utf8_lossy(option).trim().to_ascii_lowercase()).collect();
    let known = |option: &String| ["close", "keep-alive", ""].contains(&option.as_str());
    let chunked = |value: &&[u8]| value.eq_ignore_ascii_case(b"chunked");
    Meaning {
        length: lengths.first().copied().flatten(),
        chunked: codings.iter().any(chunked),
        closes: options.iter().any(|option| option == "close"),
        forwarded_for: !values("x-forwarded-for").is_empty(),
        doubtful: lengths.len() > 1
            || lengths.contains(&None)
            || codings.len() > 1
            || !codings.iter().all(chunked)
            || !options.iter().all(known)
            || ["expect", "upgrade", "trailer"].iter().any(|name| !values(name).is_empty()),
    }
}
