use super::*;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Links with so many connected nodes.
fn links(wanted: usize, connected: usize, now: Instant) -> (Links, Vec<PeerId>) {
    let mut links = Links::new(wanted);
    let mut peers: Vec<PeerId> = (0..connected).map(|_| PeerId::random()).collect();
    peers.sort();
    peers.iter().for_each(|peer| links.connected(*peer, now));
    (links, peers)
}

fn due(links: &mut Links, now: Instant) -> Vec<Action> {
    links.due(now, || 0.5)
}

/// A link on which both streams are there.
fn link(links: &mut Links, peer: &PeerId, now: Instant) {
    assert!(links.arrived(peer, now));
    due(links, now);
    assert!(links.opened(peer));
    assert!(links.is_linked(peer));
}

#[test]
fn a_link_is_there_when_both_have_opened_their_stream() {
    let now = Instant::now();
    let (mut links, peers) = links(16, 2, now);
    assert_eq!(due(&mut links, now), [Action::Open(peers[0]), Action::Open(peers[1])]);
    assert_eq!(due(&mut links, now), [], "once");
    assert!(links.opened(&peers[0]));
    assert!(!links.is_linked(&peers[0]), "it may have no room");
    assert!(links.arrived(&peers[0], now));
    assert!(links.is_linked(&peers[0]));
    assert_eq!(links.linked().count(), 1);
}

#[test]
fn the_nearest_are_sought_when_there_are_more_than_wanted() {
    let now = Instant::now();
    let (mut links, peers) = links(2, 5, now);
    for (peer, rtt) in peers.iter().zip([30, 10, 50, 20]) {
        links.measured(peer, ms(rtt));
    }
    assert_eq!(due(&mut links, now), [Action::Open(peers[1]), Action::Open(peers[3])]);
    assert!(!links.wanting());
}

#[test]
fn who_is_not_measured_waits_a_moment_if_there_is_a_choice() {
    let now = Instant::now();
    let (mut links, peers) = links(2, 3, now);
    links.measured(&peers[2], ms(9));
    assert_eq!(due(&mut links, now), [Action::Open(peers[2])]);
    assert_eq!(due(&mut links, now + MEASURING), [Action::Open(peers[0])]);
}

#[test]
fn links_that_are_there_stay_whoever_comes_nearer() {
    let now = Instant::now();
    let (mut links, peers) = links(1, 1, now);
    link(&mut links, &peers[0], now);
    links.measured(&peers[0], ms(500));
    let near = PeerId::random();
    links.connected(near, now);
    links.measured(&near, ms(1));
    assert_eq!(due(&mut links, now), []);
}

#[test]
fn others_may_seek_more_links_than_the_node_itself_up_to_the_most() {
    let now = Instant::now();
    let (mut links, peers) = links(2, MAX_LINKS + 1, now);
    peers[..MAX_LINKS].iter().for_each(|peer| link(&mut links, peer, now));
    assert!(!links.arrived(&peers[MAX_LINKS], now), "no room");
    links.disconnected(&peers[0]);
    assert!(links.arrived(&peers[MAX_LINKS], now));
}

#[test]
fn who_has_no_room_is_asked_again_later_and_others_meanwhile() {
    let now = Instant::now();
    let (mut links, peers) = links(1, 2, now);
    peers.iter().zip([1, 2]).for_each(|(peer, rtt)| links.measured(peer, ms(rtt)));
    assert_eq!(due(&mut links, now), [Action::Open(peers[0])]);
    assert!(links.opened(&peers[0]));
    assert!(links.closed(&peers[0], now, 0.5), "given up at once");
    assert_eq!(due(&mut links, now), [Action::Open(peers[1])]);
    assert!(links.closed(&peers[1], now, 0.5));
    assert_eq!(due(&mut links, now), []);
    assert_eq!(due(&mut links, now + SEEK_AGAIN.0), [Action::Open(peers[0])]);
    assert!(links.closed(&peers[0], now + SEEK_AGAIN.0, 0.5));
    assert_eq!(due(&mut links, now + SEEK_AGAIN.0), [Action::Open(peers[1])]);
}

#[test]
fn a_broken_stream_is_opened_again_without_a_word_to_the_agent() {
    let now = Instant::now();
    let (mut links, peers) = links(16, 1, now);
    link(&mut links, &peers[0], now);
    assert!(!links.closed(&peers[0], now, 0.5));
    assert!(links.is_linked(&peers[0]));
    assert_eq!(due(&mut links, now), []);
    assert_eq!(due(&mut links, now + REOPEN.0), [Action::Open(peers[0])]);
    assert!(links.opened(&peers[0]));
    links.departed(&peers[0], now + ms(200));
    assert!(links.is_linked(&peers[0]));
    assert!(links.arrived(&peers[0], now + ms(300)));
    assert_eq!(due(&mut links, now + GRACE * 2), []);
}

#[test]
fn a_link_that_stays_half_is_given_up() {
    let now = Instant::now();
    let (mut links, peers) = links(16, 2, now);
    link(&mut links, &peers[0], now);
    links.departed(&peers[0], now);
    due(&mut links, now);
    assert!(links.opened(&peers[1]), "and the other never answers");
    assert_eq!(due(&mut links, now + GRACE - ms(1)), []);
    let given_up = due(&mut links, now + GRACE);
    assert_eq!(given_up, [Action::Close(peers[0]), Action::Close(peers[1])]);
    assert_eq!(links.linked().count(), 0);
    assert!(!links.opened(&peers[1]), "a stream that comes too late is not wanted");
    let again = due(&mut links, now + GRACE + SEEK_AGAIN.0);
    assert_eq!(again, [Action::Open(peers[0]), Action::Open(peers[1])]);
}

#[test]
fn a_stream_that_keeps_breaking_is_opened_ever_more_rarely() {
    let start = Instant::now();
    let (mut links, peers) = links(16, 1, start);
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
    let (mut links, peers) = links(16, 1, now);
    link(&mut links, &peers[0], now);
    links.disconnected(&peers[0]);
    assert!(!links.is_linked(&peers[0]));
    assert!(!links.arrived(&peers[0], now), "a stream of a connection that is gone");
    assert!(!links.closed(&peers[0], now, 0.5));
}
