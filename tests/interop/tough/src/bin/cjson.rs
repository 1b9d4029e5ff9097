//! Whether files of metadata are canonical JSON, as olpc-cjson writes it.
//!
//! usage: cjson FILE...
//!
//! Prints how many files it compared. The whole file is compared, so the signed part inside it is too.

use std::error::Error;
use std::{env, fs};

use olpc_cjson::CanonicalFormatter;
use serde::Serialize as _;
use serde_json::{Serializer, Value};

fn main() -> Result<(), Box<dyn Error>> {
    let files: Vec<String> = env::args().skip(1).collect();
    for path in &files {
        let written = fs::read(path)?;
        let value: Value = serde_json::from_slice(&written)?;
        let mut canonical = Vec::new();
        value.serialize(&mut Serializer::with_formatter(&mut canonical, CanonicalFormatter::new()))?;
        if canonical != written {
            return Err(format!("`{path}` is not canonical").into());
        }
    }
    println!("{}", files.len());
    Ok(())
}
