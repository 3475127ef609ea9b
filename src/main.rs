//! Arguments become a command, its end an exit code.

fn main() {}
