use std::time::{Duration, Instant};

/// Asks again and again until there is an answer.
///
/// # Panics
/// If that takes longer than `patience`: a test that waits for `what` has failed.
pub fn eventually<T>(what: &str, patience: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begun.elapsed() < patience, "did not come about: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
