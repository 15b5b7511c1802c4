//! Tests of the dialect with bodies as its clients and Google send them.

mod answers;
mod crossing;
mod properties;
mod reading;
mod writing;
