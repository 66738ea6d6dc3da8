//! The W3C trace context in a process's `TRACEPARENT`.

use super::TraceContext;

/// A value that is not a `traceparent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a trace context of the form 00-TRACE_ID-SPAN_ID-FLAGS")]
pub struct MalformedTrace;

impl TraceContext {
    /// The trace context in the value of a process's `TRACEPARENT`. An empty value counts as none.
    ///
    /// # Errors
    ///
    /// [`MalformedTrace`] if there is a value and [`parse`](Self::parse) rejects it.
    pub fn carried(value: Option<&[u8]>) -> Result<Option<Self>, MalformedTrace> {
        match value {
            None | Some([]) => Ok(None),
            Some(value) => Self::parse(value).map(Some).ok_or(MalformedTrace),
        }
    }

    /// Parses a `traceparent` (W3C Trace Context, §3.2): `VV-TTTT…-SSSS…-FF`, lower-case hex. Of a
    /// version higher than 00 the first four fields are read; version `ff`, ids of zeros and
    /// anything else malformed give `None`. A process chooses its own environment, so the result is
    /// a hint and never an identity.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut fields = text.split(|&byte| byte == b'-');
        let [version] = hex::<1>(fields.next()?)?;
        let trace_id = hex::<16>(fields.next()?)?;
        let span_id = hex::<8>(fields.next()?)?;
        let [flags] = hex::<1>(fields.next()?)?;
        let more = fields.next().is_some();
        let valid =
            version != 0xff && !(version == 0 && more) && trace_id != [0; 16] && span_id != [0; 8];
        valid.then_some(Self {
            trace_id,
            span_id,
            flags,
        })
    }
}

/// Exactly `N` bytes of lower-case hex.
fn hex<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    if text.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        let [high, low] = *pair else { return None };
        *byte = digit(high)? << 4 | digit(low)?;
    }
    Some(bytes)
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_traceparent_is_read_strictly() {
        let context = TraceContext::parse(GOOD.as_bytes()).unwrap();
        assert_eq!(context.trace_id[0], 0x0a);
        assert_eq!(context.span_id[7], 0x31);
        assert_eq!(context.flags, 1);
        let later = GOOD.replacen("00", "cc", 1) + "-more";
        assert_eq!(TraceContext::parse(later.as_bytes()), Some(context));
    }

    #[test]
    fn anything_else_is_malformed() {
        let zero_trace = format!("00-{}-b7ad6b7169203331-01", "0".repeat(32));
        let zero_span = format!("00-0af7651916cd43dd8448eb211c80319c-{}-01", "0".repeat(16));
        for bad in [
            "",
            "00",
            &zero_trace,
            &zero_span,
            &GOOD.replacen("00", "ff", 1),
            &(GOOD.to_owned() + "-more"),
            &GOOD.to_uppercase(),
            &GOOD.replace("31-", "3-"),
            &GOOD.replace("0af", "0xf"),
        ] {
            assert_eq!(TraceContext::parse(bad.as_bytes()), None, "{bad}");
            let carried = TraceContext::carried(Some(bad.as_bytes()));
            let expected = if bad.is_empty() {
                Ok(None)
            } else {
                Err(MalformedTrace)
            };
            assert_eq!(carried, expected, "{bad}");
        }
    }
}
