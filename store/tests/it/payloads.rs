//! Stored events: every kind, both ways.
