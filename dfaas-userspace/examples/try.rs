use dfaas_userspace::dataplane::*;
use std::time::Duration;
fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().init();
    let a: Vec<String> = std::env::args().collect(); // name listen ifaces users? peers(name=addr:share,...) local
    let s = Settings {
        interfaces: a[3].split(',').map(String::from).collect(),
        listen: vec![a[2].parse()?],
        users: vec!["0.0.0.0/0".parse()?],
        data_port: 31601,
        data_address: None,
        snat_ports: 20000..=29999,
        pin: format!("/sys/fs/bpf/try-{}", a[1]).into(),
        max_flows: 65536,
    };
    let mut k = open_kernel(&s)?;
    let mut peers = vec![];
    let mut shares = vec![];
    let local: u32 = a[5].parse()?;
    let mut tot = local;
    for p in a[4].split(',').filter(|p| !p.is_empty()) {
        let (n, r) = p.split_once('=').unwrap();
        let (ad, sh) = r.split_once(':').unwrap();
        peers.push(Peer { name: n.into(), address: ad.parse()?, data_port: 31601 });
        shares.push((n.to_string(), sh.parse::<u32>()?));
        tot += sh.parse::<u32>()?;
    }
    k.set_peers(&peers)?;
    k.set_functions(&[Function {
        name: "figlet".into(),
        spellings: vec!["figlet".into(), "figlet.openfaas-fn".into()],
    }])?;
    let mut sh = vec![];
    let mut left = 65536;
    for (n, w) in shares.iter() {
        let x = 65536 * w / tot;
        left -= x;
        sh.push((Target::Peer(n.clone()), x));
    }
    sh.push((Target::Local, left));
    loop {
        k.write_plan(
            "figlet",
            &FunctionPlan {
                mode: PickMode::Smooth,
                shares: sh.clone(),
                local_inflight: 0,
                local_rate: std::env::var("RATE").ok().and_then(|r| r.parse().ok()).unwrap_or(0.0),
                lifetime: Duration::from_millis(3500),
            },
        )?;
        k.maintain()?;
        let sn = k.snapshot()?;
        println!(
            "flows {} inv {:?} infl {:?} drops {:?} ev {:?}",
            sn.flows,
            sn.invocations
                .iter()
                .map(|i| (i.function.as_str(), i.backend.as_str(), i.count))
                .collect::<Vec<_>>(),
            sn.inflight.iter().map(|i| (i.backend.as_str(), i.count)).collect::<Vec<_>>(),
            sn.drops.iter().filter(|d| d.count > 0).map(|d| (d.reason, d.count)).collect::<Vec<_>>(),
            k.events()?.into_iter().filter(|e| e.1 > 0).collect::<Vec<_>>()
        );
        std::thread::sleep(Duration::from_secs(1));
    }
}
