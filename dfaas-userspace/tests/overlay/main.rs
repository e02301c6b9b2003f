//! The overlay as its agents see it: many nodes over the memory transport, some over real sockets, and peers that mean
//! no good.

mod attacks;
mod counted;
mod gate;
mod harness;
mod hostile;
mod membership;
mod records;
mod scale;
mod secrets;
mod sockets;
mod swarm;
