//! The agent on an overlay: other nodes are played by the test, by beats and nonces.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use dfaas_control::{FunctionId, Message, Offer, fnv1a};
use dfaas_userspace::agent::{DrainReport, Exit, PeersReport, StatusReport};
use dfaas_userspace::dataplane::{Origin, Target};
use dfaas_userspace::overlay::{Beat, Card, Event, Order, Overlay, Status};
use libp2p::PeerId;
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};

use crate::double::Double;
use crate::harness::{Node, eventually};
use crate::scripted::{Gateway, functions};

const OTHER: &str = "192.0.2.7";

/// A node with an overlay whose other end is here, and one node on it.
pub struct Story {
    pub node: Node,
    pub events: mpsc::Sender<Event>,
    orders: mpsc::Receiver<Order>,
    _status: watch::Sender<Arc<Status>>,
    pub other: PeerId,
    /// The next beat of the other node.
    pub next: Beat,
}

fn card(functions: &[&str]) -> Card {
    Card {
        name: "c".to_owned(),
        region: "north".to_owned(),
        data_address: None,
        data_port: 31601,
        functions: functions.iter().map(|name| (*name).to_owned()).collect(),
    }
}

impl Story {
    /// The node serves `own`, the other one `theirs`; they are linked, and nothing was said yet.
    pub async fn begin(more: &str, own: &[&str], theirs: &[&str]) -> Self {
        let story = Self::over(Double::default(), more, own, theirs).await;
        Self { node: story.node.ready().await, ..story }
    }

    /// The same over a data plane that an earlier agent may have left; the node need not be ready.
    async fn over(dataplane: Double, more: &str, own: &[&str], theirs: &[&str]) -> Self {
        let (tell, events) = mpsc::channel(64);
        let (orders, told) = mpsc::channel(64);
        let (status, watched) = watch::channel(Arc::new(Status::default()));
        let overlay = Overlay { id: PeerId::random(), events, orders, status: watched };
        let folder = TempDir::new().unwrap();
        let node = Node::on(Some(overlay), folder, dataplane, Gateway::start(own).await, more);
        let other = PeerId::random();
        let address: IpAddr = OTHER.parse().unwrap();
        tell.send(Event::Linked { peer: other, addresses: vec![address] }).await.unwrap();
        let next = Beat {
            incarnation: 1,
            sequence: 0,
            known: 0,
            period_ms: 200,
            leaving: false,
            admits: true,
            digest: 0,
            seen: 0,
            card: Some(card(theirs)),
            nonce: None,
            message: None,
        };
        Self { node, events: tell, orders: told, _status: status, other, next }
    }

    /// The other node beats.
    pub async fn beat(&mut self) {
        self.next.sequence += 1;
        if let Some(card) = &self.next.card {
            self.next.digest = fnv1a(&postcard::to_stdvec(card).unwrap()).max(1);
        }
        let event = Event::Beat { peer: self.other, beat: Box::new(self.next.clone()) };
        self.events.send(event).await.unwrap();
    }

    /// Beats until `condition`, returning each nonce that comes.
    async fn until(&mut self, what: &str, condition: impl Fn(&Node) -> bool) {
        for _ in 0..400 {
            self.beat().await;
            while let Ok(order) = self.orders.try_recv() {
                if let Order::Probe { to, nonce } = order {
                    assert_eq!(to.to_string(), format!("{OTHER}:31601"));
                    self.next.nonce = Some(nonce);
                }
            }
            if condition(&self.node) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("did not come about: {what}; {:?}", self.node.dataplane.memory().plans);
    }

    pub async fn become_peer(&mut self) {
        self.until("the other node is a peer", |node| peers(node).contains(&"c".to_owned())).await;
    }

    /// The next beat to the other node that `wanted` describes.
    async fn told(&mut self, wanted: impl Fn(&Beat) -> bool) -> Beat {
        loop {
            match tokio::time::timeout(Duration::from_secs(20), self.orders.recv()).await {
                Ok(Some(Order::Beat { to, beat })) if to == self.other && wanted(&beat) => return *beat,
                // Asked for once a period: the next beat answers.
                Ok(Some(Order::Probe { nonce, .. })) => self.next.nonce = Some(nonce),
                Ok(Some(_)) => {}
                other => panic!("no such beat: {other:?}"),
            }
        }
    }

    async fn report<T: serde::de::DeserializeOwned>(&self, path: &str) -> T {
        let body = dfaas_userspace::admin::get(&self.node.socket(), path).await.unwrap();
        serde_json::from_slice(&body).unwrap()
    }
}

fn peers(node: &Node) -> Vec<String> {
    node.dataplane.memory().peers.iter().map(|peer| peer.name.clone()).collect()
}

fn shares(node: &Node, function: &str) -> Vec<(Target, u32)> {
    node.dataplane.memory().plans.get(function).map(|plan| plan.shares.clone()).unwrap_or_default()
}

fn to(name: &str) -> Target {
    Target::Peer(name.to_owned())
}

#[tokio::test]
async fn a_node_of_the_overlay_is_a_peer_once_it_has_proven_where_it_is() {
    let mut story = Story::begin("strategy = \"static\"", &["figlet"], &["figlet"]).await;
    story.beat().await;
    let beat = story.told(|beat| beat.seen != 0).await;
    assert!(!beat.admits, "not before the proof");
    assert_eq!(beat.card.as_ref().unwrap().functions, ["figlet"]);
    assert_eq!(peers(&story.node), ["b"], "the peer of the file is one without any proof");
    story.become_peer().await;
    story.told(|beat| beat.admits).await;
    story
        .until("the plan names both", |node| {
            shares(node, "figlet").iter().any(|(target, _)| *target == to("c"))
        })
        .await;

    let report: PeersReport = story.report("/peers").await;
    let c = report.peers.iter().find(|peer| peer.name == "c").unwrap();
    assert!(c.usable && c.source == "overlay" && c.region == "north", "{c:?}");
    assert_eq!(
        (c.address, c.functions.clone()),
        (Some(OTHER.parse().unwrap()), Some(vec!["figlet".to_owned()]))
    );
    let status: StatusReport = story.report("/status").await;
    assert_eq!(status.peers, 2);
    let (_, metrics) = story.node.get("/metrics").await.unwrap();
    for line in [
        "dfaas_peer_usable{peer=\"c\"} 1",
        "dfaas_beats_total{direction=\"sent\"} ",
        "dfaas_control_bytes_total{direction=\"received\"} ",
    ] {
        assert!(metrics.lines().any(|found| found.starts_with(line)), "{line} is not in\n{metrics}");
    }
}

#[tokio::test]
async fn a_peer_that_falls_silent_gets_nothing_more_and_is_named_as_silent() {
    let mut story = Story::begin("strategy = \"static\"", &["figlet"], &["figlet"]).await;
    story.become_peer().await;
    // No beat any more.
    let node = &story.node;
    eventually("the data plane knows it no more", async || peers(node) == ["b"]).await;
    eventually("no plan names it", async || {
        !shares(node, "figlet").iter().any(|(target, _)| *target == to("c"))
    })
    .await;
    let report: PeersReport = story.report("/peers").await;
    let c = report.peers.iter().find(|peer| peer.name == "c").unwrap();
    assert!(!c.usable && c.state.starts_with("silent"), "{c:?}");
    story.become_peer().await;
}

#[tokio::test]
async fn a_peer_that_says_goodbye_is_gone_at_once_and_so_is_this_node_when_it_leaves() {
    let mut story = Story::begin("strategy = \"static\"", &["figlet"], &["figlet"]).await;
    story.become_peer().await;
    story.next.leaving = true;
    story.beat().await;
    let node = &story.node;
    eventually("it is gone", async || peers(node) == ["b"]).await;
    let Story { node, mut orders, other, .. } = story;
    let (outcome, _) = node.end(Exit::Leave).await;
    outcome.unwrap();
    let mut goodbye = false;
    while let Ok(order) = orders.try_recv() {
        goodbye |= matches!(order, Order::Beat { to, beat } if to == other && beat.leaving);
    }
    assert!(goodbye);
}

#[tokio::test]
async fn a_node_that_drains_says_so_at_once_refuses_peers_and_still_sends_to_them() {
    let mut story = Story::begin("strategy = \"static\"", &["figlet"], &["figlet"]).await;
    story.become_peer().await;
    story.told(|beat| beat.admits).await;
    let told = |word: &'static str| {
        let socket = story.node.socket();
        async move {
            let body = dfaas_userspace::admin::post(&socket, word).await.unwrap();
            serde_json::from_slice::<DrainReport>(&body).unwrap()
        }
    };
    let (drain, again) = (told("/drain").await, told("/drain").await);
    assert_eq!((drain.draining, drain.changed, again.changed), (true, true, false));
    let admitted = |node: &Node| -> Vec<Option<u32>> {
        let memory = node.dataplane.memory();
        memory.peers.iter().map(|peer| peer.admission.map(|admission| admission.inflight)).collect()
    };
    assert_eq!(admitted(&story.node), [Some(0), Some(0)], "also the peer of the file, which no beat tells");
    assert!(!story.told(|beat| beat.seen != 0 && !beat.admits).await.leaving);
    let status: StatusReport = story.report("/status").await;
    assert!(status.draining && status.health.ok);
    story
        .until("its users go on being shared", |node| {
            shares(node, "figlet").iter().any(|(target, _)| *target == to("c"))
        })
        .await;
    assert_eq!(admitted(&story.node), [Some(0), Some(0)], "a decision later too");

    let socket = story.node.socket();
    let body = dfaas_userspace::admin::post(&socket, "/resume").await.unwrap();
    let resumed: DrainReport = serde_json::from_slice(&body).unwrap();
    assert_eq!((resumed.draining, resumed.changed), (false, true));
    story.told(|beat| beat.admits).await;
    assert_eq!(admitted(&story.node), [None, None]);
    let (code, _) = story.node.get("/drain").await.unwrap();
    assert_eq!(code, 404, "at the TCP address nobody can tell it anything");
}

#[tokio::test]
async fn a_function_that_only_a_peer_has_goes_there_and_is_forgotten_with_it() {
    let mut story = Story::begin("strategy = \"static\"", &["figlet"], &["env", "figlet"]).await;
    let served = |node: &Node| shares(node, "env") == [(to("c"), 65_536)];
    story.until("env goes to the peer", served).await;
    story.next.card = Some(card(&["figlet"]));
    story.until("nobody has env", |node| shares(node, "env").is_empty()).await;
    assert!(story.node.dataplane.memory().functions.iter().all(|function| function.name != "env"));
}

#[tokio::test]
async fn functions_that_come_and_go_at_the_gateway_are_told_at_once_but_not_those_that_must_stay() {
    let mut story =
        Story::begin("[functions.home]\nlocal_only = true", &["figlet", "home"], &["figlet"]).await;
    story.become_peer().await;
    assert_eq!(story.told(|beat| beat.card.is_some()).await.card.unwrap().functions, ["figlet"]);
    story.node.gateway.answer(functions(&["home", "new"]));
    let beat = story.told(|beat| beat.card.as_ref().is_some_and(|card| card.functions == ["new"])).await;
    assert!(beat.sequence > 0);
}

#[tokio::test]
async fn what_a_peer_offers_becomes_a_plan_at_once() {
    let more = "strategy = \"recalc\"\n[functions.figlet]\nmax_rate = 10";
    let mut story = Story::begin(more, &["figlet"], &["figlet"]).await;
    story.become_peer().await;
    // Users ask for more and more.
    let dataplane = story.node.dataplane.clone();
    dataplane.count("figlet", Origin::User, "local", 0);
    let grow = tokio::spawn(async move {
        loop {
            dataplane.memory().snapshot.invocations[0].count += 2;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let figlet = FunctionId::from_name("figlet");
    let offers = |beat: &Beat| match &beat.message {
        Some(Message::Recalc(offers)) => offers.iter().find(|offer| offer.function == figlet).copied(),
        _ => None,
    };
    story
        .until("this node is overloaded", |node| node.dataplane.memory().snapshot.invocations[0].count > 100)
        .await;
    story.told(|beat| offers(beat).is_some_and(|offer| offer.overloaded && offer.limit == 0.0)).await;
    story.next.message =
        Some(Message::Recalc(vec![Offer { function: figlet, overloaded: false, limit: 16.0 }]));
    let planned = |node: &Node| {
        let memory = node.dataplane.memory();
        let plan = &memory.plans["figlet"];
        plan.local_first && plan.local_rate == 10.0 && plan.peer_rate.get("c") == Some(&16.0)
    };
    story.until("the offer is planned", planned).await;
    assert!(
        story.node.dataplane.memory().peers.iter().find(|peer| peer.name == "c").unwrap().admission.is_some()
    );
    grow.abort();
}

#[tokio::test]
async fn an_agent_that_takes_a_data_plane_over_leaves_its_plans_until_the_peers_are_there_again() {
    for (found, period) in [(true, "10s"), (false, "300ms")] {
        let dataplane = Double::default();
        dataplane.memory().earlier_peers = vec!["b".to_owned(), "c".to_owned()];
        let more = format!("strategy = \"static\"\nperiod = \"{period}\"\n");
        let mut story = Story::over(dataplane, &more, &["figlet"], &["figlet"]).await;
        story.beat().await;
        assert!(!story.told(|beat| beat.seen != 0).await.admits, "it knows of no peer yet");
        if found {
            assert_eq!(story.node.dataplane.memory().writes, 0, "nothing is written while it settles");
            story.become_peer().await;
            eventually("the plan is written", async || story.node.dataplane.memory().writes > 0).await;
            let memory = story.node.dataplane.memory();
            assert_eq!(memory.plans["figlet"].shares.len(), 3, "the first plan names the peer already");
        } else {
            let node = &story.node;
            eventually("it goes on without the peer", async || node.dataplane.memory().writes > 0).await;
            assert_eq!(peers(node), ["b"]);
        }
    }
}
