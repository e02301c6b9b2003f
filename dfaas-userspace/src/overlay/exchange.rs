use serde::{Deserialize, Serialize};

use super::record::MAX_RECORD;

/// Most records in one exchange.
pub const MAX_RECORDS: usize = 4;

/// What neighbours tell each other of the overlay itself, now and then before a beat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// How many links the sender has.
    pub links: u8,
    /// The sender drew or pinned the receiver: the other end of this link is to stay.
    pub keeps: bool,
    /// The sender ends the link, and will not take it up again for a while.
    pub leaving: bool,
    /// Signed records of nodes, of the sender's own and of any others.
    pub records: Vec<Vec<u8>>,
}

impl Exchange {
    /// What the encoding does not bound by itself.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        if self.records.len() > MAX_RECORDS {
            return Err("too many records");
        }
        if self.records.iter().any(|record| record.len() > MAX_RECORD) {
            return Err("a record that is too long");
        }
        Ok(())
    }
}
