//! What an agent made is its own, through the real wrapper, handler, decision and ring.
#![cfg(not(target_vendor = "apple"))]
#![allow(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "all of an integration test is test"
)]

#[path = "support/call.rs"]
mod call;
mod support;

use call::Call;
use endpoint_sec_sim::{Attempt, File, FileType, Machine, Process};
use std::time::Duration;
use support::Mac;

#[test]
fn an_agent_removes_what_it_was_seen_creating() {
    let mac = Mac::new(r#"{"protected_zones": ["/z"]}"#);
    mac.machine.create(File::regular("/z/document"));
    let agent = mac.chain("zsh < codex");
    assert!(Call::Create("/z/draft").allowed(&mac, &agent));
    assert!(Call::Create("/z/draft2").allowed(&mac, &mac.shell.clone()));
    let _recorded = mac.recorded();
    let (done, recorded) = mac.outcome(&mac.machine.unlink(&agent, "/z/draft"));
    assert!(done, "{recorded}");
    assert_eq!(recorded, "allow scratch codex unlink /z/draft");
    for kept in ["/z/document", "/z/draft2"] {
        let (done, recorded) = mac.outcome(&mac.machine.unlink(&agent, kept));
        assert!(
            !done && recorded.starts_with("deny agent_in_zone"),
            "{recorded}"
        );
    }
}

/// As a tool does that writes beside a directory, puts it in place, and cleans up.
#[test]
fn what_an_agent_made_stays_its_own_when_its_directory_moves() {
    let mac = Mac::new(r#"{"protected_zones": ["/z"]}"#);
    mac.machine.create(File::directory("/z/new"));
    mac.machine.create(File::regular("/z/new/document"));
    let agent = mac.chain("zsh < codex");
    assert!(Call::Create("/z/new/draft").allowed(&mac, &agent));
    assert!(Call::Rename("/z/new", "/z/d").allowed(&mac, &agent));
    let _recorded = mac.recorded();
    for (path, own) in [("/z/d/draft", true), ("/z/d/document", false)] {
        let (done, recorded) = mac.outcome(&mac.machine.unlink(&agent, path));
        assert_eq!(done, own, "{recorded}");
    }
}

#[test]
fn an_agent_removes_what_it_made_of_whatever_type() {
    let mac = Mac::new(r#"{"protected_zones": ["/z"]}"#);
    let agent = mac.chain("zsh < codex");
    let machine = &mac.machine;
    // Made by somebody else, a link is protected, and what holds nothing is not.
    for (file_type, goes) in [
        (FileType::SymbolicLink, false),
        (FileType::Fifo, true),
        (FileType::Socket, true),
    ] {
        machine.create(File::of_type(file_type, "/z/document"));
        let (done, recorded) = mac.outcome(&machine.unlink(&agent, "/z/document"));
        assert_eq!(done, goes, "{recorded}");
    }
    machine.create(File::regular("/z/source"));
    type Make = fn(&Machine, &Process) -> Attempt;
    let makes: [(&str, Make); 6] = [
        ("symbolic link", |machine, agent| {
            machine.symlink(agent, "/z/own")
        }),
        ("named pipe", |machine, agent| {
            machine.mkfifo(agent, "/z/own")
        }),
        ("socket", |machine, agent| machine.bind(agent, "/z/own")),
        ("clone", |machine, agent| {
            machine.clone_file(agent, "/z/source", "/z/own")
        }),
        ("hard link", |machine, agent| {
            let _made = machine.create_file(agent, "/z/first", 0o644).allowed();
            machine.link(agent, "/z/first", "/z/own")
        }),
        ("directory", |machine, agent| {
            machine.make_directory(agent, "/z/own")
        }),
    ];
    for (what, make) in makes {
        machine.advance(Duration::from_secs(1));
        assert!(make(machine, &agent).allowed(), "{what}");
        let (done, recorded) = mac.outcome(&machine.unlink(&agent, "/z/own"));
        assert!(done, "{what}: {recorded}");
        assert_eq!(recorded, "allow scratch codex unlink /z/own", "{what}");
        // A person's, at the same place, is not the agent's, and goes only if it holds nothing.
        assert!(make(machine, &mac.shell).allowed(), "{what}");
        let holds_nothing = matches!(what, "named pipe" | "socket");
        let is_kept = what == "directory" || !machine.unlink(&agent, "/z/own").allowed();
        assert_eq!(is_kept, !holds_nothing, "{what}");
        let person_may = machine.unlink(&mac.shell, "/z/own").allowed();
        assert!(person_may || holds_nothing, "{what}");
        let _recorded = mac.recorded();
    }
    // Moved within a zone, what is its maker's stays so.
    assert!(machine.symlink(&agent, "/z/new").allowed());
    assert!(machine.rename(&agent, "/z/new", "/z/current").allowed());
    let _recorded = mac.recorded();
    let (done, recorded) = mac.outcome(&machine.unlink(&agent, "/z/current"));
    assert!(done, "{recorded}");
}

#[test]
fn a_second_name_of_a_document_is_not_the_agent_s() {
    let mac = Mac::new(r#"{"protected_zones": ["/z"]}"#);
    mac.machine.create(File::regular("/z/document"));
    let agent = mac.chain("zsh < codex");
    // The agent made a file of this name before, so that a claim on it is left.
    assert!(Call::Create("/z/second").allowed(&mac, &agent));
    assert!(Call::Unlink("/z/second").allowed(&mac, &mac.shell));
    assert!(Call::Link("/z/document", "/z/second").allowed(&mac, &agent));
    assert!(!Call::Unlink("/z/second").allowed(&mac, &agent));
    assert!(!Call::Unlink("/z/document").allowed(&mac, &agent));
}

/// Whether a clone keeps the birth time of its source is the volume's affair.
#[test]
fn a_clone_is_its_maker_s_with_either_birth_time() {
    let directory = tempfile::tempdir().unwrap();
    let copy = directory.path().join("copy");
    std::fs::write(&copy, "").unwrap();
    let born = copy.metadata().unwrap().created().unwrap();
    let born = born.duration_since(std::time::UNIX_EPOCH).unwrap();
    let zone = directory.path().to_str().unwrap();
    let copy = copy.to_str().unwrap();
    let mac = Mac::new(&format!(r#"{{"protected_zones": ["{zone}"]}}"#));
    let agent = mac.chain("zsh < codex");
    for source in [
        File::regular("/out/source"),
        File::regular("/out/source").born(born),
    ] {
        mac.machine.create(source.clone());
        assert!(
            mac.machine
                .clone_file(&agent, source.path(), copy)
                .allowed()
        );
        if source != File::regular("/out/source") {
            mac.machine.create(File::regular(copy).born(born));
        }
        let (done, recorded) = mac.outcome(&mac.machine.unlink(&agent, copy));
        assert!(done, "{recorded}");
        assert_eq!(recorded, format!("allow scratch codex unlink {copy}"));
    }
}

#[test]
fn what_version_control_restores_or_a_tool_replaces_is_not_the_agent_s() {
    let mac = Mac::new(r#"{"protected_zones": ["/z"]}"#);
    mac.machine.create(File::regular("/z/document"));
    let (agent, git) = (mac.chain("zsh < codex"), mac.chain("git < codex"));
    let (tar, gcc) = (mac.chain("tar < codex"), mac.chain("gcc < codex"));
    for (maker, path, own) in [
        (&git, "/z/back", false),
        (&gcc, "/z/a.out", true),
        (&tar, "/z/unpacked", true),
        (&tar, "/z/document", false),
    ] {
        if path == "/z/document" {
            let (done, recorded) = mac.outcome(&mac.machine.unlink(maker, path));
            assert!(done, "{recorded}");
            assert_eq!(recorded, "allow replaced codex unlink /z/document");
        }
        assert!(Call::Create(path).allowed(&mac, maker));
        let _recorded = mac.recorded();
        let (done, recorded) = mac.outcome(&mac.machine.unlink(&agent, path));
        assert_eq!(done, own, "{recorded}");
    }
}
