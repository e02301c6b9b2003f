//! Who the peers are, and what is said to them: the meaning of beats, without their transport. Time and randomness are
//! arguments; orders to the overlay come out.

mod effects;
mod member;
mod names;
mod peers;
mod place;
mod receive;
mod send;
mod state;

pub use effects::Effects;
pub(crate) use effects::add;
pub use member::Standing;
pub use peers::{FederationPeer, MemberView};
pub use place::Disbelief;
pub use state::{Federation, Settings};

#[cfg(test)]
mod net;
#[cfg(test)]
mod tests;
