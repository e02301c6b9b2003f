//! The moment between attaching and knowing what to do.

use dfaas_tests::settings::Function;

use crate::federation::{Federation, eventually};
use crate::kernel::attached;
use crate::observe::{Metrics, health, json, text};

#[test]
fn a_new_data_plane_steers_nothing_until_the_gateway_told_its_functions() {
    let mut federation = Federation::prepare(2, &[("echo", Function::echo())], |_, _, _| {});
    federation.nodes[1].start_gateway().unwrap();
    federation.nodes[1].start_agent().unwrap();
    federation.first().launch_agent().unwrap();
    eventually("it answers its commands", || federation.nodes[0].admin_socket().exists().then_some(()));
    eventually("it is attached", || (attached(federation.nodes[0].namespace()).len() == 4).then_some(()));
    eventually("it asked the gateway", || {
        (health(&federation.nodes[0]).1.to_string().contains("refused")).then_some(())
    });

    let status = json(&federation.nodes[0], "status");
    assert_eq!(
        (status["armed"].as_bool(), status["ready"].as_bool()),
        (Some(false), Some(false)),
        "{status}"
    );
    assert!(text(&federation.nodes[0], "functions").contains("have not told"));
    // As without DFaaS: nobody listens.
    let error = format!("{:#}", federation.invoke("echo").unwrap_err());
    assert!(error.contains("refused"), "{error}");
    assert_eq!(Metrics::of(&federation.nodes[0]).sum("dfaas_invocations_total"), 0.0);

    federation.first().start_gateway().unwrap();
    eventually("it steers", || {
        (Metrics::of(&federation.nodes[0]).get("dfaas_dataplane_armed") == 1.0).then_some(())
    });
    assert_eq!(federation.served_times("echo", 8).len(), 2);
}
