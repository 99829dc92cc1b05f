//! The ports: what the engine asks of the world, as traits without code. Methods take batches and answer boxed
//! futures, one allocation a batch.

pub mod clock;
pub mod entropy;
pub mod prober;
pub mod queue;
pub mod sender;
pub mod store;
pub mod wake;

use std::future::Future;
use std::pin::Pin;

/// What a port's method answers.
pub type Fut<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
