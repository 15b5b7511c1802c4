//! Rules of `schedule`, one short test each.
