//! What the exporter needs of the system while it runs.

use crate::cli::{RingDirectories, Settings};
use crate::otlp::Config;
use guard_report::rings::FileId;
use std::ffi::OsString;
use std::fs::DirBuilder;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// What a confined exporter may use.
#[derive(Clone, Debug)]
pub struct Needs {
    /// Directories that it reads and writes, with everything below.
    pub own: Vec<PathBuf>,
    /// Directories of rings, whose files it reads and removes.
    pub rings: Vec<PathBuf>,
    /// Other files and directories that it reads.
    pub read: Vec<PathBuf>,
    /// The port it listens on; 0 for any free one.
    pub listen: u16,
    /// The ports that it connects to. Names can be resolved if there are any.
    pub connect: Vec<u16>,
}

/// The directories that a confined exporter depends on, with their identities when it was confined.
#[derive(Clone, Debug, Default)]
pub struct SandboxPaths(Vec<(PathBuf, Option<FileId>)>);

// === impl Needs ===

impl Needs {
    /// The needs of an exporter with these settings. Creates the directories that guards will put rings
    /// into; where only root can create them, an existing parent may be read.
    #[must_use]
    pub fn of(settings: &Settings, uid: u32) -> Self {
        let directory = |log: &Path| {
            log.parent().map(|directory| {
                if directory.as_os_str().is_empty() {
                    PathBuf::from(".")
                } else {
                    directory.to_owned()
                }
            })
        };
        let logs = [&settings.denials, &settings.changes, &settings.overrides];
        let mut own = vec![settings.state.clone()];
        for directory in logs.into_iter().filter_map(|log| directory(log)) {
            if !own.contains(&directory) {
                own.push(directory);
            }
        }
        let rings = settings.rings.resolve(uid).into_iter();
        let rings = match &settings.rings {
            RingDirectories::Given(_) => rings.collect(),
            // Guards create and replace `rings` itself, so the parent is granted.
            RingDirectories::Usual { .. } => rings
                .filter_map(|directory| directory.parent().map(Path::to_owned))
                .collect::<Vec<_>>(),
        };
        let mut needs = Self {
            own,
            rings: Vec::new(),
            read: vec![PathBuf::from("/proc/self")],
            listen: settings.listen.port(),
            connect: Vec::new(),
        };
        for directory in rings {
            needs.add_rings(directory, uid);
        }
        for port in settings.otlp.iter().flat_map(Config::ports) {
            needs.allow_port(port);
        }
        if settings.otlp.is_some() {
            needs
                .connect
                .extend(proxy_ports(|name| std::env::var(name).ok()));
            needs
                .read
                .extend(authorities(|name| std::env::var_os(name)));
        }
        needs
    }

    /// A directory of rings, which may not exist yet.
    fn add_rings(&mut self, directory: PathBuf, uid: u32) {
        // Where this fails, only root creates it.
        drop(DirBuilder::new().mode(0o700).create(&directory));
        match directory.metadata().map(|found| found.uid()) {
            Ok(owner) if owner == uid => self.rings.push(directory),
            Ok(0) => self.read.push(directory),
            // Directories of other users are never read.
            Ok(_) => {}
            Err(_) => {
                let mut above = directory.ancestors();
                self.read
                    .extend(above.find(|path| path.is_dir()).map(PathBuf::from));
            }
        }
    }

    /// Allows to send to a collector on this port: to connect, to resolve its name, and to check its
    /// certificate. Whole directories are readable for that, since the files in them are replaced while
    /// the exporter runs.
    pub fn allow_port(&mut self, port: u16) {
        // An answer that does not fit into a datagram is requested again by TCP.
        self.connect.extend([port, DNS_PORT]);
        self.read.extend(RESOLVER.map(PathBuf::from));
    }

    /// The directories it depends on. One below another of its own is granted with that, and may be
    /// replaced.
    #[must_use]
    pub fn paths(&self) -> SandboxPaths {
        let is_within = |path: &PathBuf| {
            let above = |own: &PathBuf| own != path && path.starts_with(own);
            self.own.iter().any(above)
        };
        let all = self.own.iter().chain(&self.rings);
        let all = all.filter(|path| !is_within(path));
        SandboxPaths(
            all.map(|path| (path.clone(), FileId::behind(path)))
                .collect(),
        )
    }
}

// === impl SandboxPaths ===

impl SandboxPaths {
    /// A path that is now another directory.
    #[must_use]
    pub fn replaced(&self) -> Option<&Path> {
        let is_another = |(path, was): &&(PathBuf, Option<FileId>)| {
            FileId::behind(path).is_some_and(|now| Some(now) != *was)
        };
        self.0
            .iter()
            .find(is_another)
            .map(|(path, _)| path.as_path())
    }
}

/// Certificates of authorities that are configured in place of the system's.
fn authorities(variable: impl Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let named = AUTHORITIES.iter().filter_map(|name| variable(name));
    let paths = named.flat_map(|list| std::env::split_paths(&list).collect::<Vec<_>>());
    paths.filter(|path| path.is_absolute()).collect()
}

/// The ports of the configured HTTP proxies.
fn proxy_ports(variable: impl Fn(&str) -> Option<String>) -> Vec<u16> {
    let proxies = PROXIES.iter().filter_map(|name| variable(name));
    proxies
        .filter_map(|proxy| {
            let has_scheme = proxy.contains("://");
            let address = if has_scheme {
                proxy
            } else {
                format!("http://{proxy}")
            };
            let uri: http::Uri = address.parse().ok()?;
            let usual = match uri.scheme_str() {
                Some("https") => 443,
                Some("http") => 80,
                _ => 1080,
            };
            Some(uri.port_u16().unwrap_or(usual))
        })
        .collect()
}

const AUTHORITIES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

const PROXIES: [&str; 6] = [
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
];

const DNS_PORT: u16 = 53;

/// The resolver's configuration and the certificates of authorities.
const RESOLVER: [&str; 4] = [
    "/etc",
    "/run/systemd/resolve",
    "/usr/share/ca-certificates",
    "/usr/lib/ssl",
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_ports_of_proxies_are_found() {
        let variable = |name: &str| {
            Some(match name {
                "HTTP_PROXY" => "proxy.example:3128".to_owned(),
                "https_proxy" => "https://user:word@proxy.example/".to_owned(),
                "all_proxy" => "socks5h://[::1]".to_owned(),
                _ => return None,
            })
        };
        assert_eq!(proxy_ports(variable), [3128, 443, 1080]);
    }

    #[test]
    fn authorities_of_the_user_s_own_can_be_read() {
        let variable = |name: &str| {
            Some(OsString::from(match name {
                "SSL_CERT_FILE" => "/ca/own.pem",
                "SSL_CERT_DIR" => "/ca/more:relative:/ca/most",
                _ => return None,
            }))
        };
        let found = authorities(variable);
        assert_eq!(
            found,
            ["/ca/own.pem", "/ca/more", "/ca/most"].map(PathBuf::from)
        );
    }

    #[test]
    fn a_directory_is_replaced_when_another_has_its_path() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        let needs = |own: &Path| Needs {
            own: vec![own.to_owned()],
            rings: Vec::new(),
            read: Vec::new(),
            listen: 0,
            connect: Vec::new(),
        };
        fs::create_dir(&state).unwrap();
        let paths = needs(&state).paths();
        assert_eq!(paths.replaced(), None);
        let aside = dir.path().join("aside");
        fs::rename(&state, &aside).unwrap();
        assert_eq!(paths.replaced(), None, "it may come back");
        fs::create_dir(&state).unwrap();
        assert_eq!(paths.replaced(), Some(state.as_path()));
        fs::remove_dir(&state).unwrap();
        fs::rename(&aside, &state).unwrap();
        assert_eq!(paths.replaced(), None);
        assert_eq!(SandboxPaths::default().replaced(), None);
    }
}
