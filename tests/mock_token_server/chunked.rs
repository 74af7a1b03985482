//! Chunked request bodies (RFC 9112 section 7.1), as skopeo, podman and buildah send them.

use std::io::{self, Read};

use super::wire::fill_more;

/// Takes a chunked body off the buffer; trailers are read and forgotten.
pub fn read_chunks(from: &mut impl Read, buffer: &mut Vec<u8>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let parsed = httparse::parse_chunk_size(buffer)
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "no chunk size"))?;
        let httparse::Status::Complete((line, size)) = parsed else {
            fill_more(from, buffer)?;
            continue;
        };
        if size == 0 {
            buffer.drain(..line);
            while !buffer.starts_with(b"\r\n") {
                match buffer.windows(2).position(|bytes| bytes == b"\r\n") {
                    Some(end) => drop(buffer.drain(..end + 2)),
                    None => fill_more(from, buffer)?,
                }
            }
            buffer.drain(..2);
            return Ok(body);
        }
        let size = usize::try_from(size).map_err(io::Error::other)?;
        while buffer.len() < line + size + 2 {
            fill_more(from, buffer)?;
        }
        body.extend_from_slice(&buffer[line..line + size]);
        buffer.drain(..line + size + 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_and_trailers_are_taken_off_and_what_follows_stays() {
        let bytes = b"3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nTrailer: 1\r\n\r\nGET";
        for split in 0..bytes.len() {
            let mut buffer = bytes[..split].to_vec();
            let body = read_chunks(&mut &bytes[split..], &mut buffer).unwrap();
            assert_eq!(
                (&body[..], &buffer[..3.min(buffer.len())]),
                (&b"abc0123456789"[..], &b"GET"[..buffer.len().min(3)])
            );
        }
        for bad in [&b"x\r\n"[..], b"3\r\nab", b"", b"0\r\n"] {
            assert!(read_chunks(&mut &bad[..], &mut Vec::new()).is_err(), "{bad:?}");
        }
    }
}
