use serde::{Deserialize, Serialize};

/// Requests of one node's users that one node answered within the deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    /// The users' node.
    pub from: u32,
    /// The node that answered.
    pub by: u32,
    /// How many.
    pub requests: u64,
}

/// Counts who serves whom. A node knows few others, so a row is short however many nodes there are.
#[derive(Debug, Clone, Default)]
pub struct ServedBy {
    rows: Vec<Vec<(u32, u64)>>,
}

impl ServedBy {
    /// Nothing, among so many nodes.
    pub fn new(nodes: usize) -> Self {
        Self { rows: vec![Vec::new(); nodes] }
    }

    /// One more.
    pub fn add(&mut self, from: u32, by: u32) {
        let row = &mut self.rows[from as usize];
        match row.binary_search_by_key(&by, |(node, _)| *node) {
            Ok(at) => row[at].1 += 1,
            Err(at) => row.insert(at, (by, 1)),
        }
    }

    /// All that is not zero, by the users' node, then by the one that answered.
    pub fn into_rows(self) -> Vec<Served> {
        let rows = (0..).zip(self.rows);
        let row = |(from, row): (u32, Vec<(u32, u64)>)| {
            row.into_iter().map(move |(by, requests)| Served { from, by, requests })
        };
        rows.flat_map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_come_in_the_order_of_nodes_whatever_the_order_of_requests() {
        let mut served = ServedBy::new(3);
        [(2, 1), (0, 2), (2, 0), (2, 1)].iter().for_each(|(from, by)| served.add(*from, *by));
        let rows: Vec<_> = served.into_rows().iter().map(|row| (row.from, row.by, row.requests)).collect();
        assert_eq!(rows, [(0, 2, 1), (2, 0, 1), (2, 1, 2)]);
    }
}
