//! Keys that only a command can use: an HSM, a KMS, an agent.
#![expect(clippy::disallowed_methods, reason = "this file runs signing commands")]

use std::io::{self, Write as _};
use std::process::{Command, Stdio};

use crate::metadata::keys::{KeyId, PublicKey, SignError, SignatureBytes, Signer};

/// A key that only a command can use.
pub(super) struct CommandSigner {
    command: Vec<String>,
    public: PublicKey,
    id: KeyId,
}

impl CommandSigner {
    /// A command with its arguments, never empty, that signs with this key.
    pub(super) fn new(command: Vec<String>, public: PublicKey) -> CommandSigner {
        CommandSigner { command, id: public.id(), public }
    }

    fn run(&self, message: &[u8]) -> io::Result<std::process::Output> {
        let mut child = Command::new(&self.command[0])
            .args(&self.command[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        // Writing all before reading cannot lock up with a command that reads its input before it answers; one that
        // does not read it at all is told by the closed pipe.
        let written = child.stdin.take().expect("stdin was asked for").write_all(message);
        let output = child.wait_with_output()?;
        match (written, output.status.success()) {
            (Err(error), true) => Err(error),
            _ => Ok(output),
        }
    }
}

impl Signer for CommandSigner {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn key_id(&self) -> KeyId {
        self.id
    }

    fn sign(&self, message: &[u8]) -> Result<SignatureBytes, SignError> {
        let command = self.command[0].clone();
        let failed = |message: String| SignError::Command { command: command.clone(), message };
        let output = self.run(message).map_err(|error| failed(error.to_string()))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            // What a command says may hold anything; a terminal must not obey it.
            let said: String = said.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            return Err(failed(format!("{} {said}", output.status)));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        match SignatureBytes::parse(text.trim()) {
            // Checked here, once: a signature that nobody can verify must never be published.
            Some(signature) if self.public.verifies(message, &signature) => Ok(signature),
            _ => Err(SignError::WrongSignature { command }),
        }
    }
}
