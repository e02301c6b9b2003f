//! The names of metrics, which dashboards rely on.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use dfaas_control::{LeaseWord, Message};
use dfaas_userspace::overlay::Event;

use crate::federation::Story;
use crate::harness::eventually;

/// Names and labels that stay as they are.
const STABLE: &[(&str, &[&str])] = &[
    ("dfaas_invocations_total", &["function", "origin", "backend"]),
    ("dfaas_inflight", &["function", "backend"]),
    ("dfaas_first_byte_seconds_bucket", &["le", "function", "backend"]),
    ("dfaas_first_byte_seconds_sum", &["function", "backend"]),
    ("dfaas_first_byte_seconds_count", &["function", "backend"]),
    ("dfaas_weight", &["function", "backend"]),
    ("dfaas_responses_total", &["function", "backend", "class"]),
    ("dfaas_bytes_total", &["function", "backend", "direction"]),
    ("dfaas_moves_total", &["from", "to"]),
    ("dfaas_drops_total", &["reason"]),
    ("dfaas_retries_total", &[]),
    ("dfaas_flows", &[]),
    ("dfaas_plan_changes_total", &[]),
    ("dfaas_peer_rtt_seconds", &["peer"]),
    ("dfaas_lease_millicores", &["peer", "direction"]),
    ("dfaas_beats_total", &["direction"]),
    ("dfaas_control_bytes_total", &["direction"]),
    ("dfaas_strategy_tick_seconds_bucket", &["le"]),
    ("dfaas_strategy_tick_seconds_sum", &[]),
    ("dfaas_strategy_tick_seconds_count", &[]),
    ("dfaas_dataplane_armed", &[]),
    ("dfaas_build_info", &["version"]),
];

/// Told only once there is something to tell.
const SOMETIMES: &[&str] = &["dfaas_external_queries"];

const GUIDE: &str = include_str!("../../../docs/operating.md");

/// A node that has done something of everything, with a peer that leases it processors.
async fn busy() -> Story {
    let mut story = Story::begin("strategy = \"lease\"", &["figlet"], &["figlet"]).await;
    story.node.dataplane.fill();
    story.become_peer().await;
    story.events.send(Event::Rtt { peer: story.other, rtt: Duration::from_millis(3) }).await.unwrap();
    let word = LeaseWord { capacity: 4.0, headroom: 3.0, free: 1.0, grant: 1.5, ..LeaseWord::default() };
    story.next.message = Some(Message::Lease(word));
    story.beat().await;
    story
}

async fn answer(story: &Story) -> String {
    story.node.get("/metrics").await.unwrap().1
}

/// The name and the labels of a line; nothing for a comment.
fn name_and_labels(line: &str) -> Option<(&str, Vec<&str>)> {
    let (series, _) = line.split_once(' ').filter(|_| !line.starts_with('#'))?;
    let Some((name, labels)) = series.split_once('{') else { return Some((series, Vec::new())) };
    let labels = labels.trim_end_matches('}').split(',').filter_map(|pair| Some(pair.split_once('=')?.0));
    Some((name, labels.collect()))
}

#[tokio::test]
async fn every_metric_has_its_stable_name_and_labels() {
    let story = busy().await;
    let leased = "dfaas_lease_millicores{peer=\"c\",direction=\"held\"} 1500";
    eventually("the lease is told", async || answer(&story).await.lines().any(|line| line == leased)).await;
    let text = answer(&story).await;
    let granted = "dfaas_lease_millicores{peer=\"c\",direction=\"granted\"} 0";
    assert!(text.lines().any(|line| line == granted), "{text}");
    let mut found: BTreeMap<&str, BTreeSet<Vec<&str>>> = BTreeMap::new();
    for (name, labels) in text.lines().filter_map(name_and_labels) {
        found.entry(name).or_default().insert(labels);
    }
    for (name, labels) in STABLE {
        assert_eq!(found.get(name), Some(&[labels.to_vec()].into()), "{name} in\n{text}");
    }
}

#[tokio::test]
async fn the_guide_names_exactly_the_metrics_that_there_are() {
    let story = busy().await;
    let text = answer(&story).await;
    let plain = |name: &str| {
        let ends = ["_total", "_info"];
        ends.into_iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name).to_owned()
    };
    let told = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    let told: BTreeSet<String> = told.chain(SOMETIMES.iter().copied()).map(plain).collect();
    let words = GUIDE.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let named: BTreeSet<String> = words.filter(|word| word.starts_with("dfaas_")).map(plain).collect();
    assert_eq!(named, told);
}
