fn main() {
    let t = std::time::Instant::now();
    match dfaas_userspace::dataplane::Object::load(None, 65536) {
        Ok(o) => {
            for n in ["dfaas_ingress", "dfaas_egress", "dfaas_sweep"] {
                println!(
                    "{n} {:?} {:?}",
                    o.program(n)
                        .and_then(|p| p.info().ok())
                        .map(|i| (i.verified_instruction_count(), i.size_jitted())),
                    t.elapsed()
                );
            }
        }
        Err(e) => println!("{e}"),
    }
}
