//! Writes the bindings of a language out of the compiled library; see `bindings/generate`.

fn main() {
    uniffi::uniffi_bindgen_main();
}
