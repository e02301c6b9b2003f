//! The proxy's configuration.

use std::net::SocketAddr;

/// For a proxy that takes requests at `listen` and forwards them to `server`, on so many threads: connections to the
/// server are kept and shared by all users, and nothing is logged.
pub(super) fn configuration(listen: SocketAddr, server: SocketAddr, threads: usize) -> String {
    format!(
        "global\n\
         \x20   nbthread {threads}\n\
         \x20   maxconn 4096\n\
         defaults\n\
         \x20   mode http\n\
         \x20   option http-keep-alive\n\
         \x20   http-reuse always\n\
         \x20   timeout connect 5s\n\
         \x20   timeout client 60s\n\
         \x20   timeout server 60s\n\
         frontend users\n\
         \x20   bind {listen}\n\
         \x20   default_backend peer\n\
         backend peer\n\
         \x20   server peer {server}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_begin_at_the_margin_and_what_belongs_to_them_does_not() {
        let text = configuration(([10, 77, 5, 1], 8080).into(), ([10, 77, 0, 6], 8080).into(), 2);
        let sections: Vec<_> = text.lines().filter(|line| !line.starts_with(' ')).collect();
        assert_eq!(sections, ["global", "defaults", "frontend users", "backend peer"]);
        assert!(text.contains("    nbthread 2\n") && text.contains("    http-reuse always\n"), "{text}");
        assert!(text.ends_with("    server peer 10.77.0.6:8080\n"), "{text}");
    }
}
