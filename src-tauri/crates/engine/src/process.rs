//! This process and its machine: folders, log, tasks, limits and protection.

pub(crate) mod allocator;
pub(crate) mod file_descriptors;
pub(crate) mod folders;
pub(crate) mod hardening;
pub(crate) mod local_resources;
pub(crate) mod log;
pub(crate) mod owner;
pub(crate) mod platform;
pub(crate) mod private_variables;
pub(crate) mod start_trace;
pub(crate) mod tasks;
pub(crate) mod web_view;
