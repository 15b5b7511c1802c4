//! The allocator of every program that has keys.
//!
//! Our own types zero a key when they are dropped, but libraries copy it into buffers of theirs: the
//! decrypted text of the file vault, the heads of requests. Zeroing whatever is freed leaves none of
//! those behind. On Linux it stands on jemalloc, because requests are written down by one thread and
//! freed by another, which glibc's own allocator is slow at.

#[cfg(not(target_os = "linux"))]
use std::alloc::System as Base;

#[cfg(target_os = "linux")]
use tikv_jemallocator::Jemalloc as Base;
use zeroizing_alloc::ZeroAlloc;

/// Zeroes what is freed.
pub type Allocator = ZeroAlloc<Base>;

/// For the `#[global_allocator]` of a program.
pub const ALLOCATOR: Allocator = ZeroAlloc(Base);
