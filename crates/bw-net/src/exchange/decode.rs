//! The body as it was meant: decompressed, and never more of it than allowed, however small it arrives.

use crate::Failure;
use bw_domain::outcome::Code;
use flate2::write::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use std::io::{Error, Write};

/// Takes the body piece by piece.
pub(super) struct Decoder {
    coding: Coding,
    max: usize,
}

enum Coding {
    /// As it is. Also what is coded in a way that we do not know: it is shown and judged as it came.
    Identity,
    /// Compressed, before its first byte. An answer without a body stays here, and is in order.
    Named(Name),
    Gzip(MultiGzDecoder<Bounded>),
    Zlib(ZlibDecoder<Bounded>),
    Raw(DeflateDecoder<Bounded>),
}

#[derive(Clone, Copy)]
enum Name {
    Gzip,
    Deflate,
}

impl Decoder {
    /// For a body with these headers.
    pub fn of(headers: &HeaderMap, max: usize) -> Self {
        let named = headers.get(CONTENT_ENCODING).map(|value| value.as_bytes().trim_ascii());
        let coding = match named {
            Some(name) if name.eq_ignore_ascii_case(b"gzip") => Coding::Named(Name::Gzip),
            Some(name) if name.eq_ignore_ascii_case(b"x-gzip") => Coding::Named(Name::Gzip),
            Some(name) if name.eq_ignore_ascii_case(b"deflate") => Coding::Named(Name::Deflate),
            _ => Coding::Identity,
        };
        Decoder { coding, max }
    }

    /// Decodes one piece and appends it to `body`.
    pub fn feed(&mut self, data: &[u8], body: &mut Vec<u8>) -> Result<(), Failure> {
        if let (Coding::Named(name), Some(first)) = (&self.coding, data.first()) {
            self.coding = begin(*name, *first, self.max);
        }
        match &mut self.coding {
            Coding::Identity | Coding::Named(_) => {
                let fits = data.len().min(self.max - body.len());
                body.extend_from_slice(&data[..fits]);
                if fits < data.len() { Err(over(self.max)) } else { Ok(()) }
            }
            Coding::Gzip(decoder) => take(decoder.write_all(data), decoder.get_mut(), body),
            Coding::Zlib(decoder) => take(decoder.write_all(data), decoder.get_mut(), body),
            Coding::Raw(decoder) => take(decoder.write_all(data), decoder.get_mut(), body),
        }
    }

    /// The body has ended: a compressed one must have ended too.
    pub fn finish(&mut self, body: &mut Vec<u8>) -> Result<(), Failure> {
        match &mut self.coding {
            Coding::Identity | Coding::Named(_) => Ok(()),
            Coding::Gzip(decoder) => take(decoder.try_finish(), decoder.get_mut(), body),
            Coding::Zlib(decoder) => take(decoder.try_finish(), decoder.get_mut(), body),
            Coding::Raw(decoder) => take(decoder.try_finish(), decoder.get_mut(), body),
        }
    }
}

/// As specified, `deflate` has a zlib header, whose first byte names method 8; some servers send the bare stream.
fn begin(name: Name, first: u8, max: usize) -> Coding {
    let out = Bounded { bytes: Vec::new(), room: max, max };
    match name {
        Name::Gzip => Coding::Gzip(MultiGzDecoder::new(out)),
        Name::Deflate if first & 0x0f == 8 => Coding::Zlib(ZlibDecoder::new(out)),
        Name::Deflate => Coding::Raw(DeflateDecoder::new(out)),
    }
}

/// Moves on what was decoded, and says what went wrong.
fn take(result: std::io::Result<()>, out: &mut Bounded, body: &mut Vec<u8>) -> Result<(), Failure> {
    body.append(&mut out.bytes);
    match result {
        Ok(()) => Ok(()),
        Err(_) if out.room == 0 => Err(over(out.max)),
        Err(error) => {
            Err(Failure::new(Code::HTTP_PROTOCOL, format!("the compressed body is broken: {error}")))
        }
    }
}

fn over(max: usize) -> Failure {
    Failure::new(Code::BODY_CAP, format!("the body is larger than {max} bytes"))
}

/// Takes so many bytes and refuses the next.
struct Bounded {
    bytes: Vec<u8>,
    room: usize,
    max: usize,
}

impl Write for Bounded {
    fn write(&mut self, data: &[u8]) -> std::io::Result<usize> {
        let fits = data.len().min(self.room);
        self.bytes.extend_from_slice(&data[..fits]);
        self.room -= fits;
        if fits < data.len() { Err(Error::other("full")) } else { Ok(fits) }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    fn encoded(coding: &str, body: &[u8]) -> Vec<u8> {
        let best = Compression::best();
        match coding {
            "gzip" => {
                let mut encoder = GzEncoder::new(Vec::new(), best);
                encoder.write_all(body).and_then(|()| encoder.finish())
            }
            "deflate" => {
                let mut encoder = ZlibEncoder::new(Vec::new(), best);
                encoder.write_all(body).and_then(|()| encoder.finish())
            }
            "bare deflate" => {
                let mut encoder = DeflateEncoder::new(Vec::new(), best);
                encoder.write_all(body).and_then(|()| encoder.finish())
            }
            _ => Ok(body.to_vec()),
        }
        .expect("a vector takes every byte")
    }

    /// Feeds `data` in pieces of `step` bytes, with room for `max`.
    fn decoded(coding: &str, data: &[u8], step: usize, max: usize) -> (Vec<u8>, Result<(), Failure>) {
        let mut headers = HeaderMap::new();
        let name = coding.trim_start_matches("bare ").parse().expect("a header value");
        headers.insert(CONTENT_ENCODING, name);
        let (mut decoder, mut body) = (Decoder::of(&headers, max), Vec::new());
        let fed = data.chunks(step).try_for_each(|piece| decoder.feed(piece, &mut body));
        let ended = fed.and_then(|()| decoder.finish(&mut body));
        (body, ended)
    }

    #[test]
    fn every_coding_in_pieces_of_every_size() {
        let text = b"hello hello hello hello";
        for coding in ["gzip", "deflate", "bare deflate", "identity", "br"] {
            for step in [1, 7, 1_000] {
                let (body, ended) = decoded(coding, &encoded(coding, text), step, text.len());
                assert_eq!((body.as_slice(), ended), (&text[..], Ok(())), "{coding} by {step}");
            }
        }
    }

    #[test]
    fn the_cap_counts_what_was_unfolded() {
        let zeros = vec![b'0'; 1 << 20];
        for coding in ["gzip", "deflate", "bare deflate", "identity"] {
            let (body, ended) = decoded(coding, &encoded(coding, &zeros), 512, 1_000);
            assert_eq!(ended.expect_err(coding).code, Code::BODY_CAP, "{coding}");
            assert_eq!(body.len(), 1_000, "{coding}");
        }
    }

    #[test]
    fn what_is_broken_is_not_http_and_nothing_is_in_order() {
        for coding in ["gzip", "deflate", "bare deflate"] {
            let whole = encoded(coding, b"hello hello hello hello");
            let (_, cut) = decoded(coding, &whole[..whole.len() - 6], 4, 1_000);
            assert_eq!(cut.expect_err(coding).code, Code::HTTP_PROTOCOL, "{coding} cut");
            let (_, garbage) = decoded(coding, &[0xff; 40], 9, 1_000);
            assert_eq!(garbage.expect_err(coding).code, Code::HTTP_PROTOCOL, "{coding} garbage");
            assert_eq!(decoded(coding, b"", 1, 1_000), (Vec::new(), Ok(())), "{coding} empty");
        }
    }
}
