//! PDF, by way of poppler's pdftotext: a page's letters stand where they are drawn, and finding the order in which
//! they are read is a trade of its own.
use crate::article::Article;
use crate::error::InputError;
use crate::{Error, Result};
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Names another pdftotext than the one on the path.
const VARIABLE: &str = "ANUBAD_PDFTOTEXT";
/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Most text that is taken from it.
const MOST: u64 = 64 << 20;

/// The article in a PDF.
pub(super) fn read(bytes: &[u8], name: &str, bijoy: bool) -> Result<Article> {
    let text = text(bytes, name)?;
    if text.trim().is_empty() {
        return Err(Error::Input(InputError::Empty(format!(
            "{name}: this PDF has pictures of text and no text; run OCR first: ocrmypdf -l ben {name} out.pdf"
        ))));
    }
    let all_bijoy = bijoy || super::bijoy::looks_like(&text);
    let text = if all_bijoy { super::bijoy::convert_lines(&text) } else { text };
    Ok(crate::article::plain::parse(&text))
}

fn text(bytes: &[u8], name: &str) -> Result<String> {
    let program = std::env::var_os(VARIABLE).unwrap_or_else(|| "pdftotext".into());
    // From a file, since a PDF is read from its end.
    let failed = |e| Error::io(name, e);
    let mut file = tempfile::NamedTempFile::new().map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.flush()).map_err(failed)?;
    let spawned = Command::new(&program)
        .args(["-q", "-enc", "UTF-8", "-nopgbrk"])
        .arg(file.path())
        .arg("-")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut child = spawned.map_err(|_| {
        Error::Input(InputError::Tool(format!(
            "{name}: PDFs are read through poppler's pdftotext, which is not installed; install it (apt install \
             poppler-utils, dnf install poppler-utils, brew install poppler) or name it in {VARIABLE}"
        )))
    })?;
    let stdout = child.stdout.take();
    let reader = std::thread::spawn(move || {
        let mut text = Vec::new();
        let read = stdout.map(|out| out.take(MOST).read_to_end(&mut text));
        (text, read)
    });
    let started = Instant::now();
    let status = loop {
        match child.try_wait().map_err(failed)? {
            Some(status) => break status,
            None if started.elapsed() > PATIENCE => {
                // Whatever becomes of that: it is given up.
                let _ = child.kill();
                let _ = child.wait();
                return Err(Error::Input(InputError::TooLarge(format!(
                    "{name}: pdftotext took longer than a minute over this PDF"
                ))));
            }
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    };
    let (text, _) = reader.join().unwrap_or_default();
    if !status.success() && text.is_empty() {
        return Err(Error::Input(InputError::damaged(format!(
            "{name}: pdftotext cannot read this PDF; it is damaged or has a password"
        ))));
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}
