//! What strategies are told of the machine, and what gateways and containers tell of functions.

use std::collections::BTreeMap;
use std::time::Duration;

use dfaas_control::{FunctionId, Measurements, NodeMeasurements};

use super::counted::Counted;
use super::cpu_time::Totals;
use super::history::Sample;
use crate::discovery::Catalogue;

/// The machine, its use as a mean between two samples.
pub(super) fn node(before: Option<(&Sample, Duration)>, now: &Sample) -> NodeMeasurements {
    let used = before.and_then(|(before, elapsed)| {
        let used = now.machine.busy?.checked_sub(before.machine.busy?)?;
        (!elapsed.is_zero()).then(|| used.as_secs_f64() / elapsed.as_secs_f64())
    });
    let cores = now
        .machine
        .cores
        .or_else(|| std::thread::available_parallelism().ok().map(|processors| processors.get() as f64));
    NodeMeasurements {
        cores,
        // Ticks are counted in hundredths of a second, so it may look like a little more than there is.
        cpu: used.map(|used| used.min(cores.unwrap_or(f64::INFINITY))),
        memory_free: now.machine.memory_free,
        memory_total: now.machine.memory_total,
    }
}

/// What the functions' containers used, and what was completed here: by the gateway's count if it tells, as it knows of
/// invocations that come by other ways too, else by the data plane's.
pub(super) fn totals(
    catalogue: &Catalogue,
    sample: &Sample,
    counted: &BTreeMap<String, Counted>,
) -> BTreeMap<String, Totals> {
    let mut answered: BTreeMap<&str, u64> = BTreeMap::new();
    for line in sample.snapshot.invocations.iter().filter(|line| line.backend == "local") {
        *answered.entry(&line.function).or_default() += line.answers.iter().sum::<u64>();
    }
    let total = |(name, used): (&String, &Duration)| {
        let seen = || answered.get(name.as_str()).copied().unwrap_or(0);
        let completed = counted.get(name).map_or_else(seen, |counted| counted.completed);
        Some((name.clone(), Totals { used: *used, completed }))
    };
    // What was looked at may have been removed meanwhile.
    let there = |(name, _): &(&String, &Duration)| catalogue.functions.contains_key(*name);
    sample.machine.functions.iter().filter(there).filter_map(total).collect()
}

/// Adds what is known of functions beyond what the data plane sees.
pub(super) fn add(
    measured: &mut Measurements,
    catalogue: &Catalogue,
    counted: &BTreeMap<String, Counted>,
    cpu_times: &BTreeMap<String, Duration>,
) {
    for (name, info) in &catalogue.functions {
        let Some(function) = measured.functions.get_mut(&FunctionId::from_name(name)) else { continue };
        let counted = counted.get(name).copied().unwrap_or_default();
        function.completion_rate = counted.completion_rate;
        function.service_time = counted.service_time;
        function.cpu_time = cpu_times.get(name).copied();
        let listed = u32::try_from(info.available_replicas).unwrap_or(u32::MAX);
        function.replicas = Some(counted.replicas.unwrap_or(listed));
    }
}

#[cfg(test)]
mod tests {
    use dfaas_control::FunctionMeasurements;

    use super::*;
    use crate::dataplane::{Invocations, Snapshot};
    use crate::discovery::ListedFunction;
    use crate::machine::Reading;

    const SECOND: Duration = Duration::from_secs(1);

    fn catalogue() -> Catalogue {
        let figlet =
            ListedFunction { name: "figlet".to_owned(), available_replicas: 3, ..ListedFunction::default() };
        Catalogue::new(&[figlet], "openfaas-fn", &BTreeMap::new())
    }

    fn sample(busy: u64, machine: Reading) -> Sample {
        let machine = Reading { cores: Some(4.0), busy: Some(Duration::from_millis(busy)), ..machine };
        Sample { machine, ..Sample::default() }
    }

    #[test]
    fn use_of_processors_is_the_time_used_over_the_time_passed() {
        let reading = Reading { memory_free: Some(5), memory_total: Some(9), ..Reading::default() };
        let (before, now) = (sample(1_000, reading.clone()), sample(4_000, reading));
        let measured = node(Some((&before, 2 * SECOND)), &now);
        assert_eq!((measured.cores, measured.cpu), (Some(4.0), Some(1.5)));
        assert_eq!((measured.memory_free, measured.memory_total), (Some(5), Some(9)));
        assert_eq!(node(Some((&before, SECOND / 10)), &now).cpu, Some(4.0), "no more than there are");
        assert_eq!(node(Some((&now, SECOND)), &before).cpu, None, "a clock that went back tells nothing");
        assert_eq!(node(None, &now).cpu, None);
        let unknown = Sample::default();
        assert!(
            node(None, &unknown).cores.is_some(),
            "what the process may use, where nothing else is known"
        );
    }

    #[test]
    fn completions_are_the_gateways_where_it_counts_else_the_data_planes() {
        let machine = Reading { functions: [("figlet".to_owned(), SECOND)].into(), ..Reading::default() };
        let line = |backend: &str, answers| Invocations {
            function: "figlet".to_owned(),
            backend: backend.to_owned(),
            answers,
            ..Invocations::default()
        };
        let invocations = vec![line("local", [0, 0, 7, 1, 0, 2]), line("b", [0, 0, 100, 0, 0, 0])];
        let snapshot = Snapshot { invocations, ..Snapshot::default() };
        let sample = Sample { snapshot, machine };
        let completed =
            |counted: &BTreeMap<String, Counted>| totals(&catalogue(), &sample, counted)["figlet"].completed;
        assert_eq!(completed(&BTreeMap::new()), 10);
        let counted = Counted { completed: 50, ..Counted::default() };
        assert_eq!(completed(&[("figlet".to_owned(), counted)].into()), 50);
        assert!(totals(&catalogue(), &Sample::default(), &BTreeMap::new()).is_empty());
    }

    #[test]
    fn what_is_known_of_a_function_is_told_and_nothing_is_made_up() {
        let id = FunctionId::from_name("figlet");
        let mut measured = Measurements::default();
        measured.functions.insert(id, FunctionMeasurements::default());
        add(&mut measured, &catalogue(), &BTreeMap::new(), &BTreeMap::new());
        let figlet = measured.functions[&id];
        assert_eq!((figlet.replicas, figlet.cpu_time, figlet.service_time), (Some(3), None, None));

        let counted = Counted {
            completed: 9,
            completion_rate: Some(4.5),
            service_time: Some(SECOND),
            replicas: Some(2),
            ..Counted::default()
        };
        let counted = [("figlet".to_owned(), counted)].into();
        add(&mut measured, &catalogue(), &counted, &[("figlet".to_owned(), SECOND / 2)].into());
        let figlet = measured.functions[&id];
        assert_eq!((figlet.replicas, figlet.cpu_time), (Some(2), Some(SECOND / 2)));
        assert_eq!((figlet.completion_rate, figlet.service_time), (Some(4.5), Some(SECOND)));
    }
}
