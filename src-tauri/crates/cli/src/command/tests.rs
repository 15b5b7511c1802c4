//! Answers rendered from fixed views.
