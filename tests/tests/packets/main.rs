//! Packet fixtures: what each packet becomes, through BPF_PROG_TEST_RUN. Needs root and a kernel of 6.6 or newer.

mod admission;
mod bench;
mod data_port;
mod first_byte;
mod frame;
mod handshake;
mod limits;
mod local;
mod local_first;
mod odd;
mod outcomes;
mod padding;
mod peer;
mod plan;
mod readings;
mod reject;
mod segment;
mod story;
mod tags;
mod tap;
mod translation;
mod untouched;
mod wire;
mod world;
mod writer;
