//! What the targets share.

use std::panic::{set_hook, take_hook};

/// Lets the parser's own assertions pass, which `understand` catches and reads around: a panic ends the run when it is
/// ours, or when nobody catches it.
pub fn forgive_the_parser() {
    let end = take_hook();
    set_hook(Box::new(move |panic| {
        if !panic.location().is_some_and(|place| place.file().contains("/mail-parser-")) {
            end(panic);
        }
    }));
}
