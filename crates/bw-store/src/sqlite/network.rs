//! Whether a directory lies on a network file system, where the locks and the log of SQLite cannot be trusted.

use std::path::{Path, PathBuf};

/// File systems whose files may be open on two machines.
const NETWORK: [&str; 10] =
    ["nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "fuse.sshfs", "fuse.glusterfs"];

/// A warning, if the directory lies on one. Where the system does not tell, there is none.
pub(super) fn warning(directory: &Path) -> Option<String> {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
    let directory = directory.canonicalize().ok()?;
    let kind = kind_of(&mounts, &directory)?;
    NETWORK.contains(&kind).then(|| {
        format!(
            "{} lies on a network file system ({kind}): a second machine could open the same database and damage \
             it; keep it on a local disk",
            directory.display()
        )
    })
}

/// The file system of the mount that holds the directory: the longest mount point that is a part of its path, and of
/// equal ones the last.
fn kind_of<'m>(mounts: &'m str, directory: &Path) -> Option<&'m str> {
    let mount = |line: &'m str| {
        let (fields, rest) = line.split_once(" - ")?;
        let point = PathBuf::from(fields.split(' ').nth(4)?.replace("\\040", " "));
        directory.starts_with(&point).then_some((point.components().count(), rest.split(' ').next()?))
    };
    mounts.lines().filter_map(mount).max_by_key(|(length, _)| *length).map(|(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_mount_counts() {
        let mounts = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n\
                      30 22 0:5 / /srv rw - nfs4 host:/export rw\n\
                      31 30 8:2 / /srv/fast\\040disk rw - xfs /dev/sdb1 rw\n";
        for (directory, kind) in [("/var/lib", "ext4"), ("/srv/data", "nfs4"), ("/srv/fast disk/x", "xfs")] {
            assert_eq!(kind_of(mounts, Path::new(directory)), Some(kind), "{directory}");
        }
    }
}
