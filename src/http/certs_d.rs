//! The directories that clients read certificates of one registry from.

use std::path::PathBuf;

use directories::BaseDirs;

/// The folders of Docker and containers/image that hold one folder per registry.
pub fn certs_d(user: Option<&BaseDirs>) -> Vec<PathBuf> {
    if cfg!(windows) {
        let data = std::env::var_os("ProgramData").map(PathBuf::from);
        return data.map(|d| d.join("docker").join("certs.d")).into_iter().collect();
    }
    let mut all = vec![PathBuf::from("/etc/docker/certs.d")];
    // Docker Desktop's; on Linux that of a daemon without root.
    all.extend(user.map(|user| match cfg!(target_os = "macos") {
        true => user.home_dir().join(".docker/certs.d"),
        false => user.config_dir().join("docker/certs.d"),
    }));
    // containers-certs.d(5); containers/image looks below HOME, whatever XDG_CONFIG_HOME says.
    all.extend(user.map(|user| user.home_dir().join(".config/containers/certs.d")));
    all.push(PathBuf::from("/etc/containers/certs.d"));
    all
}

/// As a folder in them is called: `host:port`.
pub fn folder_name(mut host_and_port: String) -> String {
    if cfg!(windows) {
        // No file name can contain it there: Docker leaves it out.
        host_and_port.retain(|c| c != ':');
    }
    host_and_port
}

/// Where every client finds a registry's CA.
pub fn file_for(host_and_port: String) -> Option<PathBuf> {
    let folder = certs_d(None).into_iter().next()?;
    Some(folder.join(folder_name(host_and_port)).join("ca.crt"))
}
