//! The score table and the gates of the verdict.
