use dfaas_control::{Options, STRATEGIES};
use dfaas_sim::techniques::{TECHNIQUES, Word, technique};

use crate::host::{Host, function};

#[test]
fn every_technique_and_every_production_strategy_is_made_under_its_own_name() {
    for name in TECHNIQUES.iter().chain(STRATEGIES) {
        let made = technique(name, &Options::default()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(made.name(), *name);
    }
    assert!(TECHNIQUES.iter().all(|name| !STRATEGIES.contains(name)));
}

#[test]
fn an_unknown_name_is_refused_with_all_known_ones() {
    let Err(error) = technique("auctoin", &Options::default()) else { panic!("\"auctoin\" was made") };
    let text = error.to_string();
    assert!(TECHNIQUES.iter().chain(STRATEGIES).all(|name| text.contains(name)), "{text}");
}

#[test]
fn a_production_strategy_says_its_messages_as_words_and_hears_them() {
    let (mut full, mut idle) =
        (Host::new("recalc", function(45.0, 10.0), 1), Host::new("recalc", function(0.0, 16.0), 1));
    for _ in 0..3 {
        full.tick();
        idle.tick();
        let (asked, granted) = (full.said.clone(), idle.said.clone());
        assert!(asked.values().chain(granted.values()).all(|word| matches!(word, Word::Strategy(_))));
        granted.values().for_each(|word| full.hear(2, word));
        asked.values().for_each(|word| idle.hear(2, word));
    }
    assert_eq!(full.percent(), [(2, 100.0)].into(), "what is too much goes to who granted something");
    assert!(full.funca().local_first);
}

#[test]
fn words_of_another_technique_are_not_understood_and_harm_nothing() {
    let mut speaker = Host::new("dfaas-empirical", function(0.0, 16.0), 1);
    speaker.tick();
    for name in
        TECHNIQUES.iter().chain(STRATEGIES).filter(|name| !["dfaas-empirical", "serverledge"].contains(name))
    {
        if *name == "external" {
            continue; // It asks a model server at each tick, which this host has not.
        }
        let (mut hearer, mut deaf) =
            (Host::new(name, function(45.0, 10.0), 1), Host::new(name, function(45.0, 10.0), 1));
        speaker.said.values().for_each(|word| hearer.hear(2, word));
        hearer.tick();
        deaf.tick();
        assert_eq!(hearer.plan, deaf.plan, "{name}");
    }
}
