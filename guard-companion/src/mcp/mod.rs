//! `codex-es-guard mcp`: a server of the Model Context Protocol on standard input and output.
//!
//! | tool | what it does |
//! |---|---|
//! | `list_denials` | what was denied to this session, with what can be done instead |
//! | `explain_path` | which rule decides about a path, and what is requested for it |
//! | `request_security_override` | asks a person to open a path |
//! | `override_status` | what became of requests |
//!
//! It speaks the revision 2026-07-28, in which each request is complete by itself, and those before it
//! that begin with `initialize`. Each result is structured, and the same as text.
//!
//! No tool grants anything: a request is answered by a person, and the guard knows by the kernel's
//! word that this process is an agent's. The server keeps no state; it ends with its input.

mod answers;
mod tools;

use anyhow::{Context as _, Result};
use rmcp::handler::server::ServerHandler;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ErrorData, Implementation,
    ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::{RequestContext, RoleServer, ServiceExt as _};

/// Serves until standard input ends.
pub(crate) fn run() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("starting the runtime")?;
    runtime.block_on(async {
        let running = Server.serve(rmcp::transport::stdio()).await;
        // A client that went away before it said anything is none to complain to.
        let Ok(running) = running else {
            return Ok(());
        };
        running.waiting().await.context("serving")?;
        Ok(())
    })
}

#[derive(Clone, Copy, Debug)]
struct Server;

// === impl ServerHandler for Server ===

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder().enable_tools().build();
        let name = Implementation::new("codex-es-guard", env!("CARGO_PKG_VERSION"));
        ServerConfig::new(capabilities)
            .with_server_info(name.with_title("codex-es-guard"))
            .with_instructions(INSTRUCTIONS)
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        tools::all().into_iter().find(|tool| tool.name == name)
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(tools::all()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let arguments = request.arguments.unwrap_or_default();
        let Some(answer) = tools::answer_of(&request.name) else {
            let message = format!("there is no tool {}", request.name);
            return Err(ErrorData::invalid_params(message, None));
        };
        // Guards and files may take their time.
        let answered = tokio::task::spawn_blocking(move || answer(&arguments)).await;
        let answered = answered.map_err(|error| {
            ErrorData::internal_error(format!("the tool ended without an answer: {error}"), None)
        })?;
        Ok(match answered {
            Ok(value) => CallToolResult::structured(value),
            Err(refused) => CallToolResult::structured_error(serde_json::json!({
                "error": refused.to_string()
            })),
        }
        .into())
    }
}

const INSTRUCTIONS: &str = "\
codex-es-guard is a file guard that the person at this machine runs. It lets agents edit everything, and \
denies (EPERM, \"Operation not permitted\") removing or moving files in protected zones. A denial is final \
for its path, whichever program tries. list_denials has what was denied and what can be done instead. If \
the task needs a path opened, request_security_override asks the person, once; override_status has the \
answer. Nothing here opens a path by itself.";
