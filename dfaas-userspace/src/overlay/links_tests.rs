use super::*;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// So many connected nodes, with which no link is sought yet.
fn links(connected: usize, now: Instant) -> (Links, Vec<PeerId>) {
    let mut links = Links::default();
    let mut peers: Vec<PeerId> = (0..connected).map(|_| PeerId::random()).collect();
    peers.sort();
    peers.iter().for_each(|peer| links.connected(*peer, now));
    (links, peers)
}

fn due(links: &mut Links, now: Instant) -> Vec<Action> {
    links.due(now, || 0.5)
}

/// So many connected nodes, with all of which links are sought.
fn sought(connected: usize, now: Instant) -> (Links, Vec<PeerId>) {
    let (mut links, peers) = links(connected, now);
    peers.iter().for_each(|peer| links.seek(peer, now));
    (links, peers)
}

/// A link on which both streams are there.
fn link(links: &mut Links, peer: &PeerId, now: Instant) {
    assert!(links.arrived(peer, true, now));
    due(links, now);
    assert!(links.opened(peer));
    assert!(links.is_linked(peer));
}

#[test]
fn a_link_is_there_when_both_have_opened_their_stream() {
    let now = Instant::now();
    let (mut links, peers) = sought(2, now);
    assert_eq!(due(&mut links, now), [Action::Open(peers[0]), Action::Open(peers[1])]);
    assert_eq!(due(&mut links, now), [], "once");
    assert!(links.opened(&peers[0]));
    assert!(!links.is_linked(&peers[0]), "it may have no room");
    assert!(links.arrived(&peers[0], true, now));
    assert!(links.is_linked(&peers[0]));
    assert_eq!(links.linked().count(), 1);
}

#[test]
fn who_seeks_a_link_where_there_is_no_room_is_turned_away_and_may_come_again() {
    let now = Instant::now();
    let (mut links, peers) = links(2, now);
    assert!(!links.arrived(&peers[0], false, now));
    assert_eq!(links.stand(&peers[0], now), Link::Free);
    assert!(links.arrived(&peers[0], true, now));
    assert_eq!(links.stand(&peers[0], now), Link::Sought);
    assert!(links.arrived(&peers[0], false, now), "who is there already needs no room");
    assert_eq!(links.engaged(), 1);
}

#[test]
fn who_has_no_room_is_asked_again_later_and_ever_more_rarely() {
    let now = Instant::now();
    let (mut links, peers) = sought(1, now);
    assert_eq!(due(&mut links, now), [Action::Open(peers[0])]);
    assert!(links.opened(&peers[0]));
    assert!(links.closed(&peers[0], now, 0.5), "given up at once");
    assert_eq!(links.stand(&peers[0], now), Link::Barred);
    let later = now + ms(1000);
    assert_eq!(links.stand(&peers[0], later), Link::Free);
    links.seek(&peers[0], later);
    due(&mut links, later);
    assert!(links.closed(&peers[0], later, 0.5));
    assert_eq!(links.stand(&peers[0], later + ms(1000)), Link::Barred);
    // Who forgets it with the connection would ask too often.
    links.disconnected(&peers[0]);
    links.connected(peers[0], later);
    assert_eq!(links.stand(&peers[0], later + ms(1000)), Link::Barred);
}

#[test]
fn a_link_that_one_end_ends_stays_away_for_a_while_for_both() {
    let now = Instant::now();
    let (mut links, peers) = links(1, now);
    link(&mut links, &peers[0], now);
    links.said(&peers[0], 17, true);
    assert_eq!((links.stand(&peers[0], now), links.word_of(&peers[0])), (Link::Held, Some((17, true))));
    assert!(links.leave(&peers[0], now));
    assert!(!links.leave(&peers[0], now), "once");
    assert!(!links.is_linked(&peers[0]) && !links.arrived(&peers[0], true, now));
    assert_eq!((links.stand(&peers[0], now), links.word_of(&peers[0])), (Link::Barred, None));
    let later = now + super::super::bars::LEFT;
    assert_eq!(links.stand(&peers[0], later), Link::Free);
    assert!(links.arrived(&peers[0], true, later));
}

#[test]
fn a_broken_stream_is_opened_again_without_a_word_to_the_agent() {
    let now = Instant::now();
    let (mut links, peers) = sought(1, now);
    link(&mut links, &peers[0], now);
    assert!(!links.closed(&peers[0], now, 0.5));
    assert!(links.is_linked(&peers[0]));
    assert_eq!(due(&mut links, now), []);
    assert_eq!(due(&mut links, now + REOPEN.0), [Action::Open(peers[0])]);
    assert!(links.opened(&peers[0]));
    links.departed(&peers[0], now + ms(200));
    assert!(links.is_linked(&peers[0]));
    assert!(links.arrived(&peers[0], true, now + ms(300)));
    assert_eq!(due(&mut links, now + GRACE * 2), []);
}

#[test]
fn a_link_that_stays_half_is_given_up() {
    let now = Instant::now();
    let (mut links, peers) = sought(2, now);
    link(&mut links, &peers[0], now);
    links.departed(&peers[0], now);
    due(&mut links, now);
    assert!(links.opened(&peers[1]), "and the other never answers");
    assert_eq!(due(&mut links, now + GRACE - ms(1)), []);
    let given_up = due(&mut links, now + GRACE);
    assert_eq!(given_up, [Action::Close(peers[0]), Action::Close(peers[1])]);
    assert_eq!(links.linked().count(), 0);
    assert!(!links.opened(&peers[1]), "a stream that comes too late is not wanted");
    assert!(peers.iter().all(|peer| links.stand(peer, now + GRACE) == Link::Barred));
}

#[test]
fn a_stream_that_keeps_breaking_is_opened_ever_more_rarely() {
    let start = Instant::now();
    let (mut links, peers) = sought(1, start);
    link(&mut links, &peers[0], start);
    let (mut now, mut opens) = (start, 0);
    while now < start + Duration::from_secs(60) {
        if due(&mut links, now) == [Action::Open(peers[0])] {
            opens += 1;
            let _ = links.opened(&peers[0]);
            let _ = links.closed(&peers[0], now, 0.5);
        }
        now += ms(50);
    }
    assert!(opens < 30, "{opens} times a minute");
}

#[test]
fn with_the_last_connection_the_link_is_gone() {
    let now = Instant::now();
    let (mut links, peers) = sought(1, now);
    link(&mut links, &peers[0], now);
    links.disconnected(&peers[0]);
    assert!(!links.is_linked(&peers[0]));
    assert!(!links.arrived(&peers[0], true, now), "a stream of a connection that is gone");
    assert!(!links.closed(&peers[0], now, 0.5));
}
