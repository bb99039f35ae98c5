//! Just as much of Python's pickle format as `torch.save` needs for a dictionary of tensors.
//!
//! A pickle is a program. This machine never runs any of it: it knows the handful of callables that rebuild a
//! tensor, treats them as data, and refuses every other global and every opcode that could call something else.
//! The opcodes are described in CPython's `Lib/pickletools.py`.
use super::Encoding;
use crate::error::ModelError;
use crate::{Error, Result};
use std::collections::HashMap;
use std::sync::Arc;

/// A storage as the pickle names it: which one, and how its elements are encoded.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Storage {
    pub key: Arc<str>,
    pub encoding: Encoding,
    /// Number of elements.
    pub len: usize,
}

/// A tensor: a strided view of a storage, counted in elements.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PickledTensor {
    pub storage: Storage,
    pub offset: usize,
    pub shape: Vec<usize>,
    pub strides: Vec<usize>,
}

/// The globals that a file of weights may name.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Global {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    Storage(Encoding),
}

/// A value on the machine's stack, cheap to copy. Containers live in arenas and texts are shared: a hostile file can then
/// neither nest them until the stack overflows nor double them until the memory does.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Bytes(Arc<[u8]>),
    Str(Arc<str>),
    /// Index into `lists`.
    Tuple(usize),
    /// Index into `lists`.
    List(usize),
    /// Index into `dicts`.
    Dict(usize),
    Global(Global),
    Storage(Storage),
    Tensor(Arc<PickledTensor>),
}

/// What one pickle left behind.
pub(super) struct Pickle {
    pub root: Value,
    lists: Vec<Vec<Value>>,
    dicts: Vec<Vec<(Value, Value)>>,
    /// Bytes that the pickle took.
    pub len: usize,
}

/// A pickle makes no more values than this, copies, marks and notes of the memo included: the largest known checkpoints
/// make some tens of thousands.
const MAX_VALUES: usize = 4_000_000;

impl Pickle {
    /// Runs the pickle at the start of `bytes`; `place` names the file in errors.
    pub fn read(bytes: &[u8], place: &str) -> Result<Self> {
        let mut machine = Machine {
            bytes,
            at: 0,
            place,
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
            lists: Vec::new(),
            dicts: Vec::new(),
            made: 0,
        };
        let root = machine.run()?;
        Ok(Self { root, lists: machine.lists, dicts: machine.dicts, len: machine.at })
    }

    /// Entries of a dictionary value.
    pub fn dict(&self, value: &Value) -> Option<&[(Value, Value)]> {
        match value {
            Value::Dict(i) => Some(&self.dicts[*i]),
            _ => None,
        }
    }

    /// Items of a list or tuple.
    pub fn items(&self, value: &Value) -> Option<&[Value]> {
        match value {
            Value::List(i) | Value::Tuple(i) => Some(&self.lists[*i]),
            _ => None,
        }
    }
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    place: &'a str,
    stack: Vec<Value>,
    marks: Vec<usize>,
    memo: HashMap<u32, Value>,
    lists: Vec<Vec<Value>>,
    dicts: Vec<Vec<(Value, Value)>>,
    made: usize,
}

impl Machine<'_> {
    fn damaged(&self, what: &str) -> Error {
        Error::Model(ModelError::damaged(format!(
            "{}: damaged pickle at byte {} ({what}); download the file again",
            self.place, self.at
        )))
    }

    fn refused(&self, what: String) -> Error {
        Error::Model(ModelError::Refused(format!(
            "{}: {what}; a file of weights needs nothing of the kind and it could run code, so it is refused: \
             use a safetensors version of this model",
            self.place
        )))
    }

    fn take(&mut self, n: usize) -> Result<&[u8]> {
        let end = self.at.checked_add(n).filter(|&end| end <= self.bytes.len());
        let end = end.ok_or_else(|| self.damaged("it ends too early"))?;
        let slice = &self.bytes[self.at..end];
        self.at = end;
        Ok(slice)
    }

    fn uint(&mut self, n: usize) -> Result<usize> {
        let bytes = self.take(n)?;
        let value = bytes.iter().rev().fold(0u64, |acc, &b| acc << 8 | u64::from(b));
        usize::try_from(value).map_err(|_| self.damaged("a length is too large"))
    }

    fn text(&mut self, n: usize) -> Result<Arc<str>> {
        let text = std::str::from_utf8(self.take(n)?).map(Arc::from);
        text.map_err(|_| self.damaged("text that is not UTF-8"))
    }

    fn line(&mut self) -> Result<Arc<str>> {
        let rest = &self.bytes[self.at..];
        let n = rest.iter().position(|&b| b == b'\n').ok_or_else(|| self.damaged("it ends too early"))?;
        let line = self.text(n)?;
        self.at += 1;
        Ok(line)
    }

    fn pop(&mut self) -> Result<Value> {
        // Nothing below the innermost mark may be popped one by one.
        if self.stack.len() <= self.marks.last().copied().unwrap_or(0) {
            return Err(self.damaged("the stack is empty"));
        }
        self.stack.pop().ok_or_else(|| self.damaged("the stack is empty"))
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Value>> {
        let mark = self.marks.pop().ok_or_else(|| self.damaged("no mark"))?;
        Ok(self.stack.split_off(mark))
    }

    fn push(&mut self, value: Value) -> Result<()> {
        self.spend(1)?;
        self.stack.push(value);
        Ok(())
    }

    /// Something becomes larger by so many values.
    fn spend(&mut self, values: usize) -> Result<()> {
        self.made = self.made.saturating_add(values);
        if self.made > MAX_VALUES {
            return Err(self.damaged("it holds too many values"));
        }
        Ok(())
    }

    fn new_dict(&mut self) -> Result<()> {
        self.dicts.push(Vec::new());
        self.push(Value::Dict(self.dicts.len() - 1))
    }

    fn new_list(&mut self, items: Vec<Value>) -> Result<()> {
        self.lists.push(items);
        self.push(Value::List(self.lists.len() - 1))
    }

    fn run(&mut self) -> Result<Value> {
        loop {
            let at = self.at;
            let op = self.take(1)?[0];
            match op {
                b'.' => return self.pop(),
                b'(' => {
                    self.spend(1)?;
                    self.marks.push(self.stack.len());
                }
                b'0' => drop(self.pop()?),
                b'1' => drop(self.pop_to_mark()?),
                b'2' => {
                    let top = self.pop()?;
                    self.stack.push(top.clone());
                    self.push(top)?;
                }
                0x80 => {
                    let version = self.uint(1)?;
                    if version > 5 {
                        return Err(self.damaged("an unknown pickle protocol"));
                    }
                }
                0x95 => drop(self.take(8)?), // a frame's length: a hint for buffered readers
                b'N' | 0x88 | 0x89 | b'J' | b'K' | b'M' | 0x8a | 0x8b | b'G' => self.number(op)?,
                b'X' | 0x8c | 0x8d | b'U' | b'T' | b'C' | b'B' => self.string(op)?,
                b')' | b't' | 0x85..=0x87 => self.tuple(op)?,
                b'}' => self.new_dict()?,
                b']' => self.new_list(Vec::new())?,
                b'l' => {
                    let items = self.pop_to_mark()?;
                    self.new_list(items)?;
                }
                b'a' | b'e' | b's' | b'u' | b'd' => self.fill(op)?,
                b'q' | b'r' | 0x94 | b'h' | b'j' => self.memoise(op)?,
                b'c' => {
                    let (module, name) = (self.line()?, self.line()?);
                    self.global(&module, &name)?;
                }
                0x93 => match (self.pop()?, self.pop()?) {
                    (Value::Str(name), Value::Str(module)) => self.global(&module, &name)?,
                    _ => return Err(self.damaged("a global without a name")),
                },
                b'Q' => self.persistent()?,
                b'R' => self.reduce()?,
                b'b' => self.build()?,
                _ => {
                    return Err(self.refused(format!("pickle opcode 0x{op:02x} at byte {at}")));
                }
            }
        }
    }

    fn number(&mut self, op: u8) -> Result<()> {
        let value = match op {
            b'N' => Value::None,
            0x88 => Value::Bool(true),
            0x89 => Value::Bool(false),
            b'J' => Value::Int(i64::from(self.uint(4)? as u32 as i32)),
            b'K' => Value::Int(self.uint(1)? as i64),
            b'M' => Value::Int(self.uint(2)? as i64),
            b'G' => {
                let mut raw = [0; 8];
                raw.copy_from_slice(self.take(8)?);
                Value::Float(f64::from_be_bytes(raw))
            }
            _ => {
                let n = self.uint(if op == 0x8a { 1 } else { 4 })?;
                let raw = self.take(n)?.to_vec();
                match raw.len() {
                    0..=8 => {
                        let negative = raw.last().is_some_and(|b| b & 0x80 != 0);
                        let fill = if negative { 0xff } else { 0 };
                        let mut wide = [fill; 8];
                        wide[..raw.len()].copy_from_slice(&raw);
                        Value::Int(i64::from_le_bytes(wide))
                    }
                    // Only the magic number of the old format is this long.
                    _ => Value::Bytes(raw.into()),
                }
            }
        };
        self.push(value)
    }

    fn string(&mut self, op: u8) -> Result<()> {
        let n = self.uint(match op {
            0x8c | b'U' | b'C' => 1,
            0x8d => 8,
            _ => 4,
        })?;
        let value = match op {
            b'C' | b'B' => Value::Bytes(self.take(n)?.into()),
            _ => Value::Str(self.text(n)?),
        };
        self.push(value)
    }

    fn tuple(&mut self, op: u8) -> Result<()> {
        let items = match op {
            b')' => Vec::new(),
            b't' => self.pop_to_mark()?,
            _ => {
                let mut items = (0..op - 0x84).map(|_| self.pop()).collect::<Result<Vec<_>>>()?;
                items.reverse();
                items
            }
        };
        self.lists.push(items);
        self.push(Value::Tuple(self.lists.len() - 1))
    }

    fn fill(&mut self, op: u8) -> Result<()> {
        let items = match op {
            b'a' => vec![self.pop()?],
            b's' => {
                let value = self.pop()?;
                vec![self.pop()?, value]
            }
            _ => self.pop_to_mark()?,
        };
        if op == b'd' {
            self.new_dict()?;
        }
        let pairs_wanted = matches!(op, b's' | b'u' | b'd');
        match self.stack.last() {
            Some(&Value::List(i)) if !pairs_wanted => self.lists[i].extend(items),
            Some(&Value::Dict(i)) if pairs_wanted && items.len() % 2 == 0 => {
                let mut items = items.into_iter();
                while let (Some(key), Some(value)) = (items.next(), items.next()) {
                    self.dicts[i].push((key, value));
                }
            }
            _ => return Err(self.damaged("items without their container")),
        }
        Ok(())
    }

    fn memoise(&mut self, op: u8) -> Result<()> {
        let slot = match op {
            b'q' | b'h' => self.uint(1)? as u32,
            0x94 => self.memo.len() as u32,
            _ => self.uint(4)? as u32,
        };
        if matches!(op, b'h' | b'j') {
            let value = self.memo.get(&slot).cloned().ok_or_else(|| self.damaged("an unknown memo"))?;
            return self.push(value);
        }
        let value = self.stack.last().cloned().ok_or_else(|| self.damaged("the stack is empty"))?;
        self.spend(1)?;
        self.memo.insert(slot, value);
        Ok(())
    }

    fn global(&mut self, module: &str, name: &str) -> Result<()> {
        let global = match (module, name) {
            ("collections", "OrderedDict") => Global::OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2") => Global::RebuildTensor,
            ("torch._utils", "_rebuild_parameter") => Global::RebuildParameter,
            ("torch" | "torch.cuda", "FloatStorage") => Global::Storage(Encoding::F32),
            ("torch" | "torch.cuda", "HalfStorage") => Global::Storage(Encoding::F16),
            ("torch" | "torch.cuda", "BFloat16Storage") => Global::Storage(Encoding::BF16),
            ("torch" | "torch.cuda", "DoubleStorage") => Global::Storage(Encoding::F64),
            ("torch" | "torch.cuda", "LongStorage") => Global::Storage(Encoding::I64),
            ("torch" | "torch.cuda", "IntStorage") => Global::Storage(Encoding::I32),
            ("torch" | "torch.cuda", "ByteStorage" | "BoolStorage") => Global::Storage(Encoding::U8),
            _ => return Err(self.refused(format!("the pickle names {module}.{name}"))),
        };
        self.push(Value::Global(global))
    }

    /// `('storage', StorageType, key, location, number of elements[, view])`.
    fn persistent(&mut self) -> Result<()> {
        let id = self.pop()?;
        let Value::Tuple(items) = id else { return Err(self.damaged("a persistent id that is no tuple")) };
        let storage = match self.lists[items].as_slice() {
            [
                Value::Str(kind),
                Value::Global(Global::Storage(encoding)),
                Value::Str(key),
                _,
                Value::Int(len),
                view @ ..,
            ] if &**kind == "storage" && *len >= 0 && (view.is_empty() || view == [Value::None]) => {
                Storage { key: key.clone(), encoding: *encoding, len: *len as usize }
            }
            _ => return Err(self.damaged("a persistent id that is no storage")),
        };
        self.push(Value::Storage(storage))
    }

    fn reduce(&mut self) -> Result<()> {
        let (args, callable) = (self.pop()?, self.pop()?);
        let Value::Tuple(args) = args else { return Err(self.damaged("arguments that are no tuple")) };
        self.spend(self.lists[args].len())?;
        let args = self.lists[args].clone();
        match callable {
            Value::Global(Global::OrderedDict) => match args.as_slice() {
                [] => self.new_dict(),
                // Python 2 and `OrderedDict(pairs)`.
                [Value::List(i)] => {
                    self.spend(3 * self.lists[*i].len())?;
                    let pairs = self.lists[*i].clone();
                    self.dict_of_pairs(pairs)
                }
                _ => Err(self.damaged("an ordered dictionary with odd arguments")),
            },
            Value::Global(Global::RebuildTensor) => {
                let tensor = self.rebuild(&args)?;
                self.spend(tensor.shape.len() + tensor.strides.len())?;
                self.push(Value::Tensor(Arc::new(tensor)))
            }
            Value::Global(Global::RebuildParameter) if matches!(args.first(), Some(Value::Tensor(_))) => {
                self.push(args[0].clone())
            }
            _ => Err(self.damaged("a call of something that cannot be called")),
        }
    }

    fn dict_of_pairs(&mut self, pairs: Vec<Value>) -> Result<()> {
        let mut dict = Vec::with_capacity(pairs.len());
        for pair in pairs {
            let (Value::Tuple(i) | Value::List(i)) = pair else {
                return Err(self.damaged("a dictionary entry that is no pair"));
            };
            let [key, value] = self.lists[i].as_slice() else {
                return Err(self.damaged("a dictionary entry that is no pair"));
            };
            dict.push((key.clone(), value.clone()));
        }
        self.dicts.push(dict);
        self.push(Value::Dict(self.dicts.len() - 1))
    }

    /// `(storage, offset, size, stride, requires_grad, backward_hooks[, metadata])`.
    fn rebuild(&self, args: &[Value]) -> Result<PickledTensor> {
        let numbers = |value: &Value| -> Option<Vec<usize>> {
            let Value::Tuple(items) = value else { return None };
            self.lists[*items]
                .iter()
                .map(|v| match v {
                    Value::Int(n) => usize::try_from(*n).ok(),
                    _ => None,
                })
                .collect()
        };
        let tensor = match args {
            [Value::Storage(storage), Value::Int(offset), size, stride, ..] => numbers(size)
                .zip(numbers(stride))
                .zip(usize::try_from(*offset).ok())
                .filter(|((shape, strides), _)| shape.len() == strides.len())
                .map(|((shape, strides), offset)| PickledTensor { storage: storage.clone(), offset, shape, strides }),
            _ => None,
        };
        tensor.ok_or_else(|| self.damaged("a tensor with odd arguments"))
    }

    /// State of an object: a state dictionary carries `_metadata`, which says nothing about weights.
    fn build(&mut self) -> Result<()> {
        let state = self.pop()?;
        match (self.stack.last(), state) {
            (Some(Value::Dict(_)), Value::Dict(_) | Value::None) => Ok(()),
            _ => Err(self.refused(format!("the pickle sets the state of an object at byte {}", self.at))),
        }
    }
}

#[cfg(test)]
mod tests;
