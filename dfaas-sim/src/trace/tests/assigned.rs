use super::*;

fn functions(many: usize) -> Trace {
    let mut trace = Trace::new(0.0, 60.0, 3).unwrap();
    for at in 0..many {
        trace.add(SeriesKey::anywhere(&format!("f{at}")), &[at as f64, 1.0, 2.0]).unwrap();
    }
    trace
}

fn nodes(many: usize) -> Vec<String> {
    (0..many).map(|at| format!("n{at}")).collect()
}

#[test]
fn a_function_goes_to_one_node_or_is_divided_and_no_request_is_lost() {
    let trace = functions(40);
    for assignment in [Assignment::One, Assignment::Divided] {
        let assigned = trace.assign(&nodes(7), assignment, &mut rng(1)).unwrap();
        assert_eq!(assigned.functions(), trace.functions());
        assert!((sum(&assigned) - sum(&trace)).abs() < 1e-9, "{assignment:?}");
        assert_eq!(assigned.nodes().len(), 7);
        let series = if assignment == Assignment::One { 40 } else { 280 };
        assert_eq!(assigned.series().len(), series);
    }
}

#[test]
fn nodes_draw_as_many_functions_as_they_may_have_with_all_their_requests() {
    let trace = functions(40);
    let assigned = trace.assign(&nodes(50), Assignment::PerNode { least: 6, most: 15 }, &mut rng(9)).unwrap();
    let mut many: Vec<usize> = Vec::new();
    for node in nodes(50) {
        let own: Vec<_> =
            assigned.series().filter(|(key, _)| key.node.as_deref() == Some(node.as_str())).collect();
        for (key, counts) in &own {
            assert_eq!(Some(*counts), trace.counts(&SeriesKey::anywhere(&key.function)));
        }
        many.push(own.len());
    }
    assert_eq!((many.iter().min(), many.iter().max()), (Some(&6), Some(&15)));
}

#[test]
fn the_same_seed_assigns_the_same() {
    let assign = |seed| functions(40).assign(&nodes(7), Assignment::One, &mut rng(seed)).unwrap();
    assert_eq!(assign(5), assign(5));
    assert_ne!(assign(5), assign(6));
}

#[test]
fn without_nodes_or_functions_nothing_can_be_assigned() {
    let assign = |trace: &Trace, nodes: &[String], a| trace.assign(nodes, a, &mut rng(1));
    assert_eq!(assign(&functions(2), &[], Assignment::One), Err(TraceError::Empty("node")));
    assert_eq!(assign(&functions(0), &nodes(1), Assignment::One), Err(TraceError::Empty("function")));
    assert!(assign(&functions(2), &nodes(1), Assignment::PerNode { least: 2, most: 1 }).is_err());
}
