//! The file: opened and migrated, read by a pool, checkpointed, backed up, and rescued when it is
//! damaged.

pub(crate) mod backup;
pub(crate) mod checkpoint;
pub(crate) mod database;
pub(crate) mod journal;
pub(crate) mod note;
pub(crate) mod readers;
pub(crate) mod recovery;
pub(crate) mod salvage;
pub(crate) mod set_aside;
pub(crate) mod slow_statements;
pub(crate) mod spill;
