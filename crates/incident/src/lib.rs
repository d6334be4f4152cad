//! Room `incident`.
