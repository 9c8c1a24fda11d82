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
    ACCEPT_ENCODING, ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use checkout::token::random;
use sha2::{Digest, Sha256, Sha384};

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
    /// The id of what is embedded elsewhere: it changes only when that does.
    widget_id: String,
    files: HashMap<String, Asset>,
    /// What names the files of the widget, and its entry at an address that never changes.
    manifest: Asset,
    entry: Asset,
    /// Where the files of other builds lie, by their ids.
    kept: Option<PathBuf>,
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
    /// The built site cannot be kept for others.
    #[error("kept_sites, {0}: {1}")]
    NotKept(PathBuf, io::Error),
}

/// The folder of what Trunk builds.
const BUILT: &str = "pkg";
/// The folder of what other origins embed.
const WIDGET: &str = "widget";
/// The module that defines the custom element.
const ENTRY: &str = "tillgate-checkout.js";

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
        let (mut id, mut widget_id) = (Sha256::new(), Sha256::new());
        let mut widget_files = serde_json::Map::new();
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
            } else if let Some(file) = name.strip_prefix(WIDGET).and_then(|name| name.strip_prefix('/')) {
                widget_id.update(name.as_bytes());
                widget_id.update(digest);
                let integrity = format!("sha384-{}", STANDARD.encode(Sha384::digest(&content)));
                let known = serde_json::json!({ "bytes": content.len(), "integrity": integrity });
                widget_files.insert(file.to_owned(), known);
            }
            files.insert(name, Asset::read(path, kind, content));
        }
        let widget_id = short(&widget_id.finalize());
        let base = format!("/{WIDGET}/{widget_id}/");
        let manifest = serde_json::json!({
            "version": env!("CARGO_PKG_VERSION"), "id": widget_id, "base": base, "files": widget_files,
        });
        Ok(Self {
            id: short(&id.finalize()),
            manifest: Asset::made("application/json", manifest.to_string()),
            entry: Asset::made(
                kind_of(ENTRY).unwrap_or_default(),
                format!("export * from \"{base}{ENTRY}\";\n"),
            ),
            widget_id,
            files,
            kept: None,
        })
    }

    /// Puts what has an id into a folder, for servers of other versions, and from now on finds there what they put
    /// into it: a page that one of them made may ask another for its scripts.
    pub fn keep_in(mut self, folder: &Path) -> Result<Self, AssetsError> {
        let failed = |error| AssetsError::NotKept(folder.to_owned(), error);
        for (id, part) in [(&self.id, BUILT), (&self.widget_id, WIDGET)] {
            let place = folder.join(id);
            if place.is_dir() {
                continue;
            }
            // Whoever finds the folder finds all of it.
            let unique = random::<8>().map_err(|error| failed(io::Error::other(error)))?;
            let partial = folder.join(format!(".{id}-{:016x}", u64::from_be_bytes(unique)));
            fs::create_dir_all(partial.join(part)).map_err(failed)?;
            let own =
                self.files.iter().filter(|(name, _)| name.split_once('/').is_some_and(|(of, _)| of == part));
            for (name, asset) in own {
                let file = partial.join(name);
                if let Some(parent) = file.parent() {
                    fs::create_dir_all(parent).map_err(failed)?;
                }
                write_to_disk(&file, &asset.plain).map_err(failed)?;
                for (ending, compressed) in [("br", &asset.brotli), ("gz", &asset.gzip)] {
                    if let Some(compressed) = compressed {
                        let beside = PathBuf::from(format!("{}.{ending}", file.display()));
                        write_to_disk(&beside, compressed).map_err(failed)?;
                    }
                }
            }
            if let Err(error) = fs::rename(&partial, &place) {
                let _ = fs::remove_dir_all(&partial);
                // Another server was quicker.
                if !place.is_dir() {
                    return Err(failed(error));
                }
            }
        }
        self.kept = Some(folder.to_owned());
        Ok(self)
    }

    /// A file of another build, if it is kept.
    async fn of_another(&self, id: &str, part: &str, file: &str) -> Option<Asset> {
        let is_id = id.len() == self.id.len() && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_name = !file.is_empty() && !file.starts_with('.') && !file.contains(['/', '\\']);
        let kept = self.kept.as_ref().filter(|_| is_id && is_name)?;
        let (kind, path) = (kind_of(file)?, kept.join(id).join(part).join(file));
        // A disk may be slow.
        tokio::task::spawn_blocking(move || {
            fs::read(&path).ok().map(|content| Asset::read(&path, kind, content))
        })
        .await
        .ok()
        .flatten()
    }

    /// Where the built files are served: `/pkg/3f9a…`.
    pub fn base(&self) -> String {
        format!("/{BUILT}/{}", self.id)
    }

    fn answer(&self, name: &str, headers: &HeaderMap, cache: &'static str) -> Response {
        match self.files.get(name) {
            Some(asset) => asset.answer(headers, cache),
            None => StatusCode::NOT_FOUND.into_response(),
        }
    }
}

impl Asset {
    /// A file whose content was read, with the compressed ones that lie beside it.
    fn read(path: &Path, kind: &'static str, content: Vec<u8>) -> Self {
        let sibling = |ending: &str| {
            let compressed = fs::read(format!("{}.{ending}", path.display())).ok()?;
            (compressed.len() < content.len()).then(|| Bytes::from(compressed))
        };
        Self {
            kind,
            etag: format!("\"{}\"", short(&Sha256::digest(&content))),
            brotli: sibling("br"),
            gzip: sibling("gz"),
            plain: Bytes::from(content),
        }
    }

    /// What is no file.
    fn made(kind: &'static str, content: String) -> Self {
        Self {
            kind,
            etag: format!("\"{}\"", short(&Sha256::digest(&content))),
            plain: Bytes::from(content),
            brotli: None,
            gzip: None,
        }
    }

    fn answer(&self, headers: &HeaderMap, cache: &'static str) -> Response {
        let mut answer = HeaderMap::new();
        answer.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
        answer.insert(CONTENT_TYPE, HeaderValue::from_static(self.kind));
        answer.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if let Ok(etag) = HeaderValue::from_str(&self.etag) {
            answer.insert(ETAG, etag);
        }
        let known = headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok());
        if known
            .is_some_and(|known| known.split(',').any(|tag| tag.trim().trim_start_matches("W/") == self.etag))
        {
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
        let body = match (&self.brotli, &self.gzip) {
            (Some(brotli), _) if accepts("br") => {
                answer.insert(CONTENT_ENCODING, HeaderValue::from_static("br"));
                brotli
            }
            (_, Some(gzip)) if accepts("gzip") => {
                answer.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                gzip
            }
            _ => &self.plain,
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

/// Writes a file that is whole on the disk before anybody is shown it.
fn write_to_disk(file: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = fs::File::create(file)?;
    io::Write::write_all(&mut file, content)?;
    file.sync_all()
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
        return match state.assets.of_another(&id, BUILT, &file).await {
            Some(asset) => asset.answer(&headers, FOR_EVER),
            None => StatusCode::NOT_FOUND.into_response(),
        };
    }
    state.assets.answer(&format!("{BUILT}/{file}"), &headers, kept(&state, FOR_EVER))
}

/// For how long a built file is kept, unless it may be built anew at any moment.
fn kept(state: &AppState, long: &'static str) -> &'static str {
    if state.dev.is_some() { "no-cache" } else { long }
}

/// `GET /img/{file}`
pub(crate) async fn image(
    State(state): State<AppState>,
    UrlPath(file): UrlPath<String>,
    headers: HeaderMap,
) -> Response {
    // Storefronts show the pictures of the catalogue in their checkout.
    for_everybody(state.assets.answer(&format!("img/{file}"), &headers, "public, max-age=3600"))
}

/// What has a hash in its address never changes.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// How long a browser may use what has no hash in its address, before it asks again.
const SHORTLY: &str = "public, max-age=300";

/// `GET /widget/{id}/{file}`: what other origins embed.
pub(crate) async fn widget(
    State(state): State<AppState>,
    UrlPath((id, file)): UrlPath<(String, String)>,
    headers: HeaderMap,
) -> Response {
    if id != state.assets.widget_id {
        return for_everybody(match state.assets.of_another(&id, WIDGET, &file).await {
            Some(asset) => asset.answer(&headers, FOR_EVER),
            None => StatusCode::NOT_FOUND.into_response(),
        });
    }
    for_everybody(state.assets.answer(&format!("{WIDGET}/{file}"), &headers, kept(&state, FOR_EVER)))
}

/// `GET /widget/v1/tillgate-checkout.js`: the same module at an address that never changes.
pub(crate) async fn widget_entry(State(state): State<AppState>, headers: HeaderMap) -> Response {
    for_everybody(state.assets.entry.answer(&headers, kept(&state, SHORTLY)))
}

/// `GET /widget/v1/manifest.json`: which files there are now, with their hashes.
pub(crate) async fn widget_manifest(State(state): State<AppState>, headers: HeaderMap) -> Response {
    for_everybody(state.assets.manifest.answer(&headers, kept(&state, SHORTLY)))
}

/// Any page may load it. Modules, style sheets and WebAssembly of another origin need the first header, pictures
/// on a page that is isolated the second.
fn for_everybody(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("cross-origin"),
    );
    response
}

/// `GET /favicon.svg` and `/favicon.ico`, which browsers ask for unasked.
pub(crate) async fn icon(State(state): State<AppState>, headers: HeaderMap) -> Response {
    state.assets.answer("favicon.svg", &headers, "public, max-age=3600")
}
