//! `nodemargin`, `p2c` and `external` as their host sees them, against cases computed by hand and whatever may come.

mod external;
mod host;
mod nodemargin;
mod p2c;
mod properties;
