//! The admin interface: what it shows, to whom, and that nothing sent to it does harm.

use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};

use dfaas_userspace::admin::Listeners;
use dfaas_userspace::agent::{Exit, PlansReport, StatusReport};
use dfaas_userspace::dataplane::Left;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};

use crate::double::Double;
use crate::harness::{Node, configuration, eventually, parse, run};
use crate::scripted::Gateway;

#[tokio::test]
async fn the_metrics_have_their_stable_names() {
    let node = Node::start(&["figlet"]).await.ready().await;
    node.dataplane.fill();
    let (code, text) = node.get("/metrics").await.unwrap();
    assert_eq!(code, 200);
    for line in [
        "dfaas_invocations_total{function=\"figlet\",origin=\"user\",backend=\"local\"} 60",
        "dfaas_invocations_total{function=\"figlet\",origin=\"user\",backend=\"b\"} 40",
        "dfaas_invocations_total{function=\"figlet\",origin=\"user\",backend=\"reject\"} 3",
        "dfaas_invocations_total{function=\"figlet\",origin=\"peer\",backend=\"local\"} 7",
        "dfaas_inflight{function=\"figlet\",backend=\"b\"} 2",
        "dfaas_first_byte_seconds_sum{function=\"figlet\",backend=\"b\"} 12.5",
        "dfaas_first_byte_seconds_count{function=\"figlet\",backend=\"b\"} 4",
        "dfaas_first_byte_seconds_bucket{le=\"0.005\",function=\"figlet\",backend=\"b\"} 0",
        "dfaas_first_byte_seconds_bucket{le=\"0.01\",function=\"figlet\",backend=\"b\"} 3",
        "dfaas_first_byte_seconds_bucket{le=\"10.0\",function=\"figlet\",backend=\"b\"} 3",
        "dfaas_first_byte_seconds_bucket{le=\"+Inf\",function=\"figlet\",backend=\"b\"} 4",
        "dfaas_peer_connections_total{peer=\"b\",outcome=\"refused\"} 1",
        "dfaas_peer_connections_total{peer=\"b\",outcome=\"silent\"} 2",
        "dfaas_peer_connections_total{peer=\"b\",outcome=\"reset\"} 3",
        "dfaas_peer_connections_total{peer=\"b\",outcome=\"accepted\"} 40",
        "dfaas_peer_connections_total{peer=\"b\",outcome=\"denied\"} 5",
        "dfaas_drops_total{reason=\"bad_cookie\"} 5",
        "dfaas_retries_total 4",
        "dfaas_flows 11",
        // Of both origins together.
        "dfaas_responses_total{function=\"figlet\",backend=\"local\",class=\"2xx\"} 63",
        "dfaas_responses_total{function=\"figlet\",backend=\"local\",class=\"5xx\"} 2",
        "dfaas_responses_total{function=\"figlet\",backend=\"b\",class=\"unknown\"} 1",
        "dfaas_bytes_total{function=\"figlet\",backend=\"local\",direction=\"to_backend\"} 6700",
        "dfaas_bytes_total{function=\"figlet\",backend=\"b\",direction=\"to_client\"} 40000",
        "dfaas_moves_total{from=\"b\",to=\"local\"} 8",
        "dfaas_moves_total{from=\"local\",to=\"b\"} 9",
        "dfaas_pins_total{reason=\"request\"} 3",
        "dfaas_plan_changes_total 1",
        "dfaas_dataplane_armed 1",
        "dfaas_weight{function=\"figlet\",backend=\"local\"} 0.6000061035156",
        concat!("dfaas_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
        "# TYPE dfaas_invocations counter",
        "# TYPE dfaas_first_byte_seconds histogram",
        "# TYPE dfaas_peer_connections counter",
        "# TYPE dfaas_strategy_tick_seconds histogram",
        "# EOF",
    ] {
        assert!(text.lines().any(|found| found.starts_with(line)), "{line} is not in\n{text}");
    }
}

#[tokio::test]
async fn the_socket_is_for_its_owner_only_and_goes_with_the_agent() {
    let node = Node::start(&["figlet"]).await.ready().await;
    let socket = node.socket();
    let found = std::fs::symlink_metadata(&socket).unwrap();
    assert!(found.file_type().is_socket());
    assert_eq!(found.permissions().mode() & 0o777, 0o600);
    let (_, _folder) = node.end(Exit::Keep).await;
    eventually("the socket is removed", async || !socket.exists()).await;
}

#[tokio::test]
async fn a_leftover_socket_is_replaced_but_no_other_file_is() {
    let gateway = Gateway::start(&["figlet"]).await;
    let folder = tempfile::TempDir::new().unwrap();
    let socket = folder.path().join("run/agent.sock");
    std::fs::create_dir_all(socket.parent().unwrap()).unwrap();
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    let url = format!("http://{}", gateway.address);
    let config = parse(&configuration(folder.path(), &url, "", ""));
    let (tell, told) = tokio::sync::mpsc::channel(1);
    let agent = tokio::spawn(run(config, Double::default(), told));
    eventually("it answers", async || dfaas_userspace::admin::get(&socket, "/status").await.is_ok()).await;
    tell.send(Exit::Leave).await.unwrap();
    agent.await.unwrap().unwrap();
    eventually("it is removed", async || !socket.exists()).await;

    std::fs::write(&socket, "precious").unwrap();
    let config = parse(&configuration(folder.path(), &url, "", ""));
    let error = Listeners::bind(&config.admin).await.unwrap_err().to_string();
    assert!(error.contains("is no socket"), "{error}");
    assert_eq!(std::fs::read_to_string(&socket).unwrap(), "precious");
}

#[tokio::test]
async fn an_address_in_use_is_named_before_anything_is_attached() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    let admin = taken.local_addr().unwrap().to_string();
    let config = parse(&configuration(folder.path(), "http://127.0.0.1:1", &admin, ""));
    let error = Listeners::bind(&config.admin).await.unwrap_err().to_string();
    assert!(error.starts_with(&format!("admin.listen {admin}: Address already in use")), "{error}");
    assert!(!config.admin.socket.exists(), "the socket is removed again");
}

#[tokio::test]
async fn the_reports_over_the_socket_tell_what_is_in_force() {
    let node = Node::start(&["figlet"]).await.ready().await;
    node.dataplane.fill();
    let get = async |path| dfaas_userspace::admin::get(&node.socket(), path).await.unwrap();
    let status: StatusReport = serde_json::from_slice(&get("/status").await).unwrap();
    assert_eq!((status.node.as_str(), status.strategy.as_str()), ("a", "static"));
    assert_eq!((status.functions, status.peers, status.flows), (1, 1, 11));
    assert_eq!(
        status.answers,
        [("2xx", 102), ("5xx", 4), ("unknown", 4)].map(|(c, n)| (c.to_owned(), n)).into()
    );
    assert_eq!((status.bytes, status.moves), ((11_000, 110_000), (8, 9)));
    assert!(status.armed && status.ready && status.health.ok);
    let plans: PlansReport = serde_json::from_slice(&get("/plan").await).unwrap();
    assert_eq!(plans.plans[0].shares.iter().map(|share| share.part).sum::<u32>(), 65_536);
    assert!(plans.plans[0].age_seconds <= plans.plans[0].lifetime_seconds);
    let error = dfaas_userspace::admin::get(&node.socket(), "/nothing").await.unwrap_err();
    assert!(error.to_string().contains("404"), "{error}");
}

#[tokio::test]
async fn the_tcp_address_shows_metrics_and_health_only() {
    let node = Node::start(&["figlet"]).await.ready().await;
    for path in ["/status", "/plan", "/peers", "/functions", "/"] {
        assert_eq!(node.get(path).await.unwrap().0, 404, "{path}");
    }
}

#[tokio::test]
async fn a_token_is_asked_for_when_one_is_set() {
    let tokens = tempfile::TempDir::new().unwrap();
    let file = tokens.path().join("token");
    std::fs::write(&file, "s3cret\n").unwrap();
    let gateway = Gateway::start(&["figlet"]).await;
    let folder = tempfile::TempDir::new().unwrap();
    let admin = format!("127.0.0.1:{}", crate::harness::free_port());
    let text = configuration(folder.path(), &format!("http://{}", gateway.address), &admin, "");
    let text = text.replace("[admin]\n", &format!("[admin]\ntoken_file = \"{}\"\n", file.display()));
    let (tell, told) = tokio::sync::mpsc::channel(1);
    let agent = tokio::spawn(run(parse(&text), Double::default(), told));
    let client = reqwest::Client::new();
    let status = async |token: Option<&str>| {
        let request = client.get(format!("http://{admin}/metrics"));
        let request = match token {
            Some(token) => request.header("authorization", token),
            None => request,
        };
        request.send().await.map_or(0, |response| response.status().as_u16())
    };
    eventually("it answers", async || status(None).await != 0).await;
    assert_eq!(status(None).await, 401);
    assert_eq!(status(Some("Bearer wrong")).await, 401);
    assert_eq!(status(Some("Basic s3cret")).await, 401);
    assert_eq!(status(Some("Bearer s3cret")).await, 200);
    tell.send(Exit::Leave).await.unwrap();
    assert_eq!(agent.await.unwrap().unwrap(), dfaas_userspace::agent::Outcome::Left(Left { abandoned: 2 }));
}

#[tokio::test]
async fn bytes_that_are_no_requests_stop_nothing() {
    let node = Node::start(&["figlet"]).await.ready().await;
    let mut state = 0x9e37_79b9_u32;
    let mut noise = move |length: usize| -> Vec<u8> {
        let mut byte = || {
            // xorshift: the same bytes in every run.
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state as u8
        };
        (0..length).map(|_| byte()).collect()
    };
    for length in [1, 3, 100, 5_000, 200_000] {
        let mut tcp = TcpStream::connect(&node.admin).await.unwrap();
        let mut unix = UnixStream::connect(node.socket()).await.unwrap();
        // The agent may close while the rest is on its way.
        let _ = tcp.write_all(&noise(length)).await;
        let _ = unix.write_all(&noise(length)).await;
        let _ = (tcp.shutdown().await, unix.shutdown().await);
        let mut answer = Vec::new();
        let _ = tcp.read_to_end(&mut answer).await;
        assert!(!answer.starts_with(b"HTTP/1.1 200"));
    }
    let mut open = TcpStream::connect(&node.admin).await.unwrap();
    open.write_all(b"GET /metr").await.unwrap();
    assert_eq!(node.get("/healthz").await.unwrap().0, 200);
    assert!(dfaas_userspace::admin::get(&node.socket(), "/status").await.is_ok());
}
