//! `tillgate precompress`: part of a release build.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{EXIT_FAILED, EXIT_OK, fail};

/// Write brotli and gzip forms beside the files of a built site
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The folder
    #[arg(value_name = "DIR", default_value = "dist/site")]
    dir: PathBuf,
}

/// What is worth compressing.
const ENDINGS: [&str; 4] = ["js", "wasm", "css", "svg"];

impl Arguments {
    pub(super) fn run(self) -> u8 {
        match precompress(&self.dir) {
            Ok(()) => EXIT_OK,
            Err(error) => fail(EXIT_FAILED, &error),
        }
    }
}

fn precompress(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            precompress(&path)?;
        } else if path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known)) {
            let content = fs::read(&path)?;
            let mut small = Vec::new();
            let best = brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 22, ..Default::default() };
            brotli::BrotliCompress(&mut content.as_slice(), &mut small, &best)?;
            fs::write(format!("{}.br", path.display()), &small)?;
            let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
            gzip.write_all(&content)?;
            fs::write(format!("{}.gz", path.display()), gzip.finish()?)?;
        }
    }
    Ok(())
}
