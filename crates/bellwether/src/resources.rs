//! What the operating system lends us: open files and memory. Each probe under way is an open file, and the usual soft
//! limit of 1,024 was made for other programs. Reading a large file, and starting at all, takes memory that is never
//! needed again.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::time::Duration;

/// After this the start is over.
const STARTED: Duration = Duration::from_secs(3);
/// How often memory is given back from then on: a reload or a long list leaves as much as a start.
const EVERY: Duration = Duration::from_secs(60);

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

/// Lets the allocator of glibc share its memory among the threads: by itself it keeps a heap for each, as large as the
/// largest task that the thread ever had. To be called before threads begin.
pub fn share_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    set_allocator();
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code)]
fn set_allocator() {
    // SAFETY: it takes no pointers. If it refuses, there are more heaps, which costs memory and nothing else.
    unsafe { libc::mallopt(libc::M_ARENA_MAX, 2) };
}

/// Gives memory back for as long as the process lives.
pub async fn give_back() {
    tokio::time::sleep(STARTED).await;
    loop {
        give_back_now();
        tokio::time::sleep(EVERY).await;
    }
}

/// Gives back what was only needed to start or to read a file: freed memory, which the allocator would keep for
/// itself, and the parts of the program that have run for the last time. What is used again is read again.
fn give_back_now() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        give_back_freed();
        give_back_program();
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code)]
fn give_back_freed() {
    // SAFETY: it takes no pointers and may be called at any time from any thread.
    unsafe { libc::malloc_trim(0) };
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code)]
fn give_back_program() {
    let Ok(program) = std::env::current_exe() else { return };
    let Ok(maps) = std::fs::read_to_string("/proc/self/maps") else { return };
    for (from, to) in maps.lines().filter_map(|line| unwritten(line, program.to_str()?)) {
        // SAFETY: these pages are an unchanged copy of a part of the file; touched again they are read from it again.
        unsafe { libc::madvise(from as *mut libc::c_void, to - from, libc::MADV_DONTNEED) };
    }
}

/// Begin and end of a mapping of the program that nobody has ever written to: its code, and what stands before it.
/// Other read-only mappings may hold addresses that were filled in at the start.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn unwritten(line: &str, program: &str) -> Option<(usize, usize)> {
    let mut words = line.split_ascii_whitespace();
    let (from, to) = words.next()?.split_once('-')?;
    let (rights, offset) = (words.next()?, words.next()?);
    let first = offset.bytes().all(|digit| digit == b'0');
    let ours = words.nth(2) == Some(program);
    let wanted = ours && (rights == "r-xp" || rights == "r--p" && first);
    let number = |text| usize::from_str_radix(text, 16).ok();
    number(from).zip(number(to)).filter(|_| wanted)
}

#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
mod tests {
    use super::*;

    #[test]
    fn only_code_and_what_stands_before_it_is_given_back() {
        let seen = |line| unwritten(line, "/bin/bellwether");
        assert_eq!(seen("1000-3000 r--p 00000000 08:01 7   /bin/bellwether"), Some((0x1000, 0x3000)));
        assert_eq!(seen("3000-4000 r-xp 00002000 08:01 7   /bin/bellwether"), Some((0x3000, 0x4000)));
        assert_eq!(seen("4000-5000 r--p 00003000 08:01 7   /bin/bellwether"), None, "filled in at the start");
        assert_eq!(seen("5000-6000 rw-p 00000000 08:01 7   /bin/bellwether"), None);
        assert_eq!(seen("7000-8000 r-xp 00000000 08:01 9   /lib/libc.so.6"), None);
        assert_eq!(seen("8000-9000 rw-p 00000000 00:00 0"), None);
    }

    #[test]
    fn afterwards_everything_still_works() {
        give_back_now();
        assert_eq!(format!("{:?}", vec![1, 2]), "[1, 2]");
    }
}
