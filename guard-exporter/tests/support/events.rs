//! A reader of server-sent events.

use super::DEADLINE;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};

/// A connection to `/api/v1/events`.
pub struct Events {
    lines: BufReader<TcpStream>,
}

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    pub kind: String,
    pub id: String,
    pub data: String,
}

// === impl Events ===

impl Events {
    /// Subscribes; `headers` are whole lines.
    pub fn listen(address: SocketAddr, headers: &str) -> Self {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let request = format!("GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut events = Self {
            lines: BufReader::new(stream),
        };
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            events.line(&mut head);
        }
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert!(
            head.contains("content-type: text/event-stream\r\n"),
            "{head}"
        );
        // The first message: from here on no event is missed.
        assert_eq!(events.chunk_line(), "retry: 2000\n");
        events
    }

    /// The next event; comments are skipped.
    pub fn next(&mut self) -> Event {
        let mut event = Event::default();
        loop {
            let line = self.chunk_line();
            match line.trim_end().split_once(": ") {
                Some(("event", kind)) => kind.clone_into(&mut event.kind),
                Some(("id", id)) => id.clone_into(&mut event.id),
                Some(("data", data)) => data.clone_into(&mut event.data),
                _ if line == "\n" && !event.kind.is_empty() => return event,
                _ => assert!(line == "\n" || line == ":\n", "{line:?}"),
            }
        }
    }

    /// The next line within the chunked body: a chunk's size is a line that ends with CR LF, as do
    /// chunks; events' lines end with LF.
    fn chunk_line(&mut self) -> String {
        loop {
            let mut line = String::new();
            self.line(&mut line);
            if !line.ends_with("\r\n") {
                return line;
            }
        }
    }

    fn line(&mut self, into: &mut String) {
        let read = self.lines.read_line(into).unwrap();
        assert!(read > 0, "the connection ended after {into:?}");
    }
}
