//! Packet fixtures: what each packet becomes, through BPF_PROG_TEST_RUN. Needs root and a kernel of 6.6 or newer.

mod bench;
mod data_port;
mod handshake;
mod local;
mod odd;
mod peer;
mod plan;
mod reject;
mod segment;
mod story;
