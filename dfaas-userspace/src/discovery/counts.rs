use std::collections::BTreeMap;
use std::time::Duration;

/// What a provider counted since it started, by the names that it or callers use; one function may have several.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counts {
    /// By name.
    pub functions: BTreeMap<String, FunctionCounts>,
}

/// See [`Counts`].
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct FunctionCounts {
    /// Invocations that were answered by the function (status below 500); failures say nothing of what one takes.
    pub completed: u64,
    /// Time that these took together.
    pub busy: Duration,
    /// Instances that run.
    pub replicas: Option<u32>,
}

impl Counts {
    /// A function's counts under all of its names together.
    pub fn of(&self, names: &[String]) -> FunctionCounts {
        let counts = names.iter().filter_map(|name| self.functions.get(name));
        counts.fold(FunctionCounts::default(), |sum, more| FunctionCounts {
            completed: sum.completed.saturating_add(more.completed),
            busy: sum.busy.saturating_add(more.busy),
            replicas: sum.replicas.max(more.replicas),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_that_is_called_by_two_names_is_counted_as_one() {
        let counts = |completed, seconds, replicas| FunctionCounts {
            completed,
            busy: Duration::from_secs(seconds),
            replicas,
        };
        let both = [
            ("figlet".to_owned(), counts(3, 1, None)),
            ("figlet.openfaas-fn".to_owned(), counts(4, 5, Some(2))),
            ("env".to_owned(), counts(100, 100, Some(9))),
        ];
        let counted = Counts { functions: both.into() };
        let names = ["figlet".to_owned(), "figlet.openfaas-fn".to_owned()];
        assert_eq!(counted.of(&names), counts(7, 6, Some(2)));
        assert_eq!(counted.of(&[]), FunctionCounts::default());
    }
}
