//! Room `know`.
