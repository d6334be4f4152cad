//! What follows from a ledger and its tags, kept beside it in the book: verdicts, clusters, exposure, each brought up to
//! the ledger's last block by the same code, whether that is one block or all of them.
