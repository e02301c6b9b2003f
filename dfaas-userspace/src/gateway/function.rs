//! A deployed function: what it does and what it admits.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::behaviour::{Behaviour, Kind};
use super::bucket::TokenBucket;
use super::wire::Deployment;

/// What a function admits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Invocations at one time; the rest wait in order of arrival. 0: no limit.
    pub concurrency: usize,
    /// Invocations a second; the rest are answered 429. 0: no limit.
    pub rate: f64,
}

impl Limits {
    /// Checks the two numbers.
    ///
    /// # Errors
    /// A sentence for the user.
    pub fn new(concurrency: usize, rate: f64) -> Result<Self, String> {
        if !rate.is_finite() || rate < 0.0 {
            return Err(format!("the rate {rate} is not a number of invocations a second, 0 or more"));
        }
        if concurrency > Semaphore::MAX_PERMITS {
            return Err(format!("the concurrency {concurrency} is above {}", Semaphore::MAX_PERMITS));
        }
        Ok(Self { concurrency, rate })
    }
}

/// The limits at work.
#[derive(Debug)]
pub struct Admission {
    limits: Limits,
    epoch: Instant,
    bucket: Option<Mutex<TokenBucket>>,
    slots: Option<Arc<Semaphore>>,
}

impl Admission {
    fn new(limits: Limits) -> Self {
        Self {
            limits,
            epoch: Instant::now(),
            bucket: (limits.rate > 0.0).then(|| Mutex::new(TokenBucket::new(limits.rate))),
            slots: (limits.concurrency > 0).then(|| Arc::new(Semaphore::new(limits.concurrency))),
        }
    }

    /// Whether the rate leaves room for one more invocation now.
    pub fn admits(&self) -> bool {
        let Some(bucket) = &self.bucket else { return true };
        bucket.lock().unwrap_or_else(PoisonError::into_inner).take(self.epoch.elapsed())
    }

    /// Waits for a place among the invocations that run at one time. `None` where there is no limit.
    pub async fn slot(&self) -> Option<OwnedSemaphorePermit> {
        // Acquiring fails only for a closed semaphore; this one is never closed.
        Arc::clone(self.slots.as_ref()?).acquire_owned().await.ok()
    }
}

/// A deployed function.
#[derive(Debug)]
pub struct Function {
    /// What the client sent.
    pub deployment: Deployment,
    /// What it does.
    pub behaviour: Behaviour,
    /// What it admits, for all replicas together.
    pub admission: Arc<Admission>,
    /// When it was first deployed.
    pub created: SystemTime,
    replicas: AtomicU32,
}

impl Function {
    /// Makes a function of what a client sent. The kind comes from `DFAAS_KIND`, else from the image.
    ///
    /// # Errors
    /// A sentence for the user, when the image or an environment variable makes no sense.
    pub fn new(deployment: Deployment, replicas: u32, created: SystemTime) -> Result<Self, String> {
        let kind = match variable(&deployment, "DFAAS_KIND") {
            Some(text) => text.parse().map_err(|error| format!("envVars.DFAAS_KIND: {error}"))?,
            None => Kind::of_image(&deployment.image).ok_or_else(|| {
                format!(
                    "this gateway has built-in functions only and cannot run the image `{}`: \
                     use dfaas/echo, dfaas/sleep, dfaas/burn or dfaas/whoami, or set DFAAS_KIND in envVars",
                    deployment.image
                )
            })?,
        };
        let behaviour = Behaviour::new(kind, number(&deployment, "DFAAS_MS")?)
            .map_err(|error| format!("envVars.DFAAS_MS: {error}"))?;
        let limits =
            Limits::new(number(&deployment, "DFAAS_CONCURRENCY")?, number(&deployment, "DFAAS_RATE")?)?;
        let admission = Arc::new(Admission::new(limits));
        Ok(Self { deployment, behaviour, admission, created, replicas: AtomicU32::new(replicas) })
    }

    /// Takes over what an update must not lose: age, replicas, and the limits' state where they stay the same.
    pub fn inherit(&mut self, old: &Self) {
        self.created = old.created;
        self.scale(old.replicas());
        if self.admission.limits == old.admission.limits {
            self.admission = Arc::clone(&old.admission);
        }
    }

    /// Replicas now.
    pub fn replicas(&self) -> u32 {
        self.replicas.load(Ordering::Relaxed)
    }

    /// Sets the number of replicas. None means that invocations are answered 503; others change no limit.
    pub fn scale(&self, replicas: u32) {
        self.replicas.store(replicas, Ordering::Relaxed);
    }
}

fn variable<'a>(deployment: &'a Deployment, key: &str) -> Option<&'a str> {
    deployment.env_vars.as_ref()?.get(key).map(|value| value.trim())
}

fn number<T: std::str::FromStr + Default>(deployment: &Deployment, key: &str) -> Result<T, String>
where
    T::Err: std::fmt::Display,
{
    let Some(text) = variable(deployment, key) else { return Ok(T::default()) };
    text.parse().map_err(|error| format!("envVars.{key}: `{text}`: {error}"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn deployed(image: &str, env: &[(&str, &str)]) -> Result<Function, String> {
        let env_vars = env.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
        let deployment =
            Deployment { image: image.into(), env_vars: Some(env_vars), ..Deployment::default() };
        Function::new(deployment, 1, SystemTime::UNIX_EPOCH)
    }

    #[test]
    fn the_environment_says_what_a_function_does_and_goes_before_the_image() {
        let function = deployed("dfaas/echo:1", &[("DFAAS_KIND", "sleep"), ("DFAAS_MS", "20")]).unwrap();
        assert_eq!(function.behaviour, Behaviour { kind: Kind::Sleep, time: Duration::from_millis(20) });
    }

    #[test]
    fn what_cannot_run_here_is_refused_with_the_reason() {
        let reason = deployed("ghcr.io/openfaas/figlet:latest", &[]).unwrap_err();
        assert!(reason.contains("ghcr.io/openfaas/figlet") && reason.contains("dfaas/echo"), "{reason}");
        let reason = deployed("dfaas/sleep", &[("DFAAS_MS", "-1")]).unwrap_err();
        assert!(reason.contains("DFAAS_MS") && reason.contains("-1"), "{reason}");
        for rate in ["-1", "NaN", "inf"] {
            assert!(deployed("dfaas/echo", &[("DFAAS_RATE", rate)]).is_err(), "{rate}");
        }
    }

    #[test]
    fn an_update_that_keeps_the_limits_does_not_refill_the_bucket() {
        let old = deployed("dfaas/echo", &[("DFAAS_RATE", "0.001")]).unwrap();
        assert!(old.admission.admits());
        let mut same = deployed("dfaas/burn", &[("DFAAS_RATE", "0.001")]).unwrap();
        same.inherit(&old);
        assert!(!same.admission.admits());
        let mut other = deployed("dfaas/burn", &[("DFAAS_RATE", "0.002")]).unwrap();
        other.inherit(&old);
        assert!(other.admission.admits());
    }

    #[tokio::test]
    async fn a_place_is_free_again_when_the_invocation_that_held_it_ends() {
        let function = deployed("dfaas/echo", &[("DFAAS_CONCURRENCY", "1")]).unwrap();
        let held = function.admission.slot().await;
        let waiting = tokio::spawn({
            let admission = Arc::clone(&function.admission);
            async move { admission.slot().await.is_some() }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(held);
        assert!(waiting.await.unwrap());
    }
}
