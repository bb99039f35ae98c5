//! A SentencePiece model file: the protocol buffer `ModelProto` of sentencepiece_model.proto, as far as it is needed.
use crate::error::ModelError;
use crate::{Error, Result};

/// `ModelProto.SentencePiece.Type`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PieceType {
    Normal,
    Unknown,
    Control,
    UserDefined,
    Unused,
    Byte,
}

/// `TrainerSpec.ModelType`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelType {
    Unigram,
    Bpe,
    Word,
    Char,
}

/// One entry of the vocabulary.
#[derive(Clone, Debug)]
pub struct Piece {
    pub text: String,
    pub score: f32,
    pub kind: PieceType,
}

/// What the file says, with the format's defaults where it says nothing.
#[derive(Clone, Debug)]
pub struct ModelFile {
    pub pieces: Vec<Piece>,
    pub model_type: ModelType,
    pub byte_fallback: bool,
    pub whitespace_as_suffix: bool,
    /// What stands for an unknown piece in decoded text.
    pub unk_surface: String,
    /// A darts-clone double array and the replacement texts it points into; see [`super::normalizer`].
    pub charsmap: Vec<u8>,
    pub add_dummy_prefix: bool,
    pub remove_extra_whitespaces: bool,
    pub escape_whitespaces: bool,
}

impl ModelFile {
    /// Reads the bytes of a `.model` or `.spm` file; `name` is for the error text.
    ///
    /// # Errors
    /// [`Error::Model`] where the bytes are no such file, are cut off, or hold no pieces.
    pub fn parse(bytes: &[u8], name: &str) -> Result<Self> {
        let mut file = Self {
            pieces: Vec::new(),
            model_type: ModelType::Unigram,
            byte_fallback: false,
            whitespace_as_suffix: false,
            unk_surface: " \u{2047} ".into(),
            charsmap: Vec::new(),
            add_dummy_prefix: true,
            remove_extra_whitespaces: true,
            escape_whitespaces: true,
        };
        let damaged = |what: &str| {
            Error::Model(ModelError::damaged(format!(
                "{name} is not a readable SentencePiece model ({what}); download the file again"
            )))
        };
        file.read(bytes).map_err(damaged)?;
        if file.pieces.is_empty() {
            return Err(damaged("it has no pieces"));
        }
        Ok(file)
    }

    fn read(&mut self, bytes: &[u8]) -> Result<(), &'static str> {
        for field in Fields(bytes) {
            match field? {
                (1, Value::Bytes(piece)) => self.pieces.push(read_piece(piece)?),
                (2, Value::Bytes(spec)) => self.read_trainer(spec)?,
                (3, Value::Bytes(spec)) => self.read_normalizer(spec)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn read_trainer(&mut self, bytes: &[u8]) -> Result<(), &'static str> {
        for field in Fields(bytes) {
            match field? {
                (3, Value::Number(kind)) => {
                    self.model_type = match kind {
                        1 => ModelType::Unigram,
                        2 => ModelType::Bpe,
                        3 => ModelType::Word,
                        4 => ModelType::Char,
                        _ => return Err("unknown model type"),
                    }
                }
                (24, Value::Number(flag)) => self.whitespace_as_suffix = flag != 0,
                (35, Value::Number(flag)) => self.byte_fallback = flag != 0,
                (44, Value::Bytes(surface)) => self.unk_surface = text(surface)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn read_normalizer(&mut self, bytes: &[u8]) -> Result<(), &'static str> {
        for field in Fields(bytes) {
            match field? {
                (2, Value::Bytes(map)) => self.charsmap = map.to_vec(),
                (3, Value::Number(flag)) => self.add_dummy_prefix = flag != 0,
                (4, Value::Number(flag)) => self.remove_extra_whitespaces = flag != 0,
                (5, Value::Number(flag)) => self.escape_whitespaces = flag != 0,
                _ => {}
            }
        }
        Ok(())
    }
}

fn read_piece(bytes: &[u8]) -> Result<Piece, &'static str> {
    let mut piece = Piece { text: String::new(), score: 0.0, kind: PieceType::Normal };
    for field in Fields(bytes) {
        match field? {
            (1, Value::Bytes(spelling)) => piece.text = text(spelling)?,
            (2, Value::Fixed32(bits)) => piece.score = f32::from_bits(bits),
            (3, Value::Number(kind)) => {
                piece.kind = match kind {
                    1 => PieceType::Normal,
                    2 => PieceType::Unknown,
                    3 => PieceType::Control,
                    4 => PieceType::UserDefined,
                    5 => PieceType::Unused,
                    6 => PieceType::Byte,
                    _ => return Err("unknown type of piece"),
                }
            }
            _ => {}
        }
    }
    if piece.text.is_empty() { Err("empty piece") } else { Ok(piece) }
}

fn text(bytes: &[u8]) -> Result<String, &'static str> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| "text that is not UTF-8")
}

/// A field's value by wire type; 64-bit values do not occur in what is read here.
enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Fixed32(u32),
    Fixed64,
}

/// The fields of one message, in file order. After an error the iterator ends.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, count: u64) -> Result<&'a [u8], &'static str> {
        let count = usize::try_from(count).map_err(|_| "absurd length")?;
        let (head, tail) = self.0.split_at_checked(count).ok_or("cut off")?;
        self.0 = tail;
        Ok(head)
    }

    fn varint(&mut self) -> Result<u64, &'static str> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err("overlong number")
    }

    fn field(&mut self) -> Result<(u64, Value<'a>), &'static str> {
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Value::Number(self.varint()?),
            1 => {
                self.take(8)?;
                Value::Fixed64
            }
            2 => {
                let length = self.varint()?;
                Value::Bytes(self.take(length)?)
            }
            5 => {
                let bytes = self.take(4)?;
                Value::Fixed32(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
            }
            _ => return Err("unknown wire type"),
        };
        Ok((key >> 3, value))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), &'static str>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minimal_file_has_the_formats_defaults() {
        // pieces { piece: "a" score: -1.0 } trainer_spec { model_type: BPE byte_fallback: true }
        let bytes = [10, 8, 10, 1, b'a', 0x15, 0, 0, 0x80, 0xbf, 18, 5, 24, 2, 0x98, 2, 1];
        let file = ModelFile::parse(&bytes, "m").unwrap();
        assert_eq!((file.pieces[0].text.as_str(), file.pieces[0].score), ("a", -1.0));
        assert_eq!(file.model_type, ModelType::Bpe);
        assert!(file.byte_fallback && file.add_dummy_prefix && file.remove_extra_whitespaces);
    }

    #[test]
    fn damaged_files_are_refused_with_their_name() {
        let hostile: [&[u8]; 7] = [
            b"",
            b"version https://git-lfs.github.com/spec/v1\n",
            &[10, 8, 10, 1, b'a'],                                             // cut off
            &[10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],    // absurd length
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 15], // overlong
            &[10, 3, 10, 1, 0xff],                                             // not UTF-8
            &[10, 0],                                                          // empty piece
        ];
        for bytes in hostile {
            let text = ModelFile::parse(bytes, "x.spm").unwrap_err().to_string();
            assert!(text.starts_with("x.spm is not") && !text.contains('\n'), "{text}");
        }
    }
}
