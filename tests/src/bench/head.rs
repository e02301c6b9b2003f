//! Heads of HTTP/1.1 messages, as far as the benchmark needs them. No I/O.

/// Longest head that is read, in bytes.
pub(super) const MAX_HEAD: usize = 8 << 10;

/// Most header lines of a head.
const MAX_HEADERS: usize = 32;

/// The header in which a server names itself.
pub(super) const NODE: &str = "dfaas-node";

/// Why a head is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadHead {
    /// Not HTTP, or longer than [`MAX_HEAD`].
    NotHttp,
    /// Its body has no length that is told in advance.
    NoLength,
}

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RequestHead<'a> {
    /// Bytes of the head, with the empty line.
    pub(super) length: usize,
    /// Path with what follows it.
    pub(super) path: &'a str,
    /// Bytes of the body.
    pub(super) body: usize,
    /// Whether the connection ends with the answer.
    pub(super) close: bool,
}

/// What an answer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AnswerHead<'a> {
    /// Bytes of the head, with the empty line.
    pub(super) length: usize,
    /// The status.
    pub(super) status: u16,
    /// Bytes of the body.
    pub(super) body: usize,
    /// The server that answered; empty if it did not say.
    pub(super) node: &'a str,
}

/// Reads a request's head; `None` while it is not whole.
pub(super) fn request(bytes: &[u8]) -> Result<Option<RequestHead<'_>>, BadHead> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut head = httparse::Request::new(&mut headers);
    let Some(length) = whole(head.parse(bytes), bytes)? else { return Ok(None) };
    let fields = Fields::read(head.headers)?;
    // Without a length a request has no body.
    let body = fields.body.unwrap_or(0);
    let close = fields.close || head.version == Some(0);
    Ok(Some(RequestHead { length, path: head.path.unwrap_or_default(), body, close }))
}

/// Reads an answer's head; `None` while it is not whole.
pub(super) fn answer(bytes: &[u8]) -> Result<Option<AnswerHead<'_>>, BadHead> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut head = httparse::Response::new(&mut headers);
    let Some(length) = whole(head.parse(bytes), bytes)? else { return Ok(None) };
    let fields = Fields::read(head.headers)?;
    let body = fields.body.ok_or(BadHead::NoLength)?;
    Ok(Some(AnswerHead { length, status: head.code.unwrap_or_default(), body, node: fields.node }))
}

fn whole(parsed: httparse::Result<usize>, bytes: &[u8]) -> Result<Option<usize>, BadHead> {
    match parsed {
        Ok(httparse::Status::Complete(length)) => Ok(Some(length)),
        Ok(httparse::Status::Partial) if bytes.len() < MAX_HEAD => Ok(None),
        _ => Err(BadHead::NotHttp),
    }
}

/// The header lines that matter.
#[derive(Default)]
struct Fields<'a> {
    body: Option<usize>,
    close: bool,
    node: &'a str,
}

impl<'a> Fields<'a> {
    fn read(headers: &[httparse::Header<'a>]) -> Result<Self, BadHead> {
        let mut fields = Self::default();
        for header in headers {
            let value = std::str::from_utf8(header.value).unwrap_or_default().trim();
            if header.name.eq_ignore_ascii_case("content-length") {
                fields.body = Some(value.parse().map_err(|_| BadHead::NotHttp)?);
            } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
                return Err(BadHead::NoLength);
            } else if header.name.eq_ignore_ascii_case("connection") {
                fields.close |= value.eq_ignore_ascii_case("close");
            } else if header.name.eq_ignore_ascii_case(NODE) {
                fields.node = value;
            }
        }
        Ok(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_when_its_head_is_whole_and_not_before() {
        let bytes =
            b"POST /function/bench?answer=7 HTTP/1.1\r\nContent-Length: 5\r\nConnection: Close\r\n\r\nhello";
        for end in 0..bytes.len() - 5 {
            assert_eq!(request(&bytes[..end]), Ok(None), "{end} bytes");
        }
        let head =
            RequestHead { length: bytes.len() - 5, path: "/function/bench?answer=7", body: 5, close: true };
        assert_eq!(request(bytes), Ok(Some(head)));
    }

    #[test]
    fn a_request_without_a_length_has_no_body_and_the_old_protocol_closes() {
        let head = request(b"GET /healthz HTTP/1.0\r\n\r\n").unwrap().unwrap();
        assert_eq!((head.path, head.body, head.close), ("/healthz", 0, true));
        assert!(!request(b"GET / HTTP/1.1\r\n\r\n").unwrap().unwrap().close);
    }

    #[test]
    fn an_answer_tells_status_length_and_server() {
        let head = answer(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ndfaas-node: node-4\r\n\r\n32").unwrap();
        assert_eq!(head, Some(AnswerHead { length: 58, status: 200, body: 2, node: "node-4" }));
        assert_eq!(answer(b"HTTP/1.1 503 "), Ok(None));
    }

    #[test]
    fn what_cannot_be_counted_is_refused() {
        assert_eq!(answer(b"HTTP/1.1 200 OK\r\n\r\n"), Err(BadHead::NoLength));
        let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        assert_eq!(answer(chunked), Err(BadHead::NoLength));
        assert_eq!(request(b"\x16\x03\x01\x02\x00"), Err(BadHead::NotHttp));
        assert_eq!(request(b"GET / HTTP/1.1\r\ncontent-length: many\r\n\r\n"), Err(BadHead::NotHttp));
        assert_eq!(request(&[b'A'; MAX_HEAD]), Err(BadHead::NotHttp), "a head without end");
    }
}
