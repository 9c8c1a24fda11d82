# What has to be there before anything can be built: a compiler, Rust, packages, tools. Sourced after lib.sh.
# shellcheck shell=bash

TRUNK_VERSION=0.21.14

# The linker and the C parts (SQLite, AWS-LC) need a C compiler.
need_compiler() {
    has make || stop "make is missing: $(how_to_get_compiler)"
    if [ "$(uname)" = Darwin ]; then
        # cc is there in any case, and asks for the tools in a window.
        xcode-select -p >/dev/null 2>&1 || stop "A C compiler is missing: $(how_to_get_compiler)"
    else
        echo 'int main(void) { return 0; }' | cc -x c -o /dev/null - 2>/dev/null ||
            stop "A C compiler is missing, or its standard library: $(how_to_get_compiler)"
    fi
}

how_to_get_compiler() {
    if [ "$(uname)" = Darwin ]; then
        echo "install it with  xcode-select --install"
    else
        echo "install it with  sudo apt-get install build-essential  (Debian, Ubuntu), or what your system calls that."
    fi
}

# Rust as rust-toolchain.toml pins it, with the target of the browser's part.
need_rust() {
    if ! has cargo && [ -f "$HOME/.cargo/env" ]; then
        # Installed a moment ago, in a shell that does not know of it yet.
        # shellcheck source=/dev/null
        . "$HOME/.cargo/env"
    fi
    has rustup || stop "Rust is missing: install it with  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh  and run this again."
    local channel installed part
    channel=$(sed -n 's/^channel = "\(.*\)"/\1/p' rust-toolchain.toml)
    installed=$(rustup component list --toolchain "$channel" --installed 2>/dev/null || true)
    for part in clippy rustfmt rust-std-wasm32-unknown-unknown; do
        case $installed in
        *"$part"*) ;;
        *)
            rustup toolchain install "$channel" --profile minimal --component clippy,rustfmt \
                --target wasm32-unknown-unknown ||
                stop "Rust $channel could not be installed: check the network connection, then run this again."
            return
            ;;
        esac
    done
}

# Every package of Cargo.lock, so that what follows needs no network.
need_packages() {
    local said
    if said=$(cargo fetch --locked --offline 2>&1); then
        return
    fi
    case $said in
    *'lock file'*'--locked'*) stop "Cargo.lock does not fit the manifests: run  cargo check  and look at what it changed." ;;
    esac
    cargo fetch --locked || stop "The packages could not be fetched: check the network connection, then run this again."
}

# Trunk, and wasm-bindgen in exactly the version of the library, from the system or in .tools/bin.
need_tools() {
    export PATH="$ROOT/.tools/bin:$PATH"
    install_tool trunk "$TRUNK_VERSION" trunk --locked --no-default-features
    install_tool wasm-bindgen "$(locked_version wasm-bindgen)" wasm-bindgen-cli --bin wasm-bindgen
    rm -rf .tools/build
}

# install_tool PROGRAM VERSION PACKAGE [OPTION...]: as a debug build without what only its developers want, which takes a
# third of the time and does the same.
install_tool() {
    local program=$1 version=$2 package=$3
    shift 3
    if [ "$("$program" --version 2>/dev/null || true)" = "$program $version" ]; then
        return
    fi
    CARGO_PROFILE_DEV_DEBUG=0 CARGO_PROFILE_DEV_DEBUG_ASSERTIONS=false CARGO_PROFILE_DEV_OVERFLOW_CHECKS=false \
        CARGO_PROFILE_DEV_PANIC=abort CARGO_TARGET_DIR="$ROOT/.tools/build" cargo install "$package@$version" --debug --root "$ROOT/.tools" "$@" ||
        stop "$package $version could not be installed: check the network connection, then run this again."
}

# The version of a package in Cargo.lock.
locked_version() {
    awk -v name="name = \"$1\"" '$0 == name { getline; gsub(/version = |"/, ""); print; exit }' Cargo.lock
}

need_node() {
    # What Vite asks for.
    node -e 'const [major, minor] = process.versions.node.split(".").map(Number);
        process.exit((major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22 ? 0 : 1)' 2>/dev/null ||
        stop "Node 20.19, 22.12 or newer is missing: install  nodejs  and  npm  (Debian 13, Ubuntu 26.04), or  brew install node."
}

# The packages of the browser tests; wasm-opt is among them.
need_node_packages() {
    if [ end2end/node_modules/.package-lock.json -nt end2end/package-lock.json ]; then
        return
    fi
    npm ci --prefix end2end --no-audit --no-fund ||
        stop "The Node packages could not be fetched: check the network connection, then run this again."
}

# What the package of the widget is made and checked with.
need_widget_packages() {
    if [ widget/npm/node_modules/.package-lock.json -nt widget/npm/package-lock.json ]; then
        return
    fi
    npm ci --prefix widget/npm --no-audit --no-fund ||
        stop "The Node packages could not be fetched: check the network connection, then run this again."
}

# need_program PROGRAM PACKAGE: installs a Debian package where nobody has to be asked.
need_program() {
    has "$1" && return
    may_install || stop "$1 is missing: install  $2  (that is its name in Debian and in Homebrew)."
    install_debian "$2"
}

# A PostgreSQL server for the tests, unless one is given.
need_postgres() {
    if [ -n "${TEST_DATABASE_URL:-}" ] || find_postgres >/dev/null; then
        return
    fi
    may_install || stop "PostgreSQL is missing: install  postgresql  (that is its name in Debian and in Homebrew), or set TEST_DATABASE_URL."
    install_debian postgresql
}

# The browser that the tests drive: $CHROMIUM, the system's, or one that Playwright brings.
need_chromium() {
    if [ -n "${CHROMIUM:-}" ] || [ -x /usr/bin/chromium-headless-shell ]; then
        return
    fi
    # Without the browser's own windows, which nobody sees, the tests take half the time.
    if may_install && grep -qx 'ID=debian' /etc/os-release; then
        install_debian chromium-headless-shell
    elif has chromium; then
        CHROMIUM=$(command -v chromium)
        export CHROMIUM
    else
        (cd end2end && npx playwright install chromium) ||
            stop "Chromium could not be fetched: check the network connection, or set CHROMIUM to the browser's path."
    fi
}

may_install() {
    [ "$(id -u)" = 0 ] && has apt-get
}

install_debian() {
    if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$1"; }; then
        stop "The Debian package $1 could not be installed: check the network connection, then run this again."
    fi
}
