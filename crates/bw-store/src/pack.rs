//! Small binary forms inside rows: phases as varints, the cells of an `observed` row as fixed fields.

use bw_domain::monitor::Vantage;
use bw_domain::outcome::{Code, Phases, Verdict};
use bw_domain::state::{Cell, Observed, Recent};
use bw_domain::time::Instant;
use smallvec::SmallVec;

/// A value of a row that nobody can have written.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {why}")]
pub(crate) struct Damaged {
    what: String,
    why: String,
}

impl Damaged {
    pub fn new(what: &str, why: impl std::fmt::Display) -> Self {
        Damaged { what: what.to_owned(), why: why.to_string() }
    }
}

type Result<T> = std::result::Result<T, Damaged>;

/// Phases as varints without the zeros at the end; empty when nothing was measured.
pub(crate) fn phases(phases: &Phases) -> SmallVec<[u8; 32]> {
    let mut out = SmallVec::new();
    let used = phases.0.iter().rposition(|us| *us > 0).map_or(0, |last| last + 1);
    for us in &phases.0[..used] {
        let mut rest = *us;
        while rest >= 0x80 {
            out.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        out.push(rest as u8);
    }
    out
}

/// The inverse of [`phases`].
pub(crate) fn read_phases(bytes: &[u8]) -> Result<Phases> {
    let mut phases = Phases::default();
    let (mut index, mut shift) = (0, 0);
    for byte in bytes {
        let slot = phases.0.get_mut(index).filter(|_| shift < 32);
        let slot = slot.ok_or_else(|| Damaged::new("phases of an outcome", "too long"))?;
        *slot |= u32::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            (index, shift) = (index + 1, 0);
        }
    }
    Ok(phases)
}

/// Verdict and code in one small number.
pub(crate) fn result(verdict: Verdict, code: Code) -> i64 {
    i64::from(code.number()) << 2 | i64::from(verdict.number())
}

/// The inverse of [`result`].
pub(crate) fn read_result(number: i64) -> Result<(Verdict, Code)> {
    let verdict = Verdict::from_number((number & 3) as u8);
    let code = u8::try_from(number >> 2).ok().and_then(Code::from_number);
    verdict.zip(code).ok_or_else(|| Damaged::new("result of an outcome", number))
}

/// The number of a stored code.
pub(crate) fn read_code(number: i64) -> Result<Code> {
    let code = u8::try_from(number).ok().and_then(Code::from_number);
    code.ok_or_else(|| Damaged::new("failure code", number))
}

/// The bytes before the recent slots of one cell.
const FIXED: usize = 4 + 4 + 8 + 1 + 8 + 1 + 1 + 4 + 4 + 8 + 8;

/// The cells of a row, each of the same length.
pub(crate) fn cells(observed: &Observed) -> Vec<u8> {
    let mut out = Vec::with_capacity(observed.cells.len() * (FIXED + Recent::PACKED));
    for cell in &observed.cells {
        out.extend_from_slice(&cell.vantage.number().to_le_bytes());
        out.extend_from_slice(&cell.revision.to_le_bytes());
        out.extend_from_slice(&cell.slot.ms().to_le_bytes());
        out.push(cell.r#try);
        out.extend_from_slice(&cell.at.ms().to_le_bytes());
        out.push(cell.verdict.number());
        out.push(cell.code.number());
        out.extend_from_slice(&cell.latency_us.to_le_bytes());
        out.extend_from_slice(&cell.streak.to_le_bytes());
        out.extend_from_slice(&cell.conclusive_at.ms().to_le_bytes());
        out.extend_from_slice(&cell.certificate.to_le_bytes());
        cell.recent.pack(&mut out);
    }
    out
}

/// The inverse of [`cells`].
pub(crate) fn read_cells(bytes: &[u8]) -> Result<Vec<Cell>> {
    let chunks = bytes.chunks_exact(FIXED + Recent::PACKED);
    let whole = chunks.remainder().is_empty();
    // No longer than what is in them: they stay as they are read here.
    let mut cells = Vec::with_capacity(chunks.len());
    let read = chunks.map(cell).all(|cell| cell.map(|cell| cells.push(cell)).is_some());
    if whole && read {
        Ok(cells)
    } else {
        Err(Damaged::new("row of observations", "its cells cannot be read"))
    }
}

fn cell(mut bytes: &[u8]) -> Option<Cell> {
    let bytes = &mut bytes;
    Some(Cell {
        vantage: Vantage::from_number(u32::from_le_bytes(take(bytes)?)),
        revision: u32::from_le_bytes(take(bytes)?),
        slot: instant(bytes)?,
        r#try: u8::from_le_bytes(take(bytes)?),
        at: instant(bytes)?,
        verdict: Verdict::from_number(u8::from_le_bytes(take(bytes)?))?,
        code: Code::from_number(u8::from_le_bytes(take(bytes)?))?,
        latency_us: u32::from_le_bytes(take(bytes)?),
        streak: i32::from_le_bytes(take(bytes)?),
        conclusive_at: instant(bytes)?,
        certificate: u64::from_le_bytes(take(bytes)?),
        recent: Recent::unpack(bytes)?,
    })
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*first)
}

fn instant(bytes: &mut &[u8]) -> Option<Instant> {
    Some(Instant::from_ms(i64::from_le_bytes(take(bytes)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bw_domain::time::Duration;

    #[test]
    fn phases_come_back() {
        for values in
            [[0; 6], [1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 7], [u32::MAX; 6], [127, 128, 16_384, 0, 5, 0]]
        {
            let packed = phases(&Phases(values));
            assert_eq!(read_phases(&packed).unwrap(), Phases(values));
        }
        assert!(phases(&Phases::default()).is_empty());
        assert!(read_phases(&[1; 7]).is_err());
        assert!(read_phases(&[0xff; 6]).is_err());
    }

    #[test]
    fn results_come_back() {
        for code in Code::ALL {
            assert_eq!(read_result(result(Verdict::Fail, *code)).unwrap(), (Verdict::Fail, *code));
        }
        assert!(read_result(0).is_err() && read_result(-1).is_err() && read_result(1_001).is_err());
    }

    #[test]
    fn cells_come_back() {
        let mut recent = Recent::default();
        recent.put(Instant::from_ms(7_000), Duration::from_secs(10), Verdict::Pass, 31_000);
        let cell = Cell {
            vantage: Vantage::from_number(2),
            revision: 3,
            slot: Instant::from_ms(7_000),
            r#try: 1,
            at: Instant::from_ms(7_003),
            verdict: Verdict::Fail,
            code: Code::TLS_EXPIRED,
            latency_us: 9,
            streak: -4,
            conclusive_at: Instant::from_ms(7_003),
            certificate: u64::MAX,
            recent,
        };
        let observed = Observed { seq: 9, cells: [cell.clone(), cell].into_iter().collect() };
        let mut packed = cells(&observed);
        assert_eq!(read_cells(&packed).unwrap(), observed.cells);
        packed.pop();
        assert!(read_cells(&packed).is_err());
    }
}
