//! Guestlist.
fn main() {}
