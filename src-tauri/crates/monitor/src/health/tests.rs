//! Rules of `health`, one short test each.
