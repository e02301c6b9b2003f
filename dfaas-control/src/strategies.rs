mod alllocal;
mod fixed;

pub use alllocal::AllLocal;
pub use fixed::Static;
