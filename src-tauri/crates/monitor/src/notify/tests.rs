//! Rules of `notify`, one short test each.
