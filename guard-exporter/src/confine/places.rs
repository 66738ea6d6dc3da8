//! What the exporter needs of the system while it runs.

use crate::cli::{RingDirectories, Settings};
use crate::otlp::Config;
use guard_report::rings::FileId;
use std::fs::DirBuilder;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// What is left to the exporter when it is confined.
#[derive(Clone, Debug)]
pub struct Needs {
    /// Directories that it reads and writes, with all below.
    pub own: Vec<PathBuf>,
    /// Directories of rings: it reads and removes files.
    pub rings: Vec<PathBuf>,
    /// Other files and directories that it reads.
    pub read: Vec<PathBuf>,
    /// The port it listens on; 0 for any free one.
    pub listen: u16,
    /// The ports that it connects to. Names can be looked up when there is one.
    pub connect: Vec<u16>,
}

/// The directories that a confined exporter depends on, as they were.
#[derive(Clone, Debug, Default)]
pub struct Places(Vec<(PathBuf, Option<FileId>)>);

// === impl Needs ===

impl Needs {
    /// Of an exporter with these settings. Makes the directories that guards will put rings into, as
    /// far as it can; where only root can, what is above them is read.
    #[must_use]
    pub fn of(settings: &Settings, uid: u32) -> Self {
        let log = settings.denials.parent().map(|directory| {
            if directory.as_os_str().is_empty() {
                PathBuf::from(".")
            } else {
                directory.to_owned()
            }
        });
        let rings = settings.rings.resolve(uid).into_iter();
        let rings = match &settings.rings {
            RingDirectories::Given(_) => rings.collect(),
            // The guards make `rings` itself, so that its parent is what lasts.
            RingDirectories::Usual { .. } => rings
                .filter_map(|directory| directory.parent().map(Path::to_owned))
                .collect::<Vec<_>>(),
        };
        let mut needs = Self {
            own: [Some(settings.state.clone()), log]
                .into_iter()
                .flatten()
                .collect(),
            rings: Vec::new(),
            read: vec![PathBuf::from("/proc/self")],
            listen: settings.listen.port(),
            connect: Vec::new(),
        };
        for directory in rings {
            needs.look_into(directory, uid);
        }
        for port in settings.otlp.iter().flat_map(Config::ports) {
            needs.reach(port);
        }
        if settings.otlp.is_some() {
            needs
                .connect
                .extend(proxy_ports(|name| std::env::var(name).ok()));
        }
        needs
    }

    /// A directory of rings, there or to come.
    fn look_into(&mut self, directory: PathBuf, uid: u32) {
        // Where it cannot be made, only root makes it.
        drop(DirBuilder::new().mode(0o700).create(&directory));
        match directory.metadata().map(|found| found.uid()) {
            Ok(owner) if owner == uid => self.rings.push(directory),
            Ok(0) => self.read.push(directory),
            // Another user's is never looked into.
            Ok(_) => {}
            Err(_) => {
                let mut above = directory.ancestors();
                self.read
                    .extend(above.find(|path| path.is_dir()).map(PathBuf::from));
            }
        }
    }

    /// What it takes to send to a collector on this port, wherever that is: to connect there, to look
    /// up its name, and to check its certificate. Whole directories are read for that, since what
    /// stands in them is replaced while the exporter runs.
    pub fn reach(&mut self, port: u16) {
        // A server that answers too much by datagram is asked again by a connection.
        self.connect.extend([port, DNS_PORT]);
        self.read.extend(RESOLVER.map(PathBuf::from));
    }

    /// The directories it depends on. What lies within another of its own is granted with that, and
    /// may come and go.
    #[must_use]
    pub fn places(&self) -> Places {
        let is_within = |path: &PathBuf| {
            let above = |own: &PathBuf| own != path && path.starts_with(own);
            self.own.iter().any(above)
        };
        let all = self.own.iter().chain(&self.rings);
        let all = all.filter(|path| !is_within(path));
        Places(
            all.map(|path| (path.clone(), FileId::behind(path)))
                .collect(),
        )
    }
}

// === impl Places ===

impl Places {
    /// A path that leads to another directory than it did.
    #[must_use]
    pub fn displaced(&self) -> Option<&Path> {
        let is_another = |(path, was): &&(PathBuf, Option<FileId>)| {
            FileId::behind(path).is_some_and(|now| Some(now) != *was)
        };
        self.0
            .iter()
            .find(is_another)
            .map(|(path, _)| path.as_path())
    }
}

/// The ports of the proxies that a client of HTTP goes through.
fn proxy_ports(variable: impl Fn(&str) -> Option<String>) -> Vec<u16> {
    let said = PROXIES.iter().filter_map(|name| variable(name));
    said.filter_map(|proxy| {
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

const PROXIES: [&str; 6] = [
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
];

const DNS_PORT: u16 = 53;

/// Where the resolver's settings and the certificates of authorities are.
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
    fn proxies_are_reached_by_their_ports() {
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
    fn a_directory_is_displaced_when_another_has_its_path() {
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
        let places = needs(&state).places();
        assert_eq!(places.displaced(), None);
        let aside = dir.path().join("aside");
        fs::rename(&state, &aside).unwrap();
        assert_eq!(places.displaced(), None, "it may come back");
        fs::create_dir(&state).unwrap();
        assert_eq!(places.displaced(), Some(state.as_path()));
        fs::remove_dir(&state).unwrap();
        fs::rename(&aside, &state).unwrap();
        assert_eq!(places.displaced(), None);
        assert_eq!(Places::default().displaced(), None);
    }
}
