//! What the operating system lends us. Each probe under way is an open file, and the usual soft limit of 1,024 was
//! made for other programs.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the soft limit of open files to the hard one.
pub fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return;
    }
    let wanted = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, wanted) {
        tracing::warn!("the limit of open files stays at {:?}: {error}", limit.current);
    }
}

/// Files that may be open at once; `None`: as many as one likes.
pub fn open_files() -> Option<u64> {
    getrlimit(Resource::Nofile).maximum
}
