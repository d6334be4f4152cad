//! Room `decode`.
