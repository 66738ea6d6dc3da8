//! A safe API over Apple's Endpoint Security framework; it knows nothing of guards.
//!
//! Empty for now: the Linux session needs none of it, and macOS enforcement is not built yet.
