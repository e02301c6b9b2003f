//! Connections as they are, and invocations as they end.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Query, State as Extract};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use bytes::Bytes;
use serde::Deserialize;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::mpsc;

use super::lasting::{Held, Lasting};
use super::view::View;
use crate::agent::{FlowsReport, FollowLine, Follower, News};
use crate::dataplane::{FlowView, Seen};

/// Pieces of an answer that wait for their reader.
const PIECES: usize = 16;

/// Bytes from which on a piece is sent.
const PIECE: usize = 32 << 10;

/// A reader that takes nothing for so long, although there is something, follows no more.
const STALLED: Duration = Duration::from_secs(30);

/// What is asked for; a part that is missing is all.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    function: Option<String>,
    peer: Option<String>,
    backend: Option<String>,
    limit: Option<usize>,
    sample: Option<u32>,
}

impl Asked {
    fn fits(&self, function: &str, peer: Option<&str>, backend: &str) -> bool {
        let wants = |asked: &Option<String>, is: &str| asked.as_deref().is_none_or(|asked| asked == is);
        let of_peer = self.peer.as_deref().is_none_or(|asked| peer == Some(asked) || backend == asked);
        of_peer && wants(&self.function, function) && wants(&self.backend, backend)
    }
}

/// `/flows`: the connections of the moment, the youngest first.
pub(super) async fn flows(Extract(view): Extract<View>, Query(asked): Query<Asked>) -> Response {
    let all = match view.flows().await {
        Ok(all) => all,
        Err(why) => return (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    };
    let total = all.len();
    let fits = |flow: &FlowView| asked.fits(&flow.function, flow.peer.as_deref(), &flow.backend);
    let mut flows: Vec<FlowView> = all.into_iter().filter(fits).collect();
    flows.sort_by(|a, b| a.age_seconds.total_cmp(&b.age_seconds));
    let matching = flows.len();
    flows.truncate(asked.limit.unwrap_or(usize::MAX));
    Json(FlowsReport { total, matching, flows }).into_response()
}

/// `/flows/follow`: one line of JSON for each invocation that ends, until the reader goes.
pub(super) async fn follow(
    Extract(view): Extract<View>,
    Extension(lasting): Extension<Lasting>,
    Query(asked): Query<Asked>,
) -> Response {
    let sample = asked.sample.unwrap_or(1).max(1);
    let follower = match view.following.follow(sample).await {
        Ok(follower) => follower,
        Err(why) => return (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    };
    let (pieces, body) = mpsc::channel(PIECES);
    tokio::spawn(pass_on(follower, asked, sample, pieces, lasting.hold()));
    let body = futures_util::stream::unfold(body, async |mut body: mpsc::Receiver<Bytes>| {
        body.recv().await.map(|piece| (Ok::<_, Infallible>(piece), body))
    });
    ([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(body)).into_response()
}

/// Lets every `wanted`-th of a stream of one in `given` through.
#[derive(Debug, Default)]
struct Thinning {
    passed: u64,
}

impl Thinning {
    fn passes(&mut self, given: u32, wanted: u32) -> bool {
        self.passed += u64::from(given);
        let passes = self.passed >= u64::from(wanted);
        if passes {
            self.passed -= u64::from(wanted);
        }
        passes
    }
}

/// What is to be told to one reader.
struct Lines {
    asked: Asked,
    sample: u32,
    thinning: Thinning,
    text: Vec<u8>,
}

impl Lines {
    fn add(&mut self, line: &FollowLine) {
        // Numbers and strings can always be written.
        if let Ok(line) = serde_json::to_vec(line) {
            self.text.extend(line);
            self.text.push(b'\n');
        }
    }

    fn news(&mut self, news: News) {
        match news {
            News::Seen(given, seen) => {
                let Seen { function, peer, backend, .. } = &*seen;
                if self.asked.fits(function, peer.as_deref(), backend)
                    && self.thinning.passes(given, self.sample)
                {
                    self.add(&FollowLine::Invocation(Box::new(Seen::clone(&seen))));
                }
            }
            News::Lost(in_kernel) => self.add(&FollowLine::Missed { in_kernel, by_reader: 0 }),
        }
    }

    fn missed(&mut self, by_reader: u64) {
        self.add(&FollowLine::Missed { in_kernel: 0, by_reader });
    }
}

/// Passes on what a follower is told, until its reader has gone or stalls, or the agent ends.
async fn pass_on(
    mut follower: Follower,
    asked: Asked,
    sample: u32,
    pieces: mpsc::Sender<Bytes>,
    _held: Held,
) {
    let mut lines = Lines { asked, sample, thinning: Thinning::default(), text: Vec::new() };
    lines.add(&FollowLine::Following { sample });
    loop {
        // All that there is at once, in pieces.
        while lines.text.len() < PIECE {
            match follower.news.try_recv() {
                Ok(news) => lines.news(news),
                Err(TryRecvError::Lagged(count)) => lines.missed(count),
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        if !lines.text.is_empty() {
            let piece = Bytes::from(std::mem::take(&mut lines.text));
            if pieces.send_timeout(piece, STALLED).await.is_err() {
                return;
            }
        }
        tokio::select! {
            () = pieces.closed() => return,
            news = follower.news.recv() => match news {
                Ok(news) => lines.news(news),
                Err(RecvError::Lagged(count)) => lines.missed(count),
                Err(RecvError::Closed) => return,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_reader_that_wants_less_than_is_given_gets_its_part(given in 1u32..50, times in 1u32..50, more in 0u32..50) {
            let wanted = given * times + more;
            let mut thinning = Thinning::default();
            let count = 10_000u64;
            let passed = (0..count).filter(|_| thinning.passes(given, wanted)).count() as u64;
            prop_assert_eq!(passed, count * u64::from(given) / u64::from(wanted));
        }
    }

    #[test]
    fn who_asks_for_a_peer_gets_what_it_sent_and_what_it_serves() {
        let asked = Asked { peer: Some("b".to_owned()), ..Asked::default() };
        assert!(asked.fits("f", Some("b"), "local") && asked.fits("f", None, "b"));
        assert!(!asked.fits("f", Some("c"), "local") && !asked.fits("f", None, "local"));
        let asked =
            Asked { function: Some("f".to_owned()), backend: Some("b".to_owned()), ..Asked::default() };
        assert!(
            asked.fits("f", None, "b") && !asked.fits("g", None, "b") && !asked.fits("f", Some("b"), "local")
        );
    }
}
