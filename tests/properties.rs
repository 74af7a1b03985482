//! Properties that hold for any input: server URLs and their keys, the challenge grammar, the login records, and the
//! verbs against a model.

mod challenges;
mod keys;
mod model;
mod records;
