//! Parses what `sysctl(KERN_PROCARGS2)` returns: the executable, arguments and environment of a
//! process.
//!
//! The layout, as `sysctl_procargsx` of xnu lays it out (`bsd/kern/kern_sysctl.c`):
//!
//! ```text
//! int32 argc │ path of the program, NUL │ NULs up to a word │ argv[0] NUL … argv[argc-1] NUL │
//! NAME=value NUL … │ more strings of the kernel's own
//! ```
//!
//! The bytes are the process's own memory: it may have written anything there, for example a title.
//! Nothing here trusts them; what cannot be parsed is empty.
//!
//! An empty `argv[0]` cannot be distinguished from the padding before it, and is skipped. The end
//! of the environment is not marked where a title was shortened, so that everything after the
//! arguments counts as environment; the kernel's own strings there have other names than any
//! agent's marker.

use guard_core::process::{MAX_ARGUMENTS_BYTES, MAX_ENVIRONMENT_BYTES};

/// The parts of one answer, borrowed from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ArgumentArea<'a> {
    /// The path that was executed, as it was given.
    pub program: &'a [u8],
    /// The arguments, NUL-separated, `argv[0]` first; at most [`MAX_ARGUMENTS_BYTES`].
    pub arguments: &'a [u8],
    /// The environment, NUL-separated; at most [`MAX_ENVIRONMENT_BYTES`].
    pub environment: &'a [u8],
}

// === impl ArgumentArea ===

impl<'a> ArgumentArea<'a> {
    /// Takes an answer apart.
    #[must_use]
    pub fn parse(answer: &'a [u8]) -> Self {
        let Some((count, rest)) = answer.split_first_chunk::<4>() else {
            return Self::default();
        };
        let count = i32::from_ne_bytes(*count);
        let (program, rest) = cut(rest);
        let padding = rest.iter().take_while(|&&byte| byte == 0).count();
        let rest = rest.get(padding..).unwrap_or_default();
        let mut length = 0;
        for _ in 0..count {
            let left = rest.get(length..).unwrap_or_default();
            if left.is_empty() {
                break;
            }
            let argument = left.iter().position(|&byte| byte == 0);
            length += argument.map_or(left.len(), |end| end + 1);
        }
        let (arguments, environment) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        Self {
            program,
            arguments: bounded(arguments, MAX_ARGUMENTS_BYTES),
            environment: bounded(environment, MAX_ENVIRONMENT_BYTES),
        }
    }
}

/// The bytes before the first NUL, and those after it.
fn cut(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|&byte| byte == 0);
    let end = end.unwrap_or(bytes.len());
    let (before, behind) = bytes.split_at(end);
    (before, behind.get(1..).unwrap_or_default())
}

fn bounded(bytes: &[u8], limit: usize) -> &[u8] {
    bytes.get(..limit).unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn answer(count: i32, text: &[u8]) -> Vec<u8> {
        [&count.to_ne_bytes()[..], text].concat()
    }

    #[test]
    fn a_usual_answer_is_taken_apart() {
        let text = b"/usr/bin/node\0\0\0\0node\0cli.js\0--x\0HOME=/h\0CLAUDECODE=1\0\0ptr_munge=\0";
        let answer = answer(3, text);
        let area = ArgumentArea::parse(&answer);
        assert_eq!(area.program, b"/usr/bin/node");
        assert_eq!(area.arguments, b"node\0cli.js\0--x\0");
        assert!(area.environment.starts_with(b"HOME=/h\0CLAUDECODE=1\0"));
    }

    #[test]
    fn a_title_is_seen_and_the_environment_is_not_lost_behind_it() {
        // `process.title = "claude"` over "node\0cli.js\0--x\0": the rest is filled with NULs.
        let text = b"/usr/bin/node\0\0claude\0\0\0\0\0\0\0\0\0\0HOME=/h\0CLAUDECODE=1\0";
        let answer = answer(3, text);
        let area = ArgumentArea::parse(&answer);
        assert!(area.arguments.starts_with(b"claude\0"));
        let variables: Vec<&[u8]> = area.environment.split(|&byte| byte == 0).collect();
        assert!(variables.contains(&&b"CLAUDECODE=1"[..]), "{variables:?}");
    }

    #[test]
    fn hostile_answers_are_no_more_than_empty() {
        for (bytes, arguments) in [
            (Vec::new(), &b""[..]),
            (b"\x01\0".to_vec(), b""),
            (answer(0, b"/p\0a\0"), b""),
            (answer(-1, b"/p\0a\0"), b""),
            (answer(i32::MIN, b"/p\0a\0"), b""),
            (answer(i32::MAX, b"/p\0a\0b"), b"a\0b"),
            (answer(2, b"/p"), b""),
            (answer(2, b"\0\0\0\0"), b""),
            (answer(1, b"/p\0a"), b"a"),
        ] {
            assert_eq!(
                ArgumentArea::parse(&bytes).arguments,
                arguments,
                "{bytes:?}"
            );
        }
        let long = answer(
            1,
            &[b"/p\0", &[b'x'; 2 * MAX_ARGUMENTS_BYTES][..], b"\0E=1\0"].concat(),
        );
        let area = ArgumentArea::parse(&long);
        assert_eq!(area.arguments.len(), MAX_ARGUMENTS_BYTES);
        assert_eq!(area.environment, b"E=1\0");
    }

    proptest! {
        #[test]
        fn no_bytes_whatever_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let area = ArgumentArea::parse(&bytes);
            let parts = area.program.len() + area.arguments.len() + area.environment.len();
            prop_assert!(parts <= bytes.len());
        }

        #[test]
        fn what_was_laid_out_comes_back(
            program in "/[a-z/]{1,30}",
            arguments in proptest::collection::vec("[a-z][ -~]{0,20}", 1..9),
            environment in proptest::collection::vec("[A-Z]{1,9}=[ -~]{0,20}", 0..9),
            padding in 1usize..9,
        ) {
            let list = |words: &[String]| words.iter().map(|word| format!("{word}\0")).collect::<String>();
            let text = format!("{program}{}{}{}", "\0".repeat(padding), list(&arguments), list(&environment));
            let answer = answer(i32::try_from(arguments.len()).unwrap(), text.as_bytes());
            let area = ArgumentArea::parse(&answer);
            prop_assert_eq!(area.program, program.as_bytes());
            let (arguments, environment) = (list(&arguments), list(&environment));
            prop_assert_eq!(area.arguments, arguments.as_bytes());
            prop_assert_eq!(area.environment, environment.as_bytes());
        }
    }
}
