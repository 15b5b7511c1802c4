//! Answers that were given before: kept in memory, then on the disk, and shared while they are in flight.
//!
//! Exact only: a question is the same if all that can change its answer is the same.
