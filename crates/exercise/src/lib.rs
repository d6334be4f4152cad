//! Room `exercise`.
