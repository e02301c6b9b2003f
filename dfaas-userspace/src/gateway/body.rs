//! Bodies of invocations: streamed back, metered, thrown away.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use http_body_util::BodyExt as _;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Sleep, sleep, timeout};

use super::metrics::Invocation;

/// A caller that sends nothing of its body for this long is given up.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Request bodies up to this size are read to the end when nobody wants them, to keep the connection usable.
const DISCARDED: usize = 256 * 1024;

/// How long reading an unwanted body may take.
const DISCARD_TIME: Duration = Duration::from_secs(5);

/// A request's body on its way back, of which the first frame has been read.
pub struct Echo {
    first: Option<Bytes>,
    rest: Body,
    patience: Duration,
    /// Runs while the caller owes bytes; a slow reader of the answer is not held against it.
    waiting: Option<Pin<Box<Sleep>>>,
}

impl Echo {
    /// Reads the beginning of a body. That makes the server ask for it where the caller waits for
    /// `100 Continue`, and finds a broken beginning before the answer has begun. A caller may be silent for
    /// `patience`, here and later.
    ///
    /// # Errors
    /// What is wrong with the body.
    pub async fn begin(mut rest: Body, patience: Duration) -> Result<Self, axum::BoxError> {
        let frame = match timeout(patience, rest.frame()).await {
            Ok(frame) => frame.transpose()?,
            Err(_) => return Err("the caller did not send it".into()),
        };
        // A frame that is no data is a trailer, which an answer does not repeat.
        let first = frame.and_then(|frame| frame.into_data().ok());
        Ok(Self { first, rest, patience, waiting: None })
    }
}

impl HttpBody for Echo {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        if let Poll::Ready(frame) = Pin::new(&mut self.rest).poll_frame(cx) {
            self.waiting = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let patience = self.patience;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(patience)));
        if waiting.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Some(Err("the caller stopped sending its body".into())));
        }
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let ready = self.first.as_ref().map_or(0, |first| first.len() as u64);
        let rest = self.rest.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower() + ready);
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper + ready);
        }
        hint
    }
}

/// The body of an answer that ends its invocation when its last byte is handed on, before a caller can know it.
pub struct Metered {
    inner: Body,
    invocation: Option<Invocation>,
}

impl Metered {
    /// Ties an invocation to its answer.
    pub fn attach(mut invocation: Invocation, response: Response) -> Response {
        invocation.answered(response.status());
        response.map(|inner| {
            let invocation = (!inner.is_end_stream()).then_some(invocation);
            Body::new(Self { inner, invocation })
        })
    }
}

impl HttpBody for Metered {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        let ended = match &polled {
            Poll::Ready(Some(Ok(_))) => self.inner.is_end_stream(),
            Poll::Ready(_) => true,
            Poll::Pending => false,
        };
        if ended {
            self.invocation = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Reads a body that nobody wants while its answer is sent, so that the connection can go on. A caller that still
/// waits for `100 Continue` is not asked for the body; its connection ends.
pub fn discard(request: Request, response: &mut Response) {
    if request.body().is_end_stream() {
        return;
    }
    if request.headers().contains_key(header::EXPECT) {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        return;
    }
    let mut body = request.into_body();
    tokio::spawn(timeout(DISCARD_TIME, async move {
        let mut read = 0;
        while let Some(Ok(frame)) = body.frame().await {
            read += frame.data_ref().map_or(0, Bytes::len);
            if read > DISCARDED {
                break;
            }
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A body that gives these frames and then never another.
    struct Stalled(Vec<&'static str>);

    impl HttpBody for Stalled {
        type Data = Bytes;
        type Error = axum::Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            self.0.pop().map_or(Poll::Pending, |text| Poll::Ready(Some(Ok(Frame::data(text.into())))))
        }
    }

    #[tokio::test]
    async fn an_echo_knows_its_length_and_gives_every_byte() {
        let echo = Echo::begin(Body::from("hello"), PATIENCE).await.unwrap();
        assert_eq!(echo.size_hint().exact(), Some(5));
        assert_eq!(echo.collect().await.unwrap().to_bytes(), "hello");
    }

    #[tokio::test]
    async fn an_echo_of_nothing_has_ended_at_once() {
        let echo = Echo::begin(Body::empty(), PATIENCE).await.unwrap();
        assert!(echo.is_end_stream());
        assert_eq!(echo.size_hint().exact(), Some(0));
    }

    #[tokio::test]
    async fn a_caller_that_never_sends_its_body_is_given_up() {
        let patience = Duration::from_millis(5);
        assert!(Echo::begin(Body::new(Stalled(vec![])), patience).await.is_err());
    }

    #[tokio::test]
    async fn a_caller_that_stops_in_the_middle_of_its_body_is_given_up() {
        let body = Body::new(Stalled(vec!["b", "a"]));
        let mut echo = Echo::begin(body, Duration::from_millis(5)).await.unwrap();
        assert_eq!(echo.frame().await.unwrap().unwrap().into_data().unwrap(), "a");
        assert_eq!(echo.frame().await.unwrap().unwrap().into_data().unwrap(), "b");
        assert!(echo.frame().await.unwrap().is_err());
    }
}
