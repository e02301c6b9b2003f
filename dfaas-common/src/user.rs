//! The layouts as user space reads and writes them.

use aya::Pod;

use crate::{address, config, count, event, flow, plan};

macro_rules! pod {
    ($($kind:ty),+ $(,)?) => {
        $(
            // SAFETY: `repr(C)` of plain numbers without hidden padding; every bit pattern is a value.
            unsafe impl Pod for $kind {}
        )+
    };
}

pod!(
    address::Tuple,
    address::Endpoint,
    config::Config,
    config::Load,
    config::Peer,
    config::Report,
    count::CountKey,
    count::MoveKey,
    count::Tally,
    event::InvocationEvent,
    flow::Flow,
    flow::FlowRef,
    plan::Plan,
    plan::FunctionState,
);
