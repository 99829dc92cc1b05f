//! Every task of the process: what runs, what happens when it fails, and in which order it ends. No task is spawned
//! outside this folder, the adapters' own bounded sets aside.

mod loops;
mod side;
mod signals;
mod table;

pub use loops::Plant;
pub use side::{Side, Sides};
pub use signals::{Signals, hang_ups};
pub use table::{LISTEN, has_role, is_beside, must_tick};
