//! Signed records of membership: they reach those who do not know their nodes, and nobody can speak for another by them.

use dfaas_userspace::overlay::record::{LIFE, Record, SKEW, seal};
use dfaas_userspace::overlay::{Exchange, KAD, Settings, wire};
use futures_util::{AsyncReadExt as _, AsyncWriteExt as _};
use libp2p::PeerId;
use libp2p::identity::Keypair;

use crate::attacks::{federation, shut_out};
use crate::gate::Gate;
use crate::harness::{Node, beats_flow, eventually, memory_port, settings};
use crate::hostile::Hostile;

fn record(incarnation: u64, expires_in: i64) -> Record {
    let now =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
    let address: libp2p::Multiaddr = format!("/memory/{}", memory_port()).parse().expect("a multiaddress");
    Record {
        name: "n".to_owned(),
        region: String::new(),
        data_address: None,
        data_port: 31601,
        digest: 0,
        incarnation,
        expires: now.saturating_add_signed(expires_in),
        addresses: vec![address.to_vec()],
    }
}

fn sealed(key: &Keypair, incarnation: u64) -> Vec<u8> {
    seal(&record(incarnation, 600 + i64::try_from(LIFE / 2).expect("small")), key).expect("a record").to_vec()
}

fn frame(records: Vec<Vec<u8>>) -> Vec<u8> {
    wire::encode_exchange(&Exchange { links: 1, keeps: false, leaving: false, records })
        .expect("within bounds")
        .to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_hear_of_others_that_they_are_not_linked_with() {
    let gate = Gate::default();
    let mut nodes: Vec<Node> = Vec::new();
    for _ in 0..12 {
        let seeds = match nodes.first() {
            Some(first) => vec![first.seed().await],
            None => Vec::new(),
        };
        let settings = Settings { seeds, neighbours: 3, ..settings("/memory/1") };
        nodes.push(Node::at(&gate, memory_port(), Keypair::generate_ed25519(), settings).await);
    }
    eventually("each has the records of most others", || {
        nodes.iter().all(|node| node.status.borrow().records >= 8 && node.status.borrow().members >= 8)
    })
    .await;
    assert!(
        nodes
            .iter()
            .all(|node| node.refused("forged") + node.refused("stale") + node.refused("malformed") == 0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_stale_and_malformed_records_cost_who_hands_them_on_and_change_nothing() {
    let gate = Gate::default();
    let (nodes, victim) = federation(&gate).await;
    let mut hostile = Hostile::connect(&gate, &victim).await;
    let (mut stream, _back, _incoming) = hostile.link().await;
    eventually("records were exchanged", || nodes[0].status.borrow().records == 2).await;
    let (members, other) = (nodes[0].status.borrow().members, Keypair::generate_ed25519());
    let stale = seal(&record(1, -i64::try_from(SKEW + 100).expect("small")), &other).unwrap().to_vec();
    // A record of another with one bit of its signature changed.
    let mut forged = sealed(&other, 1);
    *forged.last_mut().unwrap() ^= 1;
    for (reason, bad) in [("stale", stale), ("forged", forged), ("malformed", vec![7; 100])] {
        stream.write_all(&frame(vec![bad])).await.unwrap();
        stream.flush().await.unwrap();
        eventually("the offence is counted", || nodes[0].refused(reason) == 1).await;
    }
    assert_eq!((nodes[0].status.borrow().records, nodes[0].status.borrow().members), (2, members));
    // A good one is news, however low the standing of who brings it.
    stream.write_all(&frame(vec![sealed(&other, 1)])).await.unwrap();
    stream.flush().await.unwrap();
    eventually("it is kept", || nodes[0].status.borrow().records == 3).await;
    stream.write_all(&frame(vec![vec![7; 100]])).await.unwrap();
    stream.flush().await.unwrap();
    shut_out(&nodes, &hostile).await;
    assert!(nodes[1..].iter().all(|node| node.refused("forged") == 0), "nobody else pays");
}

/// One field of a protobuf message.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2][..], &varint(bytes.len()), bytes].concat()
}

fn varint(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(u8::try_from(value & 0x7f).expect("seven bits") | 0x80);
        value >>= 7;
    }
    bytes.push(u8::try_from(value).expect("seven bits"));
    bytes
}

/// A message of the DHT, with its length before it.
fn kad_message(kind: u8, fields: &[Vec<u8>]) -> Vec<u8> {
    let body = [&[1 << 3, kind][..], &fields.concat()].concat();
    [varint(body.len()), body].concat()
}

fn member_key(peer: PeerId) -> Vec<u8> {
    [&b"/dfaas/member/"[..], &peer.to_bytes()].concat()
}

async fn put(hostile: &mut Hostile, key: &[u8], value: &[u8]) {
    const PUT_VALUE: u8 = 0;
    let record = [field(1, key), field(2, value)].concat();
    let mut stream = hostile.open(KAD).await;
    stream
        .write_all(&kad_message(PUT_VALUE, &[field(2, key), field(3, &record)]))
        .await
        .expect("the node takes it");
    stream.flush().await.expect("the node takes it");
}

/// Whether the node answers a question for a key with this value.
async fn keeps(hostile: &mut Hostile, key: &[u8], value: &[u8]) -> bool {
    const GET_VALUE: u8 = 1;
    let mut stream = hostile.open(KAD).await;
    stream.write_all(&kad_message(GET_VALUE, &[field(2, key)])).await.expect("the node takes it");
    stream.flush().await.expect("the node takes it");
    let mut answer = vec![0; 8192];
    let count = stream.read(&mut answer).await.expect("the node takes it");
    answer[..count].windows(value.len()).any(|window| window == value)
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_speaks_for_another_in_the_dht() {
    const ADD_PROVIDER: u8 = 2;
    let gate = Gate::default();
    let (nodes, victim) = federation(&gate).await;
    let mut hostile = Hostile::connect(&gate, &victim).await;
    let (other, id) = (Keypair::generate_ed25519(), Keypair::generate_ed25519().public().to_peer_id());
    let (key, old, new) = (member_key(other.public().to_peer_id()), sealed(&other, 1), sealed(&other, 2));
    // Anybody may bring the record of a node, and an older one does not replace a newer.
    put(&mut hostile, &key, &new).await;
    put(&mut hostile, &key, &old).await;
    let mut kept = false;
    while !kept {
        kept = keeps(&mut hostile, &key, &new).await;
    }
    assert!(!keeps(&mut hostile, &key, &old).await);
    // Under the key of somebody else it is a forgery; what is no record is malformed.
    put(&mut hostile, &member_key(id), &new).await;
    eventually("the offence is counted", || nodes[0].refused("forged") == 1).await;
    assert!(!keeps(&mut hostile, &member_key(id), &new).await);
    put(&mut hostile, &key, b"hello").await;
    eventually("the offence is counted", || nodes[0].refused("malformed") == 1).await;
    assert!(keeps(&mut hostile, &key, &new).await);
    // Nobody provides keys in this DHT.
    let provider = field(9, &field(1, &hostile.id.to_bytes()));
    let mut stream = hostile.open(KAD).await;
    stream.write_all(&kad_message(ADD_PROVIDER, &[field(2, &key), provider])).await.unwrap();
    stream.close().await.unwrap();
    beats_flow(&nodes).await;
    assert!(nodes.iter().all(|node| !node.is_linked(&other.public().to_peer_id())));
}
