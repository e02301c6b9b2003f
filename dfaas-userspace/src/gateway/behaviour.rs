//! What the built-in functions do.

use std::fmt;
use std::hint::black_box;
use std::str::FromStr;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

/// The longest time that a built-in function sleeps or computes, in milliseconds: one hour.
pub const MAX_MS: u64 = 3_600_000;

/// A built-in function. All but `whoami` answer with the request's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Answers at once.
    #[default]
    Echo,
    /// Waits, using no CPU.
    Sleep,
    /// Uses CPU time on a thread of its own.
    Burn,
    /// Answers what the gateway saw: itself, the TCP peer and the request.
    Whoami,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Echo, Self::Sleep, Self::Burn, Self::Whoami];

    /// The name in configuration files, images (`dfaas/echo`) and `DFAAS_KIND`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::Sleep => "sleep",
            Self::Burn => "burn",
            Self::Whoami => "whoami",
        }
    }

    /// The kind that an image stands for: `dfaas/echo`, with any registry before and any tag or digest after.
    pub fn of_image(image: &str) -> Option<Self> {
        let without_digest = image.split('@').next()?;
        let (_, last) = without_digest.rsplit_once("dfaas/")?;
        last.split(':').next()?.parse().ok()
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| format!("`{text}` is no built-in function: use echo, sleep, burn or whoami"))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A kind with its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Behaviour {
    /// What to do.
    pub kind: Kind,
    /// For how long: wall-clock time for `sleep`, thread CPU time for `burn`, zero for the others.
    pub time: Duration,
}

impl Behaviour {
    /// Checks a kind and its milliseconds.
    ///
    /// # Errors
    /// A sentence for the user, when the time is above [`MAX_MS`] or the kind takes none.
    pub fn new(kind: Kind, ms: u64) -> Result<Self, String> {
        if ms > MAX_MS {
            return Err(format!("{ms} ms is above the limit of {MAX_MS}"));
        }
        if ms > 0 && !matches!(kind, Kind::Sleep | Kind::Burn) {
            return Err(format!("a function of kind {kind} takes no time: use sleep or burn, or 0 ms"));
        }
        Ok(Self { kind, time: Duration::from_millis(ms) })
    }

    /// Spends the time. Dropping the future stops the work soon after.
    ///
    /// # Errors
    /// A sentence, when the system cannot measure CPU time or has no thread to spare.
    pub async fn work(self) -> Result<(), String> {
        match self.kind {
            Kind::Sleep => {
                tokio::time::sleep(self.time).await;
                Ok(())
            }
            Kind::Burn if !self.time.is_zero() => {
                let stop = CancellationToken::new();
                let _stop_when_dropped = stop.clone().drop_guard();
                tokio::task::spawn_blocking(move || burn(self.time, &stop))
                    .await
                    .map_err(|error| format!("the thread that computes failed: {error}"))?
                    .map_err(|error| format!("CPU time cannot be measured: {error}"))
            }
            Kind::Burn | Kind::Echo | Kind::Whoami => Ok(()),
        }
    }
}

/// Computes until this thread has used `time` of CPU, or `stop` is cancelled.
fn burn(time: Duration, stop: &CancellationToken) -> nix::Result<()> {
    let used = || clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from);
    let end = used()? + time;
    let mut state = 1_u64;
    while used()? < end && !stop.is_cancelled() {
        for _ in 0..10_000 {
            state = black_box(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_names_its_kind_with_or_without_registry_tag_and_digest() {
        for image in ["dfaas/burn", "dfaas/burn:latest", "ghcr.io:443/dfaas/burn:1.0", "dfaas/burn@sha256:00"]
        {
            assert_eq!(Kind::of_image(image), Some(Kind::Burn), "{image}");
        }
        for image in ["", "burn", "ghcr.io/openfaas/figlet:latest", "dfaas/", "dfaas/other", "dfaas/burn/x"] {
            assert_eq!(Kind::of_image(image), None, "{image}");
        }
    }

    #[test]
    fn time_for_a_kind_that_takes_none_is_refused() {
        assert!(Behaviour::new(Kind::Echo, 0).is_ok());
        assert!(Behaviour::new(Kind::Echo, 5).unwrap_err().contains("sleep or burn"));
        assert!(Behaviour::new(Kind::Sleep, MAX_MS + 1).unwrap_err().contains("limit"));
    }

    #[test]
    fn burning_uses_the_cpu_time_asked_for() {
        let used = || Duration::from(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap());
        let before = used();
        burn(Duration::from_millis(20), &CancellationToken::new()).unwrap();
        assert!(used() - before >= Duration::from_millis(20));
    }

    #[test]
    fn burning_ends_early_when_nobody_waits_any_more() {
        let stop = CancellationToken::new();
        stop.cancel();
        burn(Duration::from_secs(3600), &stop).unwrap();
    }
}
