//! The global allocator of every program that handles keys. It zeroes memory when it is freed.
//!
//! Our own types zero keys on drop, but libraries copy keys into their buffers: the decrypted text
//! of the file vault, request heads. Zeroing all freed memory covers those copies too. On Linux the
//! base is jemalloc, because one thread writes requests and another frees them, which glibc's
//! allocator does slowly.

#[cfg(not(target_os = "linux"))]
use std::alloc::System as Base;

#[cfg(target_os = "linux")]
use tikv_jemallocator::Jemalloc as Base;
use zeroizing_alloc::ZeroAlloc;

pub type Allocator = ZeroAlloc<Base>;

/// Value for a program's `#[global_allocator]`.
pub const ALLOCATOR: Allocator = ZeroAlloc(Base);
