//! Every target on its corpus and on inputs made from it. `DFAAS_INPUTS` says how many (20,000 each), `DFAAS_SEED` which.

use dfaas_fuzz::{TARGETS, corpus, try_inputs};

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn target(name: &str) {
    let seed = number("DFAAS_SEED").unwrap_or_else(rand::random);
    println!("DFAAS_SEED={seed}");
    let count = number("DFAAS_INPUTS").unwrap_or(20_000) as usize;
    let (_, target) = TARGETS.iter().find(|(other, _)| *other == name).expect("a target of this name");
    try_inputs(name, *target, seed, count).unwrap_or_else(|error| panic!("{error}"));
}

macro_rules! targets {
    ($($story:ident $name:literal)*) => {
        $(#[test]
        fn $story() {
            target($name);
        })*

        #[test]
        fn every_target_has_a_corpus_and_is_tried() {
            let tried = [$($name),*];
            for (name, _) in TARGETS {
                assert!(tried.contains(&name), "{name} is not tried");
                assert!(!corpus(name).unwrap().is_empty(), "{name} has no corpus");
            }
        }
    };
}

targets! {
    of_requests_nothing_is_certain_that_another_reader_sees_otherwise "request"
    of_answers_nothing_is_certain_that_another_reader_sees_otherwise "response"
    chunked_bodies_end_where_a_naive_decoder_ends_them "chunks"
    what_is_called_a_boundary_is_one_for_a_reader_of_whole_streams "exchange"
    options_are_those_that_a_naive_reader_finds "options"
    translation_changes_what_it_must_and_leads_back "translate"
    a_head_with_the_clients_line_has_one_header_more "forwarded"
    sums_and_cookies_agree_with_their_definitions "sums"
}
