//! Who is joined to whom, and how far away.
