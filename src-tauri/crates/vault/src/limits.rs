//! Size limits of secrets and of the vault file.

/// Largest stored item in bytes: `CRED_MAX_CREDENTIAL_BLOB_SIZE` of Windows' Credential Manager,
/// applied on every system so that a vault can move.
pub const ENVELOPE_BYTES_MAX: usize = 2_560;

/// Largest vault file read or written, in bytes: some 1,500 keys of the largest size.
pub const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;
