//! Every tool is wired and unwired in a folder of its own.

mod agents;
mod golden;
mod kills;
mod layers;
mod plain_copies;
mod records;
mod states;
mod world;
