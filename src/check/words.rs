//! Common English words: no names, however they are capitalised.
use std::collections::HashSet;
use std::sync::LazyLock;

/// Words that are mostly written in lower case in 25,000 sentences of health, news, speech and story text
/// (`scripts/names/common_words.py`), without the endings that [`is_common_english`] strips.
static WORDS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| include_str!("english_words.txt").lines().collect());

const ENDINGS: [(&str, &[&str]); 14] = [
    ("'s", &[""]),
    ("ies", &["y", "ie"]),
    ("es", &["", "e"]),
    ("s", &[""]),
    ("ied", &["y"]),
    ("ed", &["", "e"]),
    ("ing", &["", "e"]),
    ("ly", &["", "le"]),
    ("ers", &["", "e"]),
    ("er", &["", "e"]),
    ("est", &["", "e"]),
    ("ment", &["", "e"]),
    ("ness", &[""]),
    ("al", &["", "e"]),
];

/// Is this lower-case word, or the word that it is a form of, a common one?
pub(crate) fn is_common_english(word: &str) -> bool {
    if word.len() <= 2 || WORDS.contains(word) {
        return true;
    }
    ENDINGS.iter().any(|(ending, to)| {
        word.strip_suffix(ending).filter(|stem| stem.len() >= 3).is_some_and(|stem| {
            let undoubled = stem
                .get(..stem.len() - 1)
                .filter(|shorter| stem.len() > 3 && shorter.ends_with(&stem[shorter.len()..]));
            WORDS.contains(stem)
                || undoubled.is_some_and(|shorter| WORDS.contains(shorter))
                || to.iter().any(|to| !to.is_empty() && WORDS.contains(format!("{stem}{to}").as_str()))
        })
    })
}

/// Endings that English words have and names hardly ever; the second list only counts where a sentence starts.
pub(crate) fn has_common_ending(word: &str, initial: bool) -> bool {
    const ALWAYS: [&str; 17] = [
        "ism", "icate", "tion", "tions", "sion", "sions", "ment", "ments", "ship", "ships", "ness", "ities", "ists",
        "ology", "graphy", "ational", "ously",
    ];
    const INITIAL: [&str; 12] = ["ing", "ed", "ly", "ity", "ance", "ence", "ists", "ful", "able", "ible", "ous", "ual"];
    let ends = |list: &[&str]| list.iter().any(|e| word.len() >= e.len() + 4 && word.ends_with(e));
    ends(&ALWAYS) || (initial && ends(&INITIAL))
}

/// Words of institutions, offices and occasions, which are capitalised within names and translated rather than spelled;
/// and words that English has from Bengali.
const INSTITUTIONS: &str = "minister ministers ministry premier president secretary secretaries parliament parliamentary \
court commission commissioner committee department university college school hospital airport airlines airways bank bridge road \
street avenue district division upazila union council league party front alliance police army navy naval force forces battalion \
corporation limited ltd company bureau authority board institute institution academy foundation association federation federal \
society club stadium cup tournament championship premiership conference summit convention treaty act ordinance constitution \
amendment national international republic kingdom government govt cabinet opposition general chairman chairperson chairwoman \
director directorate assistant organization organisation banquet trusteeship telecom telecommunications environmental quota onion exim advocate barrister attorney solicitor magistrate inspector superintendent ambassador envoy professor doctor engineer sir \
madam mrs miss prof adv alhaj hajj haj umrah maulana mufti imam iftar suhoor janaza bangla bengali bangladeshi bangabandhu \
monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september october \
november december taka crore lakh tk usd english internet website online facebook twitter youtube google covid coronavirus god \
islam islamic muslim hindu christian buddhist congress senate senator embassy consulate mission delegation assembly convention \
sangsad parishad madrasa mosque temple church cathedral palace tower plaza square centre center complex hotel restaurant \
representative deputy vice joint additional acting former state chief staff officer brigadier colonel lieutenant captain major \
admiral marshal sergeant constable corporal cadet guard bazar bazaar market port terminal station railway metro rail expressway \
highway river sea ocean bay gulf island islands mountain mount lake canal beach park garden zoo museum library theatre auditorium \
medical engineering agricultural agriculture science technology education health finance foreign home affairs law justice planning \
commerce industry industries textile jute power energy mineral resources water shipping aviation tourism civil defence defense \
liberation freedom fighter fighters martyr martyrs victory independence day week month year decade century war genocide eid puja \
ramadan ramzan quran bible prophet saint pope king queen prince princess royal emperor empire democratic democracy socialist \
communist conservative labour labor liberal republican workers party's mp mps pm md dr mr ms st no vvip vip ceo gdp it tv radio \
television news times daily post tribune star herald press agency media journal magazine olympic olympics asian african european \
american latin western eastern northern southern north south east west northeast northwest southeast southwest central greater new \
old upper lower great grand golden silver bronze award awards prize medal nobel padma jamuna corona hon honourable honorable \
excellency majesty highness mayor councillor councilor governor commander tribunal appellate registrar rector principal \
chancellor dean lecturer editor reporter correspondent journalist author poet singer actor actress artist film cinema drama \
expatriate expatriates rohingya rohingyas migrant upazilas thana ward unionparishad detective branch squad crime intelligence \
investigation narcotics customs revenue tax excise audit comptroller accountant treasurer stock exchange securities fund funds \
insurance leasing group textiles garments mills factory plant project programme program scheme plan vision agenda goals goal \
development atomic nuclear constituent constituency civics diaspora mathematics geography physics chemistry biology \
economics sustainable millennium climate environment forest forests fisheries livestock food disaster relief refugee repatriation";

static INSTITUTION: LazyLock<HashSet<&'static str>> = LazyLock::new(|| INSTITUTIONS.split_whitespace().collect());

/// Is this lower-case word one of an institution, an office or an occasion?
pub(crate) fn is_institution(word: &str) -> bool {
    INSTITUTION.contains(word) || word.strip_suffix('s').is_some_and(|w| INSTITUTION.contains(w))
}

/// Parts of persons' names that are no other words, in canonical spelling.
const NAME_PARTS: &str = "খান চৌধুরী রহমান মোহাম্মদ আহমেদ হোসেন আবদুল আব্দুল হাসান মুহাম্মদ উদ্দিন আহমদ মাহমুদ আবুল করিম মজুমদার আনোয়ার \
মুখোপাধ্যায় চট্টোপাধ্যায় বন্দ্যোপাধ্যায় চক্রবর্তী ভট্টাচার্য কামাল ইউসুফ সিদ্দিকী ইকবাল আব্দুল্লাহ আবদুল্লাহ ফারুক আবদুর আব্দুর রশিদ খন্দকার তালুকদার \
জাহাঙ্গীর নুরুল হায়দার মোস্তফা সেলিম সুলতানা আকবর হামিদ ইব্রাহিম ইমরান আশরাফ শওকত মাসুদ মান্নান আলমগীর হুসাইন রাজ্জাক মাহবুব শামসুল লতিফ \
নাজমুল কামরুল পারভীন আক্তার মোদি ট্রাম্প পুতিন বাইডেন হাসিনা খালেদা জিয়াউর মমতা ইউনূস তারেক ফখরুল ওবায়দুল মোমেন জেলেনস্কি এরদোয়ান লাভরভ \
শাহজালাল গুতেরেস মনমোহন ইন্দিরা নেহেরু গান্ধী রবীন্দ্রনাথ নজরুল";

static NAME_PART: LazyLock<HashSet<String>> =
    LazyLock::new(|| NAME_PARTS.split_whitespace().map(super::canonical::canonical).collect());

/// Is this canonical Bengali word surely a part of a person's name?
pub(crate) fn is_name_part(word: &str) -> bool {
    NAME_PART.contains(word)
}

/// Is a person's name sure to follow this canonical Bengali word?
pub(crate) fn is_person_title(word: &str) -> bool {
    matches!(word, "মো" | "মোঃ" | "মোহা" | "মোছা" | "মোসা" | "মোছাঃ")
}

#[cfg(test)]
mod tests {
    use super::is_common_english;

    #[test]
    fn forms_of_common_words_are_common_and_names_are_not() {
        for word in ["people", "running", "cities", "quickly", "hoped", "of"] {
            assert!(is_common_english(word), "{word}");
        }
        for word in ["lavrov", "hasina", "dhaka", "karim"] {
            assert!(!is_common_english(word), "{word}");
        }
    }
}
