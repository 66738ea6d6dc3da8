//! The guard on macOS, by Endpoint Security.
