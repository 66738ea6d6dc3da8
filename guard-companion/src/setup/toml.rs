//! The MCP server in Codex's `config.toml`, which otherwise stays byte for byte.

use toml_edit::{Array, DocumentMut, Item, Table, TableLike, TomlError, value};

/// Why a file cannot be changed.
#[derive(Debug, thiserror::Error)]
pub(super) enum EditTomlError {
    /// It is not TOML.
    #[error("it is not TOML: {0}")]
    Malformed(#[from] TomlError),
    /// Something else is where the servers should be.
    #[error("`{SERVERS}` in it is not a table")]
    Shape,
}

/// The text with the server in it, that is started by `program`.
pub(super) fn with(text: &str, program: &str) -> Result<String, EditTomlError> {
    let mut document: DocumentMut = text.parse()?;
    let servers = document.entry(SERVERS).or_insert_with(|| {
        let mut table = Table::new();
        table.set_implicit(true);
        Item::Table(table)
    });
    let servers = servers.as_table_like_mut().ok_or(EditTomlError::Shape)?;
    let is_there = servers.get(NAME).and_then(Item::as_table_like);
    if is_there.is_some_and(|server| command_of(server) == Some(program)) {
        return Ok(text.to_owned());
    }
    let mut server = Table::new();
    server.insert("command", value(program));
    server.insert("args", value(Array::from_iter(["mcp"])));
    if servers.get(NAME).is_none() && !text.is_empty() {
        server.decor_mut().set_prefix("\n");
    }
    servers.insert(NAME, Item::Table(server));
    Ok(document.to_string())
}

/// The text without the server.
pub(super) fn without(text: &str) -> Result<String, EditTomlError> {
    let mut document: DocumentMut = text.parse()?;
    let Some(servers) = document.get_mut(SERVERS).and_then(Item::as_table_like_mut) else {
        return Ok(text.to_owned());
    };
    if servers.remove(NAME).is_none() {
        return Ok(text.to_owned());
    }
    if servers.is_empty() {
        document.remove(SERVERS);
    }
    Ok(document.to_string())
}

fn command_of(server: &dyn TableLike) -> Option<&str> {
    server.get("command")?.as_str()
}

const SERVERS: &str = "mcp_servers";
const NAME: &str = "codex-es-guard";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_there_stays_and_comes_back_byte_for_byte() {
        for text in [
            "",
            "model = \"gpt-5\" # mine\n\n[projects.\"/home/me/work\"]\ntrust_level = \"trusted\"\n",
            "# top\n[mcp_servers.other]\ncommand   = \"x\"  # spaces\n\n[tui]\ntheme = 'dark'\n",
        ] {
            let changed = with(text, "/opt/codex-es-guard").unwrap();
            assert!(changed.contains("[mcp_servers.codex-es-guard]\ncommand = \"/opt/codex-es-guard\"\nargs = [\"mcp\"]\n"), "{changed}");
            assert_eq!(
                with(&changed, "/opt/codex-es-guard").unwrap(),
                changed,
                "again"
            );
            assert_eq!(without(&changed).unwrap(), text);
            let moved = with(&changed, "/new/codex-es-guard").unwrap();
            assert!(
                moved.contains("/new/") && !moved.contains("/opt/"),
                "{moved}"
            );
        }
    }

    #[test]
    fn what_is_not_understood_is_not_changed() {
        assert!(with("mcp_servers = 7\n", "x").is_err());
        assert!(with("[[", "x").is_err());
        assert_eq!(without("a = 1 # b\n").unwrap(), "a = 1 # b\n");
    }
}
