//! The `dfaas` binary.

fn main() -> std::process::ExitCode {
    dfaas_userspace::cli::main()
}
