//! A scripted server says what real ones say at their worst.
