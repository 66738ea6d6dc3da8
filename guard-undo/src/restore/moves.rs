//! Moves in an order in which each finds its source where the plan says, and its place empty as far
//! as the moves themselves can bring that about.

use super::item::{Action, Effect, Item};
use std::collections::HashMap;

/// Puts moves in order. Directories move before what is below them, whose sources then are where
/// the directory went. Of a circle one goes aside first.
pub(super) fn in_order(mut moves: Vec<Item>) -> Vec<Item> {
    moves.sort_by(|one, other| source(one).cmp(source(other)));
    follow_directories(&mut moves);
    let by_source: HashMap<Vec<u8>, usize> = moves
        .iter()
        .enumerate()
        .map(|(index, item)| (source(item).to_vec(), index))
        .collect();
    let mut done = vec![false; moves.len()];
    let mut ordered = Vec::with_capacity(moves.len());
    for start in 0..moves.len() {
        // What occupies a move's target moves first.
        let mut chain = Vec::new();
        let mut next = Some(start);
        while let Some(index) = next
            && !done.get(index).copied().unwrap_or(true)
            && !chain.contains(&index)
        {
            chain.push(index);
            let target = moves.get(index).map(|item| item.target.as_bytes().to_vec());
            next = target.and_then(|target| by_source.get(&target).copied());
        }
        if let Some(first) = next.filter(|index| chain.contains(index))
            && let Some(item) = moves.get_mut(first)
        {
            ordered.push(park(item));
        }
        while let Some(index) = chain.pop() {
            if let (Some(item), Some(done)) = (moves.get(index), done.get_mut(index)) {
                ordered.push(item.clone());
                *done = true;
            }
        }
    }
    ordered
}

/// What is below a directory that moves is where it went by then.
fn follow_directories(moves: &mut [Item]) {
    let went: Vec<_> = moves
        .iter()
        .map(|item| (source(item).to_vec(), item.target.as_bytes().to_vec()))
        .collect();
    for item in moves {
        let above = went.iter().rev().find_map(|(from, to)| {
            let rest = source(item).strip_prefix(from.as_slice())?;
            rest.starts_with(b"/").then(|| [to, rest].concat())
        });
        if let Some(from) = above {
            item.action = Action::Move { from: from.into() };
        }
    }
}

/// Moves an item's source aside, and makes that its source.
fn park(item: &mut Item) -> Item {
    let from = source(item).to_vec();
    let aside = [&from, &b".codex-es-guard-undo"[..]].concat();
    let step = Item {
        path: from.clone().into(),
        target: aside.clone().into(),
        action: Action::Move { from: from.into() },
        effect: Effect::Parks,
    };
    item.action = Action::Move { from: aside.into() };
    step
}

fn source(item: &Item) -> &[u8] {
    match &item.action {
        Action::Move { from } => from.as_bytes(),
        _ => b"",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(script: &str, wanted: &str) {
        let moves = script.split_whitespace().map(|word| {
            let (from, to) = word.split_once('>').unwrap();
            Item {
                path: to.as_bytes().into(),
                target: to.as_bytes().into(),
                action: Action::Move {
                    from: from.as_bytes().into(),
                },
                effect: Effect::Clear,
            }
        });
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let ordered: Vec<_> = in_order(moves.collect())
            .iter()
            .map(|item| format!("{}>{}", text(source(item)), text(item.target.as_bytes())))
            .collect();
        let ordered = ordered.join(" ").replace(".codex-es-guard-undo", "!");
        assert_eq!(ordered, wanted, "{script}");
    }

    #[test]
    fn what_occupies_the_target_moves_first() {
        check("/a>/b /b>/c /c>/d", "/c>/d /b>/c /a>/b");
        check("/c>/d /b>/c", "/c>/d /b>/c");
        check("/a>/b /b>/a", "/a>/a! /b>/a /a!>/b");
        check("/a>/b /b>/c /c>/a", "/a>/a! /c>/a /b>/c /a!>/b");
        check("/e/z>/d/y /e>/d", "/e>/d /d/z>/d/y");
    }
}
