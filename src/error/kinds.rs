//! What is wrong with a model, an input or a setting, by kind. The texts name file and place; what a program should do
//! about it, its caller knows best and says (the command line does so in `cli/remedy.rs`).

/// An error of any kind behind one of ours.
pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a model cannot be opened, or stopped working.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A file, a tensor or an entry of a configuration that the model needs is not there.
    #[error("{0}")]
    Missing(String),
    /// There are several of what must be one: GGUF files, vocabularies.
    #[error("{0}")]
    Ambiguous(String),
    /// A file is cut off, contradicts itself, or holds what no model has.
    #[error("{what}")]
    Damaged {
        /// Which file, where in it, and what to do.
        what: String,
        /// What its reader says; absent where the reader is ours.
        #[source]
        source: Option<Cause>,
    },
    /// The model is sound and of a kind that this program does not run.
    #[error("{0}")]
    Unsupported(String),
    /// Two parts of it do not belong together: weights and configuration, network and vocabulary.
    #[error("{0}")]
    Mismatch(String),
    /// The file asks for what could run code or exhaust the memory.
    #[error("{0}")]
    Refused(String),
    /// The model cannot do what it is asked for.
    #[error("{0}")]
    Incapable(String),
    /// What it computed are no numbers.
    #[error("{0}")]
    Computed(String),
    /// Its parts were called in a way in which they must not be.
    #[error("{0}")]
    Defect(String),
}

impl ModelError {
    /// Damage that our own reader found.
    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged { what: what.into(), source: None }
    }

    /// Damage that somebody else's reader found.
    pub(crate) fn damaged_by(what: impl Into<String>, cause: impl Into<Cause>) -> Self {
        Self::Damaged { what: what.into(), source: Some(cause.into()) }
    }

    /// The same error with the place before its text.
    pub(crate) fn at(self, place: &str) -> Self {
        let behind = |text: String| format!("{place}: {text}");
        match self {
            Self::Missing(text) => Self::Missing(behind(text)),
            Self::Ambiguous(text) => Self::Ambiguous(behind(text)),
            Self::Damaged { what, source } => Self::Damaged { what: behind(what), source },
            Self::Unsupported(text) => Self::Unsupported(behind(text)),
            Self::Mismatch(text) => Self::Mismatch(behind(text)),
            Self::Refused(text) => Self::Refused(behind(text)),
            Self::Incapable(text) => Self::Incapable(behind(text)),
            Self::Computed(text) => Self::Computed(behind(text)),
            Self::Defect(text) => Self::Defect(behind(text)),
        }
    }
}

/// Why an input cannot be translated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// There is nothing in it.
    #[error("{0}")]
    Empty(String),
    /// It is no text: a picture, an archive, a program.
    #[error("{0}")]
    Binary(String),
    /// Its bytes are not in the encoding that they should be in.
    #[error("{0}")]
    Encoding(String),
    /// Its letters are those of a Bijoy font, which nobody has asked to convert.
    #[error("{0}")]
    Bijoy(String),
    /// It is larger than anything of its kind, or takes longer.
    #[error("{0}")]
    TooLarge(String),
    /// It has no Bengali in it; the text says what it has.
    #[error("{0}")]
    NoBengali(String),
    /// All there is are a title and what a page carries around an article.
    #[error("{0}")]
    Furniture(String),
    /// It is a feed or a list of records, not one article.
    #[error("{0}")]
    Feed(String),
    /// A program that reads this kind of document is not there.
    #[error("{0}")]
    Tool(String),
    /// An address cannot be fetched.
    #[error("{what}")]
    Address {
        /// The address, what happened and what to do.
        what: String,
        /// What the connection's side says; absent where the server answered.
        #[source]
        source: Option<Cause>,
    },
    /// It is cut off, contradicts itself, or is not what its name says.
    #[error("{what}")]
    Damaged {
        /// Which file, where in it, and what to do.
        what: String,
        /// What its reader says; absent where the reader is ours.
        #[source]
        source: Option<Cause>,
    },
}

impl InputError {
    /// Damage that our own reader found.
    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged { what: what.into(), source: None }
    }

    /// Damage that somebody else's reader found.
    pub(crate) fn damaged_by(what: impl Into<String>, cause: impl Into<Cause>) -> Self {
        Self::Damaged { what: what.into(), source: Some(cause.into()) }
    }

    /// An address that cannot be fetched, without a cause behind it.
    #[cfg_attr(not(feature = "fetch"), allow(dead_code))]
    pub(crate) fn address(what: impl Into<String>) -> Self {
        Self::Address { what: what.into(), source: None }
    }
}

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A name that means nothing here.
    #[error("{0}")]
    Unknown(String),
    /// Something that must be named is not.
    #[error("{0}")]
    Missing(String),
    /// A number out of its range.
    #[error("{0}")]
    Range(String),
    /// Settings that contradict one another, the input or the machine.
    #[error("{0}")]
    Conflict(String),
    /// The network is needed and forbidden.
    #[error("{0}")]
    Offline(String),
    /// Standard output takes one stream as it is, and something else was asked for.
    #[error("{0}")]
    StandardOutput(String),
    /// Failures are to be tried again of a run that left no output.
    #[error("{0}")]
    NoEarlierRun(String),
    /// Which columns of a table are to be translated is not clear, or they are none of it.
    #[error("{0}")]
    Columns(String),
    /// Which fields of a record are what cannot be read.
    #[error("{0}")]
    Fields(String),
    /// A summary needs a model that translates.
    #[error("{0}")]
    NoTranslationModel(String),
    /// A summary needs a model that writes summaries, or another one than this.
    #[error("{0}")]
    SummaryModel(String),
    /// The server cannot have its address.
    #[error("{what}")]
    Listen {
        /// The address and what is wrong with it.
        what: String,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
}
