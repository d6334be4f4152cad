//! Where the money in every purse came from: a vector of category shares by haircut, kept up transaction by transaction.
//!
//! It opens no file, reads no clock, and knows no tags: which holder is of which category, the caller says.
