//! The dialect against bodies as its clients and Google send them.

mod answers;
mod reading;
mod writing;
