#!/usr/bin/env bash
# Coverage-guided fuzzing of what reads messages, keys, carts, quotes and what people type: an hour in all, or FUZZ_SECONDS for each target.
# Stable Rust does: nothing here is unsafe, so there is nothing that a sanitizer of nightly would find.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/setup.sh"
CARGO_FUZZ_VERSION=0.13.2
TARGETS=(form json xml key shop)
STEPS=$((${#TARGETS[@]} + 2))

step "Compiler, Rust, OpenSSL and cargo-fuzz" "3 minutes"
need_compiler
need_rust
need_program openssl openssl
export PATH="$ROOT/.tools/bin:$PATH"
install_tool cargo-fuzz "$CARGO_FUZZ_VERSION" cargo-fuzz --locked
rm -rf .tools/build

step "The targets" "5 minutes"
cargo fuzz build --sanitizer none

# What each begins with: the corpus of the tests, and keys that are made here.
CORPUS=fuzz/corpus
for target in "${TARGETS[@]}"; do
    mkdir -p "$CORPUS/$target"
    if [ -d "mypos/tests/corpus/$target" ]; then
        cp mypos/tests/corpus/"$target"/* "$CORPUS/$target/"
    fi
done
if [ ! -f "$CORPUS/key/private" ]; then
    openssl genrsa -out "$CORPUS/key/private" 1024 2>/dev/null
    openssl rsa -in "$CORPUS/key/private" -traditional -out "$CORPUS/key/pkcs1" 2>/dev/null
    openssl rsa -in "$CORPUS/key/private" -pubout -out "$CORPUS/key/public" 2>/dev/null
    openssl req -x509 -new -key "$CORPUS/key/private" -subj /CN=fuzz -out "$CORPUS/key/certificate" 2>/dev/null
    tr -d '\n' <"$CORPUS/key/private" | sed 's/^/{"sid":"10","cn":"1","pk":"/; s/$/","pc":"-","idx":1}/' >"$CORPUS/key/package"
fi
cp server/catalog.toml "$CORPUS/shop/catalog"
cut -d. -f3 checkout/src/signed_quote_example.txt | openssl base64 -d -A >"$CORPUS/shop/quote"
printf 'mug:2,tea.green:1' >"$CORPUS/shop/cart"
printf '1.234,50 €' >"$CORPUS/shop/amount"

for target in "${TARGETS[@]}"; do
    step "$target" "$((${FUZZ_SECONDS:-720} / 60)) minutes"
    cargo fuzz run "$target" --sanitizer none -- -max_total_time="${FUZZ_SECONDS:-720}" -max_len=8192 -print_final_stats=1
done
end_step
echo "Nothing was found."
