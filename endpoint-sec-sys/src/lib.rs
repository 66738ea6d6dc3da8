//! The raw ABI of Apple's Endpoint Security framework.
//!
//! Empty for now: the Linux session needs none of it, and macOS enforcement is not built yet.
