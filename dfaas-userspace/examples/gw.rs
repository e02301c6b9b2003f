use dfaas_userspace::gateway::*;
#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let c = GatewayConfig::from_file(std::path::Path::new(&std::env::args().nth(1).unwrap()))?;
    run(c, Default::default()).await
}
