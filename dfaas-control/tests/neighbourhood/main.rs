//! Whom nodes choose as neighbours: one node among candidates that do as they like, and whole federations.

mod federation;
mod one_node;
mod properties;
mod world;
