//! What must not be in any log.

use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dfaas_userspace::overlay::{Settings, identity};
use tracing_subscriber::fmt::MakeWriter;

use crate::harness::{Node, all_linked, beats_flow, eventually, settings};
use crate::sockets::{TCP, swarm_key};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no test panics with it").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// The forms in which bytes may show, in lower case.
fn forms(secret: &[u8]) -> Vec<String> {
    let hex = secret.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    let list: Vec<String> = secret.iter().map(u8::to_string).collect();
    vec![hex, STANDARD.encode(secret).trim_end_matches('=').to_lowercase(), list.join(", ")]
}

// One thread, so that everything that runs is under this thread's subscriber.
#[tokio::test]
async fn no_key_is_ever_logged() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone());
    let guard = tracing::subscriber::set_default(subscriber.finish());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("identity.pem");
    let first = identity::load_or_create(&file).unwrap();
    let secret = first.clone().try_into_ed25519().unwrap().secret().as_ref().to_vec();
    let second = identity::load_or_create(&folder.path().join("other.pem")).unwrap();

    let settings = Settings { psk: Some(swarm_key('7')), ..settings(TCP) };
    tracing::info!(?settings, ?first, "for those who would print them");
    let first = Node::real(first, settings.clone()).await;
    let seeds = vec![first.seed().await];
    let nodes = [first, Node::real(second, Settings { seeds, ..settings }).await];
    eventually("they are linked", || all_linked(&nodes)).await;
    beats_flow(&nodes).await;
    for node in nodes {
        node.leave().await;
    }
    drop(guard);

    let log = String::from_utf8_lossy(&log.0.lock().unwrap()).to_lowercase();
    assert!(log.contains("the overlay listens at") && log.contains("trace"), "the log is there: {log}");
    let pem = std::fs::read_to_string(&file).unwrap();
    let body = pem.lines().nth(1).unwrap().to_lowercase();
    let halves = |form: String| {
        let (a, b) = form.split_at(form.len() / 2);
        [a.to_owned(), b.to_owned()]
    };
    for form in [forms(&secret), forms(&[0x77; 32]), vec![body]].into_iter().flatten().flat_map(halves) {
        assert!(!log.contains(&form), "{form} was logged");
    }
}
