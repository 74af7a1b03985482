//! What several targets compare with: simple, and written without a look at the program's own code.

pub mod json;
