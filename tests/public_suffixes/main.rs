//! Prints the table of the Public Suffix List that the helper has in it, of the list that the `psl`
//! crate brings. To take over a newer list:
//!
//! ```sh
//! cargo update -p psl
//! cargo run --example public-suffixes > src/origin/public_suffixes.txt
//! ```

mod table;

fn main() {
    print!("{}", table::table(&table::rules()));
}
