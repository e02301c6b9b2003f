//! Followers of single invocations. While there is one, the data plane reports invocations, and no longer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{broadcast, watch};

use super::writer::Writer;
use crate::dataplane::Seen;

/// Time between two looks for new reports.
const LOOK: Duration = Duration::from_millis(50);

/// Reports that are taken at one look; the ring has no more.
const MOST: usize = 4096;

/// Reports that wait for a follower; one that is slower loses the oldest and is told how many.
const WAITING: usize = 4096;

/// Most followers at one time.
pub const MOST_FOLLOWERS: usize = 16;

/// Longest wait for the data plane to report.
const PATIENCE: Duration = Duration::from_secs(3);

/// What followers are told.
#[derive(Debug, Clone)]
pub enum News {
    /// An invocation is over; it was one of so many.
    Seen(u32, Arc<Seen>),
    /// So many were over for whose reports there was no room.
    Lost(u64),
}

/// Why nobody can follow now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FollowError {
    /// There are too many.
    #[error("{MOST_FOLLOWERS} follow already; end one of them")]
    Full,
    /// The data plane does not report.
    #[error("the data plane does not report: {0}")]
    Silent(String),
}

/// What each follower wants to see one in so many of, by its number, and the number of the next.
#[derive(Debug, Default)]
struct Wanted {
    samples: BTreeMap<u64, u32>,
    next: u64,
}

/// Whom followers come to.
#[derive(Debug, Clone)]
pub struct Following {
    wanted: Arc<watch::Sender<Wanted>>,
    news: broadcast::WeakSender<News>,
    /// What the data plane reports one in so many of, 0: none; or why it does not.
    reported: watch::Receiver<Result<u32, String>>,
}

/// One follower; it follows until it is dropped.
#[derive(Debug)]
pub struct Follower {
    wanted: Arc<watch::Sender<Wanted>>,
    number: u64,
    /// What it is told. Slow, it misses some; closed, the agent has ended.
    pub news: broadcast::Receiver<News>,
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.wanted.send_modify(|wanted| {
            wanted.samples.remove(&self.number);
        });
    }
}

impl Following {
    /// Whom followers come to, and what serves them as long as it is run.
    pub fn new(writer: Writer) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (wanted, changes) = watch::channel(Wanted::default());
        let (news, _) = broadcast::channel(WAITING);
        let (report, reported) = watch::channel(Ok(0));
        let following = Self { wanted: Arc::new(wanted), news: news.downgrade(), reported };
        (following, serve(writer, changes, news, report))
    }

    /// Follows one invocation in `sample` (1: all) once the data plane reports them.
    ///
    /// # Errors
    /// If too many follow already, or the data plane does not do it.
    pub async fn follow(&self, sample: u32) -> Result<Follower, FollowError> {
        let ended = || FollowError::Silent("the agent is ending".to_owned());
        let news = self.news.upgrade().ok_or_else(ended)?.subscribe();
        let mut number = None;
        self.wanted.send_if_modified(|wanted| {
            if wanted.samples.len() < MOST_FOLLOWERS {
                number = Some(wanted.next);
                wanted.samples.insert(wanted.next, sample.max(1));
                wanted.next += 1;
            }
            number.is_some()
        });
        let number = number.ok_or(FollowError::Full)?;
        let follower = Follower { wanted: self.wanted.clone(), number, news };
        let mut reported = self.reported.clone();
        let enough =
            |now: &Result<u32, String>| matches!(now, Ok(one_in) if (1..=sample.max(1)).contains(one_in));
        match tokio::time::timeout(PATIENCE, reported.wait_for(enough)).await {
            Ok(Ok(_)) => Ok(follower),
            Ok(Err(_)) => Err(ended()),
            Err(_) => {
                let why = self.reported.borrow().clone().err();
                Err(FollowError::Silent(why.unwrap_or_else(|| "it is busy".to_owned())))
            }
        }
    }
}

/// Has the data plane report what is wanted, and passes it on.
async fn serve(
    writer: Writer,
    mut changes: watch::Receiver<Wanted>,
    news: broadcast::Sender<News>,
    report: watch::Sender<Result<u32, String>>,
) {
    let mut reported = 0;
    loop {
        // The finest wins; who wants less is thinned.
        let wanted = changes.borrow_and_update().samples.values().min().copied().unwrap_or(0);
        if wanted != reported {
            match set(&writer, reported, wanted).await {
                Ok(()) => {
                    reported = wanted;
                    report.send_modify(|reported| *reported = Ok(wanted));
                }
                Err(why) => {
                    tracing::warn!("following invocations: {why}");
                    report.send_modify(|reported| *reported = Err(why));
                }
            }
        }
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(LOOK), if wanted != reported || reported != 0 => {}
        }
        if reported != 0 {
            take(&writer, reported, &news).await;
        }
    }
}

/// Changes what is reported. What is left from before the first follower came is nobody's.
async fn set(writer: &Writer, before: u32, wanted: u32) -> Result<(), String> {
    let set = writer.call(move |dataplane| {
        if before == 0 {
            while !dataplane.take_seen(MOST)?.seen.is_empty() {}
        }
        dataplane.set_sample(wanted)
    });
    set.await.map_err(|gone| gone.to_string())?.map_err(|error| error.to_string())
}

/// Takes what was reported and tells all followers.
async fn take(writer: &Writer, one_in: u32, news: &broadcast::Sender<News>) {
    let taken = match writer.call(|dataplane| dataplane.take_seen(MOST)).await {
        Ok(Ok(taken)) => taken,
        Ok(Err(error)) => return tracing::warn!("following invocations: {error}"),
        // The agent is on its way out.
        Err(_) => return,
    };
    // Nobody may be there any more.
    for seen in taken.seen {
        let _ = news.send(News::Seen(one_in, Arc::new(seen)));
    }
    if taken.lost > 0 {
        let _ = news.send(News::Lost(taken.lost));
    }
}
