//! What a liar says: that it has and grants more than is so, and that nobody waits there.

use dfaas_control::{LeaseWord, Message, lease_flag};

use crate::techniques::Word;

/// Processors, points and invocations a second that a liar says are left where nothing is: a node of an edge site has
/// fewer.
const SOME: f64 = 4.0;

/// Makes a word say `factor` times as much as is so, and at least something. Nothing else of it changes.
pub(super) fn lie(word: &mut Word, factor: f64) {
    let more = |number: f64| (number * factor).max(SOME);
    let more32 = |number: f32| more(f64::from(number)) as f32;
    match word {
        Word::Strategy(Message::Lease(word)) => lease(word, more32),
        Word::Strategy(Message::Recalc(offers)) => {
            for offer in offers {
                (offer.limit, offer.overloaded) = (more32(offer.limit), false);
            }
        }
        Word::Strategy(Message::Margin(word)) => word.margin = more32(word.margin).min(100.0),
        Word::Strategy(Message::Probe(word)) => (word.inflight, word.wait) = (0, 0),
        Word::State(word) => {
            (word.cpu, word.memory) = (0.0, 0.0);
            for function in &mut word.functions {
                (function.margin, function.overloaded) = (more(function.margin), false);
            }
        }
        Word::Power(word) => word.margin = more(word.margin).min(100.0),
        Word::Auction(word) => {
            word.offers.iter_mut().chain(&mut word.sold).for_each(|offer| offer.rate = more(offer.rate));
        }
    }
}

fn lease(word: &mut LeaseWord, more: impl Fn(f32) -> f32) {
    (word.capacity, word.headroom) = (more(word.capacity), more(word.headroom));
    (word.free, word.wait) = (more(word.free), 0);
    // Whoever asks for something gets more than all of it.
    word.grant = more(word.grant);
    word.flags &= !(lease_flag::SENDER | lease_flag::COLD | lease_flag::DRAINING);
}

#[cfg(test)]
mod tests {
    use dfaas_control::{FunctionId, Offer};

    use super::*;

    #[test]
    fn a_liar_grants_what_it_has_not_and_hides_that_one_waits_there() {
        let truth = LeaseWord {
            capacity: 2.0,
            wait: 900_000,
            flags: lease_flag::SENDER | lease_flag::COLD,
            ask: 1.5,
            ..LeaseWord::default()
        };
        let mut word = Word::Strategy(Message::Lease(truth.clone()));
        lie(&mut word, 3.0);
        let told =
            LeaseWord { capacity: 6.0, headroom: 4.0, free: 4.0, grant: 4.0, wait: 0, flags: 0, ..truth };
        assert_eq!(word, Word::Strategy(Message::Lease(told)));
    }

    #[test]
    fn a_liar_offers_more_than_it_has_and_is_never_overloaded() {
        let offer = |limit, overloaded| Offer { function: FunctionId(1), overloaded, limit };
        let mut word = Word::Strategy(Message::Recalc(vec![offer(10.0, true), offer(0.0, false)]));
        lie(&mut word, 2.0);
        assert_eq!(word, Word::Strategy(Message::Recalc(vec![offer(20.0, false), offer(4.0, false)])));
    }
}
