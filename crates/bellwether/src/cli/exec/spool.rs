//! Ends of runs that could not be told, one small file each below the user's state directory, until a later run tells
//! them. A file appears whole or not at all; who sends it renames it first, so that two runs never send the same one.
//! A name is `INSTANT-RUN-LANE.beat`: sorted, the oldest comes first; a lane is one server. Claimed it is called
//! `….beat.INSTANT-PID`, and whoever claims and dies loses it after a minute.
//!
//! The addresses in here are secrets: nobody but the user can read them.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Files that are kept: a day of a job that runs every three minutes.
const FILES_MAX: usize = 500;
/// Bytes of all files.
const BYTES_MAX: u64 = 8 << 20;
/// After so long nobody is sending any more.
const CLAIM_MS: i64 = 60_000;
/// The first line of each file.
const FORM: &str = "bellwether beat 1";

/// The directory.
#[derive(Clone)]
pub struct Spool {
    dir: PathBuf,
}

/// The end of one run.
#[derive(Clone, PartialEq, Eq)]
pub struct Beat {
    /// With everything but the instant.
    pub url: String,
    /// When it happened.
    pub at_ms: i64,
    pub body: Vec<u8>,
}

/// A beat that nobody else sends. It is given back unless it is settled.
pub struct Claim {
    waiting: PathBuf,
    claimed: PathBuf,
    settled: bool,
}

impl Spool {
    /// Where it is for this user: `$XDG_STATE_HOME/bellwether/spool`, else below `~/.local/state`.
    pub fn of_user(variable: &dyn Fn(&str) -> Option<String>) -> Option<Self> {
        let absolute = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let state = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))?;
        Some(Spool { dir: state.join("bellwether/spool") })
    }

    /// Keeps one, and drops the oldest where there are too many.
    pub fn keep(&self, beat: &Beat, run: &str) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.dir)?;
        if fs::metadata(&self.dir)?.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(&self.dir, Permissions::from_mode(0o700))?;
        }
        let lane = lane(&beat.url);
        let name = format!("{:013}-{run}-{lane:08x}.beat", beat.at_ms.max(0));
        let unfinished = self.dir.join(format!("{name}.new"));
        let written = write(&unfinished, beat).and_then(|()| fs::rename(&unfinished, self.dir.join(name)));
        if written.is_err() {
            drop(fs::remove_file(&unfinished));
        }
        written?;
        self.bound()
    }

    /// All that nobody sends, oldest first.
    pub fn waiting(&self, now_ms: i64) -> Vec<String> {
        let Ok(names) = self.names() else { return Vec::new() };
        names.into_iter().filter(|name| is_free(name, now_ms)).collect()
    }

    /// Takes one, unless somebody else was quicker.
    pub fn claim(&self, name: &str, now_ms: i64) -> Option<(Claim, Beat)> {
        let waiting = self.dir.join(stem(name)?);
        let claimed = self.dir.join(format!("{}.{now_ms:013}-{}", stem(name)?, std::process::id()));
        fs::rename(self.dir.join(name), &claimed).ok()?;
        let claim = Claim { waiting, claimed, settled: false };
        match read(&claim.claimed) {
            Ok(beat) => Some((claim, beat)),
            // Nobody can ever send what is no beat.
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                claim.settle();
                None
            }
            Err(_) => None,
        }
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Drops the oldest until the rest is within its bounds, whatever it is: a claim counts, and so does what a run left
    /// that died while it wrote.
    fn bound(&self) -> io::Result<()> {
        let names = self.names()?;
        let sizes: Vec<u64> =
            names.iter().map(|name| fs::metadata(self.dir.join(name)).map_or(0, |meta| meta.len())).collect();
        let (mut files, mut bytes) = (names.len(), sizes.iter().sum::<u64>());
        for (name, size) in names.iter().zip(sizes) {
            if files <= FILES_MAX && bytes <= BYTES_MAX {
                break;
            }
            match fs::remove_file(self.dir.join(name)) {
                // Another run has sent it just now.
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
            (files, bytes) = (files - 1, bytes - size);
        }
        Ok(())
    }
}

impl Claim {
    /// It is told, or never will be.
    pub fn settle(mut self) {
        self.settled = true;
        // If it stays it is sent twice, which the run's number makes harmless.
        drop(fs::remove_file(&self.claimed));
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if !self.settled {
            // Where this fails, the claim runs out.
            drop(fs::rename(&self.claimed, &self.waiting));
        }
    }
}

/// The server that a waiting beat goes to, as far as its name tells.
pub fn lane_of(name: &str) -> &str {
    stem(name).and_then(|stem| stem.strip_suffix(".beat")?.rsplit_once('-')).map_or("", |(_, lane)| lane)
}

/// The name without who has claimed it.
fn stem(name: &str) -> Option<&str> {
    Some(&name[..name.find(".beat")? + ".beat".len()])
}

fn is_free(name: &str, now_ms: i64) -> bool {
    match name.split_once(".beat") {
        Some((_, "")) => true,
        Some((_, claim)) => {
            let since =
                claim.strip_prefix('.').and_then(|claim| claim.split_once('-')?.0.parse::<i64>().ok());
            since.is_some_and(|since| (now_ms - since).abs() > CLAIM_MS)
        }
        None => false,
    }
}

/// A number for the part of the URL before its path (FNV-1a).
fn lane(url: &str) -> u32 {
    let end = url.match_indices('/').nth(2).map_or(url.len(), |(at, _)| at);
    url.as_bytes()[..end]
        .iter()
        .fold(0x811c_9dc5, |hash: u32, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

fn write(path: &Path, beat: &Beat) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(format!("{FORM}\n{}\n{}\n\n", beat.at_ms, beat.url).as_bytes())?;
    file.write_all(&beat.body)?;
    file.sync_all()
}

fn read(path: &Path) -> io::Result<Beat> {
    let mut bytes = Vec::new();
    File::open(path)?.take(BYTES_MAX).read_to_end(&mut bytes)?;
    parse(&bytes).ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "this is no beat"))
}

fn parse(bytes: &[u8]) -> Option<Beat> {
    let at = bytes.windows(2).position(|two| two == b"\n\n")?;
    let mut lines = std::str::from_utf8(&bytes[..at]).ok()?.split('\n');
    let form = lines.next()?;
    let (at_ms, url) = (lines.next()?.parse().ok()?, lines.next()?.to_owned());
    (form == FORM).then(|| Beat { url, at_ms, body: bytes[at + 2..].to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spool() -> (tempfile::TempDir, Spool) {
        let dir = tempfile::tempdir().expect("a directory");
        let spool = Spool { dir: dir.path().join("state/bellwether/spool") };
        (dir, spool)
    }

    fn beat(at_ms: i64, body: &[u8]) -> Beat {
        Beat { url: "http://h:1/ping/x/0?rid=r".to_owned(), at_ms, body: body.to_vec() }
    }

    #[test]
    fn a_claimed_beat_is_nobody_elses_until_it_is_given_back_or_forgotten() {
        let (_dir, spool) = spool();
        spool.keep(&beat(5, b"one\n\ntwo"), "run").expect("it is kept");
        let [name] = &spool.waiting(10)[..] else { panic!("one waits") };
        let (claim, read) = spool.claim(name, 10).expect("it is free");
        assert!(read == beat(5, b"one\n\ntwo"));
        assert!(spool.waiting(10).is_empty() && spool.claim(name, 10).is_none());
        let forgotten = spool.waiting(10 + 2 * CLAIM_MS);
        assert_eq!(forgotten.len(), 1);
        drop(claim);
        assert_eq!(spool.waiting(10), [name.as_str()]);
        let (claim, _) = spool.claim(name, 10).expect("it is free again");
        claim.settle();
        assert!(spool.waiting(10 + 2 * CLAIM_MS).is_empty());
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many_or_they_are_too_large() {
        let (_dir, spool) = spool();
        for at in 0..FILES_MAX as i64 + 3 {
            spool.keep(&beat(at, b""), "run").expect("it is kept");
        }
        let waiting = spool.waiting(0);
        assert_eq!((waiting.len(), &waiting[0][..13]), (FILES_MAX, "0000000000003"));
        for at in 0..9 {
            spool.keep(&beat(1_000 + at, &vec![b'x'; 1 << 20]), "run").expect("it is kept");
        }
        let waiting = spool.waiting(0);
        assert_eq!((waiting.len(), &waiting[0][..13]), (7, "0000000001002"));
    }

    #[test]
    fn what_is_no_beat_goes() {
        let (_dir, spool) = spool();
        spool.keep(&beat(1, b""), "run").expect("it is kept");
        let name = spool.waiting(0).remove(0);
        fs::write(spool.dir.join(&name), "nonsense").expect("it is written");
        assert!(spool.claim(&name, 0).is_none() && spool.waiting(i64::MAX / 2).is_empty());
    }

    #[test]
    fn a_lane_is_a_server() {
        assert_eq!(lane("http://h:1/ping/a"), lane("http://h:1/ping/b"));
        assert_ne!(lane("http://h:1/ping/a"), lane("http://h:2/ping/a"));
        assert_eq!(lane_of("0000000000005-run-1234abcd.beat"), "1234abcd");
        assert_eq!(lane_of("0000000000005-run-1234abcd.beat.0000000000009-77"), "1234abcd");
    }
}
