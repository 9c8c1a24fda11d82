//! The built site: scripts, styles and pictures, read into memory at start.
//!
//! What Trunk put into `pkg` is served under an address that names its content, `/pkg/{id}/`, and never
//! changes; the rest (pictures, the icon) keeps its names and is revalidated.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use axum::body::Bytes;
use axum::extract::{Path as UrlPath, State};
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::state::AppState;

/// A file, with its precompressed forms where they are smaller.
struct Asset {
    kind: &'static str,
    etag: String,
    plain: Bytes,
    brotli: Option<Bytes>,
    gzip: Option<Bytes>,
}

/// The files of a built site.
pub struct Assets {
    id: String,
    files: HashMap<String, Asset>,
}

/// Why the site cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum AssetsError {
    /// The folder is not there.
    #[error("{0}: the built site is not there. Run `make build`, or set site_dir to where it is")]
    Missing(PathBuf),
    /// A file cannot be read.
    #[error("{0}: {1}")]
    Unreadable(PathBuf, io::Error),
}

/// The folder of what Trunk builds.
const BUILT: &str = "pkg";

impl Assets {
    /// Reads a folder.
    pub fn read(folder: &Path) -> Result<Self, AssetsError> {
        if !folder.join(BUILT).is_dir() {
            return Err(AssetsError::Missing(folder.to_owned()));
        }
        let mut found = Vec::new();
        walk(folder, &mut found)?;
        found.sort();
        let mut files = HashMap::new();
        let mut id = Sha256::new();
        for path in &found {
            let Ok(name) = path.strip_prefix(folder).map(|name| name.to_string_lossy().replace('\\', "/"))
            else {
                continue;
            };
            let Some(kind) = kind_of(&name) else { continue };
            let content = fs::read(path).map_err(|error| AssetsError::Unreadable(path.clone(), error))?;
            let digest = Sha256::digest(&content);
            if name.starts_with(BUILT) {
                id.update(name.as_bytes());
                id.update(digest);
            }
            let sibling = |ending: &str| {
                let compressed = fs::read(format!("{}.{ending}", path.display())).ok()?;
                (compressed.len() < content.len()).then(|| Bytes::from(compressed))
            };
            let asset = Asset {
                kind,
                etag: format!("\"{}\"", short(&digest)),
                brotli: sibling("br"),
                gzip: sibling("gz"),
                plain: Bytes::from(content),
            };
            files.insert(name, asset);
        }
        Ok(Self { id: short(&id.finalize()), files })
    }

    /// Where the built files are served: `/pkg/3f9a…`.
    pub fn base(&self) -> String {
        format!("/{BUILT}/{}", self.id)
    }

    fn answer(&self, name: &str, headers: &HeaderMap, cache: &'static str) -> Response {
        let Some(asset) = self.files.get(name) else {
            return StatusCode::NOT_FOUND.into_response();
        };
        let mut answer = HeaderMap::new();
        answer.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
        answer.insert(CONTENT_TYPE, HeaderValue::from_static(asset.kind));
        answer.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if let Ok(etag) = HeaderValue::from_str(&asset.etag) {
            answer.insert(ETAG, etag);
        }
        let known = headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok());
        if known.is_some_and(|known| {
            known.split(',').any(|tag| tag.trim().trim_start_matches("W/") == asset.etag)
        }) {
            return (StatusCode::NOT_MODIFIED, answer).into_response();
        }
        let accepted = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or("");
        let accepts = |coding: &str| {
            accepted.split(',').any(|part| {
                let mut pieces = part.split(';').map(str::trim);
                pieces.next() == Some(coding)
                    && !pieces.any(|piece| matches!(piece, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
            })
        };
        let body = match (&asset.brotli, &asset.gzip) {
            (Some(brotli), _) if accepts("br") => {
                answer.insert(CONTENT_ENCODING, HeaderValue::from_static("br"));
                brotli
            }
            (_, Some(gzip)) if accepts("gzip") => {
                answer.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                gzip
            }
            _ => &asset.plain,
        };
        (answer, body.clone()).into_response()
    }
}

fn short(digest: &[u8]) -> String {
    use std::fmt::Write as _;
    digest.iter().take(8).fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), AssetsError> {
    let unreadable = |error| AssetsError::Unreadable(folder.to_owned(), error);
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() {
            walk(&path, found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}

/// The media type of a name; `None` for what is not served, the build's `index.html` among it.
fn kind_of(name: &str) -> Option<&'static str> {
    Some(match name.rsplit_once('.')?.1 {
        "js" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => return None,
    })
}

/// `GET /pkg/{id}/{file}`
pub(crate) async fn built(
    State(state): State<AppState>,
    UrlPath((id, file)): UrlPath<(String, String)>,
    headers: HeaderMap,
) -> Response {
    if id != state.assets.id {
        return StatusCode::NOT_FOUND.into_response();
    }
    // While developing, the same address may have new content after the next build.
    let cache = if state.dev.is_some() { "no-cache" } else { "public, max-age=31536000, immutable" };
    state.assets.answer(&format!("{BUILT}/{file}"), &headers, cache)
}

/// `GET /img/{file}`
pub(crate) async fn image(
    State(state): State<AppState>,
    UrlPath(file): UrlPath<String>,
    headers: HeaderMap,
) -> Response {
    state.assets.answer(&format!("img/{file}"), &headers, "public, max-age=3600")
}

/// `GET /favicon.svg` and `/favicon.ico`, which browsers ask for unasked.
pub(crate) async fn icon(State(state): State<AppState>, headers: HeaderMap) -> Response {
    state.assets.answer("favicon.svg", &headers, "public, max-age=3600")
}
