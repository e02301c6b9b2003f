use dfaas_control::{FunctionId, Offer};
use proptest::prelude::*;

use super::*;

fn card() -> Card {
    Card {
        name: "milan-1".to_owned(),
        region: "Lombardia è qui".to_owned(),
        data_address: Some([192, 0, 2, 7].into()),
        data_port: 31601,
        functions: vec!["env".to_owned(), "figlet".to_owned()],
    }
}

fn beat() -> Beat {
    let offer = Offer { function: FunctionId::from_name("figlet"), overloaded: true, limit: 2.5 };
    Beat {
        incarnation: 1_700_000_000,
        sequence: 77,
        known: 3,
        period_ms: 1000,
        leaving: false,
        admits: true,
        digest: 11,
        seen: u64::MAX,
        card: Some(card()),
        nonce: Some([7; 16]),
        message: Some(Message::Recalc(vec![offer])),
    }
}

fn with_card(change: impl FnOnce(&mut Card)) -> Beat {
    let mut card = card();
    change(&mut card);
    Beat { card: Some(card), ..beat() }
}

/// The frame of a beat that `encode` may not like.
fn forced(beat: &Beat) -> BytesMut {
    let body = postcard::to_allocvec(beat).unwrap();
    whole_frame(&[&[VERSION][..], &body].concat())
}

fn whole_frame(body: &[u8]) -> BytesMut {
    let mut frame = BytesMut::from(&u32::try_from(body.len()).unwrap().to_be_bytes()[..]);
    frame.extend_from_slice(body);
    frame
}

fn decode(mut bytes: BytesMut) -> Frame {
    let received = FrameDecoder.decode(&mut bytes).unwrap().expect("a whole frame");
    assert!(bytes.is_empty());
    received.frame
}

#[test]
fn a_beat_arrives_as_it_was_sent_however_it_is_cut() {
    let bytes = encode(&beat()).unwrap();
    let mut buffer = BytesMut::new();
    for (index, byte) in bytes.iter().enumerate() {
        buffer.extend_from_slice(&[*byte]);
        let received = FrameDecoder.decode(&mut buffer).unwrap();
        if index + 1 < bytes.len() {
            assert_eq!(received, None);
        } else {
            let whole = Received { frame: Frame::Beat(Box::new(beat())), bytes: bytes.len() };
            assert_eq!(received, Some(whole));
        }
    }
}

#[test]
fn a_small_beat_is_small() {
    let bytes = encode(&Beat { card: None, nonce: None, message: None, ..beat() }).unwrap();
    assert!(bytes.len() < 40, "{} bytes", bytes.len());
}

#[test]
fn a_length_beyond_the_bound_ends_the_stream_before_anything_is_kept() {
    let mut buffer = BytesMut::from(&10_000_000_u32.to_be_bytes()[..]);
    assert!(matches!(FrameDecoder.decode(&mut buffer), Err(WireError::Oversized(10_000_000))));
    assert!(buffer.capacity() < 1024);
    let mut just = whole_frame(&vec![0; MAX_FRAME + 1]);
    assert!(matches!(FrameDecoder.decode(&mut just), Err(WireError::Oversized(_))));
    assert!(matches!(decode(whole_frame(&vec![VERSION; MAX_FRAME])), Frame::Malformed(_)));
}

#[test]
fn another_version_is_unknown_and_no_fault() {
    assert_eq!(decode(whole_frame(&[2, 1, 2, 3])), Frame::Unknown(2));
    assert_eq!(decode(whole_frame(&[0])), Frame::Unknown(0));
}

#[test]
fn what_is_out_of_bounds_is_malformed_and_never_sent() {
    let offer = Offer { function: FunctionId(1), overloaded: false, limit: 1.0 };
    let names = |count: usize| (0..count).map(|id| format!("f{id:05}")).collect::<Vec<_>>();
    let wrong = [
        Beat { period_ms: 99, ..beat() },
        Beat { period_ms: 60_001, ..beat() },
        Beat { message: Some(Message::Recalc(vec![offer; MAX_FUNCTIONS + 1])), ..beat() },
        with_card(|card| card.name = String::new()),
        with_card(|card| card.name = "a b".to_owned()),
        with_card(|card| card.name = "local".to_owned()),
        with_card(|card| card.region = "x".repeat(64)),
        with_card(|card| card.region = "a\nb".to_owned()),
        with_card(|card| card.data_port = 0),
        with_card(|card| card.functions = vec!["b".to_owned(), "a".to_owned()]),
        with_card(|card| card.functions = vec!["a".to_owned(), "a".to_owned()]),
        with_card(|card| card.functions = vec!["../x".to_owned()]),
        with_card(|card| card.functions = vec!["x".repeat(64)]),
        with_card(|card| card.functions = names(MAX_FUNCTIONS + 1)),
    ];
    for beat in wrong {
        assert!(matches!(encode(&beat), Err(EncodeError::Bounds(_))), "{beat:?}");
        assert!(matches!(decode(forced(&beat)), Frame::Malformed(_)), "{beat:?}");
    }
    let most = with_card(|card| card.functions = names(MAX_FUNCTIONS));
    assert_eq!(decode(forced(&most)), Frame::Beat(Box::new(most)));
}

#[test]
fn bytes_after_a_beat_and_beats_that_end_early_are_malformed() {
    let body = postcard::to_allocvec(&beat()).unwrap();
    let longer = [&[VERSION][..], &body, &[0]].concat();
    assert_eq!(decode(whole_frame(&longer)), Frame::Malformed("bytes after the end"));
    assert!(matches!(decode(whole_frame(&longer[..longer.len() - 2])), Frame::Malformed(_)));
    assert!(matches!(decode(whole_frame(&[])), Frame::Malformed(_)));
}

#[test]
fn a_frame_that_fits_the_bounds_and_not_the_length_is_not_sent() {
    let long = |id: usize| format!("{}{id:05}", "x".repeat(58));
    let beat = with_card(|card| card.functions = (0..MAX_FUNCTIONS).map(long).collect());
    assert!(matches!(encode(&beat), Err(EncodeError::TooLong(_))));
}

fn exchange() -> Exchange {
    Exchange { links: 17, keeps: true, leaving: false, records: vec![vec![7; 200], vec![8; 1024]] }
}

#[test]
fn an_exchange_and_the_beat_behind_it_arrive_as_they_were_sent() {
    let mut bytes = BytesMut::from(&encode_exchange(&exchange()).unwrap()[..]);
    bytes.extend_from_slice(&encode(&beat()).unwrap());
    let mut next = || FrameDecoder.decode(&mut bytes).unwrap().map(|received| received.frame);
    assert_eq!(next(), Some(Frame::Exchange(Box::new(exchange()))));
    assert_eq!(next(), Some(Frame::Beat(Box::new(beat()))));
    assert_eq!(next(), None);
    let word = encode_exchange(&Exchange { records: Vec::new(), ..exchange() }).unwrap();
    assert!(word.len() < 12, "{} bytes", word.len());
}

#[test]
fn an_exchange_with_too_many_or_too_long_records_is_malformed_and_never_sent() {
    for records in [vec![Vec::new(); 5], vec![vec![0; 1025]]] {
        let wrong = Exchange { records, ..exchange() };
        assert!(matches!(encode_exchange(&wrong), Err(EncodeError::Bounds(_))));
        let body = postcard::to_allocvec(&wrong).unwrap();
        assert!(matches!(decode(whole_frame(&[&[EXCHANGE][..], &body].concat())), Frame::Malformed(_)));
    }
}

prop_compose! {
    fn any_card()(
        name in "[a-z][a-zA-Z0-9._-]{0,62}", region in "[ -~]{0,63}", data_address: Option<std::net::IpAddr>,
        data_port in 1..=u16::MAX, functions in proptest::collection::btree_set("[a-zA-Z0-9._-]{1,63}", 0..20),
    ) -> Card {
        // Two names are words of the metrics.
        let name = format!("n{}", &name[1..]);
        Card { name, region, data_address, data_port, functions: functions.into_iter().collect() }
    }
}

prop_compose! {
    fn any_beat()(
        numbers: [u64; 5], period_ms in PERIOD_MS, leaving: bool, admits: bool,
        card in proptest::option::of(any_card()), nonce: Option<[u8; 16]>,
        offers in proptest::option::of(proptest::collection::vec((any::<u64>(), any::<bool>(), -1e9..1e9_f32), 0..50)),
    ) -> Beat {
        let [incarnation, sequence, known, digest, seen] = numbers;
        let offer = |(id, overloaded, limit)| Offer { function: FunctionId(id), overloaded, limit };
        let message = offers.map(|offers| Message::Recalc(offers.into_iter().map(offer).collect()));
        Beat { incarnation, sequence, known, period_ms, leaving, admits, digest, seen, card, nonce, message }
    }
}

proptest! {
    #[test]
    fn every_beat_within_bounds_comes_back(beat in any_beat()) {
        let frame = decode(BytesMut::from(&encode(&beat).unwrap()[..]));
        prop_assert_eq!(frame, Frame::Beat(Box::new(beat)));
    }

    #[test]
    fn no_bytes_make_it_stumble(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut stream = BytesMut::from(&bytes[..]);
        while let Ok(Some(_)) = FrameDecoder.decode(&mut stream) {}
        let _ = decode(whole_frame(&bytes));
        let _ = decode(whole_frame(&[&[VERSION][..], &bytes].concat()));
        if let Frame::Exchange(exchange) = decode(whole_frame(&[&[EXCHANGE][..], &bytes].concat())) {
            prop_assert_eq!(exchange.check(), Ok(()));
        }
    }

    #[test]
    fn a_damaged_beat_is_a_beat_within_bounds_or_malformed(
        beat in any_beat(), damage in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = encode(&beat).unwrap().to_vec();
        for (index, byte) in damage {
            let body = bytes.len() - HEAD;
            bytes[HEAD + index.index(body)] = byte;
        }
        if let Frame::Beat(beat) = decode(BytesMut::from(&bytes[..])) {
            prop_assert_eq!(check(&beat), Ok(()));
        }
    }
}
