//! The table of layouts of the headers of macOS 27.0, the same for arm64 and x86_64.

use super::{FieldLayout, StructLayout, name_of_selected, size_of_selected};
use crate::darwin::*;
use crate::events::*;
use crate::message::*;
use crate::muting::*;
use crate::process::*;
use crate::token::*;
use core::mem::offset_of;

/// Declares layouts: `type size/align: field offset+size, …;`.
macro_rules! layouts {
    ($(
        $name:ident $size:literal / $align:literal:
        $($($part:ident).+ $offset:literal + $len:literal $(since $version:literal)?),*;
    )*) => {
        $(
            const _: () = {
                assert!(size_of::<$name>() == $size);
                assert!(align_of::<$name>() == $align);
                $(
                    assert!(offset_of!($name, $($part).+) == $offset);
                    assert!(size_of_selected(select!($name, $($part).+)) == $len);
                )*
            };
        )*

        /// Every struct, the union of events, and the structs of Darwin that they hold.
        pub const STRUCTS: &[StructLayout] = &[$(
            StructLayout {
                name: stringify!($name),
                size: size_of::<$name>(),
                align: align_of::<$name>(),
                fields: &[$(
                    FieldLayout {
                        path: path_of!($($part).+),
                        offset: offset_of!($name, $($part).+),
                        size: size_of_selected(select!($name, $($part).+)),
                        since_message_version: since!($($version)?),
                        type_name: name_of_selected(select!($name, $($part).+)),
                    }
                ),*],
            }
        ),*];
    };
}

/// A function that selects a field.
macro_rules! select {
    ($name:ident, $($part:ident).+) => {
        |base: *const $name| {
            // SAFETY: both users of this function need its type only and never call it.
            unsafe { &raw const (*base).$($part).+ }
        }
    };
}

/// The names of nested fields as text.
macro_rules! path_of {
    ($first:ident $(. $part:ident)*) => {
        concat!(stringify!($first) $(, ".", stringify!($part))*)
    };
}

/// A message version, or none.
macro_rules! since {
    () => {
        None
    };
    ($version:literal) => {
        Some($version)
    };
}

layouts! {
    audit_token_t 32/4: val 0+32;
    timespec 16/8: tv_sec 0+8, tv_nsec 8+8;
    timeval 16/8: tv_sec 0+8, tv_usec 8+4;
    stat 144/8: st_dev 0+4, st_mode 4+2, st_nlink 6+2, st_ino 8+8, st_uid 16+4, st_gid 20+4,
        st_rdev 24+4, st_atimespec 32+16, st_mtimespec 48+16, st_ctimespec 64+16,
        st_birthtimespec 80+16, st_size 96+8, st_blocks 104+8, st_blksize 112+4, st_flags 116+4,
        st_gen 120+4, st_lspare 124+4, st_qspare 128+16;
    fsid_t 8/4: val 0+8;
    statfs 2168/8: f_bsize 0+4, f_iosize 4+4, f_blocks 8+8, f_bfree 16+8, f_bavail 24+8,
        f_files 32+8, f_ffree 40+8, f_fsid 48+8, f_owner 56+4, f_type 60+4, f_flags 64+4,
        f_fssubtype 68+4, f_fstypename 72+16, f_mntonname 88+1024, f_mntfromname 1112+1024,
        f_flags_ext 2136+4, f_reserved 2140+28;
    attrlist 24/4: bitmapcount 0+2, reserved 2+2, commonattr 4+4, volattr 8+4, dirattr 12+4,
        fileattr 16+4, forkattr 20+4;
    attribute_set_t 20/4: commonattr 0+4, volattr 4+4, dirattr 8+4, fileattr 12+4, forkattr 16+4;
    es_token_t 16/8: size 0+8, data 8+8;
    es_string_token_t 16/8: length 0+8, data 8+8;
    es_file_t 168/8: path 0+16, path_truncated 16+1, stat 24+144;
    es_process_t 248/8: audit_token 0+32, ppid 32+4, original_ppid 36+4, group_id 40+4,
        session_id 44+4, codesigning_flags 48+4, is_platform_binary 52+1, is_es_client 53+1,
        cdhash 54+20, signing_id 80+16, team_id 96+16, executable 112+8, tty 120+8 since 2,
        start_time 128+16 since 3, responsible_audit_token 144+32 since 4,
        parent_audit_token 176+32 since 4, cs_validation_category 208+4 since 10,
        reserved 212+16, cdhash_full 232+16 since 11;
    es_thread_t 8/8: thread_id 0+8;
    es_thread_state_t 24/8: flavor 0+4, state 8+16;
    es_signed_file_info_t 56/8: cdhash 0+20, signing_id 24+16, team_id 40+16;
    es_lightweight_code_requirement_t 32/8: team_id 0+16, signing_id 16+16;
    es_muted_path_t 40/8: type_ 0+4, event_count 8+8, events 16+8, path 24+16;
    es_muted_paths_t 16/8: count 0+8, paths 8+8;
    es_muted_process_t 48/8: audit_token 0+32, event_count 32+8, events 40+8;
    es_muted_processes_t 16/8: count 0+8, processes 8+8;
    es_event_id_t 32/1: reserved 0+32;
    es_result_t 36/4: result_type 0+4, result 4+32, result.auth 4+4, result.flags 4+4,
        result.reserved 4+32;
    es_message_t 224/8: version 0+4, time 8+16, mach_time 24+8, deadline 32+8, process 40+8,
        seq_num 48+8 since 2, action_type 56+4, action 60+36, action.auth 60+32,
        action.notify 60+36, event_type 96+4, event 104+104, thread 208+8 since 4,
        global_seq_num 216+8 since 4, opaque 224+0;
    es_event_exec_t 88/8: target 0+8, dyld_exec_path 8+16 since 7, anonymous 24+64,
        anonymous.reserved 24+64, anonymous.fields 24+32, anonymous.fields.script 24+8 since 2,
        anonymous.fields.cwd 32+8 since 3, anonymous.fields.last_fd 40+4 since 4,
        anonymous.fields.image_cputype 44+4 since 6,
        anonymous.fields.image_cpusubtype 48+4 since 6;
    es_fd_t 16/8: fd 0+4, fdtype 4+4, anonymous 8+8, anonymous.pipe 8+8,
        anonymous.pipe.pipe_id 8+8;
    es_event_fork_t 72/8: child 0+8, reserved 8+64;
    es_event_exit_t 68/4: stat 0+4, reserved 4+64;
    es_event_signal_t 80/8: sig 0+4, target 8+8, instigator 16+8 since 9, reserved 24+56;
    es_event_get_task_t 72/8: target 0+8, type_ 8+4 since 5, reserved 12+60;
    es_event_get_task_read_t 72/8: target 0+8, type_ 8+4 since 5, reserved 12+60;
    es_event_get_task_inspect_t 72/8: target 0+8, type_ 8+4 since 5, reserved 12+60;
    es_event_get_task_name_t 72/8: target 0+8, type_ 8+4 since 5, reserved 12+60;
    es_event_proc_check_t 80/8: target 0+8, type_ 8+4, flavor 12+4, reserved 16+64;
    es_event_proc_suspend_resume_t 80/8: target 0+8, type_ 8+4, reserved 12+64;
    es_event_trace_t 72/8: target 0+8, reserved 8+64;
    es_event_remote_thread_create_t 80/8: target 0+8, thread_state 8+8, reserved 16+64;
    es_event_cs_invalidated_t 64/1: reserved 0+64;
    es_event_setuid_t 68/4: uid 0+4, reserved 4+64;
    es_event_setgid_t 68/4: gid 0+4, reserved 4+64;
    es_event_seteuid_t 68/4: euid 0+4, reserved 4+64;
    es_event_setegid_t 68/4: egid 0+4, reserved 4+64;
    es_event_setreuid_t 72/4: ruid 0+4, euid 4+4, reserved 8+64;
    es_event_setregid_t 72/4: rgid 0+4, egid 4+4, reserved 8+64;
    es_event_open_t 80/8: fflag 0+4, file 8+8, reserved 16+64;
    es_event_close_t 80/8: modified 0+1, target 8+8, anonymous 16+64, anonymous.reserved 16+64,
        anonymous.fields 16+1, anonymous.fields.was_mapped_writable 16+1 since 6;
    es_event_create_t 104/8: destination_type 0+4, destination 8+32,
        destination.existing_file 8+8, destination.new_path 8+32, destination.new_path.dir 8+8,
        destination.new_path.filename 16+16, destination.new_path.mode 32+2, reserved2 40+16,
        anonymous 56+48, anonymous.reserved 56+48, anonymous.fields 56+8,
        anonymous.fields.acl 56+8 since 2;
    es_event_unlink_t 80/8: target 0+8, parent_dir 8+8, reserved 16+64;
    es_event_link_t 96/8: source 0+8, target_dir 8+8, target_filename 16+16, reserved 32+64;
    es_event_rename_t 104/8: source 0+8, destination_type 8+4, destination 16+24,
        destination.existing_file 16+8, destination.new_path 16+24,
        destination.new_path.dir 16+8, destination.new_path.filename 24+16, reserved 40+64;
    es_event_clone_t 96/8: source 0+8, target_dir 8+8, target_name 16+16, reserved 32+64;
    es_event_copyfile_t 104/8: source 0+8, target_file 8+8, target_dir 16+8, target_name 24+16,
        mode 40+2, flags 44+4, reserved 48+56;
    es_event_exchangedata_t 80/8: file1 0+8, file2 8+8, reserved 16+64;
    es_event_write_t 72/8: target 0+8, reserved 8+64;
    es_event_truncate_t 72/8: target 0+8, reserved 8+64;
    es_event_dup_t 72/8: target 0+8, reserved 8+64;
    es_event_fcntl_t 80/8: target 0+8, cmd 8+4, reserved 12+64;
    es_event_access_t 80/8: mode 0+4, target 8+8, reserved 16+64;
    es_event_stat_t 72/8: target 0+8, reserved 8+64;
    es_event_lookup_t 88/8: source_dir 0+8, relative_target 8+16, reserved 24+64;
    es_event_readlink_t 72/8: source 0+8, reserved 8+64;
    es_event_readdir_t 72/8: target 0+8, reserved 8+64;
    es_event_searchfs_t 96/8: attrlist 0+24, target 24+8, reserved 32+64;
    es_event_fsgetpath_t 72/8: target 0+8, reserved 8+64;
    es_event_chdir_t 72/8: target 0+8, reserved 8+64;
    es_event_chroot_t 72/8: target 0+8, reserved 8+64;
    es_event_setmode_t 80/8: mode 0+2, target 8+8, reserved 16+64;
    es_event_setflags_t 80/8: flags 0+4, target 8+8, reserved 16+64;
    es_event_setowner_t 80/8: uid 0+4, gid 4+4, target 8+8, reserved 16+64;
    es_event_utimes_t 104/8: target 0+8, atime 8+16, mtime 24+16, reserved 40+64;
    es_event_setacl_t 88/8: target 0+8, set_or_clear 8+4, acl 16+8, acl.set 16+8,
        reserved 24+64;
    es_event_getattrlist_t 96/8: attrlist 0+24, target 24+8, reserved 32+64;
    es_event_setattrlist_t 96/8: attrlist 0+24, target 24+8, reserved 32+64;
    es_event_getextattr_t 88/8: target 0+8, extattr 8+16, reserved 24+64;
    es_event_setextattr_t 88/8: target 0+8, extattr 8+16, reserved 24+64;
    es_event_listextattr_t 72/8: target 0+8, reserved 8+64;
    es_event_deleteextattr_t 88/8: target 0+8, extattr 8+16, reserved 24+64;
    es_event_mount_t 72/8: statfs 0+8, disposition 8+4 since 8, reserved 12+60;
    es_event_unmount_t 72/8: statfs 0+8, reserved 8+64;
    es_event_remount_t 72/8: statfs 0+8, remount_flags 8+8 since 8, disposition 16+4 since 8,
        reserved 20+52;
    es_event_mmap_t 96/8: protection 0+4, max_protection 4+4, flags 8+4, file_pos 16+8,
        source 24+8, reserved 32+64;
    es_event_mprotect_t 88/8: protection 0+4, address 8+8, size 16+8, reserved 24+64;
    es_event_kextload_t 80/8: identifier 0+16, reserved 16+64;
    es_event_kextunload_t 80/8: identifier 0+16, reserved 16+64;
    es_event_iokit_open_t 88/8: user_client_type 0+4, user_client_class 8+16,
        parent_registry_id 24+8 since 10, parent_path 32+16 since 10, reserved 48+40;
    es_event_settime_t 64/1: reserved 0+64;
    es_event_file_provider_materialize_t 88/8: instigator 0+8, source 8+8, target 16+8,
        instigator_token 24+32 since 8, reserved 56+32;
    es_event_file_provider_update_t 88/8: source 0+8, target_path 8+16, reserved 24+64;
    es_event_uipc_bind_t 96/8: dir 0+8, filename 8+16, mode 24+2, reserved 26+64;
    es_event_uipc_connect_t 88/8: file 0+8, domain 8+4, type_ 12+4, protocol 16+4,
        reserved 20+64;
    es_event_pty_grant_t 68/4: dev 0+4, reserved 4+64;
    es_event_pty_close_t 68/4: dev 0+4, reserved 4+64;
    es_event_xpc_connect_t 24/8: service_name 0+16, service_domain_type 16+4;
    es_event_bootstrap_check_in_t 56/8: instigator 0+8, instigator_token 8+32,
        service_name 40+16;
    es_event_bootstrap_look_up_t 120/8: instigator 0+8, instigator_token 8+32,
        service_name 40+16, target_type 56+4, target 64+56, target.process 64+56,
        target.process.target 64+8, target.process.target_token 72+32,
        target.process.job_label 104+16, target.job 64+24, target.job.job_label 64+16,
        target.job.lwcr 80+8;
    es_event_authentication_od_t 104/8: instigator 0+8, record_type 8+16, record_name 24+16,
        node_name 40+16, db_path 56+16, instigator_token 72+32 since 8;
    es_event_authentication_touchid_t 56/8: instigator 0+8, touchid_mode 8+4, has_uid 12+1,
        uid 16+4, uid.uid 16+4, instigator_token 20+32 since 8;
    es_event_authentication_token_t 88/8: instigator 0+8, pubkey_hash 8+16, token_id 24+16,
        kerberos_principal 40+16, instigator_token 56+32 since 8;
    es_event_authentication_auto_unlock_t 24/8: username 0+16, type_ 16+4;
    es_event_authentication_t 16/8: success 0+1, type_ 4+4, data 8+8, data.od 8+8,
        data.touchid 8+8, data.token 8+8, data.auto_unlock 8+8;
    es_event_lw_session_login_t 24/8: username 0+16, graphical_session_id 16+4;
    es_event_lw_session_logout_t 24/8: username 0+16, graphical_session_id 16+4;
    es_event_lw_session_lock_t 24/8: username 0+16, graphical_session_id 16+4;
    es_event_lw_session_unlock_t 24/8: username 0+16, graphical_session_id 16+4;
    es_event_screensharing_attach_t 96/8: success 0+1, source_address_type 4+4,
        source_address 8+16, viewer_appleid 24+16, authentication_type 40+16,
        authentication_username 56+16, session_username 72+16, existing_session 88+1,
        graphical_session_id 92+4;
    es_event_screensharing_detach_t 48/8: source_address_type 0+4, source_address 8+16,
        viewer_appleid 24+16, graphical_session_id 40+4;
    es_event_openssh_login_t 56/8: success 0+1, result_type 4+4, source_address_type 8+4,
        source_address 16+16, username 32+16, has_uid 48+1, uid 52+4, uid.uid 52+4;
    es_event_openssh_logout_t 48/8: source_address_type 0+4, source_address 8+16,
        username 24+16, uid 40+4;
    es_event_login_login_t 48/8: success 0+1, failure_message 8+16, username 24+16,
        has_uid 40+1, uid 44+4, uid.uid 44+4;
    es_event_login_logout_t 24/8: username 0+16, uid 16+4;
    es_event_su_t 120/8: success 0+1, failure_message 8+16, from_uid 24+4, from_username 32+16,
        has_to_uid 48+1, to_uid 52+4, to_uid.uid 52+4, to_username 56+16, shell 72+16,
        argc 88+8, argv 96+8, env_count 104+8, env 112+8;
    es_sudo_reject_info_t 40/8: plugin_name 0+16, plugin_type 16+4, failure_message 24+16;
    es_event_sudo_t 80/8: success 0+1, reject_info 8+8, has_from_uid 16+1, from_uid 20+4,
        from_uid.uid 20+4, from_username 24+16, has_to_uid 40+1, to_uid 44+4, to_uid.uid 44+4,
        to_username 48+16, command 64+16;
    es_event_xp_malware_detected_t 80/8: signature_version 0+16, malware_identifier 16+16,
        incident_identifier 32+16, detected_path 48+16, detected_executable 64+16 since 10;
    es_event_xp_malware_remediated_t 112/8: signature_version 0+16, malware_identifier 16+16,
        incident_identifier 32+16, action_type 48+16, success 64+1, result_description 72+16,
        remediated_path 88+16, remediated_process_audit_token 104+8;
    es_btm_launch_item_t 48/8: item_type 0+4, legacy 4+1, managed 5+1, uid 8+4, item_url 16+16,
        app_url 32+16;
    es_event_btm_launch_item_add_t 56/8: instigator 0+8, app 8+8, item 16+8,
        executable_path 24+16, instigator_token 40+8 since 8, app_token 48+8 since 8;
    es_event_btm_launch_item_remove_t 40/8: instigator 0+8, app 8+8, item 16+8,
        instigator_token 24+8 since 8, app_token 32+8 since 8;
    es_profile_t 88/8: identifier 0+16, uuid 16+16, install_source 32+4, organization 40+16,
        display_name 56+16, scope 72+16;
    es_event_profile_add_t 56/8: instigator 0+8, is_update 8+1, profile 16+8,
        instigator_token 24+32 since 8;
    es_event_profile_remove_t 48/8: instigator 0+8, profile 8+8, instigator_token 16+32 since 8;
    es_event_authorization_petition_t 104/8: instigator 0+8, petitioner 8+8, flags 16+4,
        right_count 24+8, rights 32+8, instigator_token 40+32 since 8,
        petitioner_token 72+32 since 8;
    es_authorization_result_t 24/8: right_name 0+16, rule_class 16+4, granted 20+1;
    es_event_authorization_judgement_t 104/8: instigator 0+8, petitioner 8+8, return_code 16+4,
        result_count 24+8, results 32+8, instigator_token 40+32 since 8,
        petitioner_token 72+32 since 8;
    es_event_gatekeeper_user_override_t 40/8: file_type 0+4, file 8+16, file.file_path 8+16,
        file.file 8+8, sha256 24+8, signing_info 32+8;
    es_event_tcc_modify_t 104/8: service 0+16, identity 16+16, identity_type 32+4,
        update_type 36+4, instigator_token 40+32, instigator 72+8, responsible_token 80+8,
        responsible 88+8, right 96+4, reason 100+4;
    es_od_member_id_t 24/8: member_type 0+4, member_value 8+16, member_value.uuid 8+16,
        member_value.name 8+16;
    es_od_member_id_array_t 24/8: member_type 0+4, member_count 8+8, member_array 16+8,
        member_array.uuids 16+8, member_array.names 16+8;
    es_event_od_group_add_t 104/8: instigator 0+8, error_code 8+4, group_name 16+16,
        member 32+8, node_name 40+16, db_path 56+16, instigator_token 72+32 since 8;
    es_event_od_group_remove_t 104/8: instigator 0+8, error_code 8+4, group_name 16+16,
        member 32+8, node_name 40+16, db_path 56+16, instigator_token 72+32 since 8;
    es_event_od_group_set_t 104/8: instigator 0+8, error_code 8+4, group_name 16+16,
        members 32+8, node_name 40+16, db_path 56+16, instigator_token 72+32 since 8;
    es_event_od_modify_password_t 96/8: instigator 0+8, error_code 8+4, account_type 12+4,
        account_name 16+16, node_name 32+16, db_path 48+16, instigator_token 64+32 since 8;
    es_event_od_disable_user_t 96/8: instigator 0+8, error_code 8+4, user_name 16+16,
        node_name 32+16, db_path 48+16, instigator_token 64+32 since 8;
    es_event_od_enable_user_t 96/8: instigator 0+8, error_code 8+4, user_name 16+16,
        node_name 32+16, db_path 48+16, instigator_token 64+32 since 8;
    es_event_od_attribute_value_add_t 128/8: instigator 0+8, error_code 8+4, record_type 12+4,
        record_name 16+16, attribute_name 32+16, attribute_value 48+16, node_name 64+16,
        db_path 80+16, instigator_token 96+32 since 8;
    es_event_od_attribute_value_remove_t 128/8: instigator 0+8, error_code 8+4,
        record_type 12+4, record_name 16+16, attribute_name 32+16, attribute_value 48+16,
        node_name 64+16, db_path 80+16, instigator_token 96+32 since 8;
    es_event_od_attribute_set_t 128/8: instigator 0+8, error_code 8+4, record_type 12+4,
        record_name 16+16, attribute_name 32+16, attribute_value_count 48+8,
        attribute_values 56+8, node_name 64+16, db_path 80+16, instigator_token 96+32 since 8;
    es_event_od_create_user_t 96/8: instigator 0+8, error_code 8+4, user_name 16+16,
        node_name 32+16, db_path 48+16, instigator_token 64+32 since 8;
    es_event_od_create_group_t 96/8: instigator 0+8, error_code 8+4, group_name 16+16,
        node_name 32+16, db_path 48+16, instigator_token 64+32 since 8;
    es_event_od_delete_user_t 96/8: instigator 0+8, error_code 8+4, user_name 16+16,
        node_name 32+16, db_path 48+16, instigator_token 64+32 since 8;
    es_event_od_delete_group_t 96/8: instigator 0+8, error_code 8+4, group_name 16+16,
        node_name 32+16, db_path 48+16, instigator_token 64+32 since 8;
    es_events_t 104/8: access 0+80, chdir 0+72, chroot 0+72, clone 0+96, close 0+80,
        copyfile 0+104, create 0+104, cs_invalidated 0+64, deleteextattr 0+88, dup 0+72,
        exchangedata 0+80, exec 0+88, exit 0+68, file_provider_materialize 0+88,
        file_provider_update 0+88, fcntl 0+80, fork 0+72, fsgetpath 0+72, get_task 0+72,
        get_task_read 0+72, get_task_inspect 0+72, get_task_name 0+72, getattrlist 0+96,
        getextattr 0+88, iokit_open 0+88, kextload 0+80, kextunload 0+80, link 0+96,
        listextattr 0+72, lookup 0+88, mmap 0+96, mount 0+72, mprotect 0+88, open 0+80,
        proc_check 0+80, proc_suspend_resume 0+80, pty_close 0+68, pty_grant 0+68, readdir 0+72,
        readlink 0+72, remote_thread_create 0+80, remount 0+72, rename 0+104, searchfs 0+96,
        setacl 0+88, setattrlist 0+96, setextattr 0+88, setflags 0+80, setmode 0+80,
        setowner 0+80, settime 0+64, setuid 0+68, setgid 0+68, seteuid 0+68, setegid 0+68,
        setreuid 0+72, setregid 0+72, signal 0+80, stat 0+72, trace 0+72, truncate 0+72,
        uipc_bind 0+96, uipc_connect 0+88, unlink 0+80, unmount 0+72, utimes 0+104, write 0+72,
        authentication 0+8, xp_malware_detected 0+8, xp_malware_remediated 0+8,
        lw_session_login 0+8, lw_session_logout 0+8, lw_session_lock 0+8, lw_session_unlock 0+8,
        screensharing_attach 0+8, screensharing_detach 0+8, openssh_login 0+8,
        openssh_logout 0+8, login_login 0+8, login_logout 0+8, btm_launch_item_add 0+8,
        btm_launch_item_remove 0+8, profile_add 0+8, profile_remove 0+8, su 0+8,
        authorization_petition 0+8, authorization_judgement 0+8, sudo 0+8, od_group_add 0+8,
        od_group_remove 0+8, od_group_set 0+8, od_modify_password 0+8, od_disable_user 0+8,
        od_enable_user 0+8, od_attribute_value_add 0+8, od_attribute_value_remove 0+8,
        od_attribute_set 0+8, od_create_user 0+8, od_create_group 0+8, od_delete_user 0+8,
        od_delete_group 0+8, xpc_connect 0+8, gatekeeper_user_override 0+8, tcc_modify 0+8,
        bootstrap_check_in 0+8, bootstrap_look_up 0+8;
}
