use std::time::Duration;

use dfaas_sim::profile::Arrivals;

use super::ProfileError;

/// The most requests of one step: their times are kept.
pub const MAX_REQUESTS: f64 = 5e6;

/// A ladder of load.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Requests a second of each step, rising.
    pub rates: Vec<f64>,
    /// How long a step is.
    pub length: Duration,
    /// How requests follow each other.
    pub arrivals: Arrivals,
    /// What the times of arrivals are drawn from.
    pub seed: u64,
    /// The part of the requests that must be answered well in time for the next step to be taken, 0 to 1.
    pub least_success: f64,
    /// Time within which an answer is of use; then a request is given up.
    pub timeout: Duration,
    /// Requests under way at one time, at most; above that they are not sent, and have failed.
    pub most_at_once: usize,
}

impl Plan {
    /// Whether it can be carried out.
    ///
    /// # Errors
    /// Which number has no meaning, and what would have one.
    pub fn check(&self) -> Result<(), ProfileError> {
        let wrong = |text: String| Err(ProfileError::Usage(text));
        if self.rates.is_empty() {
            return wrong("no rate to measure at".to_owned());
        }
        if let Some(rate) = self.rates.iter().find(|rate| !(rate.is_finite() && **rate > 0.0)) {
            return wrong(format!("{rate} requests a second is no rate: it must be more than 0"));
        }
        if let Some(pair) = self.rates.windows(2).find(|pair| pair[0] >= pair[1]) {
            return wrong(format!("rates must rise, and {} comes before {}", pair[0], pair[1]));
        }
        let second = Duration::from_secs(1);
        if self.length < second || self.length > 3600 * second {
            return wrong("a step must be from 1 second to an hour long".to_owned());
        }
        let most = self.rates.iter().copied().fold(0.0, f64::max) * self.length.as_secs_f64();
        if most > MAX_REQUESTS {
            return wrong(format!("{most:.0} requests in one step; at most {MAX_REQUESTS:.0} are sent"));
        }
        if self.timeout.is_zero() || self.timeout > 3600 * second {
            return wrong("--timeout must be more than 0 and at most an hour".to_owned());
        }
        if !(0.0..=1.0).contains(&self.least_success) {
            return wrong(format!("--success {}: it is a part, from 0 to 1", self.least_success));
        }
        Ok(())
    }

    /// Requests that are sent if every step is taken, in the mean.
    pub fn requests(&self) -> f64 {
        self.rates.iter().sum::<f64>() * self.length.as_secs_f64()
    }

    /// The longest that it takes with `idle` before: every step, and the wait for its last answers.
    pub fn longest(&self, idle: Duration) -> Duration {
        let step = self.length.saturating_add(self.timeout);
        idle.saturating_add(step.saturating_mul(u32::try_from(self.rates.len()).unwrap_or(u32::MAX)))
    }
}

/// `steps` rates at equal distances up to `most`.
pub fn rates_to(most: f64, steps: u32) -> Vec<f64> {
    (1..=steps).map(|step| most * f64::from(step) / f64::from(steps)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        Plan {
            rates: vec![1.0, 2.0],
            length: Duration::from_secs(10),
            arrivals: Arrivals::Even,
            seed: 1,
            least_success: 0.9,
            timeout: Duration::from_secs(2),
            most_at_once: 10,
        }
    }

    #[test]
    fn what_a_plan_costs_is_known_before_it_begins() {
        let plan = plan();
        plan.check().unwrap();
        assert_eq!(plan.requests(), 30.0);
        assert_eq!(plan.longest(Duration::from_secs(5)), Duration::from_secs(29));
        assert_eq!(rates_to(50.0, 4), [12.5, 25.0, 37.5, 50.0]);
    }

    #[test]
    fn a_plan_that_makes_no_sense_is_refused_with_the_number_that_is_wrong() {
        let says = |change: fn(&mut Plan), says: &str| {
            let mut plan = plan();
            change(&mut plan);
            let error = plan.check().unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        };
        says(|plan| plan.rates.clear(), "no rate");
        says(|plan| plan.rates = vec![1.0, f64::NAN], "NaN");
        says(|plan| plan.rates = vec![5.0, 5.0], "must rise, and 5 comes before 5");
        says(|plan| plan.rates = vec![1e6], "10000000 requests in one step");
        says(|plan| plan.length = Duration::from_millis(10), "from 1 second");
        says(|plan| plan.timeout = Duration::ZERO, "--timeout");
        says(|plan| plan.least_success = 1.5, "--success 1.5");
    }
}
