//! Numbers that messages hold and other headers define.

/// In `fflag`: opened for reading (`sys/fcntl.h`).
pub const FREAD: i32 = 0x1;
/// In `fflag`: opened for writing (`sys/fcntl.h`).
pub const FWRITE: i32 = 0x2;
/// In `fflag`: opened to be watched only (`sys/fcntl.h`).
pub const O_EVTONLY: i32 = 0x8000;
/// In `fflag`: must be a directory (`sys/fcntl.h`).
pub const O_DIRECTORY: i32 = 0x10_0000;
/// In `fflag`: opened for execution only (`sys/fcntl.h`).
pub const O_EXEC: i32 = 0x4000_0000;
/// In `fflag`: a directory opened for searching only (`sys/fcntl.h`).
pub const O_SEARCH: i32 = O_EXEC | O_DIRECTORY;

/// In `fdtype`: AppleTalk (`sys/proc_info.h`).
pub const PROX_FDTYPE_ATALK: u32 = 0;
/// In `fdtype`: a file.
pub const PROX_FDTYPE_VNODE: u32 = 1;
/// In `fdtype`: a socket.
pub const PROX_FDTYPE_SOCKET: u32 = 2;
/// In `fdtype`: POSIX shared memory.
pub const PROX_FDTYPE_PSHM: u32 = 3;
/// In `fdtype`: a POSIX semaphore.
pub const PROX_FDTYPE_PSEM: u32 = 4;
/// In `fdtype`: a kernel event queue.
pub const PROX_FDTYPE_KQUEUE: u32 = 5;
/// In `fdtype`: a pipe.
pub const PROX_FDTYPE_PIPE: u32 = 6;
/// In `fdtype`: file system events.
pub const PROX_FDTYPE_FSEVENTS: u32 = 7;
/// In `fdtype`: a network policy.
pub const PROX_FDTYPE_NETPOLICY: u32 = 9;
/// In `fdtype`: a channel.
pub const PROX_FDTYPE_CHANNEL: u32 = 10;
/// In `fdtype`: a nexus.
pub const PROX_FDTYPE_NEXUS: u32 = 11;

/// In `codesigning_flags`: valid so far (`kern/cs_blobs.h`).
pub const CS_VALID: u32 = 0x0000_0001;
/// In `codesigning_flags`: signed ad hoc.
pub const CS_ADHOC: u32 = 0x0000_0002;
/// In `codesigning_flags`: may be debugged.
pub const CS_GET_TASK_ALLOW: u32 = 0x0000_0004;
/// In `codesigning_flags`: has the installer entitlement.
pub const CS_INSTALLER: u32 = 0x0000_0008;
/// In `codesigning_flags`: library validation, by the hardened runtime.
pub const CS_FORCED_LV: u32 = 0x0000_0010;
/// In `codesigning_flags`: may become invalid.
pub const CS_INVALID_ALLOWED: u32 = 0x0000_0020;
/// In `codesigning_flags`: invalid pages are not loaded.
pub const CS_HARD: u32 = 0x0000_0100;
/// In `codesigning_flags`: killed once invalid.
pub const CS_KILL: u32 = 0x0000_0200;
/// In `codesigning_flags`: expiry is checked.
pub const CS_CHECK_EXPIRATION: u32 = 0x0000_0400;
/// In `codesigning_flags`: restricted, as dyld has it.
pub const CS_RESTRICT: u32 = 0x0000_0800;
/// In `codesigning_flags`: enforcement is required.
pub const CS_ENFORCEMENT: u32 = 0x0000_1000;
/// In `codesigning_flags`: library validation is required.
pub const CS_REQUIRE_LV: u32 = 0x0000_2000;
/// In `codesigning_flags`: the entitlements were validated.
pub const CS_ENTITLEMENTS_VALIDATED: u32 = 0x0000_4000;
/// In `codesigning_flags`: has the entitlement to write NVRAM.
pub const CS_NVRAM_UNRESTRICTED: u32 = 0x0000_8000;
/// In `codesigning_flags`: hardened runtime.
pub const CS_RUNTIME: u32 = 0x0001_0000;
/// In `codesigning_flags`: signed by the linker.
pub const CS_LINKER_SIGNED: u32 = 0x0002_0000;
/// In `codesigning_flags`: sets `CS_HARD` on what it executes.
pub const CS_EXEC_SET_HARD: u32 = 0x0010_0000;
/// In `codesigning_flags`: sets `CS_KILL` on what it executes.
pub const CS_EXEC_SET_KILL: u32 = 0x0020_0000;
/// In `codesigning_flags`: sets `CS_ENFORCEMENT` on what it executes.
pub const CS_EXEC_SET_ENFORCEMENT: u32 = 0x0040_0000;
/// In `codesigning_flags`: what it executes is as protected.
pub const CS_EXEC_INHERIT_SIP: u32 = 0x0080_0000;
/// In `codesigning_flags`: was killed for being invalid.
pub const CS_KILLED: u32 = 0x0100_0000;
/// In `codesigning_flags`: loads no untrusted helpers.
pub const CS_NO_UNTRUSTED_HELPERS: u32 = 0x0200_0000;
/// In `codesigning_flags`: belongs to the system.
pub const CS_PLATFORM_BINARY: u32 = 0x0400_0000;
/// In `codesigning_flags`: belongs to the system by its path.
pub const CS_PLATFORM_PATH: u32 = 0x0800_0000;
/// In `codesigning_flags`: is or was debugged.
pub const CS_DEBUGGED: u32 = 0x1000_0000;
/// In `codesigning_flags`: has a signature.
pub const CS_SIGNED: u32 = 0x2000_0000;
/// In `codesigning_flags`: development code.
pub const CS_DEV_CODE: u32 = 0x4000_0000;
/// In `codesigning_flags`: controls a data vault.
pub const CS_DATAVAULT_CONTROLLER: u32 = 0x8000_0000;
