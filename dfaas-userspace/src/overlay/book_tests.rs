use super::*;

const FIRST: Duration = Duration::from_secs(1);
const CAP: Duration = Duration::from_secs(60);

fn book() -> Book {
    Book::new(PeerId::random(), (FIRST, CAP), Instant::now())
}

fn at(port: u16) -> Multiaddr {
    format!("/ip4/192.0.2.1/tcp/{port}").parse().unwrap()
}

fn due(book: &mut Book, now: Instant, eagerness: Eagerness) -> Vec<PeerId> {
    book.due(now, eagerness, |_| true).into_iter().map(|(peer, _)| peer).collect()
}

#[test]
fn a_seed_is_called_for_ever_with_growing_waits() {
    let (start, mut book, seed) = (Instant::now(), book(), PeerId::random());
    book.seed(seed, at(1), start);
    let (mut now, mut calls) = (start, Vec::new());
    while now < start + Duration::from_secs(3600) {
        if due(&mut book, now, Eagerness::Wanting) == [seed] {
            calls.push((now - start).as_secs());
            assert_eq!(due(&mut book, now, Eagerness::Wanting), [], "one call at a time");
            book.failed(&seed, now, 0.5);
        }
        now += Duration::from_millis(500);
    }
    assert_eq!(calls[..8], [0, 1, 3, 7, 15, 31, 63, 123]);
    assert!(calls.windows(2).all(|pair| pair[1] - pair[0] <= 60), "{calls:?}");
}

#[test]
fn the_node_itself_never_stands_in_its_book() {
    let (now, mut book) = (Instant::now(), book());
    book.seed(book.own, at(1), now);
    book.heard(book.own, [at(2)], now);
    assert_eq!(book.len(), 0);
    assert!(book.knows(&book.own));
}

#[test]
fn a_node_that_is_only_heard_of_is_forgotten_after_three_calls() {
    let (mut now, mut book, peer) = (Instant::now(), book(), PeerId::random());
    book.heard(peer, [at(1)], now);
    for call in 1..=3 {
        assert_eq!(due(&mut book, now, Eagerness::Wanting), [peer], "call {call}");
        book.failed(&peer, now, 0.5);
        now += CAP;
    }
    assert_eq!(book.len(), 0);
}

#[test]
fn a_lost_member_is_called_again_and_forgotten_after_a_day() {
    let (start, mut book, peer) = (Instant::now(), book(), PeerId::random());
    book.introduced(peer, [at(1)], start);
    book.connected(&peer);
    assert_eq!(due(&mut book, start + CAP, Eagerness::Wanting), [], "it is there");
    book.disconnected(&peer, true, start, 0.5);
    assert_eq!(due(&mut book, start, Eagerness::Wanting), [], "not at once");
    assert_eq!(due(&mut book, start + FIRST, Eagerness::Content), [peer]);
    book.failed(&peer, start + FIRST, 0.5);
    assert_eq!(book.len(), 1);
    book.failed(&peer, start + GONE, 0.5);
    assert_eq!(book.len(), 0);
}

#[test]
fn with_links_enough_nodes_are_called_one_by_one_and_ever_more_rarely() {
    let (mut book, start) = (book(), Instant::now());
    (0..5).for_each(|port| book.introduced(PeerId::random(), [at(port + 1)], start));
    (0..100).for_each(|port| book.heard(PeerId::random(), [at(port + 1)], start));
    let (mut now, mut calls) = (start, Vec::new());
    while now < start + Duration::from_secs(600) {
        for peer in due(&mut book, now, Eagerness::Content) {
            calls.push((now - start).as_secs());
            book.connected(&peer);
            book.disconnected(&peer, false, now, 0.5);
        }
        now += Duration::from_millis(500);
    }
    assert_eq!(calls[..8], [0, 1, 3, 7, 15, 31, 63, 123]);
    assert_eq!(calls.len(), 15, "one a minute: {calls:?}");
    assert_eq!(due(&mut book, now, Eagerness::Wanting).len(), MOST_CALLS);
}

#[test]
fn a_connection_without_use_is_not_made_again_soon() {
    let (mut book, now, peer) = (book(), Instant::now(), PeerId::random());
    book.introduced(peer, [at(1)], now);
    book.connected(&peer);
    book.disconnected(&peer, false, now, 0.5);
    assert_eq!(due(&mut book, now + CAP * SEEN / 2, Eagerness::Wanting), []);
    assert_eq!(due(&mut book, now + CAP * SEEN, Eagerness::Wanting), [peer]);
}

#[test]
fn a_node_that_is_needed_is_called_at_once_and_once() {
    let (mut book, now, peer) = (book(), Instant::now(), PeerId::random());
    assert_eq!(book.call(&peer, now), None);
    book.introduced(peer, [at(1)], now);
    let reachable = |book: &Book, now| book.nodes().all(|(_, _, reachable)| reachable(now));
    assert!(reachable(&book, now));
    assert_eq!(book.call(&peer, now), Some(vec![at(1)]));
    assert_eq!(book.call(&peer, now), None);
    book.failed(&peer, now, 0.5);
    assert!(!reachable(&book, now) && reachable(&book, now + FIRST));
}

#[test]
fn a_long_round_trip_time_that_is_seen_once_changes_little() {
    let (mut book, now, peer) = (book(), Instant::now(), PeerId::random());
    book.introduced(peer, [at(1)], now);
    let mut measure = |ms| {
        book.measured(&peer, Duration::from_millis(ms));
        book.nodes().next().unwrap().1.unwrap().as_millis()
    };
    assert_eq!([measure(20), measure(120), measure(10), measure(10)], [20, 25, 10, 10]);
    let last = (0..100).map(|_| measure(50)).last();
    assert_eq!(last, Some(49), "one that lasts is believed in the end");
}

#[test]
fn rumours_make_room_for_newer_ones() {
    let (start, mut book) = (Instant::now(), book());
    let peers: Vec<PeerId> = (0..MOST_HEARD + 1).map(|_| PeerId::random()).collect();
    for (peer, ms) in peers.iter().zip(0..) {
        book.heard(*peer, [at(1)], start + Duration::from_millis(ms));
    }
    assert!(!book.knows(&peers[0]) && peers[1..].iter().all(|peer| book.knows(peer)));
}

#[test]
fn calls_are_bounded_and_who_may_not_come_is_not_called() {
    let (now, mut book) = (Instant::now(), book());
    let peers: Vec<PeerId> = (0..30).map(|_| PeerId::random()).collect();
    peers.iter().for_each(|peer| book.heard(*peer, [at(1)], now));
    assert!(book.due(now, Eagerness::Wanting, |_| false).is_empty());
    assert_eq!(due(&mut book, now, Eagerness::Wanting).len(), MOST_CALLS);
    assert_eq!(due(&mut book, now, Eagerness::Wanting).len(), 0);
}

#[test]
fn a_call_whose_end_nobody_tells_does_not_hold_up_others() {
    let (mut book, now) = (book(), Instant::now());
    (0..MOST_CALLS).for_each(|_| book.introduced(PeerId::random(), [at(1)], now));
    assert_eq!(due(&mut book, now, Eagerness::Wanting).len(), MOST_CALLS);
    book.introduced(PeerId::random(), [at(1)], now);
    assert_eq!(due(&mut book, now + CALL / 2, Eagerness::Wanting).len(), 0);
    assert_eq!(due(&mut book, now + CALL, Eagerness::Wanting).len(), MOST_CALLS);
}

#[test]
fn the_address_that_worked_last_is_tried_first() {
    let (now, mut book, peer) = (Instant::now(), book(), PeerId::random());
    book.introduced(peer, (1..=30).map(at), now);
    book.reached(&peer, &super::super::address::with_id(at(5), peer));
    let (_, addresses) = book.due(now, Eagerness::Wanting, |_| true).remove(0);
    assert_eq!((addresses.len(), &addresses[0]), (MOST_ADDRESSES, &at(5)));
    book.introduced(peer, [at(77)], now);
    let (_, addresses) = book.news().unwrap().remove(0);
    assert!(addresses.len() == MOST_ADDRESSES && addresses.contains(&at(77)), "{addresses:?}");
    assert_eq!(addresses[0], at(5));
}

#[test]
fn others_cannot_change_what_is_known_of_a_member() {
    let (now, mut book, peer) = (Instant::now(), book(), PeerId::random());
    book.introduced(peer, [at(1)], now);
    book.heard(peer, (10..20).map(at), now);
    assert_eq!(book.due(now, Eagerness::Wanting, |_| true), [(peer, vec![at(1)])]);
}

#[test]
fn a_book_full_of_rumours_has_room_for_members() {
    let (now, mut book) = (Instant::now(), book());
    (0..2 * MOST).for_each(|_| book.heard(PeerId::random(), [at(1)], now));
    assert_eq!(book.len(), MOST_HEARD);
    (0..2 * MOST).for_each(|_| book.introduced(PeerId::random(), [at(1)], now));
    assert_eq!(book.len(), MOST);
    assert!(book.entries.values().all(|entry| entry.knowledge == Knowledge::Met));
    let connected: Vec<PeerId> = book.entries.keys().copied().collect();
    connected.iter().for_each(|peer| book.connected(peer));
    book.introduced(PeerId::random(), [at(1)], now);
    assert_eq!(book.len(), MOST, "who is connected stays");
}

#[test]
fn what_is_worth_remembering_is_told_once() {
    let (now, mut book, member) = (Instant::now(), book(), PeerId::random());
    book.heard(PeerId::random(), [at(9)], now);
    assert_eq!(book.news(), None);
    book.introduced(member, [at(1)], now);
    assert_eq!(book.news(), Some(vec![(member, vec![at(1)])]));
    book.introduced(member, [at(1)], now);
    assert_eq!(book.news(), None);
}
