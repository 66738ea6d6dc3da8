//! Finding, replacing and evicting records, alone and under contention.

use super::*;

fn record(pid: u32, generation: u64) -> Record {
    Record {
        key: ProcessKey { pid, generation },
        ppid: 7,
        started_ns: generation,
        learnt_at_ns: 0,
        kind: Kind::Human,
        tools: ToolSet(u64::from(pid)),
        exited: false,
    }
}

#[cfg(not(loom))]
mod alone {
    use super::*;

    fn put(table: &Table, writer: &mut TableWriter, record: Record) {
        table.put(writer, record, &mut |_| false);
    }

    #[test]
    fn what_is_put_is_found_under_its_key_alone() {
        let (table, mut writer) = (Table::new(64), TableWriter::default());
        let agent = Record {
            ppid: u32::MAX,
            learnt_at_ns: u64::MAX,
            kind: Kind::Agent(AgentNumber(u32::MAX)),
            tools: ToolSet(u64::MAX),
            exited: true,
            ..record(u32::MAX, u64::MAX)
        };
        for record in [
            agent,
            record(1, 5),
            Record {
                kind: Kind::Unknown,
                ..record(1, 6)
            },
        ] {
            put(&table, &mut writer, record);
            assert_eq!(table.find(record.key), Some(record));
        }
        assert_eq!(
            table.find(ProcessKey {
                pid: 1,
                generation: 7
            }),
            None
        );
        put(
            &table,
            &mut writer,
            Record {
                kind: Kind::Unknown,
                ..record(1, 5)
            },
        );
        assert_eq!(
            table.find(record(1, 5).key).map(|r| r.kind),
            Some(Kind::Unknown)
        );
        assert_eq!((writer.len, table.records().count()), (3, 3));
    }

    #[test]
    fn a_full_window_evicts_the_exited_then_the_oldest_then_agents() {
        // The smallest table is one window.
        let (table, mut writer) = (Table::new(0), TableWriter::default());
        let agent = Kind::Agent(AgentNumber(0));
        for pid in 1..=16 {
            let learnt_at_ns = u64::from(100 - pid);
            let kind = if pid > 14 { agent } else { Kind::Human };
            put(
                &table,
                &mut writer,
                Record {
                    learnt_at_ns,
                    kind,
                    ..record(pid, 1)
                },
            );
        }
        let pids = |table: &Table| {
            let mut pids: Vec<u32> = table.records().map(|record| record.key.pid).collect();
            pids.sort_unstable();
            pids
        };
        let mut dead = |key: ProcessKey| key.pid == 3 || key.pid == 16;
        table.put(
            &mut writer,
            Record {
                learnt_at_ns: 200,
                ..record(50, 1)
            },
            &mut dead,
        );
        assert_eq!((writer.len, writer.evictions), (15, 0));
        assert!(!pids(&table).contains(&3) && !pids(&table).contains(&16));

        put(
            &table,
            &mut writer,
            Record {
                learnt_at_ns: 200,
                ..record(51, 1)
            },
        );
        put(
            &table,
            &mut writer,
            Record {
                learnt_at_ns: 200,
                ..record(52, 1)
            },
        );
        assert_eq!((writer.len, writer.evictions), (16, 1));
        // 14 is the oldest of the rest; 15, an agent's, is older still.
        assert!(!pids(&table).contains(&14) && pids(&table).contains(&15));
    }

    #[test]
    fn a_table_filled_to_seven_eighths_loses_nothing() {
        let capacity = if cfg!(miri) { 64 } else { 4096 };
        let (table, mut writer) = (Table::new(capacity as usize), TableWriter::default());
        let processes = capacity / 8 * 7;
        for pid in 100..100 + processes {
            put(&table, &mut writer, record(pid, 1));
        }
        assert_eq!((writer.len, writer.evictions), (processes as usize, 0));
    }
}

#[cfg(loom)]
mod model {
    use super::*;
    use loom::sync::Arc;
    use loom::thread;

    /// A slot is overwritten: a reader finds one record whole, or nothing.
    #[test]
    fn a_record_is_read_whole_or_not_at_all() {
        loom::model(|| {
            let table = Arc::new(Table::new(1));
            let mut writer = TableWriter::default();
            table.put(&mut writer, record(1, 1), &mut |_| false);
            let reader = {
                let table = Arc::clone(&table);
                thread::spawn(move || {
                    for wanted in [record(1, 1), record(2, 9)] {
                        if let Some(found) = table.find(wanted.key) {
                            assert_eq!(found, wanted);
                        }
                    }
                })
            };
            table.put(&mut writer, record(2, 9), &mut |_| true);
            reader.join().unwrap();
            assert_eq!(table.find(record(2, 9).key), Some(record(2, 9)));
        });
    }

    /// A record that is rewritten in place never own like another's, nor half old.
    #[test]
    fn a_change_of_attribution_is_read_whole() {
        loom::model(|| {
            let table = Arc::new(Table::new(1));
            let mut writer = TableWriter::default();
            let before = record(1, 1);
            let after = Record {
                kind: Kind::Agent(AgentNumber(3)),
                tools: ToolSet(0),
                learnt_at_ns: 9,
                ..before
            };
            table.put(&mut writer, before, &mut |_| false);
            let reader = {
                let table = Arc::clone(&table);
                thread::spawn(move || {
                    if let Some(found) = table.find(before.key) {
                        assert!(found == before || found == after, "{found:?}");
                    }
                })
            };
            table.put(&mut writer, after, &mut |_| false);
            reader.join().unwrap();
        });
    }
}
