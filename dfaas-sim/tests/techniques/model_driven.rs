//! `dfaas-equal` and `dfaas-power-saving`.

use std::time::Duration;

use dfaas_control::{FunctionMeasurements, NodeId};
use dfaas_sim::techniques::{PowerWord, Word};

use crate::host::{FUNCA, Host, function};

#[test]
fn equal_sheds_hundredths_of_what_is_left_until_it_is_overloaded_no_more_and_divides_them_evenly() {
    let mut host = Host::new("dfaas-equal", function(45.0, 10.0), 2);
    host.tick();
    // 9 of 10 a second may be served: a fifth of 45. 0.99 to the power of 161 is 0.1983, of 160 0.2003.
    assert_eq!(host.percent(), [(1, 19.83), (2, 40.09), (3, 40.09)].into());
    assert!(!host.funca().local_first);
    assert!(host.said.is_empty(), "it knows nothing of its peers");
}

#[test]
fn equal_keeps_all_where_the_model_sees_no_overload_or_nobody_is_there_to_take_it() {
    let mut host = Host::new("dfaas-equal", function(8.9, 10.0), 2);
    host.tick();
    assert_eq!(host.percent(), [(1, 100.0)].into());
    let mut alone = Host::new("dfaas-equal", function(45.0, 10.0), 0);
    alone.tick();
    assert_eq!(alone.percent(), [(1, 100.0)].into());
}

/// Ten processors; an invocation takes a tenth of a second of one: 6/7 of a point, as the processors' 60 % of all power are
/// 600/7 points of the 70 % that may be used, and an idle node uses 400/7.
fn watts(rate: f64, peers: u64) -> Host {
    let funca = FunctionMeasurements { cpu_time: Some(Duration::from_millis(100)), ..function(rate, 100.0) };
    let mut host = Host::new("dfaas-power-saving", funca, peers);
    host.measured.node.cores = Some(10.0);
    host
}

fn margin(margin: f64, cost: f64) -> Word {
    Word::Power(PowerWord { margin, costs: vec![(FUNCA, cost)] })
}

fn told(host: &Host, peer: u64) -> &PowerWord {
    match &host.said[&NodeId(peer)] {
        Word::Power(word) => word,
        other => panic!("no word of power: {other:?}"),
    }
}

#[test]
fn power_saving_tells_each_peer_an_even_part_of_what_is_left_of_its_power() {
    let mut host = watts(25.0, 2);
    host.tick();
    let word = told(&host, 3);
    assert!((word.margin - (100.0 - 400.0 / 7.0 - 25.0 * 6.0 / 7.0) / 2.0).abs() < 1e-9, "{word:?}");
    assert!((word.costs[0].1 - 6.0 / 7.0).abs() < 1e-9, "{word:?}");
    host.ask(60.0);
    host.tick();
    assert_eq!(told(&host, 3).margin, 0.0);
}

#[test]
fn power_saving_moves_hundredths_peer_by_peer_until_its_power_is_below_seven_tenths() {
    let mut host = watts(60.0, 2);
    host.hear(2, &margin(50.0, 1.0));
    host.hear(3, &margin(50.0, 1.0));
    host.tick();
    // 50 a second fit. 60 x 0.99 to the power of 19 is 49.57; peer 2 gets steps 1, 3, ... 19 and peer 3 those between.
    let away = |first: u32| (first..19).step_by(2).map(|step| 0.99_f64.powi(step as i32)).sum::<f64>();
    let percent = host.percent();
    assert!((percent[&1] - 82.62).abs() < 0.02, "{percent:?}");
    assert!((percent[&2] - away(0)).abs() < 0.02, "{percent:?}");
    assert!((percent[&3] - away(1)).abs() < 0.02, "{percent:?}");
}

#[test]
fn power_saving_never_raises_a_peer_above_its_margin() {
    let mut host = watts(100.0, 2);
    // 2 points are 1 invocation a second at peer 2; nothing is left at peer 3.
    host.hear(2, &margin(2.0, 2.0));
    host.hear(3, &margin(0.0, 1.0));
    host.tick();
    let percent = host.percent();
    assert!(percent[&2] <= 1.0 && percent[&2] > 0.9, "{percent:?}");
    assert!(!percent.contains_key(&3));
}

#[test]
fn power_saving_keeps_all_while_its_power_suffices() {
    let mut host = watts(49.9, 1);
    host.hear(2, &margin(50.0, 1.0));
    host.tick();
    assert_eq!(host.percent(), [(1, 100.0)].into());
}

#[test]
fn power_saving_is_not_led_astray_by_numbers_that_cannot_be() {
    for (points, cost) in [(f64::NAN, 1.0), (f64::INFINITY, 1.0), (50.0, f64::NAN), (50.0, -1.0), (50.0, 0.0)]
    {
        let mut host = watts(100.0, 1);
        host.hear(2, &margin(points, cost));
        host.tick();
        assert_eq!(host.percent(), [(1, 100.0)].into(), "{points} {cost}");
    }
}
