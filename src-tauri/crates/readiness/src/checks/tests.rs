//! Each built-in check against facts.
