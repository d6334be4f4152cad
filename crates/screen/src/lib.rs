//! Screening: what is known about an address or a transaction, and whether the user's own rules call it a hit.
