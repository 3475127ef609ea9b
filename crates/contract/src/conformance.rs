//! The suite every channel must pass.
