//! The rules of the house that no compiler checks: who may depend on whom, how long a file may be, how tight the unit is.

mod files;
mod layers;
mod units;

use std::path::Path;

/// The top of the tree.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
