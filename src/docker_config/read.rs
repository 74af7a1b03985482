//! Reading another program's file.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use zeroize::Zeroizing;

const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// All of a file; none if there is none.
pub fn read(path: &Path) -> io::Result<Option<Zeroizing<String>>> {
    // Before it is opened: a FIFO would wait.
    let found = match fs::metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if !found.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    if found.len() > MAX_FILE_BYTES {
        return Err(io::Error::other("it is larger than 16 MiB"));
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(found.len() as usize + 1));
    File::open(path)?.take(MAX_FILE_BYTES).read_to_end(&mut bytes)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| io::Error::other("it is not UTF-8"))?;
    Ok(Some(Zeroizing::new(text.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_16_mib_is_read_and_no_larger_one() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(16 * 1024 * 1024).unwrap();
        assert_eq!(read(file.path()).unwrap().unwrap().len(), 16 * 1024 * 1024);
        file.as_file().set_len(16 * 1024 * 1024 + 1).unwrap();
        assert!(read(file.path()).unwrap_err().to_string().contains("larger than 16 MiB"));
    }
}
