//! `dfaas profile`: a function of known service time, from load to a profile.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use bytes::Bytes;
use dfaas_sim::profile::{Arrivals, MeasuredRun, Profile};
use dfaas_userspace::config::Gateway;
use dfaas_userspace::profile::{Climbed, Meter, Plan, Said, Target, climb};

use crate::harness::Node;

/// One at a time takes 100 ms, so there are ten a second and not one more.
const TENTH: &str = "[functions.tenth]\nkind = \"sleep\"\nms = 100\nconcurrency = 1\n";

fn gateway(node: &Node) -> Gateway {
    let url = |text: String| text.parse().unwrap();
    Gateway {
        url: url(format!("http://{}", node.address)),
        credentials: None,
        poll: Duration::from_secs(5),
        metrics: Some(url(format!("http://{}/metrics", node.metrics))),
        cgroup: None,
    }
}

fn plan(rates: &[f64]) -> Plan {
    Plan {
        rates: rates.to_vec(),
        length: Duration::from_secs(2),
        arrivals: Arrivals::Even,
        seed: 1,
        least_success: 0.9,
        timeout: Duration::from_secs(1),
        most_at_once: 1000,
    }
}

async fn climbed(target: &Target, plan: &Plan) -> Climbed {
    let meter = Some(Meter::new(target, None));
    let never = std::future::pending();
    let idle = Duration::from_millis(200);
    climb(target, plan, Bytes::from_static(b"hello"), meter, idle, never, &mut |_| {}).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ladder_finds_the_capacity_of_a_function_whose_service_time_is_known() {
    let node = Node::start("", TENTH).await;
    let target = Target::find(&gateway(&node), "tenth").await.unwrap();
    let climbed = climbed(&target, &plan(&[2.0, 5.0, 40.0, 80.0])).await;
    // The third step asks for four times what there is, so the fourth is not taken.
    assert_eq!(climbed.ladder.steps.len(), 4, "{climbed:?}");
    assert_eq!(climbed.ladder.sustained(0.9), Some(5.0));
    let peak = climbed.ladder.peak();
    assert!(peak <= 20.0, "in two seconds and one more no more than 30 can be answered: {peak}");
    assert!(climbed.notes[0].starts_with("ended at 40 requests a second"), "{:?}", climbed.notes);
    assert!(climbed.failures.contains_key("no whole answer in time"), "{:?}", climbed.failures);

    let run = climbed.ladder.run("n", target.name(), 10.0);
    let mut text = Vec::new();
    run.write(&mut text).unwrap();
    let profile = Profile::of(&[MeasuredRun::read("t", text.as_slice()).unwrap()]).unwrap();
    let tenth = &profile.functions["tenth"];
    assert_eq!(tenth.success.at(5.0), Some(1.0));
    assert!(tenth.success.at(40.0).unwrap() < 0.9);
    let alone = tenth.execution_s.at(2.0).unwrap();
    assert!((0.1..1.0).contains(&alone), "by the gateway's count: {alone}");
    assert!(profile.cpu.at(0.0).is_some_and(|cpu| cpu <= 1.0));
}

#[tokio::test]
async fn what_cannot_be_profiled_is_said_before_anything_is_invoked() {
    let node = Node::start("", &format!("{TENTH}[functions.none]\nkind = \"echo\"\nreplicas = 0\n")).await;
    let find =
        async |name: &str| Target::find(&gateway(&node), name).await.map(drop).unwrap_err().to_string();
    assert!(find("other").await.ends_with("has no function other; it has none, tenth"));
    assert!(find("none").await.contains("no replica that is ready"));
    assert!(find("../system/functions").await.contains("is no name of a function"));
    assert!(find("http://example.org").await.contains("is no name of a function"));
    let away = Gateway { url: "http://127.0.0.1:1".parse().unwrap(), ..gateway(&node) };
    let error = Target::find(&away, "tenth").await.map(drop).unwrap_err().to_string();
    assert!(error.contains("127.0.0.1:1"), "{error}");
    assert!(!node.scrape().await.contains("gateway_function_invocation_started{"), "nothing was invoked");
}

#[tokio::test]
async fn a_step_that_is_stopped_is_not_kept_and_those_before_it_are() {
    let node = Node::start("", TENTH).await;
    let target = Target::find(&gateway(&node), "tenth").await.unwrap();
    let (tell, told) = tokio::sync::oneshot::channel::<()>();
    let mut tell = Some(tell);
    let long = Plan { length: Duration::from_secs(3600), ..plan(&[1.0]) };
    let stop = async { drop(told.await) };
    let mut listen = |said: Said<'_>| {
        if let Said::Begins(_) = said {
            drop(tell.take());
        }
    };
    let idle = Duration::from_millis(10);
    let climbed = climb(&target, &long, Bytes::new(), None, idle, stop, &mut listen).await.unwrap();
    assert!(climbed.stopped && climbed.ladder.steps.len() == 1);
    assert!(climbed.notes.iter().any(|note| note.contains("is another machine")), "{:?}", climbed.notes);
}

fn dfaas(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dfaas"));
    let output = command.current_dir(folder).arg("profile").args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_says_what_it_will_do_and_writes_what_the_simulator_reads() {
    let node = Node::start("", TENTH).await;
    let folder = tempfile::tempdir().unwrap();
    let url = format!("http://{}", node.address);
    let ladder = ["tenth", "--url", &url, "--rates", "3,4", "--seconds", "1", "--idle", "100ms"];
    let (code, _, err) = dfaas(folder.path(), &[&ladder[..], &["--dry-run"]].concat());
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains("3, 4 requests a second, 1s each, poisson arrivals: about 7 requests"), "{err}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    assert!(!node.scrape().await.contains("gateway_function_invocation_started{"), "nothing was invoked");

    let (code, out, err) =
        dfaas(folder.path(), &[&ladder[..], &["--arrivals", "even", "--node", "light"]].concat());
    assert_eq!(code, Some(0), "{err}");
    assert!(
        out.starts_with("sustained 4.0 requests a second") && out.contains("wrote tenth.profile.json"),
        "{out}"
    );
    let file = std::fs::File::open(folder.path().join("tenth.profile.json")).unwrap();
    let run = MeasuredRun::read("tenth.profile.json", file).unwrap();
    assert_eq!((run.input.node.as_str(), run.output.len()), ("light", 3));
    assert!(dfaas(folder.path(), &ladder).2.contains("there already"));
    for wrong in [&["tenth"][..], &["tenth", "--rates", "5,5"], &["tenth", "--to", "9", "--url", "https://a"]]
    {
        assert_eq!(dfaas(folder.path(), &[wrong, &["--force"]].concat()).0, Some(2), "{wrong:?}");
    }
}
