//! The content coding of an answer (RFC 9110 section 8.4). `identity` is asked for; some servers
//! and proxies compress all the same, and Go's clients read gzip.

use std::io::Read;

use flate2::read::MultiGzDecoder;
use zeroize::Zeroizing;

use super::client::MAX_BODY_BYTES;
use super::failure::Failure;
use crate::text::{SERVER_TEXT_CHARS, printable};

/// The body without its coding, under the same cap as one that came without.
///
/// # Errors
/// [`Failure::TooLarge`], and [`Failure::Coding`] for damage or any coding but gzip.
pub fn decode(codings: &[&[u8]], body: &[u8]) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let text = codings.join(&b',').to_ascii_lowercase();
    let text = String::from_utf8_lossy(&text);
    let names: Vec<_> =
        text.split(',').map(str::trim).filter(|name| !matches!(*name, "" | "identity")).collect();
    match names.as_slice() {
        // An answer without content may carry the header (RFC 9110 section 8.4).
        _ if body.is_empty() => Ok(Zeroizing::default()),
        [] => Ok(Zeroizing::new(body.to_vec())),
        ["gzip" | "x-gzip"] => {
            let mut content = Zeroizing::new(Vec::with_capacity(32 * 1024));
            let mut reader = MultiGzDecoder::new(body).take(MAX_BODY_BYTES as u64 + 1);
            let damaged = |_| Failure::Coding("its gzip data is damaged".into());
            reader.read_to_end(&mut content).map_err(damaged)?;
            if content.len() > MAX_BODY_BYTES {
                return Err(Failure::TooLarge);
            }
            Ok(content)
        }
        other => {
            let names = printable(&other.join(", "), SERVER_TEXT_CHARS);
            Err(Failure::Coding(format!("it is encoded as {names}, which was not asked for")))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn gzip_is_read_in_any_spelling_and_in_several_members() {
        let json = b"{\"access_token\":\"a\"}";
        for codings in [
            &[b"gzip".as_slice()][..],
            &[b"x-gzip"],
            &[b" GZip "],
            &[b"identity, gzip"],
            &[b"identity", b"gzip"],
            &[b"gzip", b""],
        ] {
            assert_eq!(*decode(codings, &gzip(json)).unwrap(), json, "{codings:?}");
        }
        let two = [gzip(b"{"), gzip(b"}")].concat();
        assert_eq!(*decode(&[b"gzip"], &two).unwrap(), b"{}");
        for plain in [&[][..], &[b"".as_slice()], &[b"identity"], &[b","]] {
            assert_eq!(*decode(plain, json).unwrap(), json, "{plain:?}");
        }
        assert!(decode(&[b"gzip"], b"").unwrap().is_empty());
    }

    #[test]
    fn a_bomb_is_over_the_cap() {
        let at_the_cap = vec![b' '; MAX_BODY_BYTES];
        assert_eq!(decode(&[b"gzip"], &gzip(&at_the_cap)).unwrap().len(), MAX_BODY_BYTES);
        let over = [at_the_cap, b" ".to_vec()].concat();
        assert_eq!(decode(&[b"gzip"], &gzip(&over)), Err(Failure::TooLarge));
    }

    #[test]
    fn other_codings_and_damage_are_named() {
        for coding in ["deflate", "br", "zstd", "compress", "gzip, gzip", "gzip, br", "x\u{1b}[2J"]
        {
            let Err(Failure::Coding(why)) = decode(&[coding.as_bytes()], b"x") else {
                panic!("{coding}");
            };
            assert!(why.contains(&coding.replace('\u{1b}', "?").to_lowercase()), "{why}");
        }
        let whole = gzip(b"{\"access_token\":\"a\"}");
        let mut flipped = whole.clone();
        flipped[whole.len() - 6] ^= 1;
        for damaged in [&whole[..whole.len() - 1], &whole[..5], &flipped, b"{}", &[0x1f, 0x8b]] {
            assert!(matches!(decode(&[b"gzip"], damaged), Err(Failure::Coding(_))), "{damaged:?}");
        }
    }
}
