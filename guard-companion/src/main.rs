//! `guard-companion`: what the guard itself should not carry.
//!
//! | command | what it does |
//! |---|---|
//! | `hook AGENT` | answers an agent's hook with the denials of its call |
//! | `mcp` | serves tools for agents over the Model Context Protocol |
//! | `setup` | puts both into agents' own configuration |
//! | `notify` | shows a person on the desktop what an agent requests |
//!
//! `codex-es-guard` executes it; people need not know its name. It runs with the rights of whoever
//! started it, mostly an agent, with `notify` the guard, and believes nothing that an agent says about itself. It deliberately
//! decides nothing and grants nothing.

#![forbid(unsafe_code)]

mod ancestors;
mod cli;
mod hook;
mod mcp;
mod notify;
mod setup;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
